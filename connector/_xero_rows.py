"""How Xero writes its rows: only the fields that we read, and only as strictly as we need them.

Statuses and kinds are plain text, because Xero adds to them; amounts are decimals, exactly as written. Anything may be
missing but an id. https://developer.xero.com/documentation/api/accounting/invoices
"""

from decimal import Decimal

from msgspec import Struct, field


class Row(Struct, rename="pascal", gc=False):
    """Xero's names are ours in capitals, but for "ID" and "UTC".

    A row never holds itself, so Python's collector need not walk through tens of thousands of them.
    """


class Phone(Row):
    phone_type: str | None = None
    phone_number: str | None = None
    phone_area_code: str | None = None
    phone_country_code: str | None = None


class Person(Row):
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    include_in_emails: bool | None = None


class ContactRow(Row):
    id: str = field(name="ContactID")
    name: str | None = None
    account_number: str | None = None
    contact_status: str | None = None
    email_address: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    default_currency: str | None = None
    is_supplier: bool | None = None
    is_customer: bool | None = None
    merged_to: str | None = field(name="MergedToContactID", default=None)
    phones: list[Phone] | None = None
    contact_persons: list[Person] | None = None
    updated: str | None = field(name="UpdatedDateUTC", default=None)


class Named(Row):
    id: str | None = field(name="ContactID", default=None)
    name: str | None = None


class PaymentRow(Row):
    id: str = field(name="PaymentID")
    amount: Decimal
    date: str | None = None
    status: str | None = None


class Applied(Row):
    """A credit as it shows on the invoice that it was used for."""

    applied_amount: Decimal
    credit_note: str | None = field(name="CreditNoteID", default=None)
    overpayment: str | None = field(name="OverpaymentID", default=None)
    prepayment: str | None = field(name="PrepaymentID", default=None)
    date: str | None = None


class InvoiceRow(Row):
    id: str = field(name="InvoiceID")
    type: str | None = None
    status: str | None = None
    contact: Named | None = None
    invoice_number: str | None = None
    reference: str | None = None
    date: str | None = None
    date_string: str | None = None
    due_date: str | None = None
    due_date_string: str | None = None
    expected_payment_date: str | None = None
    fully_paid_on_date: str | None = None
    currency_code: str | None = None
    total: Decimal | None = None
    amount_due: Decimal | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None
    payments: list[PaymentRow] | None = None
    credit_notes: list[Applied] | None = None
    overpayments: list[Applied] | None = None
    prepayments: list[Applied] | None = None
    updated: str | None = field(name="UpdatedDateUTC", default=None)


class AllocatedTo(Row):
    id: str = field(name="InvoiceID")


class AllocationRow(Row):
    amount: Decimal
    invoice: AllocatedTo
    date: str | None = None
    is_deleted: bool | None = None


class CreditRow(Row):
    credit_note: str | None = field(name="CreditNoteID", default=None)
    overpayment: str | None = field(name="OverpaymentID", default=None)
    prepayment: str | None = field(name="PrepaymentID", default=None)
    credit_note_number: str | None = None
    invoice_number: str | None = None
    reference: str | None = None
    type: str | None = None
    status: str | None = None
    contact: Named | None = None
    date: str | None = None
    date_string: str | None = None
    currency_code: str | None = None
    total: Decimal | None = None
    remaining_credit: Decimal | None = None
    allocations: list[AllocationRow] | None = None
    updated: str | None = field(name="UpdatedDateUTC", default=None)

    @property
    def id(self) -> str:
        return self.credit_note or self.overpayment or self.prepayment or ""
