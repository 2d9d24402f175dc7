"""The money half of the desk from which the practice world is moved: raise an invoice, pay it, credit it, void it.

Every verb is one address below /control/; what it takes and gives is plain JSON. `client.py` is the same list as seen
by a program. The other half (clock, post, faults) is `world_desk.py`.
"""

from collections.abc import Callable
from typing import Any

from sandbox.books import Books
from sandbox.control import reading
from sandbox.control.views import contact_row, invoice_row, note_row, organisation_row
from sandbox.documents import Address, Contact, NotPossible, Person, Phone
from sandbox.filling import histories
from sandbox.organisation import Organisation
from sandbox.world import World
from sandbox.xero.rows import IDS, Size, row_of

INVOICE_FIELDS: dict[str, Callable[[Any], Any]] = {
    "due": reading.day,
    "date": reading.day,
    "expected": lambda given: None if given is None else reading.day(given),
    "reference": str,
    "number": str,
    "sent": bool,
}


class LedgerDesk:
    """The verbs about money. Each takes `organisation` (id or name); without it, the first one is meant."""

    def __init__(self, world: World) -> None:
        self.world = world

    def organisations(self) -> list[dict[str, Any]]:
        realm = self.world.quickbooks.of
        return [organisation_row(firm, realm(firm).realm) for firm in self.world.organisations.values()]

    def add_organisation(
        self,
        name: str,
        currency: str = "GBP",
        country: str = "GB",
        timezone: str = "GMTSTANDARDTIME",
        mail_domain: str | None = None,
    ) -> str:
        domain = mail_domain or "".join(c for c in name.lower() if c.isalnum()) + ".example"
        code = f"!{self.world.chance.getrandbits(30):06X}"[:7]
        firm = self.world.found(
            name, currency=currency, country=country, timezone=timezone, mail_domain=domain, short_code=code
        )
        return firm.id

    def contacts(self, organisation: str | None = None) -> list[dict[str, Any]]:
        return [contact_row(contact) for contact in self._firm(organisation).books.papers("Contacts")]

    def invoices(
        self, status: str | None = None, contact: str | None = None, organisation: str | None = None
    ) -> list[dict[str, Any]]:
        books = self._firm(organisation).books
        whose = books.contact(contact) if contact else None
        return [
            invoice_row(i)
            for i in books.sales()
            if (status is None or i.status == status) and (whose is None or i.contact is whose)
        ]

    def balances(self, organisation: str | None = None) -> dict[str, str]:
        sales = self._firm(organisation).books.sales()
        return {i.id: str(i.balance) for i in sales if i.status == "AUTHORISED"}

    def payments(self, organisation: str | None = None) -> list[dict[str, Any]]:
        return [
            {"id": p.id, "invoice": p.invoice.id, "amount": str(p.amount), "on": str(p.date), "status": p.status}
            for p in self._firm(organisation).books.papers("Payments")
        ]

    def add_contact(self, name: str, organisation: str | None = None, **fields: Any) -> str:
        firm = self._firm(organisation)
        contact = Contact(firm.books.new_id(), name, self.world.clock.now())
        for field, value in _contact_fields(firm.books, fields, contact).items():
            setattr(contact, field, value)
        return firm.books.add_contact(contact).id

    def edit_contact(self, contact: str, organisation: str | None = None, **fields: Any) -> None:
        books = self._firm(organisation).books
        found = books.contact(contact)
        books.edit_contact(found, _contact_fields(books, fields, found))

    def add_invoice(
        self,
        contact: str,
        due: str,
        amount: Any,
        number: str | None = None,
        date: str | None = None,
        currency: str | None = None,
        reference: str | None = None,
        status: str = "AUTHORISED",
        type: str = "ACCREC",
        organisation: str | None = None,
    ) -> str:
        books = self._firm(organisation).books
        if type not in ("ACCREC", "ACCPAY") or status not in ("AUTHORISED", "DRAFT", "SUBMITTED"):
            raise NotPossible(f"An invoice cannot be raised as {type} {status}.")
        invoice = books.add_invoice(
            books.contact(contact),
            total=reading.amount(amount),
            due=reading.day(due),
            date=reading.day(date) if date else None,
            number=number,
            currency=currency,
            reference=reference or "",
            status=status,
            type=type,
        )
        return invoice.id

    def edit_invoice(self, invoice: str, organisation: str | None = None, **fields: Any) -> None:
        books = self._firm(organisation).books
        found = books.invoice(invoice)
        if unknown := set(fields) - set(INVOICE_FIELDS) - {"contact"}:
            raise NotPossible(f"An invoice has no {', '.join(sorted(unknown))} to be edited.")
        read = {name: INVOICE_FIELDS[name](value) for name, value in fields.items() if name != "contact"}
        if "contact" in fields:
            read["contact"] = books.contact(fields["contact"])
        books.edit_invoice(found, read)

    def pay(
        self,
        invoice: str,
        amount: Any = None,
        on: str | None = None,
        reference: str = "",
        organisation: str | None = None,
    ) -> str:
        books = self._firm(organisation).books
        paid = None if amount is None else reading.amount(amount)
        return books.pay(books.invoice(invoice), paid, reading.day(on) if on else None, reference).id

    def delete_payment(self, payment: str, organisation: str | None = None) -> None:
        books = self._firm(organisation).books
        books.delete_payment(books.payment(payment))

    def credit(self, invoice: str, amount: Any = None, organisation: str | None = None) -> str:
        books = self._firm(organisation).books
        found = books.invoice(invoice)
        total = found.balance if amount is None else reading.amount(amount)
        if found.status != "AUTHORISED" or total > found.balance:
            raise NotPossible(
                f"{total} cannot be credited on {found.number}, {found.status} with {found.balance} open."
            )
        note = books.add_credit("CreditNotes", found.contact, total, currency=found.currency)
        books.allocate(note, found, total)
        return note.id

    def add_credit_note(self, contact: str, amount: Any, organisation: str | None = None, **more: Any) -> str:
        return self._credit("CreditNotes", contact, amount, organisation, more)

    def add_overpayment(self, contact: str, amount: Any, organisation: str | None = None, **more: Any) -> str:
        return self._credit("Overpayments", contact, amount, organisation, more)

    def add_prepayment(self, contact: str, amount: Any, organisation: str | None = None, **more: Any) -> str:
        return self._credit("Prepayments", contact, amount, organisation, more)

    def allocate(self, credit: str, invoice: str, amount: Any = None, organisation: str | None = None) -> str:
        books = self._firm(organisation).books
        used = None if amount is None else reading.amount(amount)
        return books.allocate(books.credit(credit), books.invoice(invoice), used).id

    def void(self, invoice: str, organisation: str | None = None) -> None:
        books = self._firm(organisation).books
        books.void(books.invoice(invoice))

    def remove(self, invoice: str, organisation: str | None = None) -> None:
        books = self._firm(organisation).books
        books.remove(books.invoice(invoice))

    def delete_draft(self, invoice: str, organisation: str | None = None) -> None:
        books = self._firm(organisation).books
        books.delete_draft(books.invoice(invoice))

    def approve(self, invoice: str, organisation: str | None = None) -> None:
        books = self._firm(organisation).books
        books.approve(books.invoice(invoice))

    def raw_row(self, list: str, row: dict[str, Any], like: str | None = None, organisation: str | None = None) -> str:
        books = self._firm(organisation).books
        if list not in IDS:
            raise NotPossible(f"There is no list “{list}”; there are {', '.join(IDS)}.")
        shelf, key = books.shelves[list], IDS[list]
        if like is not None:
            model = shelf.get(like)
            if model is None:
                raise NotPossible(f"The list {list} has no row with the id “{like}”.")
            row = {**row_of(model, Size.FULL), key: like, **row}
        id_ = str(row.get(key) or books.new_id()).lower()
        books.put_odd_row(list, id_, {key: id_, **row})
        return id_

    def notes(self, document_id: str | None = None, organisation: str | None = None) -> list[dict[str, Any]]:
        notes = self._firm(organisation).books.notes
        return [note_row(note) for note in notes if document_id in (None, note.document)]

    def load_histories(self, text: str, name: str) -> dict[str, Any]:
        return histories.load(self.world, text, name)

    def habits(self, allocation_moves_invoice: bool, organisation: str | None = None) -> None:
        """What Xero does not document: whether applying a credit stamps the invoice as changed."""
        self._firm(organisation).books.allocation_stamps_invoice = allocation_moves_invoice

    def _credit(self, kind: Any, contact: str, amount: Any, organisation: str | None, more: dict[str, Any]) -> str:
        books = self._firm(organisation).books
        if more.get("date"):
            more["date"] = reading.day(more["date"])
        return books.add_credit(kind, books.contact(contact), reading.amount(amount), **more).id

    def _firm(self, key: str | None) -> Organisation:
        return self.world.organisation(key)


def _contact_fields(books: Books, given: dict[str, Any], contact: Contact) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in given.items():
        match name:
            case "name" | "first_name" | "last_name" | "email" | "account_number" | "currency":
                fields[name] = value or ""
            case "notes" | "delivery":
                fields[name] = str(value or "")
            case "parent":
                fields[name] = books.contact(value) if value else None
            case "archived" | "is_supplier" | "is_customer" | "billed_with_parent":
                fields[name] = bool(value)
            case "days":
                fields[name] = None if value is None else int(value)
            case "merged_into":
                fields |= {"merged_into": value, "archived": True}
            case "mobile" | "phone":
                kind = "MOBILE" if name == "mobile" else "DEFAULT"
                phones = fields.setdefault("phones", dict(contact.phones))
                phones.pop(kind, None)
                if value:
                    phones[kind] = Phone.read(value)
            case "persons":
                fields[name] = tuple(Person(**person) for person in value or ())
            case "address":
                fields[name] = Address(**(value or {}))
            case _:
                raise NotPossible(f"A contact has no “{name}”.")
    return fields
