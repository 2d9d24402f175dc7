"""When, and how often, a debtor may be contacted.

Nobody wants a text message about money at midnight, or a call on every day of the week, and in many countries the law
or a regulator says so in numbers. The rules are data: hours on the debtor's own clock, and caps on how many contacts
may fall into so many days, no matter who made them. The answer is always the next moment that is open and, when that
is not now, the reason in words. `engine/limit_presets.py` holds the rules of each country.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from heapq import nlargest
from typing import NamedTuple

from engine.calendars import civil_date, moment_of
from engine.contact_hours import MIDNIGHT, Hours, Window
from engine.words import days, in_words
from engine.workflow import Channel

__all__ = [
    "Cap",
    "CapReached",
    "ContactRules",
    "Contacted",
    "Opening",
    "Window",
    "cap_reached",
    "closes_at",
    "first_open",
]

HORIZON = timedelta(days=366)
"""How far ahead an opening is looked for; rules that open on no day of a year are a mistake."""

NAMES = {Channel.EMAIL: "email", Channel.SMS: "text message", Channel.CALL: "call"}


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many contacts in any `days` consecutive civil days, counted over the channels named.

    Manual sends and calls count like automatic ones: the debtor cannot tell them apart.
    """

    most: int
    days: int
    channels: frozenset[Channel] = frozenset(Channel)

    def __post_init__(self) -> None:
        if self.most < 1 or self.days < 1:
            raise ValueError("a cap needs at least one contact and one day")

    @property
    def sentence(self) -> str:
        """`3 contacts in 7 days are the most`."""
        ending, verb = ("", "is") if self.most == 1 else ("s", "are")
        every = self.channels == frozenset(Channel)
        named = ["contact"] if every else [NAMES[channel] for channel in Channel if channel in self.channels]
        return f"{self.most} {' or '.join(name + ending for name in named)} in {days(self.days)} {verb} the most"


@dataclass(frozen=True, slots=True)
class ContactRules:
    """When and how often one kind of debtor may be contacted.

    A channel that no window names may reach the debtor at any hour. On a holiday the channels in `holidays_closed`
    stay silent. After a conversation on the phone, no call for `cooldown_days`: the day of the conversation is the
    first of them. 0 means that calls need not wait.
    """

    key: str
    title: str
    windows: tuple[Window, ...] = ()
    caps: tuple[Cap, ...] = ()
    holidays_closed: frozenset[Channel] = frozenset()
    cooldown_days: int = 0


class Contacted(NamedTuple):
    """One contact made. `conversation`: somebody was spoken to, not only rung."""

    on: date
    channel: Channel
    conversation: bool = False


@dataclass(frozen=True, slots=True)
class CapReached:
    """No further contact before `open_on`. `cap` is None when it is a conversation that has to rest."""

    cap: Cap | None
    open_on: date
    why: str

    @property
    def because(self) -> str:
        """`3 contacts in 7 days are the most; the next may go on 4 July 2026`."""
        return f"{self.why}; the next may go on {in_words(self.open_on)}"


class Opening(NamedTuple):
    """The first moment (UTC) at which the debtor may be reached; `because` is empty when nothing had to wait."""

    at: datetime
    because: str


def cap_reached(rules: ContactRules, channel: Channel, on: date, contacted: Sequence[Contacted]) -> CapReached | None:
    """What forbids one more contact on this day; None when it may be made. The cap that opens last is the one named.

    Every contact handed in counts, one dated after `on` too: hand in those made by then.
    """
    reached = [one for one in _rests(rules, channel, contacted) if one.open_on > on]
    return max(reached, key=lambda one: one.open_on, default=None)


