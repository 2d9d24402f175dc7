"""Write back: what happened belongs in the ledger too, where the bookkeeper looks first.

Notes of one account travel together. Which notes share a call, and under which key, is settled and committed before
the call is made, so a call whose answer was lost can be repeated word for word; once the ledger's memory for repeated
calls has run out, the ledger is asked for our marker first. A note is never written twice and never forgotten.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlmodel import Session, col

from connector import Ledger, LedgerFailure, LedgerNote, Purpose, Refused
from jobs.concerned import invoice_concerned
from jobs.containing import contained
from jobs.expected import write_expected_dates
from jobs.governors import governor_of
from jobs.ledgers import connection_of, ledger_of, remember
from jobs.office import Office
from store.leases import one_at_a_time
from store.tables import AccountRow, HistoryNoteRow, WriteBackRow
from store.tasks import open_task

_REMEMBERED = timedelta(minutes=5)
"""Xero repeats its first answer to the same key for 6 minutes; we trust it for 5."""

_MOST = 20
_WAITS = (timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class Parcel:
    """The notes of one account that travel in one call."""

    organisation_id: int
    account_id: int
    account_ledger_id: str
    key: str
    notes: tuple[LedgerNote, ...]
    note_ids: tuple[int, ...]
    must_look_first: bool
    attempts: int


def write_back(office: Office) -> int:
    """Writes every note and every expected payment date that waits. Returns how many notes reached the ledger."""
    write_expected_dates(office)
    written = 0
    for organisation_id, account_id in _accounts_waiting(office):
        if office.stopping.is_set():
            break
        with contained("notes not written back", account=account_id):
            parcel = pack(office, organisation_id, account_id)
            if parcel is not None:
                written += carry(office, parcel)
    return written


def pack(office: Office, organisation_id: int, account_id: int) -> Parcel | None:
    """Settles which notes travel together under which key; a parcel that was begun before is taken up as it was."""
    now = office.clock()
    with office.database.unit_of_work() as unit:
        one_at_a_time(unit, organisation_id)  # two workers must not pack the same note into two parcels
        account = unit.get(AccountRow, account_id)
        rows = _rows(unit, account_id, begun=True) or _rows(unit, account_id, begun=False)
        rows = [row for row in rows if row.next_attempt_at is None or row.next_attempt_at <= now]
        if account is None or not rows:
            return None
        first = rows[0]
        rows = [row for row in rows if row.key == first.key]
        notes = [note for row in rows if (note := unit.get(HistoryNoteRow, row.note_id)) is not None]
        if not first.key:
            key = hashlib.sha256("".join(marker_of(note) for note in notes).encode()).hexdigest()[:40]
            for row in rows:
                row.key, row.first_tried_at, row.state = f"arrears-{key}", now, "writing"
        return Parcel(
            organisation_id=organisation_id,
            account_id=account_id,
            account_ledger_id=account.ledger_id,
            key=first.key,
            notes=tuple(_as_written(unit, note) for note in notes),
            note_ids=tuple(row.note_id for row in rows),
            must_look_first=now - (first.first_tried_at or now) > _REMEMBERED,
            attempts=first.attempts,
        )


def _as_written(unit: Session, note: HistoryNoteRow) -> LedgerNote:
    marker = marker_of(note)
    return LedgerNote(f"{note.text} {marker}", marker, invoice_concerned(unit, note))


def carry(office: Office, parcel: Parcel) -> int:
    """Takes one parcel to the ledger and writes down its answer. Returns how many notes are there now."""
    with office.database.reading() as session:
        connection = connection_of(session, parcel.organisation_id)
    if connection is None or connection.state != "active" or (connection.not_before or office.clock()) > office.clock():
        return 0
    try:
        refused = hand_over(ledger_of(office, connection, governor_of(office, connection, Purpose.WRITING)), parcel)
    except LedgerFailure as failure:
        remember(office, connection, failure)
        _later(office, parcel, str(failure))
        return 0
    return write_down(office, parcel, refused)


def hand_over(ledger: Ledger, parcel: Parcel) -> dict[int, str]:
    """Puts the notes into the ledger. Returns those that it will never take, by number, and why.

    Raises LedgerFailure when the whole parcel has to be tried again later.
    """
    waiting = dict(zip(parcel.note_ids, parcel.notes, strict=True))
    if parcel.must_look_first:
        known = ledger.find_notes(parcel.account_ledger_id)
        waiting = {number: note for number, note in waiting.items() if not any(note.marker in text for text in known)}
    try:
        if waiting:
            # A parcel that lost some of its notes on the way is another request to the ledger: it needs its own key.
            whole = len(waiting) == len(parcel.notes) and not parcel.must_look_first
            key = parcel.key if whole else f"{parcel.key}-{parcel.attempts}"
            ledger.write_notes(parcel.account_ledger_id, list(waiting.values()), key=key)
    except Refused as failure:
        if len(waiting) == 1:
            return {number: str(failure) for number in waiting}
        return _one_by_one(ledger, parcel, waiting)
    return {}


def _one_by_one(ledger: Ledger, parcel: Parcel, waiting: dict[int, LedgerNote]) -> dict[int, str]:
    """One note that the ledger does not take must not keep the others out."""
    refused = {}
    for number, note in waiting.items():
        try:
            ledger.write_notes(parcel.account_ledger_id, [note], key=f"{parcel.key}-{number}")
        except Refused as failure:
            refused[number] = str(failure)
    return refused


def write_down(office: Office, parcel: Parcel, refused: dict[int, str]) -> int:
    """The ledger's answer, in one commit. What it refused stays in our own history, and a person is told."""
    now = office.clock()
    written = [number for number in parcel.note_ids if number not in refused]
    with office.database.unit_of_work() as unit:
        _set(unit, written, state="written", written_at=now, why="", next_attempt_at=None)
        for number, why in refused.items():
            _set(unit, [number], state="refused", why=why, next_attempt_at=None)
            open_task(
                unit,
                organisation_id=parcel.organisation_id,
                account_id=parcel.account_id,
                key=f"write-back:{number}",
                kind="write-back",
                text=f"A history note could not be written into the ledger: {why}",
                at=now,
            )
    return len(written)


