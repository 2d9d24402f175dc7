"""Rows that no specification foresaw, one of each kind, as they have been met in real ledgers."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.books import Books
from sandbox.documents import Contact, Invoice
from sandbox.xero.rows import Size, row_of

CONTACTS: dict[str, dict[str, Any]] = {
    "a name over 255 characters": {"Name": "Long & Sons " * 25},
    "a name in emoji": {"Name": "🪴 Fern & Fig ☕️ 👩🏽‍🍳"},
    "a name in 8-bit text": {"Name": "M\u00fcller\u0092s B\u00e4ckerei\u00a0"},
    "a contact status nobody knows": {"ContactStatus": "ASLEEP"},
    "a contact called None": {"Name": "None", "FirstName": None, "EmailAddress": None},
    "a phone code over 20 characters": {
        "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "900123", "PhoneAreaCode": "0" * 24, "PhoneCountryCode": ""}]
    },
}
INVOICES: dict[str, dict[str, Any]] = {
    "an invoice status nobody knows": {"Status": "BILLED_IN_SPACE"},
    "no due date": {"DueDate": None, "DueDateString": None},
    "the word None": {"Reference": "None", "InvoiceNumber": None},
    "amounts as text": {"Total": "120.00", "AmountDue": "120.00", "AmountPaid": "0.00", "AmountCredited": "0.00"},
    "a currency nobody knows": {"CurrencyCode": "XCG"},
    "no payments at all": {"Payments": None},
    "yes and no as text": {"SentToContact": "true", "HasAttachments": "false"},
    "a reference in 8-bit text": {"Reference": "R\u00e9f. 12\u00b7\u0085 \u20ac"},
}


def lay_down(books: Books, now: datetime) -> dict[str, str]:
    """Each odd row is a copy of an ordinary one of the same kind, made for it, with one thing odd about it."""
    contact = books.add_contact(Contact(books.new_id(), "Ordinary Ltd", now, is_customer=True))
    invoice = books.add_invoice(contact, total=Decimal("120.00"), due=books.today())
    ids = {}
    for kind, model, rows in (("Contacts", contact, CONTACTS), ("Invoices", invoice, INVOICES)):
        for name, oddity in rows.items():
            ids[name] = _laid(books, kind, model, oddity)
    return ids


def _laid(books: Books, kind: str, model: Contact | Invoice, oddity: dict[str, Any]) -> str:
    id_ = books.new_id()
    key = {"Contacts": "ContactID", "Invoices": "InvoiceID"}[kind]
    number = {"InvoiceNumber": f"ODD-{id_[:8]}"} if kind == "Invoices" else {}
    books.put_odd_row(kind, id_, {**row_of(model, Size.FULL), key: id_, **number, **oddity})
    return id_
