"""How Xero writes a date: milliseconds since 1970 in a wrapper, and beside it something a person can read."""

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)


def instant(at: datetime) -> str:
    return f"/Date({(at - EPOCH) // timedelta(milliseconds=1)}+0000)/"


def day(on: date) -> str:
    """Midnight UTC of the firm's own calendar day."""
    return f"/Date({(on - EPOCH_DAY).days * 86_400_000}+0000)/"


def day_text(on: date) -> str:
    return f"{on.isoformat()}T00:00:00"


def instant_text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def read_instant(text: str) -> datetime:
    """`/Date(1541176290160+0000)/` as an instant; raises ValueError for anything else."""
    if not (text.startswith("/Date(") and text.endswith(")/")):
        raise ValueError(f"“{text}” is not a date of the form /Date(1541176290160+0000)/.")
    number = text[6:-2]
    sign = max(number.rfind("+"), number.rfind("-", 1))
    return EPOCH + timedelta(milliseconds=int(number[:sign] if sign > 0 else number))


def read_since(text: str) -> datetime:
    """If-Modified-Since as Xero takes it, `yyyy-mm-ddThh:mm:ss` in UTC, or as HTTP writes it; to the whole second."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = parsedate_to_datetime(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.replace(microsecond=0)
