"""What an app may write into a QuickBooks company here: a customer's particulars, and notes attached to papers.

An update must carry the version it was made from. A sparse one changes what it names; a full one blanks whatever it
does not name, as it does in earnest.
"""

from datetime import datetime
from typing import Any

from sandbox.documents import Contact, Phone
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.refusals import Invalid, not_found, stale, too_long, unsupported
from sandbox.quickbooks.sheets import Row, Sheet

LONGEST = {
    "DisplayName": 500,
    "GivenName": 100,
    "FamilyName": 100,
    "PrimaryEmailAddr": 100,
    "Mobile": 30,
    "PrimaryPhone": 30,
}
LONGEST_ATTACHED_NOTE = 2000
PLAIN = {"DisplayName": "name", "GivenName": "first_name", "FamilyName": "last_name", "Notes": "notes"}
# What a customer's row may hold; all but the few that `_fields` reads are taken and left without effect here.
KNOWN = """Id SyncToken sparse domain MetaData status Balance BalanceWithJobs FullyQualifiedName CompanyName Taxable Job
    PrintOnCheckName Level IsProject CurrencyRef BillAddr ShipAddr SalesTermRef OpenBalanceDate AlternatePhone Fax
    WebAddr Title MiddleName Suffix DefaultTaxCodeRef ARAccountRef PaymentMethodRef CustomerTypeRef ResaleNum
    TaxExemptionReasonId GSTRegistrationType GSTIN BusinessNumber PrimaryTaxIdentifier Organization V4IDPseudonym
    ClientEntityId CustomField PreferredDeliveryMethod BillWithParent ParentRef Active PrimaryEmailAddr PrimaryPhone
    Mobile DisplayName GivenName FamilyName Notes"""

ATTACHED = """Note AttachableRef FileName Category Tag ContentType Size Lat Long PlaceName FileAccessUri TempDownloadUri
    ThumbnailFileAccessUri ThumbnailTempDownloadUri Id SyncToken sparse domain MetaData CustomField status"""
KEPT = ("Note", "AttachableRef", "FileName", "Category", "Tag", "ContentType")


def write_customer(company: Company, body: Row, now: datetime) -> Sheet:
    known = KNOWN.split()
    for name, value in body.items():
        if name not in known:
            raise unsupported(name)
        _check_text(company, name, value)
    if not body.get("Id"):
        return _created(company, body, now)
    sheet = company.sheet("Customer", str(body["Id"]))
    if sheet is None or not isinstance(sheet.paper, Contact):
        raise not_found()
    if str(body.get("SyncToken")) != str(sheet.token):
        raise stale("root")
    company.firm.books.edit_contact(sheet.paper, _fields(company, body, sparse=body.get("sparse") in (True, "true")))
    return sheet


def _created(company: Company, body: Row, now: datetime) -> Sheet:
    if not body.get("DisplayName"):
        raise Invalid("2020", "Required param missing", "Required parameter DisplayName is missing", "DisplayName")
    if any(x.paper.name == body["DisplayName"] for x in company.files["Customer"] if isinstance(x.paper, Contact)):
        raise Invalid("6240", "Duplicate Name Exists Error", "The name supplied already exists.")
    books = company.firm.books
    contact = Contact(books.new_id(), str(body["DisplayName"]), now)
    for name, value in _fields(company, body, sparse=True).items():
        setattr(contact, name, value)
    sheet = company.sheet_of(books.add_contact(contact))
    assert sheet is not None
    return sheet


def _fields(company: Company, body: Row, *, sparse: bool) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, ours in PLAIN.items():
        if name in body or (not sparse and name != "DisplayName"):
            fields[ours] = body.get(name) or ""
    if "PrimaryEmailAddr" in body or not sparse:
        fields |= {"email": _inner(body.get("PrimaryEmailAddr"), "Address"), "persons": ()}
    phones = {kind: _inner(body.get(name), "FreeFormNumber") for kind, name in _PHONES if name in body}
    if phones or not sparse:
        fields["phones"] = {kind: Phone.read(number) for kind, number in phones.items() if number}
    if "Active" in body:
        fields["archived"] = body["Active"] in (False, "false")
    if "BillWithParent" in body:
        fields["billed_with_parent"] = body["BillWithParent"] in (True, "true")
    if "PreferredDeliveryMethod" in body:
        fields["delivery"] = str(body["PreferredDeliveryMethod"])
    if reference := _inner(body.get("ParentRef"), "value"):
        parent = company.sheet("Customer", reference)
        if parent is None:
            raise not_found()
        fields["parent"] = parent.paper
    return fields


_PHONES = (("DEFAULT", "PrimaryPhone"), ("MOBILE", "Mobile"))


def attach(company: Company, body: Row) -> Sheet:
    """A note with references to the papers that it is about."""
    for name, value in body.items():
        if name not in ATTACHED.split():
            raise unsupported(name)
        _check_text(company, name, value)
    note = body.get("Note") or ""
    if len(note) > LONGEST_ATTACHED_NOTE:
        raise too_long("Note", LONGEST_ATTACHED_NOTE, len(note))
    for reference in body.get("AttachableRef") or ():
        _check_reference(company, reference.get("EntityRef") or {})
    row = {name: value for name, value in body.items() if name in KEPT and value not in ("", None)}
    return company.attach(row)


def _check_reference(company: Company, reference: Row) -> None:
    kind, number = str(reference.get("type", "")), str(reference.get("value", ""))
    entity = next((name for name in company.files if name.lower() == kind.lower()), None)
    if entity is None or (entity == "Customer" and not company.habits.attachable_on_customer):
        raise Invalid("2090", "Invalid Enumeration", f"An attachment cannot refer to a {kind or 'nothing'}.", "type")
    if company.sheet(entity, number) is None:
        raise Invalid("2500", "Invalid Reference Id", f"Invalid Reference Id : {kind} element id {number} not found")


def _check_text(company: Company, name: str, value: Any) -> None:
    text = value if isinstance(value, str) else _inner(value, "Address") or _inner(value, "FreeFormNumber")
    most = company.habits.notes_cap if name == "Notes" else LONGEST.get(name)
    if most is not None and len(text) > most:
        raise too_long(name, most, len(text))
    latin1 = company.firm.country == "US" if company.habits.latin1 is None else company.habits.latin1
    if latin1 and not text.isascii():
        try:
            text.encode("latin-1")
        except UnicodeEncodeError as trouble:
            # Companies in the US keep ISO-8859-1; Intuit does not say with which fault the rest is refused.
            bad = text[trouble.start]
            raise Invalid(
                "2010",
                "Request has invalid or unsupported property",
                f"{name} holds the unsupported character {bad!r}",
                name,
            ) from None


def _inner(value: Any, key: str) -> str:
    return str(value.get(key) or "") if isinstance(value, dict) else ""
