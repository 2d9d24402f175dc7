"""Which invoice a history note is about, for a ledger that keeps notes on its invoices.

Some notes name their invoice. One about a reminder, or about the answer to it, is about the invoices that the reminder
listed; of these the oldest that is overdue and not disputed stands for all, because it is why the reminder was sent.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from store.tables import HistoryNoteRow, InvoiceRow, MessageRow, ReminderRow


def invoice_concerned(session: Session, note: HistoryNoteRow) -> str:
    """The ledger's id of the invoice; empty where the note is about none."""
    number = note.invoice_id or _reminded_of(session, note)
    invoice = session.get(InvoiceRow, number) if number else None
    return invoice.ledger_id if invoice is not None else ""


def _reminded_of(session: Session, note: HistoryNoteRow) -> int | None:
    """Our number of the invoice for which a reminder was sent, or of the oldest that it listed."""
    reminder = session.get(ReminderRow, note.reminder_id) if note.reminder_id is not None else None
    if reminder is None:
        return None
    if reminder.invoice_id:
        return reminder.invoice_id
    # Only what was said before the note was written, so that the answer is the same however often it is asked.
    said = select(MessageRow).where(col(MessageRow.reminder_id) == reminder.id, col(MessageRow.created_at) <= note.at)
    message = session.scalars(said.order_by(col(MessageRow.id).desc()).limit(1)).first()
    line = _driver(message.invoices) if message is not None else None
    return _listed(session, note, line) if line is not None else None


def _driver(lines: list[dict[str, Any]]) -> Mapping[str, Any] | None:
    """The line with the earliest due date, of those that count where any does."""
    counted = [line for line in lines if line["age"] > 0 and not line["disputed"]]
    return min(counted or lines, key=lambda line: line["due_on"], default=None)


def _listed(session: Session, note: HistoryNoteRow, line: Mapping[str, Any]) -> int | None:
    """The invoice of that line. A number may have been given twice, so its day and currency are looked at too."""
    number: int | None = session.scalars(
        select(InvoiceRow.id)
        .where(
            col(InvoiceRow.organisation_id) == note.organisation_id,
            col(InvoiceRow.number) == line["number"],
            col(InvoiceRow.currency) == line["currency"],
        )
        .order_by(
            (col(InvoiceRow.account_id) == note.account_id).desc(),
            (col(InvoiceRow.due_on) == date.fromisoformat(line["due_on"])).desc(),
            col(InvoiceRow.id),
        )
        .limit(1)
    ).first()
    return number
