"""How QuickBooks Online shows a firm's papers: the field names and shapes of its Accounting API.

A row is worked out once for every version of a paper and then kept as the bytes that go over the wire, because a
reader of a large ledger asks for the same rows again and again.
(https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice and its neighbours)
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.documents import NOTHING, Allocation, Contact, Credit, Invoice, Line, Payment
from sandbox.exchange import encoded
from sandbox.quickbooks.company import Company, unapplied
from sandbox.quickbooks.dates import stamp
from sandbox.quickbooks.introduction import currency_ref, term_ref
from sandbox.quickbooks.sheets import Row, Sheet

LONGEST_EMAIL = 100
VOIDED = "Voided"


def shown(company: Company, sheet: Sheet) -> bytes:
    """The row as it goes over the wire."""
    if sheet.shown is None:
        sheet.shown = encoded(row_of(company, sheet))
    return sheet.shown


def row_of(company: Company, sheet: Sheet) -> Row:
    if sheet.odd is not None:
        return sheet.odd
    if sheet.deleted:
        return {
            "status": "Deleted",
            "domain": "QBO",
            "Id": sheet.id,
            "MetaData": {"LastUpdatedTime": stamp(sheet.updated)},
        }
    match sheet.paper:
        case Contact():
            return customer_row(company, sheet, sheet.paper)
        case Invoice():
            return invoice_row(company, sheet, sheet.paper)
        case Credit(kind="CreditNotes"):
            return credit_memo_row(company, sheet, sheet.paper)
        case Payment() | Credit() | Allocation():
            return payment_row(company, sheet, sheet.paper)
    attached: Row = sheet.paper
    return _head(sheet) | attached


def _head(sheet: Sheet) -> Row:
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": sheet.id,
        "SyncToken": str(sheet.token),
        "MetaData": {"CreateTime": stamp(sheet.created), "LastUpdatedTime": stamp(sheet.updated)},
    }


# --- customers


def customer_row(company: Company, sheet: Sheet, contact: Contact) -> Row:
    row: Row = {
        "Taxable": False,
        "Job": contact.parent is not None,
        "BillWithParent": contact.billed_with_parent,
        "Balance": company.balance(contact),
        "BalanceWithJobs": company.balance_with_jobs(contact),
        "PreferredDeliveryMethod": contact.delivery,
        "IsProject": False,
        **_head(sheet),
        "FullyQualifiedName": ":".join(reversed([name.name for name in lineage(contact)])),
        "DisplayName": contact.name,
        "CompanyName": contact.name,
        "PrintOnCheckName": contact.name,
        "Active": not contact.archived,
    }
    if company.multicurrency:
        row["CurrencyRef"] = currency_ref(contact.currency or company.firm.currency)
    if contact.parent is not None and (parent := company.sheet_of(contact.parent)) is not None:
        row |= {"ParentRef": {"value": parent.id}, "Level": len(list(lineage(contact))) - 1}
    row |= {name: value for name, value in _particulars(contact) if value}
    return row


def _particulars(contact: Contact) -> Iterator[tuple[str, Any]]:
    """What is simply left out of the row where it is not known."""
    yield "GivenName", contact.first_name
    yield "FamilyName", contact.last_name
    yield "Notes", contact.notes
    if email := emails(contact):
        yield "PrimaryEmailAddr", {"Address": email}
    for kind, name in (("DEFAULT", "PrimaryPhone"), ("MOBILE", "Mobile")):
        if kind in contact.phones:
            yield name, {"FreeFormNumber": str(contact.phones[kind])}
    yield "BillAddr", _address(contact)
    if contact.days is not None:
        yield "SalesTermRef", {"value": term_ref(contact.days)["value"]}


def lineage(contact: Contact) -> Iterator[Contact]:
    """The customer, its parent, and so on to the topmost."""
    above: Contact | None = contact
    while above is not None:
        yield above
        above = above.parent


def emails(contact: Contact) -> str:
    """All who get the invoices, in one field with commas between them, as many as fit."""
    known = [contact.email, *(person.email for person in contact.persons if person.in_emails)]
    text = ""
    for address in filter(None, known):
        longer = f"{text}, {address}" if text else address
        if len(longer) <= LONGEST_EMAIL:
            text = longer
    return text


def _address(contact: Contact) -> Row:
    at = contact.address
    if not at.line:
        return {}
    return {"Id": "1", "Line1": at.line, "City": at.city, "PostalCode": at.postcode, "Country": at.country}


# --- invoices


def invoice_row(company: Company, sheet: Sheet, invoice: Invoice) -> Row:
    voided = invoice.status == "VOIDED"
    online = company.habits.online_payments
    row: Row = {
        "AllowIPNPayment": False,
        "AllowOnlinePayment": False,
        "AllowOnlineCreditCardPayment": online,
        "AllowOnlineACHPayment": online,
        **_head(sheet),
        "CustomField": [],
        "DocNumber": invoice.number[:21],
        "TxnDate": invoice.date.isoformat(),
        **_currency(company, invoice.currency),
        "LinkedTxn": [{"TxnId": id_, "TxnType": "Payment"} for id_ in _applied(company, invoice)],
        "Line": _lines(invoice, voided),
        "TxnTaxDetail": {"TotalTax": NOTHING if voided else invoice.tax},
        "CustomerRef": _named(company, invoice.contact),
        "FreeFormAddress": False,
        "DueDate": invoice.due.isoformat(),
        "GlobalTaxCalculation": "TaxExcluded",
        "TotalAmt": NOTHING if voided else invoice.total,
        "PrintStatus": "NotSet",
        "EmailStatus": "EmailSent" if invoice.sent else "NotSet",
        "Balance": invoice.balance,
    }
    if company.multicurrency:
        row |= {"HomeTotalAmt": row["TotalAmt"], "HomeBalance": row["Balance"]}
    note = " ".join(filter(None, (VOIDED if voided else "", invoice.reference)))
    if note:
        row["PrivateNote"] = note
    if email := emails(invoice.contact):
        row["BillEmail"] = {"Address": email}
    if address := _address(invoice.contact):
        row["BillAddr"] = address
    if invoice.contact.days is not None:
        row["SalesTermRef"] = term_ref(invoice.contact.days)
    if invoice.sent:
        row["DeliveryInfo"] = {"DeliveryType": "Email", "DeliveryTime": stamp(sheet.created)}
    return row


def _applied(company: Company, invoice: Invoice) -> Iterator[str]:
    """The numbers of the payments that stand on this invoice; a credit memo gets there by a payment over nothing."""
    papers: list[Any] = [payment for payment in invoice.payments if payment.status == "AUTHORISED"]
    papers += [used if used.credit.kind == "CreditNotes" else used.credit for used in invoice.allocations]
    for paper in papers:
        if (sheet := company.sheet_of(paper)) is not None and not sheet.deleted:
            yield sheet.id


def _lines(invoice: Invoice, voided: bool) -> list[Row]:
    rows = [_line(number, line, voided) for number, line in enumerate(invoice.lines, 1)]
    net = NOTHING if voided else sum((line.amount for line in invoice.lines), NOTHING)
    return [*rows, {"Amount": net, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}]


def _line(number: int, line: Line, voided: bool) -> Row:
    return {
        "Id": str(number),
        "LineNum": number,
        "Description": line.description,
        "Amount": NOTHING if voided else line.amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": "1", "name": "Services"},
            "UnitPrice": NOTHING if voided else line.unit,
            "Qty": Decimal(0) if voided else line.quantity,
            "TaxCodeRef": {"value": "TAX" if line.tax else "NON"},
        },
    }


# --- money and credit


def payment_row(company: Company, sheet: Sheet, paper: Payment | Credit | Allocation) -> Row:
    """Money received; or, over nothing, the link between a credit memo and the invoice that it is used on."""
    contact = paper.credit.contact if isinstance(paper, Allocation) else paper.contact
    currency = paper.currency if isinstance(paper, Credit) else paper.invoice.currency
    row: Row = {
        **_head(sheet),
        "TxnDate": paper.date.isoformat(),
        **_currency(company, currency),
        "CustomerRef": _named(company, contact),
        "DepositToAccountRef": {"value": "4"},
        "TotalAmt": _received(paper),
        "UnappliedAmt": NOTHING if isinstance(paper, Allocation) else unapplied(paper),
        "ProcessPayment": False,
        "Line": list(_uses(company, paper)),
        "LinkedTxn": [],
    }
    reference = "" if isinstance(paper, Allocation) else paper.reference
    if reference:
        row["PaymentRefNum"] = reference[:21]
    return row


def _received(paper: Payment | Credit | Allocation) -> Decimal:
    match paper:
        case Payment():
            return paper.amount
        case Credit():
            return paper.total
    return NOTHING


def _uses(company: Company, paper: Payment | Credit | Allocation) -> Iterator[Row]:
    """One line for each paper that the money or the credit went to, or came from."""
    uses: list[tuple[Decimal, Invoice | Credit, str]]
    match paper:
        case Payment():
            uses = [] if paper.invoice.status == "DELETED" else [(paper.amount, paper.invoice, "Invoice")]
        case Credit():
            uses = [(used.amount, used.invoice, "Invoice") for used in paper.allocations]
        case Allocation():
            uses = [(paper.amount, paper.invoice, "Invoice"), (paper.amount, paper.credit, "CreditMemo")]
    for amount, other, kind in uses:
        if (sheet := company.sheet_of(other)) is not None:
            yield {"Amount": amount, "LinkedTxn": [{"TxnId": sheet.id, "TxnType": kind}]}


def credit_memo_row(company: Company, sheet: Sheet, credit: Credit) -> Row:
    links = [company.sheet_of(allocation) for allocation in credit.allocations]
    row: Row = {
        **_head(sheet),
        "CustomField": [],
        "DocNumber": credit.number,
        "TxnDate": credit.date.isoformat(),
        **_currency(company, credit.currency),
        "LinkedTxn": [{"TxnId": link.id, "TxnType": "Payment"} for link in links if link is not None],
        "Line": [
            {
                "Id": "1",
                "LineNum": 1,
                "Amount": NOTHING if credit.voided else credit.total - credit.tax,
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": "1", "name": "Services"}},
            }
        ],
        "TxnTaxDetail": {"TotalTax": NOTHING if credit.voided else credit.tax},
        "CustomerRef": _named(company, credit.contact),
        "TotalAmt": NOTHING if credit.voided else credit.total,
        "RemainingCredit": credit.remaining,
        "Balance": credit.remaining,
        "PrintStatus": "NotSet",
        "EmailStatus": "NotSet",
    }
    note = " ".join(filter(None, (VOIDED if credit.voided else "", credit.reference)))
    return row | {"PrivateNote": note} if note else row


def _named(company: Company, contact: Contact) -> Row:
    sheet = company.sheet_of(contact)
    return {"value": sheet.id if sheet else "", "name": contact.name}


def _currency(company: Company, code: str) -> Row:
    return {"CurrencyRef": currency_ref(code), "ExchangeRate": 1} if company.multicurrency else {}
