"""One answer of QuickBooks: the rows in it, the rows put aside, and what time it was there.

A page is decoded at once; when one row in it is odd the rows are decoded one by one, and only the odd one is put aside.
"""

import codecs
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Raw

from connector import SetAside
from connector import _quickbooks_rows as rows
from connector._sense import Odd

R = TypeVar("R", bound=rows.Document)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """The rows of one list. `at` is QuickBooks' own clock, as it wrote it.

    `length` counts the odd rows too, and `first` and `last` are the ids of the outermost, odd or not. On a walk `ends`
    says that it was the last page of its list, and `onward` from which moment another walk may take over after it.
    """

    entity: str
    rows: tuple[R, ...]
    raw: Callable[[int], str]
    length: int
    at: str | None
    set_aside: tuple[SetAside, ...] = ()
    count: int | None = None
    first: str = ""
    last: str = ""
    ends: bool = False
    onward: str = ""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all its rows, odd ones too."""
        return frozenset({row.id for row in self.rows} | {aside.ledger_id for aside in self.set_aside})

    def meant(self, meaning: Callable[[R], T | None]) -> tuple[tuple[T, ...], tuple[SetAside, ...]]:
        """What the rows mean, and those that make no sense. Deleted rows are left out."""
        found: list[T] = []
        aside = [*self.set_aside]
        for place, row in enumerate(self.rows):
            if row.is_deleted:
                continue
            try:
                said = meaning(row)
            except Odd as odd:
                aside.append(SetAside(list=self.entity, ledger_id=row.id, reason=str(odd), raw=self.raw(place)))
            else:
                if said is not None:
                    found.append(said)
        return tuple(found), tuple(aside)


class Listing(Generic[R]):
    """One kind of row."""

    def __init__(self, entity: str, row: type[R]) -> None:
        self.entity = entity
        # Lenient, because an amount may come as a number or as text.
        self._row = msgspec.json.Decoder(row, strict=False)
        self._fast = msgspec.json.Decoder(_envelope(entity, row), strict=False)
        self._slow = msgspec.json.Decoder(_envelope(entity, Raw))

    def read(self, body: bytes) -> Page[R]:
        """The answer to one query. Raises msgspec.DecodeError when it is not one at all."""
        try:
            said = self._fast.decode(body)
        except msgspec.ValidationError:
            said = self._slow.decode(readable(body))
            return self.one_by_one(said.answer.rows, said.time, said.answer.total)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if (mended := readable(body)) is body:
                raise
            return self.read(mended)

        def raw(place: int) -> str:
            return readable(bytes(self._slow.decode(body).answer.rows[place])).decode()

        found = tuple(said.answer.rows)
        first, last = (found[0].id, found[-1].id) if found else ("", "")
        return Page(self.entity, found, raw, len(found), said.time, (), said.answer.total, first, last)

    def one_by_one(self, raw_rows: Sequence[Raw], at: str | None, count: int | None = None) -> Page[R]:
        good: list[R] = []
        kept: list[Raw] = []
        aside: list[SetAside] = []
        for raw in raw_rows:
            try:
                good.append(self._row.decode(raw))
                kept.append(raw)
            except msgspec.ValidationError as odd:
                aside.append(_put_aside(self.entity, bytes(raw), odd))
        return Page(
            self.entity,
            tuple(good),
            lambda place: bytes(kept[place]).decode(),
            len(raw_rows),
            at,
            set_aside=tuple(aside),
            count=count,
            first=_id_of(raw_rows[0]) if raw_rows else "",
            last=_id_of(raw_rows[-1]) if raw_rows else "",
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """One answer of the change feed. Lists without changes are empty pages."""

    customers: Page[rows.AccountRow]
    invoices: Page[rows.InvoiceRow]
    payments: Page[rows.PaymentRow]
    credit_memos: Page[rows.CreditMemoRow]
    at: str | None

    def all(self) -> tuple[Page[Any], ...]:
        return (self.customers, self.invoices, self.payments, self.credit_memos)

    @property
    def length(self) -> int:
        return sum(page.length for page in self.all())


def changes(body: bytes) -> Changes:
    """The rows of a change feed's answer, deleted ones among them. Raises msgspec.DecodeError."""
    said = _FEED.decode(readable(body))
    groups: dict[str, list[Raw]] = {}
    for answer in said.cdc_response:
        for group in answer.query_response:
            for entity in ("Customer", "Invoice", "Payment", "CreditMemo"):
                groups.setdefault(entity, []).extend(msgspec.json.decode(group.get(entity, b"[]"), type=list[Raw]))
    return Changes(
        customers=CUSTOMERS.one_by_one(groups.get("Customer", []), said.time),
        invoices=INVOICES.one_by_one(groups.get("Invoice", []), said.time),
        payments=PAYMENTS.one_by_one(groups.get("Payment", []), said.time),
        credit_memos=CREDIT_MEMOS.one_by_one(groups.get("CreditMemo", []), said.time),
        at=said.time,
    )


def one(body: bytes, entity: str, row: type[R]) -> R:
    """The single row of an answer to a read or a write. Raises msgspec.DecodeError."""
    said = msgspec.json.decode(readable(body), type=dict[str, Raw])
    if entity not in said:
        raise msgspec.DecodeError(f"the answer holds no {entity}")
    return msgspec.json.decode(said[entity], type=row, strict=False)


def path_of(ledger_id: str) -> str:
    """An id as a part of an address."""
    return quote(ledger_id, safe="")


def readable(body: bytes) -> bytes:
    """The body in UTF-8, whatever an old company's letters were written in: a lone byte is taken for Latin-1."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", errors="arrears-latin-1").encode()
    return body


class _Feed(msgspec.Struct):
    cdc_response: "list[_Groups]" = msgspec.field(name="CDCResponse")
    time: str | None = None


class _Groups(msgspec.Struct):
    query_response: list[dict[str, Raw]] = msgspec.field(name="QueryResponse", default_factory=list)


def _envelope(entity: str, row: Any) -> Any:
    answer = msgspec.defstruct(
        f"{entity}Answer",
        [
            ("rows", list[row], msgspec.field(name=entity, default_factory=list)),
            ("total", int | None, msgspec.field(name="totalCount", default=None)),
        ],
    )
    return msgspec.defstruct(
        f"{entity}Envelope",
        [("answer", answer, msgspec.field(name="QueryResponse")), ("time", str | None, None)],
    )


def _put_aside(entity: str, raw: bytes, odd: Exception) -> SetAside:
    reason = f"It is not written as QuickBooks describes it: {odd}."
    return SetAside(list=entity, ledger_id=_id_of(raw), reason=reason, raw=raw.decode())


def _id_of(raw: bytes | Raw) -> str:
    row = json.loads(bytes(raw))
    return str((row.get("Id") if isinstance(row, dict) else None) or "")


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("arrears-latin-1", _as_latin_1)

_FEED = msgspec.json.Decoder(_Feed)
CUSTOMERS = Listing("Customer", rows.AccountRow)
INVOICES = Listing("Invoice", rows.InvoiceRow)
PAYMENTS = Listing("Payment", rows.PaymentRow)
CREDIT_MEMOS = Listing("CreditMemo", rows.CreditMemoRow)
ATTACHABLES = Listing("Attachable", rows.AttachableRow)
COMPANIES = Listing("CompanyInfo", rows.CompanyRow)
PREFERENCES = Listing("Preferences", rows.PreferencesRow)
