"""Everything that is known about one account on the day it is looked at, and everything that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.holds import Hold
from engine.notes import Note
from engine.position import Position, Run
from engine.receivables import InvoiceStatus, Ref
from engine.reminders import Order, Outcome, Standing, Withdrawal
from engine.workflow import Channel, Workflow


@dataclass(frozen=True, slots=True)
class Rules:
    """What the organisation has settled for all its accounts. `reassess_on_payment` is "Smart workflows" on screen."""

    reassess_on_payment: bool = True
    sending: SendingDays = field(default_factory=SendingDays)
    min_days_between_reminders: int = 1
    stale_after_days: int = 1
    ignore_below: Decimal = Decimal(0)
    disputed_invoices_drive: bool = False


class Departed(NamedTuple):
    """What the ledger now says of the invoice that drove the account at the last look."""

    number: str
    due_on: date
    status: InvoiceStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """One account. `invoices` are all that have a balance; `ledger_as_of` is the date of the last good sync.

    `run` and `cycle` are what the last decision left behind (None and 0 for an account never looked at), `outcomes`
    what was performed since, `standing` the reminders that are not settled.
    """

    rules: Rules
    workflows: Mapping[Ref, Workflow]
    default_workflow: Ref
    invoices: tuple[OpenInvoice, ...]
    ledger_as_of: date | None
    holds: tuple[Hold, ...] = ()
    run: Run | None = None
    cycle: int = 0
    last_reminded_on: date | None = None
    departed: Departed | None = None
    outcomes: tuple[Outcome, ...] = ()
    standing: tuple[Standing, ...] = ()
    reachable: frozenset[Channel] = frozenset(Channel)


class Reason(NamedTuple):
    """One rule that was looked at. `passed` means: as far as this rule goes, a reminder may leave."""

    rule: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Where the account stands, what is to be queued or taken back, what history is to say, and why."""

    position: Position
    cycle: int
    last_reminded_on: date | None
    orders: tuple[Order, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    notes: tuple[Note, ...] = ()
    reasons: tuple[Reason, ...] = ()
