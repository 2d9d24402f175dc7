"""Rows in QuickBooks' words that no specification foresaw, one of each kind, as met in real companies."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.documents import Contact
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.rows import row_of

CUSTOMERS: dict[str, dict[str, Any]] = {
    "a name over 255 characters": {"DisplayName": "Long & Sons " * 40},
    "a name in emoji": {"DisplayName": "🪴 Fern & Fig ☕️ 👩🏽‍🍳"},
    "a name in 8-bit text": {"DisplayName": "M\u00fcller\u0092s B\u00e4ckerei\u00a0"},
    "a way of delivery nobody knows": {"PreferredDeliveryMethod": "PIGEON"},
    "a customer called None": {"DisplayName": "None", "GivenName": None, "PrimaryEmailAddr": None},
    "an address that is no address": {"PrimaryEmailAddr": {"Address": "None"}},
    "yes and no as text": {"Active": "true", "Job": "false", "BillWithParent": "false"},
}
INVOICES: dict[str, dict[str, Any]] = {
    "a state of mailing nobody knows": {"EmailStatus": "SentToMars"},
    "no due date": {"DueDate": None},
    "the word None": {"DocNumber": None, "PrivateNote": "None"},
    "amounts as text": {"TotalAmt": "120.00", "Balance": "120.00"},
    "a currency nobody knows": {"CurrencyRef": {"value": "XCG", "name": "Unheard of"}},
    "no links at all": {"LinkedTxn": None},
    "a note in 8-bit text": {"PrivateNote": "R\u00e9f. 12\u00b7\u0085 \u20ac"},
}


def lay_down(company: Company, now: datetime) -> dict[str, str]:
    """Each odd row is a copy of an ordinary one of the same kind, made for it, with one thing odd about it."""
    books = company.firm.books
    contact = books.add_contact(Contact(books.new_id(), "Ordinary Ltd", now, email="ordinary@debtors.example"))
    invoice = books.add_invoice(contact, total=Decimal("120.00"), due=books.today())
    numbers = {}
    for entity, paper, rows in (("Customer", contact, CUSTOMERS), ("Invoice", invoice, INVOICES)):
        sheet = company.sheet_of(paper)
        assert sheet is not None
        for place, (name, oddity) in enumerate(rows.items(), 1):
            number = f"9{sheet.id}{place:02d}"
            usual = {"DocNumber": f"ODD-{number}"} if entity == "Invoice" else {"DisplayName": f"Ordinary {number} Ltd"}
            company.put_odd_row(entity, number, {**row_of(company, sheet), "Id": number, **usual, **oddity})
            numbers[name] = number
    return numbers
