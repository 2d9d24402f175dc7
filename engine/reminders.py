"""Reminders as the engine sees them: what is to be queued, and what became of those that were.

A reminder is known by its key: the cycle, the step, and the invoice where the step concerns a single one. The same key
can be queued once, whatever happens; a move back begins a new cycle, so a step that rightly comes round again has a
new key. Courtesy steps are all of cycle 0: one of them is never sent twice for one invoice. A person's answers to
replies are of a cycle below that, which the rule never sees: they are no steps.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from engine.receivables import Ref
from engine.workflow import Step

COURTESY_CYCLE = 0
ANSWER_CYCLE = -2


class ReminderKey(NamedTuple):
    cycle: int
    step: str
    invoice: Ref | None = None


class ReminderState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reminder that was performed on that day and has not been taken into the position yet.

    `heard` is false for a step that was skipped (an SMS without a number): it is done, but nobody was reminded. So it
    is for one that was only tried out; `tried_out` then says that, for where the account stands, it counts like one
    that was heard. Else a trial would show reminders after a payment that nobody gets when live.
    """

    key: ReminderKey
    on: date
    heard: bool = True
    tried_out: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A reminder that is not settled: queued, under way, refused or unsure."""

    key: ReminderKey
    state: ReminderState
    approved: bool = False
    held_because: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Queue this reminder (or keep it queued, or release it). With `held_because` it is shown but must not leave."""

    key: ReminderKey
    step: Step
    due_on: date
    invoices: tuple[Ref, ...]
    held_because: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Take this queued reminder back; it has not left."""

    key: ReminderKey
    why: str
