"""How QuickBooks writes a moment: with the offset of Intuit's own clocks, which stand on the Pacific coast."""

from datetime import datetime
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


def stamp(at: datetime) -> str:
    """To the whole second, as on every paper: `2020-09-29T06:03:53-07:00`."""
    return at.astimezone(PACIFIC).isoformat(timespec="seconds")


def server_time(at: datetime) -> str:
    """To the millisecond, as in the envelope of every answer."""
    return at.astimezone(PACIFIC).isoformat(timespec="milliseconds")


def read(text: str) -> datetime:
    """A moment as a caller writes it; without an offset it is Pacific time. Raises ValueError for anything else."""
    # In an address a plus sign that was not escaped arrives as a space.
    at = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    return at.replace(tzinfo=PACIFIC) if at.tzinfo is None else at
