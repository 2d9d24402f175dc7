"""Debtor history: one line of what happened and why, kept for good, and on its way into the ledger where it belongs."""

from datetime import datetime

from sqlmodel import Session

from engine.notes import FOR_THE_LEDGER, NoteKind
from store.tables import HistoryNoteRow, WriteBackRow


def write_note(
    session: Session,
    *,
    organisation_id: int,
    account_id: int,
    kind: NoteKind,
    text: str,
    at: datetime,
    by: str = "",
    invoice_id: int | None = None,
    reminder_id: int | None = None,
    reply_id: int | None = None,
) -> HistoryNoteRow:
    """Adds one note to the account's history, and its write-back when the ledger should have it too."""
    note = HistoryNoteRow(
        organisation_id=organisation_id,
        account_id=account_id,
        invoice_id=invoice_id,
        reminder_id=reminder_id,
        reply_id=reply_id,
        at=at,
        kind=kind,
        text=text,
        by=by,
    )
    session.add(note)
    session.flush()
    if kind in FOR_THE_LEDGER and note.id is not None:
        session.add(WriteBackRow(note_id=note.id, organisation_id=organisation_id, account_id=account_id))
    return note
