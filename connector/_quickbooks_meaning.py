"""What QuickBooks' rows mean in the words of the trade.

Nothing is guessed. An open invoice without a due date cannot be chased on any day, so it is put aside for a person to
look at, and the rows beside it go on. An invoice says by which payments it was settled but not with how much of each;
a payment does, for every invoice that it went to.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern

from connector import Gone
from connector import _quickbooks_rows as rows
from connector._sense import NOTHING, Odd, money
from engine.receivables import (
    Account,
    Applied,
    AppliedTo,
    Contact,
    Credit,
    CreditKind,
    Invoice,
    InvoiceStatus,
    SettledBy,
)

_SETTLING = ("Payment", "CreditMemo")
_OF_A_PAYMENT = "payment-"
Currency = Callable[[], str]
"""The company's home currency, asked for only where a row names none."""


def account(row: rows.AccountRow) -> Account:
    """A customer as an account. The first of several addresses is the account's, the others are its contacts'."""
    first, *others = addresses(row.primary_email_addr.address if row.primary_email_addr else None) or [""]
    parent = row.parent_ref.value if row.parent_ref and row.bill_with_parent else None
    return Account(
        ledger_id=row.id,
        name=row.display_name or "",
        email=first,
        phone=_phone(row.primary_phone),
        mobile=_phone(row.mobile),
        first_name=row.given_name or "",
        last_name=row.family_name or "",
        currency=(row.currency_ref.value if row.currency_ref else None) or "",
        archived=row.active is False,
        billed_with=parent or None,
        contacts=tuple(Contact(name="", email=address) for address in others),
        changed_at=instant(row.updated),
    )


def addresses(text: str | None) -> list[str]:
    """The addresses in one field, where people put several between commas or semicolons. What is none is left out."""
    parts = (part.strip() for part in re.split(r"[,;]", text or ""))
    return [*dict.fromkeys(part for part in parts if _ADDRESS.fullmatch(part))]


def invoice(row: rows.InvoiceRow, home: Currency, known: Mapping[str, Applied] | None = None) -> Invoice:
    """A sales invoice. `known` are the payments that came with it, by their ids. Raises Odd."""
    total = money(row.total_amt)
    balance = total if row.balance == row.total_amt else money(row.balance)  # one object: a reading holds thousands
    documents = _documents_on(row, known or {})
    credited = _credited(row.id, documents) if documents else NOTHING
    status = _status(row, total, balance, credited)
    due_on = day(row.due_date)
    if status is InvoiceStatus.OPEN:
        _fit_to_chase(row, due_on)
    elif due_on is None and (due_on := day(row.txn_date)) is None:
        raise Odd("It has neither a due date nor a date.")
    assert due_on is not None
    return Invoice(
        ledger_id=row.id,
        account_ledger_id=_owner(row.customer_ref),
        account_name=intern((row.customer_ref.name if row.customer_ref else None) or ""),
        number=row.doc_number or "",
        issued_on=day(row.txn_date),
        due_on=due_on,
        total=total,
        balance=balance,
        currency=_currency(row.currency_ref, home),
        status=status,
        paid=NOTHING if balance is total else max(NOTHING, total - balance - credited),
        credited=credited,
        settled_on=None if balance else max((one.on for one in documents or () if one.on), default=None),
        payments=() if documents == () else None,
        allocations=() if documents == () else None,
        changed_at=instant(row.updated),
    )


def unapplied(row: rows.PaymentRow, home: Currency) -> Credit | None:
    """What is left of a payment, as money in the customer's favour. None where nothing ever was. Raises Odd."""
    left = money(row.unapplied_amt)
    if left <= 0 and not _changed_later(row):
        return None
    return Credit(
        ledger_id=payment_credit_id(row.id),
        account_ledger_id=_owner(row.customer_ref),
        kind=CreditKind.OVERPAYMENT,
        number=row.payment_ref_num or "",
        issued_on=day(row.txn_date),
        total=money(row.total_amt),
        remaining=max(left, NOTHING),
        currency=_currency(row.currency_ref, home),
        status=InvoiceStatus.OPEN if left > 0 else InvoiceStatus.VOIDED if _is_void(row) else InvoiceStatus.PAID,
        changed_at=instant(row.updated),
    )


def credit_memo(row: rows.CreditMemoRow, home: Currency) -> Credit:
    """A credit memo with what is left of it. Raises Odd."""
    left = money(row.balance if row.remaining_credit is None else row.remaining_credit)
    return Credit(
        ledger_id=row.id,
        account_ledger_id=_owner(row.customer_ref),
        kind=CreditKind.CREDIT_NOTE,
        number=row.doc_number or "",
        issued_on=day(row.txn_date),
        total=money(row.total_amt),
        remaining=max(left, NOTHING),
        currency=_currency(row.currency_ref, home),
        status=InvoiceStatus.OPEN if left > 0 else InvoiceStatus.VOIDED if _is_void(row) else InvoiceStatus.PAID,
        changed_at=instant(row.updated),
    )


def settled_by(row: rows.InvoiceRow) -> SettledBy | None:
    """What stands on this invoice, where anything does. A deletion of which we were not told shows here."""
    linked = frozenset(link.txn_id for link in row.linked_txn or () if link.txn_type in _SETTLING and link.txn_id)
    return SettledBy(row.id, linked) if linked else None


