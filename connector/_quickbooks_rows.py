"""How QuickBooks Online writes its rows: only the fields that we read, and only as strictly as we need them.

Kinds and statuses are plain text, because Intuit adds to them; amounts are decimals, exactly as written. Anything may
be missing but an id: of a deleted row QuickBooks says only that it was there.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

from decimal import Decimal

from msgspec import Struct, field


class Row(Struct, rename="pascal"):
    """QuickBooks' names are ours in capitals, but for `status` and `value`."""


class Times(Row):
    created: str | None = field(name="CreateTime", default=None)
    updated: str | None = field(name="LastUpdatedTime", default=None)


class Named(Row):
    """One row named in another."""

    value: str | None = field(name="value", default=None)
    name: str | None = field(name="name", default=None)


class Document(Row):
    """What every row has."""

    id: str
    sync_token: str | None = None
    times: Times | None = field(name="MetaData", default=None)
    status: str | None = field(name="status", default=None)

    @property
    def updated(self) -> str | None:
        return self.times.updated if self.times else None

    @property
    def is_deleted(self) -> bool:
        return self.status == "Deleted"


class Address(Row):
    address: str | None = None


class Phone(Row):
    free_form_number: str | None = None


class AccountRow(Document):
    """What QuickBooks calls a Customer; so it does with each of our accounts below another (Job, Level)."""

    display_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    primary_email_addr: Address | None = None
    primary_phone: Phone | None = None
    mobile: Phone | None = None
    currency_ref: Named | None = None
    active: bool | None = None
    parent_ref: Named | None = None
    bill_with_parent: bool | None = None
    balance: Decimal | None = None
    notes: str | None = None


class Linked(Row):
    txn_id: str | None = None
    txn_type: str | None = None


class InvoiceRow(Document):
    doc_number: str | None = None
    txn_date: str | None = None
    due_date: str | None = None
    customer_ref: Named | None = None
    currency_ref: Named | None = None
    total_amt: Decimal | None = None
    balance: Decimal | None = None
    linked_txn: list[Linked] | None = None
    private_note: str | None = None


class LineRow(Row):
    amount: Decimal | None = None
    linked_txn: list[Linked] | None = None


class PaymentRow(Document):
    txn_date: str | None = None
    customer_ref: Named | None = None
    currency_ref: Named | None = None
    payment_ref_num: str | None = None
    total_amt: Decimal | None = None
    unapplied_amt: Decimal | None = None
    line: list[LineRow] | None = None
    private_note: str | None = None


class CreditMemoRow(Document):
    doc_number: str | None = None
    txn_date: str | None = None
    customer_ref: Named | None = None
    currency_ref: Named | None = None
    total_amt: Decimal | None = None
    balance: Decimal | None = None
    remaining_credit: Decimal | None = None
    private_note: str | None = None


class AttachableRow(Document):
    note: str | None = None


class CompanyRow(Document):
    company_name: str | None = None
    country: str | None = None
    default_time_zone: str | None = None


class CurrencyPrefs(Row):
    home_currency: Named | None = None


class PreferencesRow(Document):
    currency_prefs: CurrencyPrefs | None = None
