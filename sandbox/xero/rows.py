"""How Xero shows a firm's papers: the field names and shapes of its Accounting API.

A row has three sizes. "Full" is what a paged list or a single look gives; "slim" (an unpaged list) leaves the lines
and the people out; "summary" also leaves out the payments. Shapes follow Xero's published OpenAPI file.
"""

from enum import Enum
from typing import Any

from sandbox.documents import Allocation, Contact, Credit, Invoice, Line, OddRow, Payment
from sandbox.xero.dates import day, day_text, instant, instant_text

Row = dict[str, Any]
PHONES = ("DEFAULT", "DDI", "MOBILE", "FAX")
IDS = {
    "Contacts": "ContactID",
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
    "Payments": "PaymentID",
}


class Size(Enum):
    SINGLE = "single"
    FULL = "full"
    SLIM = "slim"
    SUMMARY = "summary"


def row_of(paper: Any, size: Size, outstanding: Any = None) -> Row:
    match paper:
        case OddRow():
            return paper.row
        case Invoice():
            return invoice_row(paper, size)
        case Contact():
            return contact_row(paper, size, outstanding)
        case Payment():
            return payment_row(paper)
        case Credit():
            return credit_row(paper, size)
    raise TypeError(f"Nothing is known about showing a {type(paper).__name__}.")


def contact_row(contact: Contact, size: Size, outstanding: Any) -> Row:
    row: Row = {
        "ContactID": contact.id,
        "AccountNumber": contact.account_number,
        "ContactStatus": contact.status,
        "Name": contact.name,
        "FirstName": contact.first_name,
        "LastName": contact.last_name,
        "EmailAddress": contact.email,
        "IsSupplier": contact.is_supplier,
        "IsCustomer": contact.is_customer,
        "UpdatedDateUTC": instant(contact.updated),
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    if contact.currency:
        row["DefaultCurrency"] = contact.currency
    if size is Size.SUMMARY:
        return row
    row["BankAccountDetails"] = ""
    row["Addresses"] = [_address(contact, "STREET"), _address(contact, "POBOX")]
    row["Phones"] = [_phone(contact, kind) for kind in PHONES]
    if size is Size.SLIM:
        return row
    row["ContactGroups"] = []
    row["ContactPersons"] = [
        {"FirstName": p.first_name, "LastName": p.last_name, "EmailAddress": p.email, "IncludeInEmails": p.in_emails}
        for p in contact.persons
    ]
    if contact.days is not None:
        row["PaymentTerms"] = {"Sales": {"Day": contact.days, "Type": "DAYSAFTERBILLDATE"}}
    if contact.merged_into:
        row["MergedToContactID"] = contact.merged_into
    if outstanding is not None:
        row["Balances"] = outstanding(contact)
    return row


def invoice_row(invoice: Invoice, size: Size) -> Row:
    row: Row = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Reference": invoice.reference,
        "CreditNotes": _applied(invoice, "CreditNotes", size),
        "Prepayments": _applied(invoice, "Prepayments", size),
        "Overpayments": _applied(invoice, "Overpayments", size),
        "AmountDue": invoice.balance,
        "AmountPaid": invoice.paid,
        "AmountCredited": invoice.credited,
        "CurrencyRate": 1.0,
        "SentToContact": invoice.sent,
        "IsDiscounted": False,
        "HasErrors": False,
        "Contact": _named(invoice.contact),
        "DateString": day_text(invoice.date),
        "Date": day(invoice.date),
        "DueDateString": day_text(invoice.due),
        "DueDate": day(invoice.due),
        "Status": invoice.status,
        "LineAmountTypes": "Exclusive",
        "SubTotal": invoice.total - invoice.tax,
        "TotalTax": invoice.tax,
        "Total": invoice.total,
        "UpdatedDateUTC": instant(invoice.updated),
        "UpdatedDateUTCString": instant_text(invoice.updated),
        "CurrencyCode": invoice.currency,
    }
    if invoice.expected is not None:
        row["ExpectedPaymentDateString"] = day_text(invoice.expected)
        row["ExpectedPaymentDate"] = day(invoice.expected)
    if invoice.paid_on is not None:
        row["FullyPaidOnDate"] = day(invoice.paid_on)
    if size is not Size.SUMMARY:
        row["Payments"] = [_paid(p) for p in invoice.payments if p.status == "AUTHORISED"]
        row["HasAttachments"] = False
        row["LineItems"] = [] if size is Size.SLIM else [_line(invoice.id, n, x) for n, x in enumerate(invoice.lines)]
    return row


