"""The faithful copy of the ledger: rows from outside are compared with what we have, and only differences are written.

Taking the same rows in twice changes nothing, so an overlap between two readings, a repeated sync or one that was cut
short can do no harm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col

from engine.receivables import Account, Credit, Invoice, InvoiceStatus
from store.rows import all_rows, write
from store.tables import AccountRow, AllocationRow, ContactRow, CreditRow, HoldRow, InvoiceRow, PaymentRow

_CHUNK = 1000


@dataclass(slots=True)
class TakenIn:
    """What one reading came to. `touched` are the accounts that have to be looked at again.

    `reopened` are the invoices that we knew as settled and that are open again: each as its account and its number.
    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    touched: set[int] = field(default_factory=set)
    reopened: set[tuple[int, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Differences:
    fresh: list[dict[str, Any]]
    altered: list[dict[str, Any]]


def unknown_accounts(session: Session, organisation_id: int, ledger_ids: Iterable[str]) -> list[str]:
    """Those of these ledger ids that no account of ours has."""
    wanted = sorted(set(ledger_ids))
    known = _numbers(session, AccountRow, organisation_id, wanted)
    return [ledger_id for ledger_id in wanted if ledger_id not in known]


def take_in_accounts(session: Session, organisation_id: int, accounts: Sequence[Account], taken: TakenIn) -> None:
    """Upserts accounts with their contacts. A merged account hands over what hangs on it."""
    rows = {account.ledger_id: _account_values(organisation_id, account) for account in accounts}
    differences = _save(session, AccountRow, organisation_id, rows, taken)
    touched = {row["ledger_id"] for row in (*differences.fresh, *differences.altered)}
    numbers = _numbers(session, AccountRow, organisation_id, [*rows])
    taken.touched.update(numbers[ledger_id] for ledger_id in touched)
    contacts = []
    for account in accounts:
        if account.ledger_id in touched or _contacts_differ(session, numbers[account.ledger_id], account):
            number = numbers[account.ledger_id]
            taken.touched.add(number)
            session.execute(delete(ContactRow).where(col(ContactRow.account_id) == number))
            contacts.extend(_contact_values(number, account))
    if contacts:
        session.execute(insert(ContactRow), contacts)
    _hand_over(session, organisation_id, taken)


def take_in_invoices(
    session: Session,
    organisation_id: int,
    invoices: Sequence[Invoice],
    taken: TakenIn,
    *,
    now: datetime,
    run: int | None = None,
) -> None:
    """Upserts invoices with their payments; keeps when and from which sync run we learnt that one was settled."""
    accounts = _accounts_of(session, organisation_id, invoices)
    rows = {
        invoice.ledger_id: _invoice_values(organisation_id, accounts[invoice.account_ledger_id], invoice)
        for invoice in invoices
    }
    differences = _save(session, InvoiceRow, organisation_id, rows, taken)
    touched = {row["ledger_id"] for row in (*differences.fresh, *differences.altered)}
    for row in (*differences.fresh, *differences.altered):
        taken.touched.add(row["account_id"])
        if "left_account" in row:
            taken.touched.add(row["left_account"])
    settled = [
        ledger_id
        for ledger_id in touched
        if rows[ledger_id]["status"] not in (InvoiceStatus.OPEN, InvoiceStatus.UNKNOWN)
    ]
    for chunk in _chunks(settled):
        session.execute(
            update(InvoiceRow)
            .where(
                col(InvoiceRow.organisation_id) == organisation_id,
                col(InvoiceRow.ledger_id).in_(chunk),
                col(InvoiceRow.settled_seen_at).is_(None),
            )
            .values(settled_seen_at=now, settled_by_run=run)
        )
    reopened = [ledger_id for ledger_id in touched if rows[ledger_id]["status"] == InvoiceStatus.OPEN]
    for chunk in _chunks(reopened):
        again = session.execute(
            update(InvoiceRow)
            .where(
                col(InvoiceRow.organisation_id) == organisation_id,
                col(InvoiceRow.ledger_id).in_(chunk),
                col(InvoiceRow.settled_seen_at).is_not(None),
            )
            .values(settled_seen_at=None, settled_by_run=None)
            .returning(col(InvoiceRow.account_id), col(InvoiceRow.number))
        )
        taken.reopened.update((account, number) for account, number in again)
    _replace_payments(session, organisation_id, [invoice for invoice in invoices if invoice.ledger_id in touched])


def take_in_credits(session: Session, organisation_id: int, credits_: Sequence[Credit], taken: TakenIn) -> None:
    """Upserts credits. One whose account we do not know is left out: it holds no invoice and stops no reminder."""
    accounts = _numbers(session, AccountRow, organisation_id, [credit.account_ledger_id for credit in credits_])
    rows = {
        credit.ledger_id: {
            "organisation_id": organisation_id,
            "account_id": accounts[credit.account_ledger_id],
            "ledger_id": credit.ledger_id,
            "kind": credit.kind.value,
            "number": credit.number,
            "issued_on": credit.issued_on,
            "total": credit.total,
            "remaining": credit.remaining,
            "currency": credit.currency,
            "status": credit.status.value,
            "changed_at": credit.changed_at,
        }
        for credit in credits_
        if credit.account_ledger_id in accounts
    }
    differences = _save(session, CreditRow, organisation_id, rows, taken)
    taken.touched.update(row["account_id"] for row in (*differences.fresh, *differences.altered))


def _save(
    session: Session, table: type[SQLModel], organisation_id: int, rows: Mapping[str, dict[str, Any]], taken: TakenIn
) -> _Differences:
    """Inserts what is new and updates what differs; the ledger's time of change alone makes no difference."""
    differences = _Differences([], [])
    known = _known(session, table, organisation_id, [*rows])
    for ledger_id, row in rows.items():
        before = known.get(ledger_id)
        taken.seen += 1
        if before is None:
            taken.new += 1
            differences.fresh.append(row)
        elif _is_older(row, before):
            taken.unchanged += 1
        elif any(before[name] != value for name, value in row.items() if name != "changed_at"):
            taken.changed += 1
            moved = {"left_account": before["account_id"]} if "account_id" in row else {}
            differences.altered.append({"id": before["id"], **row, **moved})
        else:
            taken.unchanged += 1
    if differences.fresh:
        session.execute(insert(table), differences.fresh)
    if differences.altered:
        plain = [{name: value for name, value in row.items() if name != "left_account"} for row in differences.altered]
        session.execute(update(table), plain)
    return differences


def _is_older(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """A reading that was on its way while a fresher one was taken in must not undo it."""
    return row["changed_at"] is not None and known["changed_at"] is not None and row["changed_at"] < known["changed_at"]


def _known(
    session: Session, table: Any, organisation_id: int, ledger_ids: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    known: dict[str, Mapping[str, Any]] = {}
    for chunk in _chunks(ledger_ids):
        query = select(table.__table__).where(
            col(table.organisation_id) == organisation_id, col(table.ledger_id).in_(chunk)
        )
        known.update((row["ledger_id"], row) for row in session.execute(query).mappings())
    return known


def _numbers(session: Session, table: Any, organisation_id: int, ledger_ids: Iterable[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    session.flush()
    for chunk in _chunks(sorted(set(ledger_ids))):
        marks = ", ".join("?" * len(chunk))
        query = f"SELECT ledger_id, id FROM {table.__tablename__} WHERE organisation_id = ? AND ledger_id IN ({marks})"  # noqa: S608
        numbers.update(all_rows(session, query, [organisation_id, *chunk]))
    return numbers


def _accounts_of(session: Session, organisation_id: int, invoices: Sequence[Invoice]) -> dict[str, int]:
    """The accounts of these invoices. One not seen yet is made from what the invoice says of it."""
    names = {invoice.account_ledger_id: invoice.account_name for invoice in invoices}
    numbers = _numbers(session, AccountRow, organisation_id, names)
    missing = [
        {"organisation_id": organisation_id, "ledger_id": ledger_id, "name": name or "(no name)"}
        for ledger_id, name in names.items()
        if ledger_id not in numbers
    ]
    if missing:
        session.execute(insert(AccountRow), [{**_EMPTY_ACCOUNT, **row} for row in missing])
        numbers |= _numbers(session, AccountRow, organisation_id, [row["ledger_id"] for row in missing])
    return numbers


_EMPTY_ACCOUNT: dict[str, Any] = {
    "number": "",
    "email": "",
    "phone": "",
    "mobile": "",
    "first_name": "",
    "last_name": "",
    "currency": "",
    "archived": False,
}


def _account_values(organisation_id: int, account: Account) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "ledger_id": account.ledger_id,
        "name": account.name,
        "number": account.number,
        "email": account.email,
        "phone": account.phone,
        "mobile": account.mobile,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "currency": account.currency,
        "archived": account.archived,
        "merged_into": account.merged_into,
        "changed_at": account.changed_at,
    }


def _contact_values(account_id: int, account: Account) -> list[dict[str, Any]]:
    return [
        {
            "account_id": account_id,
            "place": place,
            "name": contact.name,
            "email": contact.email,
            "mobile": contact.mobile,
            "role": contact.role,
            "receives_reminders": contact.receives_reminders,
        }
        for place, contact in enumerate(account.contacts)
    ]


def _contacts_differ(session: Session, account_id: int, account: Account) -> bool:
    query = select(ContactRow.__table__).where(col(ContactRow.account_id) == account_id).order_by(col(ContactRow.place))
    known = [dict(row) for row in session.execute(query).mappings()]
    return known != _contact_values(account_id, account)


def _invoice_values(organisation_id: int, account_id: int, invoice: Invoice) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "account_id": account_id,
        "ledger_id": invoice.ledger_id,
        "number": invoice.number,
        "reference": invoice.reference,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "total": invoice.total,
        "balance": invoice.balance,
        "paid": invoice.paid,
        "credited": invoice.credited,
        "currency": invoice.currency,
        "status": invoice.status.value,
        "settled_on": invoice.settled_on,
        "expected_on": invoice.expected_on,
        "changed_at": invoice.changed_at,
    }


def _replace_payments(session: Session, organisation_id: int, invoices: Sequence[Invoice]) -> None:
    carried = [invoice for invoice in invoices if invoice.payments is not None]
    numbers = _numbers(session, InvoiceRow, organisation_id, [invoice.ledger_id for invoice in carried])
    for chunk in _chunks([*numbers.values()]):
        which = [(number,) for number in chunk]
        write(session, "DELETE FROM payments WHERE invoice_id = ?", which)
        write(session, "DELETE FROM allocations WHERE invoice_id = ?", which)
    payments = [
        {
            "invoice_id": numbers[invoice.ledger_id],
            "ledger_id": payment.ledger_id,
            "paid_on": payment.paid_on,
            "amount": payment.amount,
        }
        for invoice in carried
        for payment in {payment.ledger_id: payment for payment in invoice.payments or ()}.values()
    ]
    allocations = [
        {
            "invoice_id": numbers[invoice.ledger_id],
            "credit_ledger_id": allocation.ledger_id,
            "kind": allocation.kind.value,
            "on": allocation.on,
            "amount": allocation.amount,
        }
        for invoice in carried
        for allocation in {allocation.ledger_id: allocation for allocation in invoice.allocations or ()}.values()
    ]
    if payments:
        session.execute(insert(PaymentRow), payments)
    if allocations:
        session.execute(insert(AllocationRow), allocations)


def _hand_over(session: Session, organisation_id: int, taken: TakenIn) -> None:
    """What still hangs on a merged account goes to the one it went into: its invoices, and what holds it.

    Looked at in every reading, so that it does not matter which of the two accounts the ledger shows first.
    """
    old, new = aliased(AccountRow), aliased(AccountRow)
    pairs = session.execute(
        select(old.id, new.id)
        .join(new, (new.ledger_id == old.merged_into) & (new.organisation_id == old.organisation_id))
        .where(old.organisation_id == organisation_id, old.id != new.id)
    ).all()
    for old_id, new_id in pairs:
        invoices = update(InvoiceRow).where(col(InvoiceRow.account_id) == old_id).values(account_id=new_id)
        holds = update(HoldRow).where(col(HoldRow.account_id) == old_id, col(HoldRow.lifted_at).is_(None))
        moved = session.execute(invoices).rowcount + session.execute(holds.values(account_id=new_id)).rowcount
        if moved:
            taken.touched.update((old_id, new_id))


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
