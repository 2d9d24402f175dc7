"""One reading of a ledger, page after page, before anything of it is written.

It may be cut short: by the ledger, which wants silence, or by the line. Then it is kept up to the last place from which
a later reading can go on. A first reading is not held whole: see `jobs.taking_in`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from connector import Cursor, Ledger, LedgerFailure, RateLimited, Records, Unreachable
from jobs.carried import with_their_calls
from jobs.ledgers import learn_who_it_is
from jobs.office import Office
from store.brake_figures import half_known
from store.changes import Changes
from store.leases import renew_lease
from store.ledger_copy import TakenIn, unknown_accounts
from store.payers import unknown_payers
from store.tables import ConnectionRow

LEASE = timedelta(minutes=10)
"""So long nobody else begins to read the same ledger; while pages come, it is made to last anew."""

PORTION = 20_000
"""So many rows of a first reading are held before they are written down."""


class Progress(Protocol):
    """Told after each page: how many rows so far, and how many the ledger announced, if it did."""

    def __call__(self, done: int, expected: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Run:
    """One reading under way. `resumed`: the last one was cut short. `rings`: what the ledger rang about before it."""

    id: int
    organisation_id: int
    generation: int
    connection: ConnectionRow
    waits: list[dict[str, Any]]
    known: bool
    first: bool
    resumed: bool
    rings: dict[int, str]
    is_check: bool


@dataclass(slots=True)
class Reading:
    """What was read: its pages that are not written down yet, and the failure that cut it short, if one did.

    `kept` is where another reading could go on after what is written down, and `taken` is what that came to.
    """

    taken: TakenIn
    pages: list[Records] = field(default_factory=list)
    kept: Cursor | None = None
    cut_short: LedgerFailure | None = None
    ours_until: datetime | None = None

    @property
    def resume(self) -> Cursor | None:
        """Where a reading could go on that is cut short now."""
        return next((page.resume for page in reversed(self.pages) if page.resume is not None), self.kept)

    @property
    def cursor(self) -> Cursor | None:
        """Where the next reading begins."""
        if self.cut_short is not None:
            return self.resume
        return next((page.cursor for page in reversed(self.pages) if page.cursor is not None), None)

    @property
    def rows(self) -> int:
        """How many are not written down yet."""
        return sum(len(page.accounts) + len(page.invoices) + len(page.credits) for page in self.pages)


Asks = Callable[[Office, Run, Ledger], Iterator[Records]]
Keeps = Callable[[Office, Run, Reading], None]
"""Writes down what was read so far."""


def read(office: Office, run: Run, ledger: Ledger, asks: Asks, keeps: Keeps, progress: Progress | None) -> Reading:
    """All pages, and the accounts that are named in them and that we do not know.

    Raises LedgerFailure when it is cut short before there is a place from which it could go on.
    """
    if not run.known:
        learn_who_it_is(office, run.organisation_id, ledger)
    # Of a first reading everything is new: its counts say enough.
    reading = Reading(TakenIn(changes=Changes(most=0)) if run.first else TakenIn())
    done = 0
    try:
        for page in with_their_calls(ledger.calls, asks(office, run, ledger)):
            reading.ours_until = _still_ours(office, run, reading.ours_until)
            reading.pages.append(page)
            done += len(page.accounts) + len(page.invoices) + len(page.credits)
            if progress:
                progress(done, page.expected)
            if run.first and page.resume is not None and reading.rows >= PORTION:
                keeps(office, run, reading)
        for missing in _named_and_unknown(office, run, reading):
            reading.pages.extend(with_their_calls(ledger.calls, map(ledger.fetch_accounts, [missing])))
    except (RateLimited, Unreachable) as failure:
        _keep_what_can_go_on(run, reading, failure)
    return reading


def _keep_what_can_go_on(run: Run, reading: Reading, failure: LedgerFailure) -> None:
    """What came after the last place from which a reading can go on is read again, so it is not kept."""
    while reading.pages and reading.pages[-1].resume is None:
        reading.pages.pop()
    if run.is_check or reading.resume is None:
        raise failure
    reading.cut_short = failure


def _named_and_unknown(office: Office, run: Run, reading: Reading) -> Iterator[list[str]]:
    """The accounts that the invoices name, then whoever pays for those; each that we do not know."""
    asked: set[str] = set()
    pages, halves = reading.pages, _left_open(office, run) if run.resumed or reading.kept else ()
    for _ in range(_LEVELS):
        shown = {account.ledger_id for page in pages for account in page.accounts}
        named = {invoice.account_ledger_id for page in pages for invoice in page.invoices}
        named |= {account.billed_with for page in pages for account in page.accounts if account.billed_with}
        with office.database.reading() as session:
            missing = unknown_accounts(session, run.organisation_id, named - shown - asked)
        missing = sorted({*missing, *halves} - shown - asked)
        if not missing:
            return
        asked.update(missing)
        yield missing


def _left_open(office: Office, run: Run) -> list[str]:
    """Accounts that what is written down already names, and of which we do not know enough."""
    with office.database.reading() as session:
        return [*half_known(session, run.organisation_id), *unknown_payers(session, run.organisation_id)]


_LEVELS = 6
"""A chain of accounts that pay for one another is at most five deep (QuickBooks' sub-customers)."""


def _still_ours(office: Office, run: Run, until: datetime | None) -> datetime:
    """A long reading keeps its lease alive, so that nobody else begins the same again. Answers until when it lasts."""
    now = office.clock()
    if until is not None and until - now > LEASE * 0.8:
        return until
    with office.database.unit_of_work() as unit:
        if not renew_lease(unit, run.organisation_id, run.generation, until=now + LEASE):
            raise LedgerFailure("another worker has begun to read this ledger meanwhile")
    return now + LEASE
