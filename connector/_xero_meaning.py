"""What Xero's rows mean in the words of the trade.

Nothing is guessed. An approved sales invoice without a due date, for example, cannot be chased on any day, so it is put
aside for a person to look at rather than given one, and the rows beside it go on.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from sys import intern

from connector._sense import Odd, money
from connector._xero_rows import Applied, ContactRow, CreditRow, InvoiceRow, Named, Person, Phone
from engine.receivables import Account, Allocation, Contact, Credit, CreditKind, Invoice, InvoiceStatus, Payment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOT_YET_SALES = frozenset({"DRAFT", "SUBMITTED"})
STATUS = {
    "AUTHORISED": InvoiceStatus.OPEN,
    "PAID": InvoiceStatus.PAID,
    "VOIDED": InvoiceStatus.VOIDED,
    "DELETED": InvoiceStatus.DELETED,
}


def account(row: ContactRow) -> Account:
    """A contact of the ledger as an account."""
    phones = {phone.phone_type: _phone(phone) for phone in row.phones or ()}
    return Account(
        ledger_id=row.id,
        name=row.name or "",
        number=row.account_number or "",
        email=row.email_address or "",
        phone=phones.get("DEFAULT") or phones.get("DDI") or "",
        mobile=phones.get("MOBILE") or "",
        first_name=row.first_name or "",
        last_name=row.last_name or "",
        currency=row.default_currency or "",
        archived=row.contact_status in ("ARCHIVED", "GDPRREQUEST"),
        merged_into=row.merged_to or None,
        contacts=tuple(_person(person) for person in row.contact_persons or ()),
        changed_at=instant(row.updated),
    )


def account_of(row: ContactRow) -> Account | None:
    """The same, but None for one who only ever sold to us. Whoever was merged away stays: invoices may name them."""
    only_supplier = row.is_supplier and not row.is_customer and not row.merged_to
    return None if only_supplier else account(row)


def sales_invoice(row: InvoiceRow) -> Invoice | None:
    """A sales invoice with all its payments and credits; None for bills and for drafts. Raises Odd."""
    payments = [
        Payment(ledger_id=paid.id, paid_on=day(paid.date), amount=money(paid.amount))
        for paid in row.payments or ()
        if paid.status != "DELETED"
    ]
    used = row.credit_notes or row.overpayments or row.prepayments
    allocations = (*_used(row.credit_notes), *_used(row.overpayments), *_used(row.prepayments)) if used else ()
    return _invoice(row, tuple(payments), allocations)


def summary_invoice(row: InvoiceRow) -> Invoice | None:
    """The same from a summary, in which Xero leaves the payments out: what is known of them stands. Raises Odd."""
    return _invoice(row, None, None)


def credit(row: CreditRow) -> Credit | None:
    """Money in a customer's favour; None for money in ours and for drafts. Raises Odd."""
    kind = (
        CreditKind.CREDIT_NOTE
        if row.credit_note
        else CreditKind.OVERPAYMENT
        if row.overpayment
        else CreditKind.PREPAYMENT
    )
    if (row.type or "").startswith(("ACCPAY", "SPEND", "AP")) or row.status in NOT_YET_SALES:
        return None
    status = STATUS.get(row.status or "", InvoiceStatus.UNKNOWN)
    if status is InvoiceStatus.OPEN and row.remaining_credit is None:
        raise Odd("It does not say how much of this credit is left.")
    return Credit(
        ledger_id=row.id,
        account_ledger_id=_owner(row.contact),
        kind=kind,
        number=row.credit_note_number or row.invoice_number or row.reference or "",
        issued_on=day(row.date) or day(row.date_string),
        total=money(row.total),
        remaining=money(row.remaining_credit),
        currency=row.currency_code or "",
        status=status,
        allocations=tuple(
            Allocation(ledger_id=used.invoice.id, amount=money(used.amount), on=day(used.date), kind=kind)
            for used in row.allocations or ()
            if not used.is_deleted
        ),
        changed_at=instant(row.updated),
    )


@lru_cache(maxsize=4096)
def day(text: str | None) -> date | None:
    """The civil date in `/Date(1518652800000+0000)/` or `2018-02-15T00:00:00`: midnight UTC of the firm's own day."""
    at = instant(text)
    return at.date() if at is not None else None