def _rests(rules: ContactRules, channel: Channel, contacted: Sequence[Contacted]) -> Iterator[CapReached]:
    for cap in rules.caps:
        newest = nlargest(cap.most, (one.on for one in contacted if one.channel in cap.channels))
        if channel in cap.channels and len(newest) == cap.most:
            yield CapReached(cap, newest[-1] + timedelta(days=cap.days), cap.sentence)
    conversations = [one.on for one in contacted if one.conversation]
    if channel is Channel.CALL and rules.cooldown_days and conversations:
        why = f"no call may follow a conversation within {days(rules.cooldown_days)}"
        yield CapReached(None, max(conversations) + timedelta(days=rules.cooldown_days), why)


def first_open(
    rules: ContactRules,
    channel: Channel,
    at: datetime,
    *,
    zones: Sequence[tzinfo],
    contacted: Sequence[Contacted] = (),
    holidays: frozenset[date] = frozenset(),
    counted_in: tzinfo | None = None,
) -> Opening:
    """The first moment at or after `at` (aware) at which this channel may reach the debtor.

    `zones` are all that the debtor may live in: each of them has to be open. Holidays are dates on the debtor's
    calendar. Caps count civil dates in `counted_in`, the calendar that the dates of `contacted` were read from; the
    first zone when it is not given. Raises ValueError when nothing opens within 366 days.
    """
    if at.tzinfo is None or not zones:
        raise ValueError("a moment with its time zone is needed, and at least one time zone of the debtor")
    asked, calendar = at.astimezone(UTC), counted_in or zones[0]
    reached = cap_reached(rules, channel, civil_date(asked, calendar), contacted)
    rested = max(asked, moment_of(reached.open_on, MIDNIGHT, calendar)) if reached else asked
    hours = _hours_of(rules, channel, holidays)
    opens = _open_in_all(hours, rested, zones, until=asked + HORIZON)
    if opens is None:
        raise ValueError(f"no moment within {HORIZON.days} days is open for {NAMES[channel]}s; see “{rules.title}”")
    if opens == asked:
        return Opening(opens, "")
    capped = f"{reached.why}; the next may go on" if reached and rested > asked else ""
    return Opening(opens, f"{capped or _closed(hours, channel, asked, zones)} {_on_the_clock(opens, zones)}")


def closes_at(rules: ContactRules, channel: Channel, at: datetime, *, zone: tzinfo) -> datetime | None:
    """When the window that is open at `at` closes; None for a channel that may reach the debtor at any hour.

    `at` itself when nothing is open then.
    """
    windows = [window for window in rules.windows if channel in window.channels]
    if not windows:
        return None
    return Hours(tuple(windows)).open_until(at, zone)


def _hours_of(rules: ContactRules, channel: Channel, holidays: frozenset[date]) -> Hours:
    windows = tuple(window for window in rules.windows if channel in window.channels)
    return Hours(windows or (Window.always(channel),), holidays if channel in rules.holidays_closed else frozenset())


def _open_in_all(hours: Hours, moment: datetime, zones: Sequence[tzinfo], *, until: datetime) -> datetime | None:
    """The first moment that is open in every zone, found by going from one opening to the next."""
    while moment <= until:
        latest = max(hours.next_open(moment, zone) for zone in zones)
        if latest == moment:
            return moment
        moment = latest
    return None


def _closed(hours: Hours, channel: Channel, moment: datetime, zones: Sequence[tzinfo]) -> str:
    """`8 pm to 8 am is closed for text messages where the debtor lives; open again on`."""
    zone = next(zone for zone in zones if hours.next_open(moment, zone) > moment)
    where = "where the debtor lives" if len(zones) == 1 else f"in {zone}, where the debtor may live"
    return f"{hours.why_closed(moment, zone)} for {NAMES[channel]}s {where}; open again on"


def _on_the_clock(moment: datetime, zones: Sequence[tzinfo]) -> str:
    """`4 July 2026 at 08:00` on the debtor's clock, which is named when it is not known for sure."""
    local = moment.astimezone(zones[0])
    return f"{in_words(local.date())} at {local:%H:%M}" + (f" ({zones[0]})" if len(zones) > 1 else "")