def marker_of(note: HistoryNoteRow) -> str:
    """The short mark by which a note is found again in the ledger, unlike that of any other installation."""
    digest = hashlib.sha256(f"{note.organisation_id} {note.at.isoformat()} {note.text}".encode()).hexdigest()
    return f"[arrears {note.id}-{digest[:6]}]"


def _accounts_waiting(office: Office) -> list[tuple[int, int]]:
    now = office.clock()
    with office.database.reading() as session:
        query = (
            select(WriteBackRow.organisation_id, WriteBackRow.account_id)
            .where(
                col(WriteBackRow.state).in_(("waiting", "writing")),
                (col(WriteBackRow.next_attempt_at).is_(None)) | (col(WriteBackRow.next_attempt_at) <= now),
            )
            .distinct()
        )
        return [(organisation, account) for organisation, account in session.execute(query)]


def _rows(unit: Session, account_id: int, *, begun: bool) -> list[WriteBackRow]:
    query = select(WriteBackRow).where(
        col(WriteBackRow.account_id) == account_id, col(WriteBackRow.state) == ("writing" if begun else "waiting")
    )
    return list(unit.scalars(query.order_by(col(WriteBackRow.note_id)).limit(_MOST)))


def _later(office: Office, parcel: Parcel, why: str) -> None:
    now = office.clock()
    wait = _WAITS[min(parcel.attempts, len(_WAITS) - 1)]
    with office.database.unit_of_work() as unit:
        _set(unit, parcel.note_ids, attempts=parcel.attempts + 1, next_attempt_at=now + wait, why=why)


def _set(unit: Session, notes: Sequence[int], **values: object) -> None:
    unit.execute(update(WriteBackRow).where(col(WriteBackRow.note_id).in_(notes)).values(**values))
