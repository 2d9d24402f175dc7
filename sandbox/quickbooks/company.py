"""One firm's books as QuickBooks keeps them: every paper on a sheet of its own, with a short number and a version.

The books tell of each change; here it is entered on the sheet. What moves is what moves at QuickBooks: a payment makes
a new version of its invoice, and stamps the customer and everybody above it as changed without giving them a new
version. Deleted papers leave a tombstone. Each change is an event too, for those who asked to be told.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.documents import NOTHING, Allocation, Contact, Credit, Invoice, OddRow, Payment
from sandbox.quickbooks.sheets import ENTITIES, Event, Habits, Page, Row, Sheet
from sandbox.shelf import Shelf

if TYPE_CHECKING:
    from sandbox.organisation import Organisation

Listener = Callable[["Company", Event], None]


class Company:
    def __init__(self, firm: "Organisation", *, seed: int, now: Callable[[], datetime]) -> None:
        self.firm, self._now = firm, now
        self._chance = Random(f"realm {seed} {firm.name}")
        self.realm = f"93414{self._chance.randrange(10**11):011d}"
        self.files: dict[str, Shelf] = {name: Shelf() for name in ENTITIES}
        self.habits = Habits()
        self.metered = 0  # calls that Intuit would put on the bill
        self.batches = 0
        self.multicurrency = False
        self.listeners: list[Listener] = []
        self.pages: dict[str, Page] = {}  # by the question that each answers, until anything changes
        self._numbers = {"names": 0, "papers": 0, "odd": 900_000}
        self._by_paper: dict[str, Sheet] = {}
        self._of_customer: dict[str, dict[str, Sheet]] = {}  # contact id: the sheets that make up its balance
        self._children: dict[str, dict[str, Contact]] = {}
        self._credited: dict[str, dict[str, Allocation]] = {}  # credit id: its allocations, each with a sheet
        firm.books.watchers.append(self.hear)

    # --- looking things up

    def sheet_of(self, paper: Any) -> Sheet | None:
        return self._by_paper.get(paper.id)

    def sheet(self, entity: str, number: str) -> Sheet | None:
        """None when there is no such sheet, or only its tombstone."""
        found = self.files[entity].get(number)
        return None if found is None or found.deleted else found

    def numbers(self) -> dict[str, str]:
        """The number of each paper, by the id under which the books know it."""
        return {id_: sheet.id for id_, sheet in self._by_paper.items()}

    def papers_of(self, contact: Contact) -> list[Any]:
        return [sheet.paper for sheet in self._of_customer.get(contact.id, {}).values() if not sheet.deleted]

    def balance(self, contact: Contact) -> Decimal:
        """What is open on the customer's own invoices, less money and credit that is not yet used."""
        return sum((_owed(paper) for paper in self.papers_of(contact)), NOTHING)

    def balance_with_jobs(self, contact: Contact) -> Decimal:
        below = self._children.get(contact.id, {}).values()
        return self.balance(contact) + sum((self.balance_with_jobs(child) for child in below), NOTHING)

    # --- what the books tell

    def hear(self, kind: str, paper: Any, stamped: bool) -> None:
        match paper:
            case OddRow():
                return  # a row in Xero's words
            case Contact():
                self._hear_contact(paper)
            case Invoice() if paper.type == "ACCREC":
                self._hear_invoice(paper)
            case Payment() if paper.invoice.type == "ACCREC":
                self._enter("Payment", paper, gone=paper.status == "DELETED")
            case Credit(kind="CreditNotes"):
                self._enter("CreditMemo", paper)
                self._hear_allocations(paper)
            case Credit():
                self._enter("Payment", paper, gone=paper.voided)

    def _hear_contact(self, contact: Contact) -> None:
        if contact.is_supplier and not contact.is_customer:
            return
        known = contact.id in self._by_paper
        sheet = self._enter_name(contact)
        if not known:
            return
        self.pages.clear()
        for paper in self._of_customer.get(contact.id, {}).values():
            paper.shown = None  # they show the customer's name and address
        self._touch_below(contact)
        if contact.merged_into and contact.merged_into in self._by_paper and not sheet.merged:
            sheet.merged = True
            into = self._by_paper[contact.merged_into]
            self._say(into, "merged", deleted_id=sheet.id)

    def _hear_invoice(self, invoice: Invoice) -> None:
        if invoice.status in ("DRAFT", "SUBMITTED"):
            return
        if invoice.status == "DELETED" and invoice.id not in self._by_paper:
            return
        self._enter("Invoice", invoice, gone=invoice.status == "DELETED", voided=invoice.status == "VOIDED")

    def _hear_allocations(self, credit: Credit) -> None:
        """QuickBooks links a credit memo to an invoice by a payment over nothing."""
        before = self._credited.get(credit.id, {})
        current = {allocation.id: allocation for allocation in credit.allocations}
        for id_, allocation in current.items():
            if id_ not in before:
                self._enter("Payment", allocation, of=credit.contact)
        for id_, allocation in before.items():
            if id_ not in current:
                self._enter("Payment", allocation, of=credit.contact, gone=True)
        self._credited[credit.id] = current

    # --- how it is entered

    def _enter_name(self, contact: Contact) -> Sheet:
        """A new version of a customer, or the first."""
        sheet, fresh = self._sheet_for("Customer", contact)
        if not fresh:
            sheet.token += 1
        self._put(sheet)
        self._say(sheet, "created" if fresh else "updated")
        self._note_currency(contact.currency)
        self._file_below(sheet, contact)
        return sheet

    def _file_below(self, sheet: Sheet, contact: Contact) -> None:
        before, sheet.contact = sheet.contact, contact.parent
        if before is not None and before is not contact.parent:
            del self._children[before.id][contact.id]
            self._touch(before)
        if contact.parent is not None:
            self._children.setdefault(contact.parent.id, {})[contact.id] = contact
            self._touch(contact.parent)

    def _enter(
        self, entity: str, paper: Any, *, of: Contact | None = None, gone: bool = False, voided: bool = False
    ) -> None:
        contact: Contact = of or paper.contact
        if contact.id not in self._by_paper:
            self._enter_name(contact)
        sheet, fresh = self._sheet_for(entity, paper)
        if not fresh:
            sheet.token += 1
        sheet.deleted = gone
        self._put(sheet)
        self._file_under(contact, sheet)
        self._note_currency(getattr(paper, "currency", ""))
        verb = "created" if fresh else "deleted" if gone else "voided" if voided else "updated"
        self._say(sheet, verb)
        self._touch(contact)

    def _file_under(self, contact: Contact, sheet: Sheet) -> None:
        before, sheet.contact = sheet.contact, contact
        if before is not None and before is not contact:
            self._of_customer[before.id].pop(sheet.id, None)
            self._touch(before)
        self._of_customer.setdefault(contact.id, {})[sheet.id] = sheet

    def _sheet_for(self, entity: str, paper: Any) -> tuple[Sheet, bool]:
        if (known := self._by_paper.get(paper.id)) is not None:
            return known, False
        sheet = Sheet(
            entity, self.new_number("names" if entity == "Customer" else "papers"), paper, self._now(), self._now()
        )
        self._by_paper[paper.id] = sheet
        return sheet, True

    def new_number(self, series: str) -> str:
        self._numbers[series] += 1
        return str(self._numbers[series])

    def _put(self, sheet: Sheet) -> None:
        self.pages.clear()
        sheet.odd = sheet.shown = None
        sheet.memo = {}
        self.files[sheet.entity].put(sheet, at=self._now().replace(microsecond=0))

    def _touch(self, contact: Contact | None) -> None:
        """Stamped as changed, up to the topmost; the version stays, so that an update in hand is not stale."""
        while contact is not None and (sheet := self._by_paper.get(contact.id)) is not None:
            self._put(sheet)
            contact = contact.parent

    def _touch_below(self, contact: Contact) -> None:
        """Whoever stands below bears the name in its own full name."""
        for child in self._children.get(contact.id, {}).values():
            self._put(self._by_paper[child.id])
            self._touch_below(child)

    def _note_currency(self, currency: str) -> None:
        """With the first paper in a foreign currency the company is a multicurrency one, and every row says so."""
        if currency in ("", self.firm.currency) or self.multicurrency:
            return
        self.multicurrency = True
        self.show_anew()

    def show_anew(self) -> None:
        """Something that every row shows has changed."""
        self.pages.clear()
        for shelf in self.files.values():
            for sheet in shelf:
                sheet.shown = None

    # --- rows that no book holds

    def put_odd_row(self, entity: str, number: str, row: Row) -> None:
        """Shown exactly as given, until the paper behind it (if there is one) is changed again."""
        sheet = self.files[entity].get(number)
        if sheet is None:
            sheet = Sheet(entity, number, OddRow(number, row, self._now()), self._now(), self._now())
        self._put(sheet)
        sheet.odd = row

    def attach(self, row: Row) -> Sheet:
        sheet = Sheet("Attachable", self.new_number("papers"), row, self._now(), self._now())
        self._put(sheet)
        return sheet

    def _say(self, sheet: Sheet, verb: str, deleted_id: str = "") -> None:
        if not self.listeners:
            return
        event = Event(f"{self._chance.getrandbits(128):032x}", sheet.entity, sheet.id, verb, self._now(), deleted_id)
        for listener in self.listeners:
            listener(self, event)


def _owed(paper: Any) -> Decimal:
    match paper:
        case Invoice():
            return paper.balance
        case Payment():
            return -unapplied(paper)
        case Credit():
            return -paper.remaining
    return NOTHING


def unapplied(paper: Payment | Credit) -> Decimal:
    """What is left of money received: all of a payment whose invoice was deleted, or the rest of an overpayment."""
    if isinstance(paper, Payment):
        return paper.amount if paper.invoice.status == "DELETED" else NOTHING
    return paper.remaining