def applied(row: rows.PaymentRow) -> Applied:
    """What this payment settles. What credit memos brought is told apart from the customer's own money. Raises Odd."""
    links = [
        (link.txn_type, link.txn_id, money(line.amount))
        for line in row.line or ()
        for link in line.linked_txn or ()
        if link.txn_id
    ]
    memos: dict[str, Decimal] = {}
    for kind, name, amount in links:
        if kind == "CreditMemo":
            memos[name] = memos.get(name, NOTHING) + amount
    to = (_settle(name, amount, memos) for kind, name, amount in links if kind == "Invoice")
    return Applied(row.id, day(row.txn_date), tuple(part for parts in to for part in parts))


def gone(row: rows.Document, entity: str) -> Gone | None:
    """A deleted row; None for kinds whose going means nothing to us."""
    at = instant(row.updated)
    match entity:
        case "Invoice":
            return Gone("invoices", row.id, at)
        case "CreditMemo":
            return Gone("credits", row.id, at)
        case "Payment":
            return Gone("credits", payment_credit_id(row.id), at)
        case "Customer":
            return Gone("accounts", row.id, at)
    return None


def payment_credit_id(payment_id: str) -> str:
    """The ledger id of what is left of a payment. Credit memos are numbered apart from payments."""
    return f"{_OF_A_PAYMENT}{payment_id}"


def payment_of(credit_id: str) -> str:
    """The payment of which this credit is what is left; empty for a credit memo."""
    return credit_id.removeprefix(_OF_A_PAYMENT) if credit_id.startswith(_OF_A_PAYMENT) else ""


@lru_cache(maxsize=4096)
def day(text: str | None) -> date | None:
    """A civil date of the firm, `2026-01-05`. Raises Odd."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Odd(f"The date “{text[:40]}” cannot be read.") from None


@lru_cache(maxsize=4096)
def instant(text: str | None) -> datetime | None:
    """The instant in `2026-01-05T01:00:00-08:00`; None where there is none or it cannot be read."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return None if at is None else (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def _status(row: rows.InvoiceRow, total: Decimal, balance: Decimal, credited: Decimal) -> InvoiceStatus:
    if balance < 0:
        raise Odd(f"Its balance is {balance}, and nobody can owe less than nothing.")
    if balance > 0 or row.balance is None:
        return InvoiceStatus.OPEN
    if total == 0 and _is_void(row):
        return InvoiceStatus.VOIDED
    return InvoiceStatus.CREDITED if total > 0 and credited >= total else InvoiceStatus.PAID


def _is_void(row: rows.InvoiceRow | rows.PaymentRow | rows.CreditMemoRow) -> bool:
    """QuickBooks keeps a voided document, sets its amounts to nothing and writes the word before its private note."""
    return not row.total_amt and (row.private_note or "").lstrip().startswith("Voided")


def _documents_on(row: rows.InvoiceRow, known: Mapping[str, Applied]) -> tuple[Applied, ...] | None:
    """All that settled a part of this invoice; None when not each of them is known."""
    links: dict[str, None] = {}
    if row.linked_txn:
        links = dict.fromkeys(link.txn_id for link in row.linked_txn if link.txn_type == "Payment" and link.txn_id)
    if not links:
        return () if row.balance == row.total_amt or not row.total_amt else None
    documents = tuple(known[link] for link in links if link in known)
    return documents if len(documents) == len(links) else None


def _credited(invoice_id: str, documents: tuple[Applied, ...]) -> Decimal:
    """How much of this invoice credit memos have settled, by the documents that say so."""
    parts = (part for one in documents for part in one.to if part.invoice_ledger_id == invoice_id)
    return sum((part.amount for part in parts if part.credit_ledger_id), NOTHING)


def _settle(invoice_id: str, amount: Decimal, memos: dict[str, Decimal]) -> Iterator[AppliedTo]:
    """This amount for the invoice: out of the credit memos in their order, and the rest of it money."""
    for memo, left in memos.items():
        part = min(left, amount)
        if part > 0:
            yield AppliedTo(invoice_id, part, memo)
            memos[memo], amount = left - part, amount - part
    if amount > 0:
        yield AppliedTo(invoice_id, amount)


def _fit_to_chase(row: rows.InvoiceRow, due_on: date | None) -> None:
    if due_on is None:
        raise Odd("It is open but has no due date, so nobody can say when it is overdue. Give it one in QuickBooks.")
    if row.balance is None or row.total_amt is None:
        raise Odd("It does not say what is owed.")


def _changed_later(row: rows.Document) -> bool:
    return row.times is not None and instant(row.times.created) != instant(row.times.updated)


def _owner(customer: rows.Named | None) -> str:
    if customer is None or not customer.value:
        raise Odd("It does not say whose it is: the customer is missing.")
    return intern(customer.value)


def _currency(named: rows.Named | None, home: Currency) -> str:
    return intern((named.value if named else None) or home())


def _phone(phone: rows.Phone | None) -> str:
    return ((phone.free_form_number if phone else None) or "").strip()


_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")
