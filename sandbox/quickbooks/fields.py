"""Which fields of a paper a question may name, what kind of value each holds, and how it is read from the paper.

Only what Intuit's reference marks as filterable or sortable is known here; a question about anything else is refused,
as it would be in earnest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.documents import NOTHING, Allocation, Credit, Payment
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.dates import read as read_moment
from sandbox.quickbooks.rows import emails, lineage
from sandbox.quickbooks.sheets import Sheet

Reader = Callable[[Company, Sheet], Any]
MISSING: Any = object()
ALWAYS = ("Id", "MetaData.CreateTime", "MetaData.LastUpdatedTime")  # known of every sheet, whatever it shows


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` is text, number, money, day, moment or flag. `path` is where a row shows the value."""

    name: str
    kind: str
    read: Reader
    filterable: bool = True
    sortable: bool = True

    def of(self, company: Company, sheet: Sheet) -> Any:
        """The value, worked out once for each version of the paper; None where the paper has none."""
        value = sheet.memo.get(self.name, MISSING)
        if value is MISSING:
            odd = sheet.odd if self.name not in ALWAYS else None
            value = self.read(company, sheet) if odd is None else self._of_row(odd)
            sheet.memo[self.name] = value
        return value

    def _of_row(self, row: dict[str, Any]) -> Any:
        """From a row that was put in by hand and may hold anything at all."""
        value: Any = row
        for part in self.name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, dict):
            value = value.get("value")
        try:
            return None if value is None else read_value(self.kind, value)
        except ValueError:
            return None


def read_value(kind: str, given: object) -> Any:
    """A value as a question writes it. Raises ValueError with the reason, in Intuit's manner of speaking."""
    text = str(given)
    try:
        match kind:
            case "money":
                return Decimal(text)
            case "number":
                return int(text)
            case "day":
                return date.fromisoformat(text[:10])
            case "moment":
                return read_moment(text)
            case "flag":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, InvalidOperation, KeyError):
        raise ValueError(f"Invalid {kind} value: {text}") from None
    return text


def _number(company: Company, sheet: Sheet) -> int | None:
    return int(sheet.id) if sheet.id.isdigit() else None


def _updated(company: Company, sheet: Sheet) -> datetime:
    return sheet.updated


def _created(company: Company, sheet: Sheet) -> datetime:
    return sheet.created.replace(microsecond=0)


def _paper(name: str) -> Reader:
    return lambda company, sheet: getattr(sheet.paper, name)


def _customer(company: Company, sheet: Sheet) -> str | None:
    holder = sheet.paper.credit if isinstance(sheet.paper, Allocation) else sheet.paper
    found = company.sheet_of(holder.contact)
    return found.id if found else None


def _received(company: Company, sheet: Sheet) -> Decimal:
    match sheet.paper:
        case Payment():
            return sheet.paper.amount
        case Credit():
            return sheet.paper.total
    return NOTHING


def _unless_voided(company: Company, sheet: Sheet) -> Decimal:
    return NOTHING if sheet.paper.status == "VOIDED" else sheet.paper.total


def _attached_to(key: str) -> Reader:
    def read(company: Company, sheet: Sheet) -> str | None:
        refs = sheet.paper.get("AttachableRef") or [{}]
        value = (refs[0].get("EntityRef") or {}).get(key)
        return None if value is None else str(value)

    return read


_ALWAYS = (
    Field("Id", "number", _number),
    Field("MetaData.CreateTime", "moment", _created),
    Field("MetaData.LastUpdatedTime", "moment", _updated),
)
_DATED = (Field("TxnDate", "day", _paper("date")), Field("CustomerRef", "text", _customer))
_TOTAL = Field("TotalAmt", "money", _unless_voided)
_NUMBERED = Field("DocNumber", "text", _paper("number"))
_FIELDS: dict[str, tuple[Field, ...]] = {
    "Customer": (
        *_ALWAYS,
        Field("DisplayName", "text", _paper("name")),
        Field("CompanyName", "text", _paper("name")),
        Field("PrintOnCheckName", "text", _paper("name")),
        Field(
            "FullyQualifiedName", "text", lambda c, s: ":".join(reversed([above.name for above in lineage(s.paper)]))
        ),
        Field("GivenName", "text", _paper("first_name")),
        Field("FamilyName", "text", _paper("last_name")),
        Field("PrimaryEmailAddr", "text", lambda c, s: emails(s.paper)),
        Field("Active", "flag", lambda c, s: not s.paper.archived),
        Field("Job", "flag", lambda c, s: s.paper.parent is not None),
        Field("Balance", "money", lambda c, s: c.balance(s.paper)),
        Field("BalanceWithJobs", "money", lambda c, s: c.balance_with_jobs(s.paper), filterable=False),
    ),
    "Invoice": (
        *_ALWAYS,
        *_DATED,
        _TOTAL,
        _NUMBERED,
        Field("DueDate", "day", _paper("due")),
        Field("Balance", "money", _paper("balance")),
    ),
    "Payment": (*_ALWAYS, Field("TxnDate", "day", _paper("date")), _DATED[1], Field("TotalAmt", "money", _received)),
    "CreditMemo": (*_ALWAYS, *_DATED, _TOTAL, _NUMBERED, Field("Balance", "money", _paper("remaining"))),
    "Attachable": (
        *_ALWAYS,
        Field("FileName", "text", lambda c, s: s.paper.get("FileName")),
        Field("Note", "text", lambda c, s: s.paper.get("Note")),
        Field("AttachableRef.EntityRef.Type", "text", _attached_to("type")),
        Field("AttachableRef.EntityRef.value", "text", _attached_to("value")),
    ),
}
FIELDS = {entity: {field.name.lower(): field for field in fields} for entity, fields in _FIELDS.items()}
