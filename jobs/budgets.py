"""How many calls a connection may still make: counting, and nothing else.

A ledger's provider allows so many calls a minute and so many a day, and shuts the door on whoever asks more. What was
asked lately is counted here, so that the door is never shut, and so that reading leaves enough of the day's calls for
the one more look that every reminder needs. Nobody sleeps: whoever has no turn now is told when.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connector import Budget, Purpose

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
BELIEVED = timedelta(hours=1)
"""How long the provider's word on the day holds: its day may end at any time, and only another call finds that out."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the provider said is left, at that moment; each call of ours since has taken one of it."""

    left: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """The calls of one connection: each of the last minute by its moment, those of the last day by the quarter hour."""

    minute: tuple[datetime, ...] = ()
    quarters: tuple[tuple[datetime, int], ...] = ()
    told_minute: Told | None = None
    told_day: Told | None = None


@dataclass(frozen=True, slots=True)
class NotNow:
    """No call now: why, in words, and when to ask again."""

    why: str
    until: datetime


def turn(budget: Budget, spent: Spent, purpose: Purpose, now: datetime) -> Spent | NotNow:
    """The turn of one call, counted; or why it has to wait, and until when."""
    spent = _forgotten(spent, now)
    if (until := _minute_is_full(budget, spent)) is not None:
        return NotNow(f"the {budget.a_minute} calls that the ledger allows in a minute are used up", until)
    if (until := _day_is_over(budget, spent, purpose)) is not None:
        return NotNow(_WHY[purpose], until)
    quarter = datetime.fromtimestamp(now.timestamp() // _QUARTER * _QUARTER, UTC)
    quarters = dict(spent.quarters)
    quarters[quarter] = quarters.get(quarter, 0) + 1
    return Spent((*spent.minute, now), tuple(quarters.items()), _one_less(spent.told_minute), _one_less(spent.told_day))


def heard(spent: Spent, now: datetime, *, minute_left: int | None = None, day_left: int | None = None) -> Spent:
    """What the provider says is left. It sees the calls of others too, so it is believed where it says less."""
    if minute_left is not None:
        spent = replace(spent, told_minute=Told(minute_left, now))
    if day_left is not None:
        spent = replace(spent, told_day=Told(day_left, now))
    return spent


def kept_back(budget: Budget, purpose: Purpose) -> int:
    """How many of the day's calls this purpose leaves alone: reading the whole reserve, writing notes half of it."""
    if budget.a_day is None:
        return 0
    reserve = -int(-budget.a_day * budget.reserve // 1)
    return {Purpose.READING: reserve, Purpose.WRITING: reserve // 2, Purpose.SENDING: 0}[purpose]


_QUARTER = QUARTER.total_seconds()
_WHY = {
    Purpose.READING: "what is left of the day's calls is kept for the look before each reminder",
    Purpose.WRITING: "what is left of the day's calls is kept for the look before each reminder",
    Purpose.SENDING: "the calls that the ledger allows in a day are used up",
}


def _forgotten(spent: Spent, now: datetime) -> Spent:
    """Without what no window reaches any more. What lies in the future was counted before a clock was set back."""
    day, minute = spent.told_day, spent.told_minute
    return Spent(
        minute=tuple(at for at in spent.minute if now - MINUTE < at <= now + MINUTE),
        quarters=tuple((at, count) for at, count in spent.quarters if now - DAY < at + QUARTER and at <= now + QUARTER),
        told_minute=minute if minute is not None and abs(now - minute.at) < MINUTE else None,
        told_day=day if day is not None and abs(now - day.at) < BELIEVED else None,
    )


def _minute_is_full(budget: Budget, spent: Spent) -> datetime | None:
    if len(spent.minute) >= budget.a_minute:
        return spent.minute[-budget.a_minute] + MINUTE
    if spent.told_minute is not None and spent.told_minute.left <= 0:
        return spent.told_minute.at + MINUTE
    return None


def _day_is_over(budget: Budget, spent: Spent, purpose: Purpose) -> datetime | None:
    if budget.a_day is None:
        return None
    leave = kept_back(budget, purpose)
    used = sum(count for _, count in spent.quarters)
    if used >= budget.a_day - leave:
        return _when_fewer_than(budget.a_day - leave, spent)
    if spent.told_day is not None and spent.told_day.left <= leave:
        return spent.told_day.at + BELIEVED
    return None


def _when_fewer_than(most: int, spent: Spent) -> datetime:
    """When enough of the oldest quarters of an hour lie a whole day back."""
    used = sum(count for _, count in spent.quarters)
    for at, count in sorted(spent.quarters):
        used -= count
        if used < most:
            return at + QUARTER + DAY
    raise ValueError("a budget of no calls at all lets nobody ever call")


def _one_less(told: Told | None) -> Told | None:
    return replace(told, left=told.left - 1) if told is not None else None


def kept(spent: Spent) -> dict[str, Any]:
    """As it is remembered over a restart."""
    told = {"told_minute": spent.told_minute, "told_day": spent.told_day}
    return {
        "minute": [at.timestamp() for at in spent.minute],
        "quarters": [[at.timestamp(), count] for at, count in spent.quarters],
        **{name: [one.left, one.at.timestamp()] for name, one in told.items() if one is not None},
    }


def remembered(kept: dict[str, Any]) -> Spent:
    """As it was remembered."""
    told = {name: Told(kept[name][0], _moment(kept[name][1])) for name in ("told_minute", "told_day") if name in kept}
    return Spent(
        minute=tuple(_moment(at) for at in kept.get("minute", ())),
        quarters=tuple((_moment(at), count) for at, count in kept.get("quarters", ())),
        **told,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
