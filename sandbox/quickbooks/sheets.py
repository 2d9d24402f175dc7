"""What QuickBooks keeps of a firm's papers: a sheet for each, with a number and a version, and events about them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.documents import Contact

ENTITIES = ("Customer", "Invoice", "Payment", "CreditMemo", "Attachable")
Row = dict[str, Any]


@dataclass(slots=True, eq=False)
class Sheet:
    """One paper as QuickBooks keeps it. `updated` is set by the shelf; `odd` is a row shown in place of the paper."""

    entity: str
    id: str
    paper: Any
    created: datetime
    updated: datetime
    token: int = 0
    deleted: bool = False
    odd: Row | None = None
    contact: Contact | None = None  # whose paper it is; of a customer, the one above
    merged: bool = False
    memo: dict[str, Any] = field(default_factory=dict)  # what was worked out about this version, until the next one
    shown: bytes | None = None  # this version as it goes over the wire


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a webhook tells it. `verb` is created, updated, deleted, voided or merged."""

    id: str
    entity: str
    number: str
    verb: str
    at: datetime
    deleted_id: str = ""


@dataclass(slots=True)
class Habits:
    """What QuickBooks does not document, or changes now and then: each can be set by hand."""

    notes_cap: int = 2000
    latin1: bool | None = None  # None: for companies in the US only
    attachable_on_customer: bool = True
    online_payments: bool = True
    cdc_most: int = 1000
    cdc_shared: bool = True  # the most counts over all lists of one answer together
    throttled_in_xml: bool = False


@dataclass(slots=True)
class Page:
    """The content of one answer, without the envelope around it; packed when first asked for packed."""

    content: bytes
    packed: bytes | None = None
