"""Contact limits as a page tells them: when somebody may be reached, and how often."""

from collections.abc import Iterable

from engine.limits import NAMES, ContactRules
from engine.workflow import Channel

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def limits_in_words(rules: ContactRules) -> list[str]:
    """One sentence for each window and cap, and for what rests."""
    told = [
        f"{_weekdays(window.weekdays)} from {window.opens:%H:%M} to {window.closes:%H:%M}{_only(window.channels)}"
        for window in rules.windows
    ]
    told += [cap.sentence for cap in rules.caps]
    if rules.holidays_closed:
        told.append(f"on public holidays no {_named(rules.holidays_closed)}")
    if rules.cooldown_days:
        told.append(f"no call within {rules.cooldown_days} days after a conversation")
    return told


def _weekdays(days: Iterable[int]) -> str:
    """`Monday to Friday`, `Saturday and Sunday`; the days of a window follow one another."""
    ordered = sorted(days)
    first, last = _DAYS[ordered[0]], _DAYS[ordered[-1]]
    if len(ordered) == 1:
        return first
    return f"{first} and {last}" if len(ordered) == 2 else f"{first} to {last}"


def _only(channels: frozenset[Channel]) -> str:
    return "" if channels == frozenset(Channel) else f", for {_named(channels)}"


def _named(channels: frozenset[Channel]) -> str:
    if channels == frozenset(Channel):
        return "email, text message or call"
    return " and ".join(f"{NAMES[channel]}s" for channel in Channel if channel in channels)
