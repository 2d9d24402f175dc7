"""What one reading of the ledger changed, field by field, so that nobody has to guess when we learnt what.

While rows are compared, each difference is kept with its old and its new value and with the calls that may have carried
it. A reading that changes very much keeps the first few thousand and counts the rest: a sync log is for reading. At the
first reading of a ledger everything is new, and only the counts are kept.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from engine.receivables import Invoice
from store.differences import Differences, Sheet
from store.rows import Question, Row, amount_of, date_of, scaled, together
from store.tables import ChangeRow
from store.tables.syncs import Fields

MOST = 2_000
"""Changed rows that one reading keeps field by field; at most half of them may be about what is new."""

_AMOUNTS = frozenset({"total", "balance", "paid", "credited", "remaining"})
_TOLD_OF_NEW = frozenset({"name", "number", "kind", "total", "balance", "remaining", "due_on", "status"})
"""What is kept of a document that is new: enough to see how it stood when we first saw it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is new, told differently, or gone. `calls`: the first and the last that may have carried it."""

    list: str
    ledger_id: str
    account_id: int | None
    what: str
    calls: tuple[int, int]
    fields: Fields


@dataclass(slots=True)
class Changes:
    """The changes of one reading. Whoever takes a page in says in `calls` with which calls it came (from 1)."""

    most: int = MOST
    calls: tuple[int, int] = (0, 0)
    kept: list[Change] = field(default_factory=list)
    left_out: int = 0
    _fresh: int = 0
    _newest: dict[tuple[str, str], Change] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        return len(self.kept) < self.most

    def note(self, sheet: Sheet, found: Differences, account_of: Callable[[Row], int | None]) -> None:
        """What one comparison has found. `account_of`: our number of the account that a row is about."""
        if not self.most:
            return
        for one in found.altered:
            fields = _differences(sheet.said, one.known.said, one.said)
            self._keep(Change(sheet.table, one.said[0], account_of(one.said), "changed", self.calls, fields))
        for row in found.fresh:
            self._fresh += 1
            if self._fresh > self.most // 2:
                self.left_out += 1
                continue
            self._keep(Change(sheet.table, row[0], account_of(row), "new", self.calls, _first_words(sheet.said, row)))

    def gone(self, table: str, ledger_id: str, account_id: int | None, fields: Fields) -> None:
        """A row that the ledger has deleted."""
        self._keep(Change(table, ledger_id, account_id, "gone", self.calls, fields))

    def besides(self, table: str, ledger_id: str, account_id: int | None, fields: Fields) -> None:
        """More fields of a row, which may be one that has just been noted."""
        known = self._newest.get((table, ledger_id))
        if known is not None and known.calls == self.calls:
            known.fields.extend(fields)
        elif fields:
            self._keep(Change(table, ledger_id, account_id, "changed", self.calls, fields))

    def _keep(self, change: Change) -> None:
        if not self.has_room:
            self.left_out += bool(self.most)
            return
        self.kept.append(change)
        self._newest[change.list, change.ledger_id] = change


def keep_changes(session: Session, organisation_id: int, changes: Changes, *, run: int, at: datetime) -> None:
    """Writes the changes of one sync run down."""
    if not changes.kept:
        return
    rows = [
        {
            "organisation_id": organisation_id,
            "sync_run_id": run,
            "at": at,
            "list": one.list,
            "ledger_id": one.ledger_id,
            "account_id": one.account_id,
            "what": one.what,
            "first_call": one.calls[0],
            "last_call": one.calls[1],
            "fields": one.fields,
        }
        for one in changes.kept
    ]
    session.execute(insert(ChangeRow), rows)


def note_money(
    session: Session,
    changes: Changes,
    invoices: Sequence[Invoice],
    found: Differences,
    account_of: Callable[[Row], int | None],
) -> None:
    """Which payments and used credits a reading brought, changed or took away, as far as it carried any.

    Called before these are written, because it asks for those we have.
    """
    told = {one.said[0]: one for one in found.altered}
    carried = [one for one in invoices if one.payments is not None]
    if not changes.has_room or not carried:
        return
    known = _money_known(session, [told[one.ledger_id].known.id for one in carried if one.ledger_id in told])
    rows = {one[0]: one for one in found.fresh} | {one.said[0]: one.said for one in found.altered}
    for invoice in carried:
        if invoice.ledger_id in rows:
            before = known[told[invoice.ledger_id].known.id] if invoice.ledger_id in told else {}
            row = rows[invoice.ledger_id]
            changes.besides("invoices", invoice.ledger_id, account_of(row), _money_differences(before, invoice))


def people(contacts: Iterable[Row]) -> list[str]:
    """The persons at an account, each in one line."""
    return [
        ", ".join(part for part in (name, email, mobile, role, "" if reminded else "no reminders") if part)
        for _, _, name, email, mobile, role, reminded in contacts
    ]


Money = dict[tuple[str, str], dict[str, str]]
"""The payments of one invoice and the credits used for it, by "payment" or "credit" and the ledger's own id."""


