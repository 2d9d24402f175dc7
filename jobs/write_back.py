"""Write back: what happened belongs in the ledger too, where the bookkeeper looks first.

Notes of one account travel together. Which notes share a call, and under which key, is settled and committed before
the call is made, so a call whose answer was lost can be repeated word for word; once the ledger's memory for repeated
calls has run out, the ledger is asked for our marker first. A note is never written twice and never forgotten.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select, update
from sqlmodel import Session, col

from connector import LedgerFailure, LedgerNote, Refused
from jobs.ledgers import connection_of, ledger_of
from jobs.office import Office
from store.tables import AccountRow, HistoryNoteRow, WriteBackRow
from store.tasks import open_task

log = structlog.get_logger()

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
    """Writes every note that waits. Returns how many notes reached the ledger."""
    written = 0
    for organisation_id, account_id in _accounts_waiting(office):
        try:
            parcel = pack(office, organisation_id, account_id)
            if parcel is not None:
                written += carry(office, parcel)
        except Exception:
            log.exception("notes not written back", account=account_id)  # the other accounts' notes go on
    return written


def pack(office: Office, organisation_id: int, account_id: int) -> Parcel | None:
    """Settles which notes travel together under which key; a parcel that was begun before is taken up as it was."""
    now = office.clock()
    with office.database.unit_of_work() as unit:
        account = unit.get(AccountRow, account_id)
        rows = _rows(unit, account_id, begun=True) or _rows(unit, account_id, begun=False)
        rows = [row for row in rows if row.next_attempt_at is None or row.next_attempt_at <= now]
        if account is None or not rows:
            return None
        first = rows[0]
        if not first.key:
            key = hashlib.sha256("-".join(str(row.note_id) for row in rows).encode()).hexdigest()[:40]
            for row in rows:
                row.key, row.first_tried_at, row.state = f"arrears-{key}", now, "writing"
        key_of_first = first.key
        rows = [row for row in rows if row.key == key_of_first]
        began = first.first_tried_at or now
        notes = [note for row in rows if (note := unit.get(HistoryNoteRow, row.note_id)) is not None]
        return Parcel(
            organisation_id=organisation_id,
            account_id=account_id,
            account_ledger_id=account.ledger_id,
            key=key_of_first,
            notes=tuple(
                LedgerNote(text=f"{note.text} [arrears {note.id}]", marker=f"[arrears {note.id}]") for note in notes
            ),
            note_ids=tuple(row.note_id for row in rows),
            must_look_first=now - began > _REMEMBERED,
            attempts=first.attempts,
        )


def carry(office: Office, parcel: Parcel) -> int:
    """Takes one parcel to the ledger and writes down its answer."""
    with office.database.reading() as session:
        connection = connection_of(session, parcel.organisation_id)
    if connection is None or connection.state != "active" or (connection.not_before or office.clock()) > office.clock():
        return 0
    ledger = ledger_of(office, connection)
    try:
        notes = parcel.notes
        if parcel.must_look_first:
            known = ledger.find_notes(parcel.account_ledger_id)
            notes = tuple(note for note in notes if not any(note.marker in text for text in known))
        if notes:
            # A parcel that lost some of its notes on the way is another request to the ledger: it needs its own key.
            key = (
                parcel.key
                if len(notes) == len(parcel.notes) and not parcel.must_look_first
                else f"{parcel.key}-{parcel.attempts}"
            )
            ledger.write_notes(parcel.account_ledger_id, notes, key=key)
    except Refused as failure:
        _give_up(office, parcel, str(failure))
        return 0
    except LedgerFailure as failure:
        _later(office, parcel, str(failure))
        return 0
    with office.database.unit_of_work() as unit:
        _set(unit, parcel, state="written", written_at=office.clock(), why="", next_attempt_at=None)
    return len(parcel.note_ids)


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
        _set(unit, parcel, attempts=parcel.attempts + 1, next_attempt_at=now + wait, why=why)


def _give_up(office: Office, parcel: Parcel, why: str) -> None:
    """The ledger will never take these notes. They stay in our own history, and a person is told."""
    with office.database.unit_of_work() as unit:
        _set(unit, parcel, state="refused", why=why, next_attempt_at=None)
        open_task(
            unit,
            organisation_id=parcel.organisation_id,
            account_id=parcel.account_id,
            key=f"write-back:{parcel.account_id}",
            kind="write-back",
            text=f"{len(parcel.note_ids)} history notes could not be written into the ledger: {why}",
            at=office.clock(),
        )


def _set(unit: Session, parcel: Parcel, **values: object) -> None:
    unit.execute(update(WriteBackRow).where(col(WriteBackRow.note_id).in_(parcel.note_ids)).values(**values))
