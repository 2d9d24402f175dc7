"""What payments settle, for a ledger whose invoices do not say it: each document replaces all that it has settled.

A payment may go to many invoices, be moved from one to another, be taken back in part, or be deleted. Whatever it was
before, what its document says now is all of it. Money for an invoice that we do not have is kept out: that invoice was
settled before we first looked, and nothing about it is made up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlmodel import Session

from engine.receivables import Applied, SettledBy
from store.changes import money
from store.ledger_copy import ALLOCATION, PAYMENT, TakenIn, chunks, latest
from store.rows import Question, Row, amount_of, date_of, days, insert, piped, scaled, together, write
from store.tables.syncs import Fields


class _Where(NamedTuple):
    """An invoice of ours: its number, its account, and the ledger's id of it."""

    id: int
    account_id: int
    ledger_id: str


class _Settled(NamedTuple):
    """Rows of both tables, as they lie in the database."""

    payments: set[Row]
    allocations: set[Row]

    def without(self, others: "_Settled") -> "_Settled":
        return _Settled(self.payments - others.payments, self.allocations - others.allocations)


_NOTHING = _Settled(set(), set())
_PAID, _USED = ("payments", PAYMENT), ("allocations", ALLOCATION)
"""Each table with its columns: the invoice first, the document second."""


def take_in_applied(
    session: Session,
    organisation_id: int,
    applied: Sequence[Applied],
    taken: TakenIn,
    *,
    settled_by: Sequence[SettledBy] = (),
) -> None:
    """Replaces what these documents have settled, over all invoices of the organisation; only differences are written.

    From the invoices of `settled_by` all goes that other documents have settled: these must have been deleted. Comes
    after the invoices of the same reading, so that none is taken for unknown. The accounts concerned are touched.
    """
    session.flush()
    for some in chunks(settled_by):
        _take_back(session, organisation_id, some, taken)
    for chunk in chunks(latest(applied)):
        _take_in(session, organisation_id, chunk, taken)


def _take_back(session: Session, organisation_id: int, settled_by: Sequence[SettledBy], taken: TakenIn) -> None:
    named = [one.invoice_ledger_id for one in settled_by]
    paid, used = together(
        session, [_known_on(organisation_id, *_PAID, named), _known_on(organisation_id, *_USED, named)]
    )
    stand = {one.invoice_ledger_id: one.documents for one in settled_by}
    gone = _Settled(
        {row[3:] for row in paid if row[4] not in stand[row[2]]},
        {row[3:] for row in used if row[4] and stand[row[2]].isdisjoint(row[4:6])},
    )
    _write(session, gone, _NOTHING)
    _note(taken, {row[0]: _Where(*row[:3]) for row in (*paid, *used)}, gone, _NOTHING)


def _take_in(session: Session, organisation_id: int, applied: Sequence[Applied], taken: TakenIn) -> None:
    named = sorted({part.invoice_ledger_id for one in applied for part in one.to})
    paid, used, *found = together(
        session,
        [
            _known_of(organisation_id, *_PAID, applied),
            _known_of(organisation_id, *_USED, applied),
            *(_invoices(organisation_id, some) for some in chunks(named)),
        ],
    )
    known = _Settled({row[3:] for row in paid}, {row[3:] for row in used})
    where = {row[0]: _Where(*row[:3]) for rows in (paid, used, *found) for row in rows}
    told = _told(applied, {one.ledger_id: one.id for one in where.values()}, days(session))
    gone, fresh = known.without(told), told.without(known)
    _write(session, gone, fresh)
    _note(taken, where, gone, fresh)


def _known_of(organisation_id: int, table: str, columns: Sequence[str], applied: Sequence[Applied]) -> Question:
    """What we have of these documents, each row after its invoice."""
    # In this order and no other: what a document has settled is little, an organisation's invoices are many.
    query = (
        f"SELECT {_names(columns)} FROM {table} p CROSS JOIN invoices i "  # noqa: S608
        f"WHERE p.{columns[1]} IN (??) AND i.id = p.invoice_id AND i.organisation_id = ?"
    )
    return Question(query, ([one.ledger_id for one in applied], organisation_id))