def _money_known(session: Session, invoice_ids: Sequence[int]) -> dict[int, Money]:
    """What we have of the payments of these of our invoices (some thousand at most)."""
    known: dict[int, Money] = {number: {} for number in invoice_ids}
    if not known:
        return known
    of_these, these = "WHERE invoice_id IN (??)", [[*invoice_ids]]
    paid = f"SELECT invoice_id, ledger_id, paid_on, amount FROM payments {of_these}"  # noqa: S608
    used = f'SELECT invoice_id, credit_ledger_id, "on", amount, kind FROM allocations {of_these}'  # noqa: S608
    payments, credits_ = together(session, [Question(paid, these), Question(used, these)])
    for number, ledger_id, on, amount in payments:
        known[number]["payment", ledger_id] = money(ledger_id, date_of(on), amount_of(amount))
    for number, ledger_id, on, amount, kind in credits_:
        known[number]["credit", ledger_id] = money(ledger_id, date_of(on), amount_of(amount), kind)
    return known


def _money_differences(known: Money, invoice: Invoice) -> Fields:
    told = {("payment", one.ledger_id): money(one.ledger_id, one.paid_on, one.amount) for one in invoice.payments or ()}
    for used in invoice.allocations or ():
        told["credit", used.ledger_id] = money(used.ledger_id, used.on, used.amount, used.kind.value)
    either = dict.fromkeys((*known, *told))
    return [(key[0], known.get(key), told.get(key)) for key in either if known.get(key) != told.get(key)]


def money(ledger_id: str, on: date | None, amount: Decimal, kind: str = "") -> dict[str, str]:
    """A payment, or a credit of that kind, as the sync log keeps it."""
    said = {"id": ledger_id, "on": on.isoformat() if on else "", "amount": _cents(amount)}
    return said | {"kind": kind} if kind else said


def _differences(names: Sequence[str], before: Row, now: Row) -> Fields:
    """Field by field; the ledger's own time of change, which comes last, makes no difference."""
    pairs = zip(names[:-1], before[:-1], now[:-1], strict=True)
    return [(name, _plain(name, old), _plain(name, new)) for name, old, new in pairs if old != new]


def _first_words(names: Sequence[str], row: Row) -> Fields:
    return [
        (name, None, _plain(name, value))
        for name, value in zip(names, row, strict=True)
        if name in _TOLD_OF_NEW and value not in (None, "")
    ]


def _plain(name: str, value: Any) -> Any:
    """A value from the driver as it is kept: amounts and dates as text."""
    if name in _AMOUNTS and value is not None:
        return _cents(amount_of(value))
    if name == "archived":
        return bool(value)
    return value.isoformat() if isinstance(value, date) else value


def _cents(amount: Decimal) -> str:
    return format(amount_of(scaled(amount)), "f")
