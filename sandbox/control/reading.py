"""What is typed into the control door, read strictly: amounts, days and hours, each with its sentence of refusal."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from sandbox.documents import NotPossible


def amount(given: object) -> Decimal:
    try:
        value = Decimal(str(given))
    except InvalidOperation:
        raise NotPossible(f"“{given}” is not an amount; write it as 1234.50.") from None
    if not value.is_finite() or value != value.quantize(Decimal("0.01")):
        raise NotPossible(f"“{given}” is not an amount with at most two decimals.")
    return value.quantize(Decimal("0.01"))


def day(given: object) -> date:
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError:
        raise NotPossible(f"“{given}” is not a day; write it as 2026-05-31.") from None


def hour(given: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        raise NotPossible(f"“{given}” is not a time; write it as 2026-05-31T08:00:00+00:00.") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
