"""Everything that is known about one account on the day it is looked at, and everything that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.holds import Hold, HoldKind
from engine.limits import Contacted, ContactRules
from engine.notes import Note
from engine.position import Position, Run
from engine.receivables import InvoiceStatus, Money, Ref
from engine.reminders import Order, Outcome, Standing, Withdrawal
from engine.workflow import Channel, Workflow


class AfterMoveBack(StrEnum):
    """Whether the step that an account has moved back to is sent once more. It waits, unless the firm says resend."""

    WAIT = "wait"
    RESEND = "resend"


class FirstContact(StrEnum):
    """Where an account that was never sent anything begins: at the first step, or at the step that fits its age."""

    BEGINNING = "beginning"
    BY_AGE = "by_age"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the organisation has settled for all its accounts. `reassess_on_payment` is "Smart workflows" on screen."""

    reassess_on_payment: bool = True
    sending: SendingDays = field(default_factory=SendingDays)
    min_days_between_reminders: int = 1
    stale_after_days: int = 1
    ignore_below: Decimal = Decimal(0)
    disputed_invoices_drive: bool = False
    after_move_back: AfterMoveBack = AfterMoveBack.WAIT
    first_contact: FirstContact = FirstContact.BEGINNING
    return_over_link: bool = True
    pause_when_in_credit: bool = False
    limits: ContactRules | None = None


class Departed(NamedTuple):
    """What the ledger now says of the invoice that drove the account at the last look."""

    number: str
    due_on: date
    status: InvoiceStatus


class Begin(NamedTuple):
    """Somebody's word that the account begins anew: on this workflow (None: its default), at this step (None: the
    first). `by_hand` is false where it follows from something else, such as unmuting the account.
    """

    workflow: Ref | None = None
    step: str | None = None
    by: str = ""
    by_hand: bool = True


class Facts(NamedTuple):
    """One account. `invoices` are all that have a balance; `ledger_as_of` is the date of the last good sync.

    `run` and `cycle` are what the last decision left behind (None and 0 for an account never looked at),
    `invoice_runs` the same for each invoice on a workflow of kind invoice, `outcomes` what was performed since,
    `standing` the reminders that are not settled, `courtesies` the courtesy steps already performed, as pairs of
    invoice and step. `last_reminded_on` is the day something was last heard, `last_step_on` the day any step was last
    performed, skipped ones included. `begin` is a person's word not acted upon yet. `credits` is money in the
    customer's favour that no invoice has used up. `contacted` are the contacts of the last weeks, needed only where
    the rules have limits. `sending_ahead`: today's sending time has not passed yet. `stopped`: why nothing may be sent
    to an address that the account has, by channel. `tried_out` are the steps of the last days that nobody heard because
    sending is only tried out: the gap between two reminders counts them, as long as the trial goes on.
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
    last_step_on: date | None = None
    departed: Departed | None = None
    outcomes: tuple[Outcome, ...] = ()
    standing: tuple[Standing, ...] = ()
    reachable: frozenset[Channel] = frozenset(Channel)
    begin: Begin | None = None
    credits: tuple[Money, ...] = ()
    courtesies: frozenset[tuple[Ref, str]] = frozenset()
    invoice_runs: Mapping[Ref, Run] = {}
    contacted: tuple[Contacted, ...] = ()
    sending_ahead: bool = True
    stopped: tuple[tuple[Channel, str], ...] = ()
    tried_out: tuple[Outcome, ...] = ()


class Decision(NamedTuple):
    """Where the account stands, what is to be queued or taken back, what history is to say, which holds are over."""

    position: Position
    cycle: int
    last_reminded_on: date | None
    last_step_on: date | None = None
    orders: tuple[Order, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    notes: tuple[Note, ...] = ()
    invoice_runs: Mapping[Ref, Run] = {}
    lifts: tuple[HoldKind, ...] = ()