def _known_on(organisation_id: int, table: str, columns: Sequence[str], invoices: Sequence[str]) -> Question:
    """What we have on these invoices, each row after its invoice."""
    query = (
        f"SELECT {_names(columns)} FROM invoices i JOIN {table} p ON p.invoice_id = i.id "  # noqa: S608
        f"WHERE i.organisation_id = ? AND i.ledger_id IN (??)"
    )
    return Question(query, (organisation_id, [*invoices]))


def _names(columns: Sequence[str]) -> str:
    return ", ".join(("i.id", "i.account_id", "i.ledger_id", *(f'p."{name}"' for name in columns)))


def _invoices(organisation_id: int, ledger_ids: Sequence[str]) -> Question:
    query = "SELECT id, account_id, ledger_id FROM invoices WHERE organisation_id = ? AND ledger_id IN (??)"
    return Question(query, (organisation_id, [*ledger_ids]))


def _told(applied: Iterable[Applied], numbers: Mapping[str, int], day: Any) -> _Settled:
    """The rows as they should be. Two parts of a document that settle the same invoice alike are one."""
    payments: dict[Row, int] = defaultdict(int)
    allocations: dict[Row, int] = defaultdict(int)
    for one in applied:
        on = day(one.on)
        for part in one.to:
            number = numbers.get(part.invoice_ledger_id)
            if number is not None and part.credit_ledger_id:
                key = (number, one.ledger_id, part.credit_ledger_id, part.kind.value, on)
                allocations[key] += scaled(part.amount)
            elif number is not None:
                payments[number, one.ledger_id, on] += scaled(part.amount)
    return _Settled(
        {(*key, amount) for key, amount in payments.items()}, {(*key, amount) for key, amount in allocations.items()}
    )


def _write(session: Session, gone: _Settled, fresh: _Settled) -> None:
    with piped(session, len(fresh.payments) + len(fresh.allocations)):
        if gone.payments:
            which = [row[:2] for row in gone.payments]
            write(session, "DELETE FROM payments WHERE invoice_id = ? AND ledger_id = ?", which)
        if gone.allocations:
            which = [row[:3] for row in gone.allocations]
            write(
                session,
                "DELETE FROM allocations WHERE invoice_id = ? AND document_ledger_id = ? AND credit_ledger_id = ?",
                which,
            )
        if fresh.payments:
            insert(session, "payments", PAYMENT, sorted(fresh.payments, key=_first_two))
        if fresh.allocations:
            insert(session, "allocations", ALLOCATION, sorted(fresh.allocations, key=_first_two))


def _first_two(row: Row) -> Row:
    return row[:2]


def _note(taken: TakenIn, where: Mapping[int, _Where], gone: _Settled, fresh: _Settled) -> None:
    """The accounts to look at again, and for the sync log what was and what is."""
    before, now = _by_invoice(gone), _by_invoice(fresh)
    for number in sorted({*before, *now}):
        old, new, invoice = before.get(number, {}), now.get(number, {}), where[number]
        fields: Fields = [(key[0], old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new))]
        taken.touched.add(invoice.account_id)
        taken.changes.besides("invoices", invoice.ledger_id, invoice.account_id, fields)


def _by_invoice(settled: _Settled) -> dict[int, dict[tuple[str, ...], dict[str, str]]]:
    found: dict[int, dict[tuple[str, ...], dict[str, str]]] = defaultdict(dict)
    for number, document, on, amount in sorted(settled.payments, key=_first_two):
        found[number]["payment", document] = money(document, date_of(on), amount_of(amount))
    for number, document, credit, kind, on, amount in sorted(settled.allocations, key=_first_two):
        found[number]["credit", document, credit] = money(credit, date_of(on), amount_of(amount), kind)
    return found
