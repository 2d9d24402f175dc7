"""Debtor history: one line of what happened and why, kept for good, and on its way into the ledger where it belongs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session

from engine.notes import FOR_THE_LEDGER, MOVES, Note, NoteKind
from store.rows import Question, Row, insert, plain, quoted, together
from store.tables import HistoryNoteRow, OrganisationRow, WriteBackRow

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
    told = told_to_the_ledger(trying_out=kind in MOVES and _is_tried_out(session, organisation_id))
    if kind in told and note.id is not None:
        session.add(WriteBackRow(note_id=note.id, organisation_id=organisation_id, account_id=account_id))
    return note


_NOTE = ("organisation_id", "account_id", "invoice_id", "at", "kind", "text", "by")
_WRITE_BACK = ("note_id", "organisation_id", "account_id", "state", "key", "attempts", "why")
_AND_ITS_NUMBER = (
    f"INSERT INTO history_notes ({', '.join(map(quoted, _NOTE))}) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id"  # noqa: S608
)


def _is_tried_out(session: Session, organisation_id: int) -> bool:
    organisation = session.get(OrganisationRow, organisation_id)
    return organisation is not None and organisation.sending_mode != "live"


def told_to_the_ledger(*, trying_out: bool) -> Collection[NoteKind]:
    """The kinds that go on into the ledger. Of moves that nobody has been reminded by, it is told nothing."""
    return FOR_THE_LEDGER - MOVES if trying_out else FOR_THE_LEDGER


def write_for_the_ledger(
    session: Session,
    organisation_id: int,
    notes: Sequence[OfAccount],
    at: datetime,
    told: Collection[NoteKind] = FOR_THE_LEDGER,
) -> None:
    """Adds those of these notes that the ledger should have too (the kinds `told`), each with its write-back."""
    rows = _rows(session, organisation_id, [one for one in notes if one[1].kind in told], at)
    if not rows:
        return
    numbers = together(session, [Question(_AND_ITS_NUMBER, row) for row in rows])
    waiting = [(number, *row[:2], "waiting", "", 0, "") for ((number,),), row in zip(numbers, rows, strict=True)]
    insert(session, "write_backs", _WRITE_BACK, waiting)


def write_for_ourselves(
    session: Session,
    organisation_id: int,
    notes: Sequence[OfAccount],
    at: datetime,
    told: Collection[NoteKind] = FOR_THE_LEDGER,
) -> None:
    """Adds the others of these notes, which stay in our own history."""
    rows = _rows(session, organisation_id, [one for one in notes if one[1].kind not in told], at)
    if rows:
        insert(session, "history_notes", _NOTE, rows)


def _rows(session: Session, organisation_id: int, notes: Sequence[OfAccount], at: datetime) -> list[Row]:
    moment = plain(session, at)
    return [
        (organisation_id, account, note.invoice, moment, note.kind.value, note.text, "arrears")
        for account, note in notes
    ]
