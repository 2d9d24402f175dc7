"""Expected payment dates: what a debtor promised, written where the bookkeeper plans with it.

A person says by which day payment is expected, and each open overdue invoice that this is about gets the date in the
ledger too, where the ledger has a place for it. What is to be written is settled and committed before the call, under
a key by which the ledger knows a repeated one. When an answer was lost for so long that the ledger has forgotten the
key, we look first: a date that has arrived is not written again, and one that somebody gave there meanwhile stays.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from connector import Ledger, LedgerFailure, Purpose, Refused, title_of
from engine.holds import HoldKind
from engine.looking import look
from engine.receivables import InvoiceStatus
from engine.words import in_words
from jobs.containing import contained
from jobs.governors import governor_of
from jobs.ledgers import connection_of, ledger_of, remember
from jobs.office import Office
from store.facts import facts_of, ground_of
from store.leases import one_at_a_time
from store.tables import ExpectedRow, InvoiceRow, OrganisationRow
from store.tasks import close_task, open_task

_REMEMBERED = timedelta(minutes=5)
"""Xero repeats its first answer to the same key for 6 minutes; we trust it for 5."""

_CLAIM = timedelta(minutes=2)
"""For so long nobody else tries a date that one worker is carrying. Shorter than the ledger's memory for its key."""

