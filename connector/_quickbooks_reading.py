"""What is read from one QuickBooks company, and in which order, so that it costs few calls and loses nothing.

The first reading takes the customers who owe, the open invoices, and the money that was not yet used; every later one
is a single question for what has changed, by QuickBooks' own clock and with five minutes of overlap. QuickBooks says
at most 1,000 changes at once and drops the deletions first, so a full answer is asked again list by list, and when even
that is full the list is walked and a whole check falls due. Its memory of changes lasts thirty days: after 29 the open
ledger is read from the beginning. A first reading that is cut short goes on where it was.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from connector import WHOLE_CHECK_DUE, Clock, Cursor, Gone, Records, Unreachable
from connector import _quickbooks_meaning as meaning
from connector import _quickbooks_pages as pages
from connector import _quickbooks_rows as rows
from connector._quickbooks_cursor import FIRST_ORDER, Begun, begun
from connector._quickbooks_line import Line
from connector._quickbooks_memory import Memory
from connector._quickbooks_owing import Owing, payers_of
from connector._quickbooks_query import ACTIVE_OR_NOT, MOST_ROWS, OPEN, Question, batches, one_of
from connector._quickbooks_walking import walk
from engine.receivables import Applied

REMEMBERED = timedelta(days=29)
"""QuickBooks looks back thirty days and, asked for more, may answer as if nothing had happened.
https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture"""

FOLLOWED = ("Customer", "Invoice", "Payment", "CreditMemo")
DEEPEST = 5
"""Levels of customers under customers."""

R = TypeVar("R", bound=rows.Document)


class Reading:
    """All that is read from one company. `page_size`: 1 to 1,000 rows; `overlap` is read twice."""

    def __init__(
        self, line: Line, memory: Memory, *, clock: Clock, page_size: int, ids_at_once: int, overlap: timedelta
    ) -> None:
        self._line = line
        self._memory = memory
        self._clock = clock
        self._page_size = max(page_size, 2)  # a page by position begins with the last row of the one before
        self._ids_at_once = ids_at_once
        self._overlap = overlap

    def everything_open(
        self, resumed: Begun | None = None, kept: Cursor | None = None, also: Collection[str] = ()
    ) -> Iterator[Records]:
        """Customers who owe, open invoices, unused money, and what changed while these were read.

        Every page says where a later reading may go on after it. `kept` is handed on with each cursor.
        """
        began = resumed
        # Who owes how much is known only to a reading that saw all of it itself.
        owing = None if resumed else Owing()
        for name, after in pairwise(FIRST_ORDER[FIRST_ORDER.index(resumed.list if resumed else FIRST_ORDER[0]) :]):
            since = resumed.since if resumed and resumed.list == name else ""
            for records, page in self._open_pages(name, since, owing):
                began = began or Begun(_known(page.at), name)
                onward = Begun(began.at, after) if page.ends else Begun(began.at, name, page.onward)
                yield self._resumable(records, onward, kept or {})
        assert began is not None
        for records in self._delta(_back(began.at, self._overlap), kept or {}, also):
            yield self._resumable(records, Begun(began.at, FIRST_ORDER[-1]), kept or {})

    def changes(self, since: Cursor, also: Collection[str]) -> Iterator[Records]:
        """What changed since the cursor, and those of `also` that did not come by themselves."""
        self._memory.currency = self._memory.currency or since.get("currency", "")
        kept = {name: since[name] for name in (WHOLE_CHECK_DUE,) if name in since}
        first = begun(since)
        moment = meaning.instant(first.at if first else since.get("changed"))
        if moment is None or self._clock() - moment > REMEMBERED:
            yield from self._anew(since.get("changed", "") if moment else "")
        elif first:
            yield from self.everything_open(first, kept, also)
        else:
            yield from self._delta(since["changed"], kept, also)

    def whole_check(self, open_ids: Collection[str], open_credits: Collection[str] | None) -> Iterator[Records]:
        """One count; only when it differs from what is open here, every open invoice and whatever is not.

        With `open_credits`, deletions may have been missed: then all of it, and these credits by their ids.
        """
        if open_credits is None:
            count = self._ask(pages.INVOICES, Question("Invoice", (OPEN,), count=True)).count
            yield Records(expected=count)
            if count == len(set(open_ids)):
                return
        # Else no count: a row put aside and a deletion that was missed would make up for each other in it.
        still_open: set[str] = set()
        for page in self._walk(pages.INVOICES, OPEN):
            still_open.update(row.id for row in page.rows)
            yield self._invoices(page)
        yield from self._one_by_one([name for name in open_ids if name not in still_open])
        yield from self._credits_by_ids(open_credits or ())

    def invoices(self, ids: Sequence[str]) -> Iterator[Records]:
        """Exactly these invoices. Ids that QuickBooks does not know are missing."""
        for batch in batches(ids, self._ids_at_once):
            yield self._invoices(self._ask(pages.INVOICES, Question("Invoice", (one_of("Id", batch),))))

    def accounts(self, ids: Sequence[str]) -> Iterator[Records]:
        """Exactly these customers, inactive ones too, and whoever pays for them."""
        return (self._accounts(page) for page in self._people(set(ids), known={}))

    def currency(self) -> str:
        """The company's home currency. Asked for once."""
        if not self._memory.currency:
            found = self._ask(pages.PREFERENCES, Question("Preferences")).rows
            prefs = found[0].currency_prefs if found else None
            home = prefs.home_currency if prefs else None
            if home is None or not home.value:
                raise Unreachable(
                    "QuickBooks does not say what the company's home currency is, so no amount could be read. It will "
                    "be asked again; if this goes on, look at the company's currency settings in QuickBooks."
                )
            self._memory.currency = home.value
        return self._memory.currency

    def _anew(self, since: str) -> Iterator[Records]:
        """The open ledger once more, and what a walk can still tell of the time that the feed has forgotten."""
        for entity in ("Customer", "Payment", "CreditMemo") if since else ():
            yield from self._walked(entity, since)
        yield from self.everything_open(kept={WHOLE_CHECK_DUE: "due"})

    def _resumable(self, records: Records, onward: Begun, kept: Cursor) -> Records:
        if records.cursor is not None:
            return records
        return replace(records, resume={**kept, **onward.cursor(), "currency": self._memory.currency})

    def _open_pages(self, name: str, since: str, owing: Owing | None) -> Iterator[tuple[Records, pages.Page[Any]]]:
        match name:
            case "customers":
                return self._who_owes(since, owing)
            case "invoices":
                return self._what_is_open(since, owing)
            case "payments":
                return (
                    (_with_something_left(self._credits(page, None)), page)
                    for page in self._unused(pages.PAYMENTS, since, owing)
                )
            case _:
                return (
                    (_with_something_left(self._credits(None, page)), page)
                    for page in self._unused(pages.CREDIT_MEMOS, since, owing)
                )

    def _who_owes(self, since: str, owing: Owing | None) -> Iterator[tuple[Records, pages.Page[Any]]]:
        for page in self._walk(pages.CUSTOMERS, OPEN, beginning=since):
            if owing is not None:
                owing.meet(page.rows)
            yield self._accounts(page), page

    def _what_is_open(self, since: str, owing: Owing | None) -> Iterator[tuple[Records, pages.Page[Any]]]:
        """The open invoices, and whoever they name that is not known yet. A reading that was resumed does not know who
        is; whoever keeps its pages does, and asks for them.
        """
        for page in self._walk(pages.INVOICES, OPEN, beginning=since):
            if owing is not None:
                owing.owe(page.rows)
            yield self._invoices(page), page
        if owing is None:
            return
        for people in self._people(owing.named(), known=owing.balances):
            owing.meet(people.rows)
            yield self._accounts(people), replace(people, ends=True)

    def _unused(self, listing: pages.Listing[R], since: str, owing: Owing | None) -> Iterator[pages.Page[R]]:
        """Payments or credit memos of those who owe less than their invoices say; of everybody where that is not known.

        Cut short among those of a few, another reading goes on with those of everybody, from the beginning.
        """
        if owing is None:
            yield from self._walk(listing, beginning=since)
            return
        for batch in batches(owing.in_credit(), self._ids_at_once):
            for page in self._walk(listing, one_of("CustomerRef", batch)):
                yield replace(page, ends=False, onward="")

    def _delta(self, since: str, kept: Cursor, also: Collection[str] = ()) -> Iterator[Records]:
        found = self._changed(FOLLOWED, since)
        at = _known(found.at)
        cut_short: list[str] = []
        if found.length >= MOST_ROWS:
            # A list that fills the answer by itself would fill one of its own as well.
            full = {page.entity for page in found.all() if page.length >= MOST_ROWS}
            each = {entity: found if entity in full else self._changed((entity,), since) for entity in FOLLOWED}
            cut_short = [entity for entity in FOLLOWED if entity in full or each[entity].length >= MOST_ROWS]
            found = _gathered(each)
        yield from self._understood(found)
        for entity in cut_short:
            yield from self._walked(entity, since)
        shown = {row.id for row in found.invoices.rows}
        yield from self._one_by_one([name for name in also if name not in shown])
        due = {WHOLE_CHECK_DUE: "due"} if cut_short else {}
        yield Records(cursor={**kept, **due, "changed": _back(at, self._overlap), "currency": self._memory.currency})

    def _changed(self, entities: Sequence[str], since: str) -> pages.Changes:
        prepared = self._line.client.change_data_capture(",".join(entities), since)
        return self._line.call("reading what has changed", prepared, read=pages.changes)

    def _understood(self, found: pages.Changes) -> Iterator[Records]:
        accounts = self._accounts(found.customers)
        money = self._credits(found.payments, found.credit_memos)
        invoices = self._invoices(found.invoices, money.applied)
        yield Records(
            accounts=accounts.accounts,
            invoices=invoices.invoices,
            credits=money.credits,
            set_aside=(*accounts.set_aside, *invoices.set_aside, *money.set_aside),
            gone=_gone(found.all()),
            applied=money.applied,
            settled_by=invoices.settled_by,
        )
        known = {row.id: row for row in found.customers.rows}
        yield from map(self._accounts, self._people(payers_of(known.values()), known=known))

    def _walked(self, entity: str, since: str) -> Iterator[Records]:
        """A list with too many changes for the feed: walked from the same moment. What was deleted is not in it."""
        match entity:
            case "Customer":
                yield from map(self._accounts, self._walk(pages.CUSTOMERS, ACTIVE_OR_NOT, beginning=since))
            case "Invoice":
                yield from map(self._invoices, self._walk(pages.INVOICES, beginning=since))
            case "Payment":
                yield from (self._credits(page, None) for page in self._walk(pages.PAYMENTS, beginning=since))
            case "CreditMemo":
                yield from (self._credits(None, page) for page in self._walk(pages.CREDIT_MEMOS, beginning=since))

    def _one_by_one(self, ids: Sequence[str]) -> Iterator[Records]:
        """These invoices as they stand now; those that QuickBooks does not know any more are gone."""
        for batch in batches(ids, self._ids_at_once):
            page = self._ask(pages.INVOICES, Question("Invoice", (one_of("Id", batch),)))
            gone = tuple(Gone("invoices", name) for name in batch if name not in page.ids)
            yield replace(self._invoices(page), gone=gone)

    def _credits_by_ids(self, ids: Collection[str]) -> Iterator[Records]:
        """These credits as they stand now; those that QuickBooks does not know any more are gone."""
        payments = [name for one in ids if (name := meaning.payment_of(one))]
        for batch in batches(payments, self._ids_at_once):
            paid = self._ask(pages.PAYMENTS, Question("Payment", (one_of("Id", batch),)))
            lost = [name for name in batch if name not in paid.ids]
            gone = tuple(Gone("credits", meaning.payment_credit_id(name)) for name in lost)
            there = self._credits(paid, None)
            yield replace(there, gone=gone, applied=(*there.applied, *(Applied(name, None) for name in lost)))
        for batch in batches([one for one in ids if not meaning.payment_of(one)], self._ids_at_once):
            memos = self._ask(pages.CREDIT_MEMOS, Question("CreditMemo", (one_of("Id", batch),)))
            gone = tuple(Gone("credits", name) for name in batch if name not in memos.ids)
            yield replace(self._credits(None, memos), gone=gone)

    def _people(self, wanted: set[str], known: Collection[str]) -> Iterator[pages.Page[rows.AccountRow]]:
        """These customers but for the known, and whoever is billed for them, up to the top."""
        asked = {*known}
        for _ in range(DEEPEST + 1):
            missing = sorted(wanted - asked)
            asked |= wanted
            wanted = set()
            for batch in batches(missing, self._ids_at_once):
                page = self._ask(pages.CUSTOMERS, Question("Customer", (one_of("Id", batch), ACTIVE_OR_NOT)))
                wanted |= payers_of(page.rows)
                yield page
            if not wanted:
                return

    def _walk(self, listing: pages.Listing[R], *where: str, beginning: str = "") -> Iterator[pages.Page[R]]:
        question = Question(listing.entity, where, most=self._page_size)
        return walk(lambda asked: self._ask(listing, asked), question, beginning)

    def _ask(self, listing: pages.Listing[R], question: Question) -> pages.Page[R]:
        doing = f"reading {listing.entity}"
        return self._line.call(doing, self._line.client.query(str(question)), read=listing.read)

    def _accounts(self, page: pages.Page[rows.AccountRow]) -> Records:
        self._memory.saw(*page.rows)
        found, aside = page.meant(meaning.account)
        return Records(accounts=found, set_aside=aside)

    def _invoices(self, page: pages.Page[rows.InvoiceRow], came_along: Iterable[Applied] = ()) -> Records:
        known = {one.ledger_id: one for one in came_along}
        found, aside = page.meant(lambda row: meaning.invoice(row, self.currency, known))
        linked = (row for row in page.rows if row.linked_txn and not row.is_deleted)
        settled_by = tuple(said for row in linked if (said := meaning.settled_by(row)) is not None)
        return Records(invoices=found, set_aside=aside, settled_by=settled_by)

    def _credits(
        self, payments: pages.Page[rows.PaymentRow] | None, memos: pages.Page[rows.CreditMemoRow] | None
    ) -> Records:
        left, odd = payments.meant(lambda row: meaning.unapplied(row, self.currency)) if payments else ((), ())
        applied, odder = payments.meant(meaning.applied) if payments else ((), ())
        notes, oddest = memos.meant(lambda row: meaning.credit_memo(row, self.currency)) if memos else ((), ())
        taken_back = (Applied(row.id, None) for row in payments.rows if row.is_deleted) if payments else ()
        return Records(
            credits=(*left, *notes),
            set_aside=tuple(dict.fromkeys((*odd, *odder, *oddest))),
            applied=(*applied, *taken_back),
        )


def _gathered(each: dict[str, pages.Changes]) -> pages.Changes:
    return pages.Changes(
        customers=each["Customer"].customers,
        invoices=each["Invoice"].invoices,
        payments=each["Payment"].payments,
        credit_memos=each["CreditMemo"].credit_memos,
        at=None,
    )


def _gone(lists: Iterable[pages.Page[Any]]) -> tuple[Gone, ...]:
    found = (meaning.gone(row, page.entity) for page in lists for row in page.rows if row.is_deleted)
    return tuple(gone for gone in found if gone is not None)


def _with_something_left(records: Records) -> Records:
    return replace(records, credits=tuple(credit for credit in records.credits if credit.remaining > 0))


def _back(moment: str, overlap: timedelta) -> str:
    at: datetime | None = meaning.instant(moment)
    assert at is not None
    return (at - overlap).isoformat(timespec="seconds")


def _known(moment: str | None) -> str:
    # Our own clock would not do: were it ahead of QuickBooks', changes would be stepped over.
    if moment is None or meaning.instant(moment) is None:
        raise Unreachable("QuickBooks' answer does not say what time it is there, so nobody could tell where to go on.")
    return moment
