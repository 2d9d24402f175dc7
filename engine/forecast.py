"""Who pays when, as far as one can tell: an account pays as late as it usually did.

Nobody knows what the coming weeks bring, so two guesses are made: that nobody pays, which is the worst, and that
everybody keeps their habits. A habit is the median of how late invoices were settled, because one invoice that was
forgotten for a year says little about the others. An invoice that is later than usual already is expected to be paid
as late as those that were as late as that, and never where none was.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.receivables import Ref
from engine.story import Event, When

ENOUGH = 3
"""So many settled invoices make a habit. An account with fewer is taken to pay as all accounts together do."""


class Payers(StrEnum):
    """What is assumed of the payments to come."""

    NOBODY = "nobody"
    AT_THEIR_MEDIAN = "median"


class Whose(StrEnum):
    """Whose past an expectation rests on."""

    ITS_OWN = "its own"
    EVERYBODY = "all accounts"
    NOBODY = "the due date"


class Habit(NamedTuple):
    """How many days after the due date an account usually pays (before it, when negative), and how that is known."""

    lateness: int
    whose: Whose


class ExpectedPayment(NamedTuple):
    """These invoices are expected to be paid in full on that day, before the sending time."""

    on: date
    invoices: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """By how many days after their due dates invoices were settled, in rising order. Too few of them say nothing."""

    lateness: tuple[int, ...] = ()
    enough: int = ENOUGH

    def median(self, at_least: int | None = None) -> int | None:
        """The median of all, or of those that were at least so late. Half a day counts as a whole one."""
        first = bisect_left(self.lateness, at_least) if at_least is not None else 0
        count = len(self.lateness) - first
        if count < self.enough:
            return None
        middle = first + count // 2
        two = self.lateness[middle - 1 + count % 2] + self.lateness[middle]
        return -(-two // 2)


NO_PAST = Past()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is known of one account's payments, and of those of all accounts together."""

    own: Past = NO_PAST
    everybody: Past = NO_PAST

    @property
    def habit(self) -> Habit:
        if (own := self.own.median()) is not None:
            return Habit(own, Whose.ITS_OWN)
        if (common := self.everybody.median()) is not None:
            return Habit(common, Whose.EVERYBODY)
        return Habit(0, Whose.NOBODY)

    def paid_on(self, invoice: OpenInvoice, first: date) -> date | None:
        """The day from the first on, on which this invoice will be paid; None when nothing like it ever was."""
        age, lateness = invoice.age(first), self.habit.lateness
        if lateness >= age:
            return invoice.due_on + timedelta(days=lateness)
        as_late = self.own.median(age)
        if as_late is None:
            as_late = self.everybody.median(age)
        return invoice.due_on + timedelta(days=as_late) if as_late is not None else None


def past_of(lateness: Iterable[int], *, enough: int = ENOUGH) -> Past:
    return Past(tuple(sorted(lateness)), enough)


def expected_payments(
    invoices: Iterable[OpenInvoice], expectation: Expectation, *, first: date, last: date
) -> tuple[ExpectedPayment, ...]:
    """Which of these invoices are expected to be paid in these days, day by day."""
    by_day: dict[date, list[Ref]] = {}
    for invoice in invoices:
        on = expectation.paid_on(invoice, first)
        if on is not None and on <= last:
            by_day.setdefault(on, []).append(invoice.id)
    return tuple(ExpectedPayment(on, tuple(names)) for on, names in sorted(by_day.items()))


def as_events(payments: Iterable[ExpectedPayment]) -> tuple[Event, ...]:
    """The same as events of a story."""
    return tuple(Event(paid.on, "pay", list(paid.invoices), When.BEFORE_SEND) for paid in payments)