def payment_row(payment: Payment) -> Row:
    invoice = payment.invoice
    return {
        "PaymentID": payment.id,
        "Date": day(payment.date),
        "BankAmount": payment.amount,
        "Amount": payment.amount,
        "Reference": payment.reference,
        "CurrencyRate": 1.0,
        "PaymentType": payment.type,
        "Status": payment.status,
        "UpdatedDateUTC": instant(payment.updated),
        "UpdatedDateUTCString": instant_text(payment.updated),
        "HasAccount": True,
        "IsReconciled": False,
        "Account": {"AccountID": "5690f1e8-1d02-4893-90c2-ee1a69eff942", "Code": "090"},
        "Invoice": {
            "Type": invoice.type,
            "InvoiceID": invoice.id,
            "InvoiceNumber": invoice.number,
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "IsDiscounted": False,
            "HasErrors": False,
            "Contact": _named(invoice.contact),
            "LineItems": [],
            "CurrencyCode": invoice.currency,
        },
        "HasValidationErrors": False,
    }


def credit_row(credit: Credit, size: Size) -> Row:
    row: Row = {
        "Type": credit.type,
        IDS[credit.kind]: credit.id,
        "Contact": _named(credit.contact),
        "DateString": day_text(credit.date),
        "Date": day(credit.date),
        "Status": credit.status,
        "LineAmountTypes": "Inclusive" if credit.kind == "CreditNotes" else "NoTax",
        "SubTotal": credit.total - credit.tax,
        "TotalTax": credit.tax,
        "Total": credit.total,
        "UpdatedDateUTC": instant(credit.updated),
        "UpdatedDateUTCString": instant_text(credit.updated),
        "CurrencyCode": credit.currency,
        "CurrencyRate": 1.0,
        "RemainingCredit": credit.remaining,
        "Allocations": [_allocation(a) for a in credit.allocations],
        "HasAttachments": False,
        "Payments": [],
        "LineItems": [],
        "Reference": credit.reference,
    }
    if credit.kind == "CreditNotes":
        row |= {"CreditNoteNumber": credit.number, "SentToContact": False, "HasErrors": False}
    if credit.kind == "Prepayments":
        row["InvoiceNumber"] = credit.number
    if size is Size.SUMMARY:
        del row["Payments"], row["LineItems"], row["HasAttachments"]
    return row


def _applied(invoice: Invoice, kind: str, size: Size) -> list[Row]:
    rows = []
    for allocation in invoice.allocations:
        credit = allocation.credit
        if credit.kind != kind:
            continue
        # A single look dates an applied credit by its allocation, a list by its document: Xero-OpenAPI issue 266.
        on = allocation.date if size is Size.SINGLE else credit.date
        row = {IDS[kind]: credit.id, "AppliedAmount": allocation.amount, "DateString": day_text(on), "Date": day(on)}
        row |= {"Total": credit.total, "LineItems": []}
        if kind == "CreditNotes":
            row |= {"CreditNoteNumber": credit.number, "HasErrors": False}
        rows.append(row)
    return rows


def _paid(payment: Payment) -> Row:
    return {
        "PaymentID": payment.id,
        "Date": day(payment.date),
        "Amount": payment.amount,
        "Reference": payment.reference,
        "CurrencyRate": 1.0,
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def _allocation(allocation: Allocation) -> Row:
    return {
        "AllocationID": allocation.id,
        "Amount": allocation.amount,
        "Date": day(allocation.date),
        "Invoice": {"InvoiceID": allocation.invoice.id, "InvoiceNumber": allocation.invoice.number},
    }


def _line(invoice_id: str, place: int, line: Line) -> Row:
    return {
        "LineItemID": f"{invoice_id[:-4]}{place:04x}",
        "Description": line.description,
        "UnitAmount": line.unit,
        "TaxType": "OUTPUT2" if line.tax else "NONE",
        "TaxAmount": line.tax,
        "LineAmount": line.amount,
        "AccountCode": "200",
        "Quantity": line.quantity,
        "Tracking": [],
    }


def _named(contact: Contact) -> Row:
    return {
        "ContactID": contact.id,
        "Name": contact.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def _address(contact: Contact, kind: str) -> Row:
    at = contact.address
    if kind == "POBOX" or not at.line:
        return {"AddressType": kind, "City": "", "Region": "", "PostalCode": "", "Country": ""}
    return {
        "AddressType": kind,
        "AddressLine1": at.line,
        "City": at.city,
        "Region": "",
        "PostalCode": at.postcode,
        "Country": at.country,
    }


def _phone(contact: Contact, kind: str) -> Row:
    phone = contact.phones.get(kind)
    return {
        "PhoneType": kind,
        "PhoneNumber": phone.number if phone else "",
        "PhoneAreaCode": phone.area if phone else "",
        "PhoneCountryCode": phone.country if phone else "",
    }