@lru_cache(maxsize=4096)
def instant(text: str | None) -> datetime | None:
    """The instant in Xero's date: milliseconds since 1970, whose offset changes nothing, or ISO in UTC. Raises Odd."""
    if not text:
        return None
    try:
        if text.startswith("/Date(") and text.endswith("+0000)/"):  # as Xero itself always writes it
            return EPOCH + timedelta(milliseconds=int(text[6:-7]))
        if not text.startswith("/Date("):
            at = datetime.fromisoformat(text)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        digits = text[6 : text.index(")")]
        end = max(digits.find("+"), digits.find("-", 1))
        return EPOCH + timedelta(milliseconds=int(digits if end < 0 else digits[:end]))
    except (ValueError, OverflowError):
        raise Odd(f"The date “{text[:40]}” cannot be read.") from None


def _invoice(
    row: InvoiceRow, payments: tuple[Payment, ...] | None, allocations: tuple[Allocation, ...] | None
) -> Invoice | None:
    if row.type != "ACCREC" or row.status in NOT_YET_SALES:
        return None
    paid, credited = money(row.amount_paid), money(row.amount_credited)
    status = STATUS.get(row.status or "", InvoiceStatus.UNKNOWN)
    if status is InvoiceStatus.PAID and not paid and credited > 0:
        status = InvoiceStatus.CREDITED
    issued_on, due_on = day(row.date) or day(row.date_string), day(row.due_date) or day(row.due_date_string)
    if status is InvoiceStatus.OPEN:
        _fit_to_chase(row, due_on)
    elif due_on is None and (due_on := issued_on) is None:
        raise Odd("It has neither a due date nor a date.")
    assert due_on is not None
    total, balance = money(row.total), money(row.amount_due)
    return Invoice(
        ledger_id=row.id,
        account_ledger_id=_owner(row.contact),
        account_name=intern((row.contact.name if row.contact else None) or ""),
        number=row.invoice_number or "",
        issued_on=issued_on,
        due_on=due_on,
        total=total,
        balance=_one(total, balance),
        currency=intern(row.currency_code or ""),
        status=status,
        reference=row.reference or "",
        paid=paid,
        credited=credited,
        settled_on=day(row.fully_paid_on_date),
        expected_on=day(row.expected_payment_date),
        payments=payments,
        allocations=allocations,
        changed_at=instant(row.updated),
    )


def _one(total: Decimal, balance: Decimal) -> Decimal:
    """The balance, as the same object where it is the same: a first reading holds tens of thousands of them."""
    return total if balance.same_quantum(total) and balance == total else balance


def _fit_to_chase(row: InvoiceRow, due_on: date | None) -> None:
    if due_on is None:
        raise Odd("It is approved but has no due date, so nobody can say when it is overdue. Give it one in Xero.")
    if row.amount_due is None or row.total is None:
        raise Odd("It is approved but does not say what is owed.")
    if not row.currency_code:
        raise Odd("It is approved but does not say in which currency.")


def _owner(contact: Named | None) -> str:
    if contact is None or not contact.id:
        raise Odd("It does not say whose it is: the contact is missing.")
    return intern(contact.id)


def _used(credits_used: list[Applied] | None) -> list[Allocation]:
    return [
        Allocation(
            ledger_id=used.credit_note or used.overpayment or used.prepayment or "",
            amount=money(used.applied_amount),
            on=day(used.date),
            kind=CreditKind.CREDIT_NOTE
            if used.credit_note
            else CreditKind.OVERPAYMENT
            if used.overpayment
            else CreditKind.PREPAYMENT,
        )
        for used in credits_used or ()
    ]


def _person(person: Person) -> Contact:
    return Contact(
        name=" ".join(part for part in (person.first_name, person.last_name) if part),
        email=person.email_address or "",
        receives_reminders=bool(person.include_in_emails),
    )


def _phone(phone: Phone) -> str:
    """`+44` and `07700 900123` as `+447700900123`; without a country code as somebody wrote it."""
    country, area, number = (
        (part or "").strip() for part in (phone.phone_country_code, phone.phone_area_code, phone.phone_number)
    )
    if number.startswith("+"):
        return "+" + _digits(number)
    if not number or not _digits(country):
        return " ".join(part for part in (area, number) if part)
    national = _digits(area + number)
    # A trunk zero is not dialled from abroad, save in Italy, where it is a part of the number.
    return f"+{_digits(country)}{national if _digits(country) == '39' else national.removeprefix('0')}"


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
