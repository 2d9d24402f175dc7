"""The calendar of messages: how many go on which day, by which channel, to whom, and what they cost.

A message is what a step comes to when it is performed. A text message is charged by its segments, and a call takes a
person's time, so both are counted apart from what costs next to nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from engine.facts import Facts
from engine.looking import look
from engine.position import oldest
from engine.receivables import Ref
from engine.story import Send
from engine.words import days
from engine.workflow import Channel


class Foreseen(NamedTuple):
    """One step performed for one account. `segments` are those of a text message that somebody gets."""

    account: Ref
    send: Send
    because: str = ""
    segments: int = 0


class CalendarDay(NamedTuple):
    """What goes on one day. `skipped` are text messages to accounts without a number: they reach nobody."""

    on: date
    counts: Mapping[Channel, int]
    skipped: int
    segments: int

    @property
    def messages(self) -> int:
        return sum(self.counts.values())


class AccountLine(NamedTuple):
    """What one account gets."""

    account: Ref
    counts: Mapping[Channel, int]
    first: date
    last: date

    @property
    def messages(self) -> int:
        return sum(self.counts.values())


class MonthLine(NamedTuple):
    """What went in one month, named by its first day: how many of each step, to how many accounts."""

    month: date
    steps: Mapping[str, int]
    accounts: int

    @property
    def messages(self) -> int:
        return sum(self.steps.values())


def by_day(messages: Iterable[Foreseen], start: date, until: date) -> tuple[CalendarDay, ...]:
    """Every day from the first to the last, those without a message too."""
    on: dict[date, list[Foreseen]] = {}
    for one in messages:
        on.setdefault(one.send.on, []).append(one)
    every = [start + timedelta(days=offset) for offset in range((until - start).days + 1)]
    return tuple(_day(day, on.get(day, [])) for day in every)


def _day(on: date, messages: Sequence[Foreseen]) -> CalendarDay:
    return CalendarDay(on, by_channel(messages), sum(one.send.skipped for one in messages), segments(messages))


def by_account(messages: Iterable[Foreseen]) -> tuple[AccountLine, ...]:
    """Those who get most come first; of those who get as many, the one who gets the first of them sooner."""
    whose: dict[Ref, list[Foreseen]] = {}
    for one in messages:
        if not one.send.skipped:
            whose.setdefault(one.account, []).append(one)
    lines = [
        AccountLine(account, by_channel(theirs), min(one.send.on for one in theirs), max(one.send.on for one in theirs))
        for account, theirs in whose.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.messages, line.first, str(line.account))))


def by_month(messages: Iterable[Foreseen], home: str) -> tuple[MonthLine, ...]:
    """The months with a message, in their order. A step of another workflow than this one is named with it."""
    months: dict[date, list[Foreseen]] = {}
    for one in sorted(messages, key=lambda one: one.send.on):
        if not one.send.skipped:
            months.setdefault(one.send.on.replace(day=1), []).append(one)
    return tuple(
        MonthLine(month, Counter(_named(one.send, home) for one in theirs), len({one.account for one in theirs}))
        for month, theirs in months.items()
    )


def _named(send: Send, home: str) -> str:
    return send.step if send.workflow == home else f"{send.workflow}: {send.step}"


def soon_paid(messages: Iterable[Foreseen], paid_on: Mapping[Ref, Sequence[date]], within: int = 7) -> int:
    """How many went in the so many days before money came in for an invoice that they listed."""
    return sum(
        any(0 < (day - one.send.on).days <= within for name in one.send.invoices for day in paid_on.get(name, ()))
        for one in messages
        if not one.send.skipped
    )


def by_channel(messages: Iterable[Foreseen]) -> Mapping[Channel, int]:
    """How many reach somebody, in the order in which we name the channels."""
    counted = Counter(one.send.channel for one in messages if not one.send.skipped)
    return {channel: counted[channel] for channel in Channel if counted[channel]}


def segments(messages: Iterable[Foreseen]) -> int:
    return sum(one.segments for one in messages)


def cost(messages: Iterable[Foreseen], price: Decimal) -> Decimal:
    """What the text messages cost at that price for a segment."""
    return segments(messages) * price


def calls_a_person(calls: int, people: int) -> int:
    """How many calls the busiest of them has to make, when they share them out. All of them where nobody is known."""
    return -(-calls // max(1, people))


def because_of(send: Send, facts: Facts) -> str:
    """Why it goes, in a sentence without its full stop; the invoices that it lists are those of the facts."""
    named = set(send.invoices)
    listed = tuple(invoice for invoice in facts.invoices if invoice.id in named)
    seen = look(facts._replace(invoices=listed), send.on)
    if seen.driver is not None:
        others = [invoice.number for invoice in listed if invoice.id != seen.driver.id]
        return f"{oldest(seen.driver, send.on)}{_beside(others)}"
    if not listed:
        return ""
    age = listed[0].age(send.on)
    return f"{listed[0].number} falls due {'today' if age == 0 else f'in {days(-age)}'}"


_NAMED = 4


def _beside(others: Sequence[str]) -> str:
    """`, listed with INV-2 and INV-3`; many are counted instead of named."""
    if not others:
        return ""
    if len(others) > _NAMED:
        return f", listed with {len(others)} others"
    return f", listed with {' and '.join(filter(None, (', '.join(others[:-1]), others[-1])))}"


_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")


def segments_of(text: str) -> int:
    """How many segments a text message is charged as: 160 letters of the GSM alphabet or 70 others fit into one, and
    in a longer text 153 or 67 into each (3GPP TS 23.038 and 23.040).
    """
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length = len(text) + sum(letter in _GSM_TWICE for letter in text)
        one, each = 160, 153
    else:
        length = len(text.encode("utf-16-le")) // 2
        one, each = 70, 67
    return 1 if length <= one else -(-length // each)
