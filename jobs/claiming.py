"""Claiming: one worker takes one reminder for a while, so that nobody else touches it.

A claim that runs out before anything has left is harmless: somebody else takes the reminder, and looks at it afresh.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from engine.letters import LETTER_CYCLE
from engine.receivables import InvoiceStatus
from jobs.office import Office
from store import outbox
from store.tables import InvoiceRow, ReminderRow

CLAIM = timedelta(minutes=10)
"""Longer than the slowest look at the ledger and the slowest send together."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reminder that this worker alone is looking at, and the invoices to ask the ledger about."""

    reminder_id: int
    organisation_id: int
    account_id: int
    claim: str
    attempts: int
    invoices: tuple[str, ...]
    cycle: int = 1


def claim(office: Office, reminder_id: int) -> Claimed | None:
    """Takes the reminder for a while, so that no other worker touches it."""
    now = office.clock()
    by = secrets.token_hex(8)
    with office.database.unit_of_work() as unit:
        row = outbox.claim(unit, reminder_id, by=by, now=now, until=now + CLAIM)
        if row is None:
            return None
        invoices = unit.scalars(
            select(InvoiceRow.ledger_id).where(col(InvoiceRow.account_id) == row.account_id, _concerned(row))
        ).all()
        return Claimed(reminder_id, row.organisation_id, row.account_id, by, row.attempts, tuple(invoices), row.cycle)


def _concerned(row: ReminderRow) -> ColumnElement[bool]:
    """What is open; and of a thank-you also the invoice that was paid, which may not have been after all."""
    still_open = col(InvoiceRow.status) == InvoiceStatus.OPEN
    return or_(still_open, col(InvoiceRow.id) == row.invoice_id) if row.cycle == LETTER_CYCLE else still_open