_WAITS = (timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
_UNSETTLED = ("waiting", "writing")
_HELD = (*_UNSETTLED, "written")


@dataclass(frozen=True, slots=True)
class Dated:
    """One invoice's date on its way. `ours` and `before` are what the ledger may show if our write never arrived."""

    invoice_id: int
    organisation_id: int
    account_id: int
    ledger_id: str
    number: str
    on: date | None
    turn: int
    key: str
    attempts: int
    ours: date | None
    before: date | None
    must_look_first: bool


def about(unit: Session, office: Office, organisation: OrganisationRow, account_id: int) -> dict[int, str]:
    """The invoices that a promise of this account is about, with their numbers: open, overdue and not disputed."""
    assert organisation.id is not None
    as_of = office.as_of(organisation)
    facts = facts_of(unit, ground_of(unit, organisation.id, now=office.clock()), [account_id])[account_id]
    disputed = {one.invoice for one in facts.holds if one.kind is HoldKind.DISPUTE and one.holds_on(as_of)}
    return {int(one.id): one.number for one in look(facts, as_of).overdue if one.id not in disputed}


def expect(
    unit: Session, organisation: OrganisationRow, account_id: int, invoices: Collection[int], on: date | None
) -> None:
    """These invoices of the account are expected to be paid by then, and none of its others by any day we gave."""
    if not organisation.write_expected_dates:
        invoices = ()
    kept = {row.invoice_id: row for row in _of_account(unit, account_id)}
    for invoice_id in invoices:
        row = kept.get(invoice_id)
        if row is None:
            unit.add(ExpectedRow(invoice_id=invoice_id, organisation_id=int(organisation.id or 0), on=on))
        elif row.on != on or row.state not in (*_HELD, "no place"):
            _wish(row, on)
    for row in kept.values():
        in_the_ledger = row.state in _HELD or row.written_on is not None
        if row.invoice_id not in invoices and row.on is not None and in_the_ledger:
            _take_away(row)
    unit.flush()


def _take_away(row: ExpectedRow) -> None:
    """What has never been tried is forgotten; what is in the ledger, or may be, is taken out again."""
    if row.written_on is None and row.first_tried_at is None:
        row.state, row.on, row.turn = "withdrawn", None, row.turn + 1
        return
    _wish(row, None)


def _wish(row: ExpectedRow, on: date | None) -> None:
    if row.first_tried_at is not None:
        row.written_on = row.on or row.written_on  # it may have arrived without our having heard so
    row.on, row.turn, row.state, row.key, row.attempts, row.why = on, row.turn + 1, "waiting", "", 0, ""
    row.first_tried_at = row.next_attempt_at = None


def write_expected_dates(office: Office) -> int:
    """Writes every date that waits. Returns how many are now in the ledger that were not before."""
    written = 0
    for invoice_id in _waiting(office):
        if office.stopping.is_set():
            break
        with contained("expected payment date not written", invoice=invoice_id):
            dated = pack(office, invoice_id)
            if dated is not None:
                written += carry(office, dated)
    return written


def pack(office: Office, invoice_id: int) -> Dated | None:
    """Settles under which key it travels, before anything is called; one that was begun keeps the key that it has."""
    now = office.clock()
    with office.database.unit_of_work() as unit:
        row = unit.get(ExpectedRow, invoice_id)
        if row is None:
            return None
        one_at_a_time(unit, row.organisation_id)  # two workers must not carry the same date
        unit.refresh(row)
        if row.state not in _UNSETTLED or (row.next_attempt_at is not None and row.next_attempt_at > now):
            return None
        invoice, organisation = unit.get(InvoiceRow, invoice_id), unit.get(OrganisationRow, row.organisation_id)
        assert invoice is not None and organisation is not None
        if invoice.status != InvoiceStatus.OPEN or not organisation.write_expected_dates:
            row.state = "withdrawn"
            return None
        if not row.key:
            row.key, row.before = _key_of(invoice, row), invoice.expected_on
        row.state, row.first_tried_at = "writing", row.first_tried_at or now
        row.next_attempt_at = now + _CLAIM
        return _dated(row, invoice, must_look_first=row.on is None or now - row.first_tried_at > _REMEMBERED)


def carry(office: Office, dated: Dated) -> int:
    """Takes it to the ledger and writes down the answer. Returns 1 when the ledger has it now."""
    with office.database.reading() as session:
        connection = connection_of(session, dated.organisation_id)
    now = office.clock()
    if connection is None or connection.state != "active" or (connection.not_before or now) > now:
        return 0
    try:
        state = hand_over(ledger_of(office, connection, governor_of(office, connection, Purpose.WRITING)), dated)
    except Refused as failure:
        _refused(office, dated, title_of(connection.kind), str(failure))
        return 0
    except LedgerFailure as failure:
        remember(office, connection, failure)
        _later(office, dated, str(failure))
        return 0
    _done(office, dated, state)
    return int(state == "written")


def hand_over(ledger: Ledger, dated: Dated) -> str:
    """Gives the date to the ledger. Returns the state in which it now is; raises LedgerFailure."""
    if dated.must_look_first:
        found = ledger.look_again([dated.ledger_id]).invoices
        if not found or found[0].status is not InvoiceStatus.OPEN:
            return "withdrawn"
        if found[0].expected_on == dated.on:
            return "written"
        if found[0].expected_on not in (None, dated.ours, *(() if dated.on is None else (dated.before,))):
            return "theirs"
    # What was looked at first is a new request to the ledger: its memory of the first key is over.
    key = f"{dated.key}-{dated.attempts}" if dated.must_look_first else dated.key
    return "written" if ledger.write_expected(dated.ledger_id, dated.on, key=key) else "no place"


def _key_of(invoice: InvoiceRow, row: ExpectedRow) -> str:
    said = f"{invoice.organisation_id} {invoice.ledger_id} {row.turn} {row.on}"
    return f"arrears-{hashlib.sha256(said.encode()).hexdigest()[:40]}"


def _dated(row: ExpectedRow, invoice: InvoiceRow, *, must_look_first: bool) -> Dated:
    return Dated(
        invoice_id=row.invoice_id,
        organisation_id=row.organisation_id,
        account_id=invoice.account_id,
        ledger_id=invoice.ledger_id,
        number=invoice.number,
        on=row.on,
        turn=row.turn,
        key=row.key,
        attempts=row.attempts,
        ours=row.written_on,
        before=row.before,
        must_look_first=must_look_first,
    )


def _done(office: Office, dated: Dated, state: str) -> None:
    written = {"written_on": dated.on} if state == "written" else {}
    with office.database.unit_of_work() as unit:
        _set(unit, dated, state=state, why="", next_attempt_at=None, **written)
        key, now = _task(dated), office.clock()
        close_task(unit, organisation_id=dated.organisation_id, key=key, at=now, by="arrears")


def _refused(office: Office, dated: Dated, name: str, why: str) -> None:
    """It stays in our own history, and a person is told."""
    wish = f"by {in_words(dated.on)}" if dated.on else "by no certain day any more"
    with office.database.unit_of_work() as unit:
        _set(unit, dated, state="refused", why=why, next_attempt_at=None)
        open_task(
            unit,
            organisation_id=dated.organisation_id,
            account_id=dated.account_id,
            key=_task(dated),
            kind="write-back",
            text=f"{name} did not take that payment of {dated.number} is expected {wish}. Enter it there. ({why})",
            at=office.clock(),
        )


def _later(office: Office, dated: Dated, why: str) -> None:
    again = office.clock() + _WAITS[min(dated.attempts, len(_WAITS) - 1)]
    with office.database.unit_of_work() as unit:
        _set(unit, dated, attempts=dated.attempts + 1, next_attempt_at=again, why=why)


def _set(unit: Session, dated: Dated, **values: object) -> None:
    """The answer to a wish that has been replaced meanwhile settles nothing."""
    same = (col(ExpectedRow.invoice_id) == dated.invoice_id, col(ExpectedRow.turn) == dated.turn)
    unit.execute(update(ExpectedRow).where(*same).values(**values))


def _task(dated: Dated) -> str:
    return f"expected:{dated.invoice_id}"


def _of_account(unit: Session, account_id: int) -> Iterable[ExpectedRow]:
    query = select(ExpectedRow).join(InvoiceRow, col(InvoiceRow.id) == col(ExpectedRow.invoice_id))
    return unit.scalars(query.where(col(InvoiceRow.account_id) == account_id)).all()


def _waiting(office: Office) -> list[int]:
    now = office.clock()
    due = or_(col(ExpectedRow.next_attempt_at).is_(None), col(ExpectedRow.next_attempt_at) <= now)
    with office.database.reading() as session:
        query = select(ExpectedRow.invoice_id).where(col(ExpectedRow.state).in_(_UNSETTLED), due)
        return list(session.scalars(query.order_by(col(ExpectedRow.invoice_id))))
