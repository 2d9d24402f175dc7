"""Debtor history: one line of what happened and why, kept for good, and on its way into the ledger where it belongs."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from engine.notes import FOR_THE_LEDGER, Note, NoteKind
from store.rows import Question, Row, insert, plain, quoted, together
from store.tables import HistoryNoteRow, WriteBackRow

OfAccount = tuple[int, Note]
"""A note and the number of the account in whose history it belongs."""


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


_NOTE = ("organisation_id", "account_id", "invoice_id", "at", "kind", "text", "by")
_WRITE_BACK = ("note_id", "organisation_id", "account_id", "state", "key", "attempts", "why")
_AND_ITS_NUMBER = (
    f"INSERT INTO history_notes ({', '.join(map(quoted, _NOTE))}) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id"  # noqa: S608
)


def write_for_the_ledger(session: Session, organisation_id: int, notes: Sequence[OfAccount], at: datetime) -> None:
    """Adds those of these notes that the ledger should have too, each with its write-back."""
    rows = [row for row in _rows(session, organisation_id, notes, at) if row[_KIND] in FOR_THE_LEDGER]
    if not rows:
        return
    numbers = together(session, [Question(_AND_ITS_NUMBER, row) for row in rows])
    waiting = [(number, *row[:2], "waiting", "", 0, "") for ((number,),), row in zip(numbers, rows, strict=True)]
    insert(session, "write_backs", _WRITE_BACK, waiting)


def write_for_ourselves(session: Session, organisation_id: int, notes: Sequence[OfAccount], at: datetime) -> None:
    """Adds the others of these notes, which stay in our own history."""
    rows = [row for row in _rows(session, organisation_id, notes, at) if row[_KIND] not in FOR_THE_LEDGER]
    if rows:
        insert(session, "history_notes", _NOTE, rows)


def _rows(session: Session, organisation_id: int, notes: Sequence[OfAccount], at: datetime) -> list[Row]:
    moment = plain(session, at)
    return [
        (organisation_id, account, note.invoice, moment, note.kind.value, note.text, "arrears")
        for account, note in notes
    ]


_KIND = _NOTE.index("kind")
