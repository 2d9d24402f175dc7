"""One day in the life of a connection, by the sandbox's clock, to count the calls that it costs without webhooks.

Every five minutes the daemon's own question is asked, which organisation's time has come, and it reads if one's has.
In each of ten busy hours a tenth of the day's invoices are raised and paid; at nine o'clock the invoices about to be
chased are looked at again, as many whole accounts at once as fit into one call; at two in the night the whole open
ledger is checked.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from bench.sync_product import ORGANISATION, later, open_office
from bench.sync_sandbox import Ledgers
from connector import Ledger
from jobs import sync
from jobs.ledgers import connection_of, ledger_of
from jobs.office import Office
from store.tables import InvoiceRow

STEP = 5
BUSY = range(8, 18)
CHASING, CHECKING = 9, 2
AT_A_STEP = 40
"""Reminders that leave within five minutes: more than 60 calls a minute are not allowed."""


def days(
    url: str, folder: str, kind: str, addresses: dict[str, Any], now: str, size: int, chasers: int
) -> Iterator[Callable[[], None]]:
    """One day, ready to be gone through; of a book of this `size` one invoice in 500 is raised and paid."""
    ledgers = Ledgers(addresses)
    with closing(open_office(url, folder, kind, addresses, now)) as office:
        sync.sync(office, ORGANISATION, trigger="bench")
        ledgers.counts()
        yield lambda: _day(office, ledgers, max(1, size // 500 // len(BUSY)), chasers)


def _day(office: Office, ledgers: Ledgers, an_hour: int, chasers: int) -> None:
    until = office.clock() + timedelta(days=1)
    hour = _hour(office.clock())
    while office.clock() < until:
        later(office, ledgers, STEP)
        sync.sync_due(office)
        if _hour(office.clock()) == CHASING and chasers > 0:
            _look_again(office, min(chasers, AT_A_STEP), chasers)
            chasers -= AT_A_STEP
        if _hour(office.clock()) != hour:
            hour = _hour(office.clock())
            _at(hour, office, ledgers, an_hour)


def _at(hour: int, office: Office, ledgers: Ledgers, an_hour: int) -> None:
    if hour in BUSY:
        ledgers.raise_new(an_hour)
        ledgers.pay(an_hour)
    if hour == CHECKING:
        _check(office)


def _look_again(office: Office, count: int, left: int) -> None:
    """The invoices of the accounts that are reminded together are asked for by their ids; `left` are still to come."""
    ledger, owed = _ledger_and_open(office)
    by_account: dict[int, list[str]] = {}
    for account, ledger_id in owed:
        by_account.setdefault(account, []).append(ledger_id)
    together: list[str] = []
    for ids in list(by_account.values())[left - count : left]:
        if together and len(together) + len(ids) > ledger.looks_at_once:
            ledger.look_again(together)
            together = []
        together += ids
    ledger.look_again(together)


def _check(office: Office) -> None:
    ledger, owed = _ledger_and_open(office)
    for _ in ledger.whole_check([ledger_id for _, ledger_id in owed]):
        pass


def _ledger_and_open(office: Office) -> tuple[Ledger, list[tuple[int, str]]]:
    """The ledger, and the open invoices that we know: each as its account and its id."""
    with office.database.reading() as session:
        connection = connection_of(session, ORGANISATION)
        query = select(col(InvoiceRow.account_id), col(InvoiceRow.ledger_id)).where(col(InvoiceRow.status) == "open")
        owed = [(account, ledger_id) for account, ledger_id in session.execute(query)]
    assert connection is not None
    return ledger_of(office, connection), owed


def _hour(at: datetime) -> int:
    return at.astimezone(UTC).hour
