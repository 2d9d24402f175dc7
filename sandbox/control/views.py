"""What the control door shows of the world, in plain words and strings: a test compares these with what the product
holds."""

from typing import Any

from sandbox.documents import Contact, Invoice, Note
from sandbox.organisation import Organisation
from sandbox.world import Call


def organisation_row(firm: Organisation, realm: str) -> dict[str, Any]:
    return {
        "id": firm.id,
        "realm_id": realm,
        "name": firm.name,
        "short_code": firm.short_code,
        "currency": firm.currency,
        "country": firm.country,
        "timezone": firm.timezone,
        "zone": firm.zone.key,
        "mail_domain": firm.mail_domain,
        "lists": {name: len(shelf) for name, shelf in firm.books.shelves.items()},
    }


def contact_row(contact: Contact) -> dict[str, Any]:
    mobile = contact.phones.get("MOBILE")
    return {
        "id": contact.id,
        "name": contact.name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "mobile": str(mobile) if mobile else None,
        "currency": contact.currency,
        "account_number": contact.account_number,
        "notes": contact.notes,
        "days": contact.days,
        "archived": contact.archived,
        "is_customer": contact.is_customer,
        "is_supplier": contact.is_supplier,
        "persons": [
            {"first_name": p.first_name, "last_name": p.last_name, "email": p.email, "in_emails": p.in_emails}
            for p in contact.persons
        ],
    }


def invoice_row(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": invoice.id,
        "number": invoice.number,
        "contact_id": invoice.contact.id,
        "contact": invoice.contact.name,
        "date": invoice.date.isoformat(),
        "due": invoice.due.isoformat(),
        "total": str(invoice.total),
        "balance": str(invoice.balance),
        "status": invoice.status,
        "currency": invoice.currency,
        "reference": invoice.reference,
        "paid_on": invoice.paid_on.isoformat() if invoice.paid_on else None,
        "expected": invoice.expected.isoformat() if invoice.expected else None,
        "disputed": invoice.disputed,
        "updated": invoice.updated.isoformat(),
    }


def note_row(note: Note) -> dict[str, Any]:
    return {"document": note.document, "kind": note.kind, "details": note.details, "at": note.at.isoformat()}


def call_row(call: Call) -> dict[str, Any]:
    return {
        "at": call.at.isoformat(),
        "door": call.door,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "status": call.status,
        "bytes": call.bytes,
        "tenant": call.tenant,
        "request_id": call.request_id,
    }
