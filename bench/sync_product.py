"""The product's own sync, as the daemon runs it: what is measured, and how it is reached.

When the product's door changes, this is the only file here that has to know.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import configure_mappers

from bench.sync_consent import CALLBACK, allow
from bench.sync_sandbox import Ledgers
from connector import settings_of
from jobs import connect, sync
from jobs.office import Office
from jobs.recalculate import Recalculated
from jobs.uncollected import keep_for_good
from store import Database, read_or_make_keys
from store.people import add_user

ORGANISATION = 1


def connected(url: str, folder: str, kind: str, addresses: dict[str, Any], now: str) -> None:
    """Makes the tables, and an organisation whose owner has connected its ledger. Nothing is read yet but its name."""
    database = Database(url)
    database.migrate()
    database.close()
    with closing(open_office(url, folder, kind, addresses, now)) as office:
        with office.database.unit_of_work() as unit:
            owner = add_user(unit, email="o@firm.example", name="Olive", password="correct horse", now=office.clock())
            unit.flush()
            number = int(owner.id or 0)
        callback = CALLBACK.format(kind)
        page = connect.begin(office, kind=kind, session="browser", redirect_uri=callback)
        if not isinstance(page, str):
            raise SystemExit("This ledger is connected without a browser, and the run expects a consent page.")
        brought = allow(page)
        connect.finish(
            office,
            session="browser",
            state=brought["state"],
            code=brought["code"],
            redirect_uri=callback,
            user_id=number,
            callback=brought,
        )


def syncs(
    url: str, folder: str, kind: str, addresses: dict[str, Any], now: str, looked_at: bool = True
) -> Iterator[Callable[[], None]]:
    """One sync, ready to be timed. Without `looked_at` the ledger is read, decoded and taken in with its cursor and the
    accounts it touches, but these are not decided anew: that much the floor and the peers do as well.
    """
    with closing(open_office(url, folder, kind, addresses, now)) as office:
        if not looked_at:
            vars(sync)["recalculate_in"] = lambda *_, **__: Recalculated(0, {})
        yield _one(office)


def idles(
    url: str, folder: str, kind: str, addresses: dict[str, Any], now: str, every: float, times: int
) -> Iterator[Callable[[], None]]:
    """So many syncs, `every` so many minutes, in a ledger in which nothing happens, each ready to be timed. One before
    them is not timed: a daemon has been running for a while.
    """
    ledgers = Ledgers(addresses)
    with closing(open_office(url, folder, kind, addresses, now)) as office:
        later(office, ledgers, every)
        _one(office)()
        ledgers.counts()
        for _ in range(times):
            later(office, ledgers, every)
            yield _one(office)


def later(office: Office, ledgers: Ledgers, minutes: float) -> None:
    """So much time goes by, at the ledger and in the office."""
    moment = ledgers.later(minutes)
    office.clock = lambda: moment


def _one(office: Office) -> Callable[[], None]:
    def act() -> None:
        run = sync.sync(office, ORGANISATION, trigger="bench")
        if run is None or run.state != "done":
            raise SystemExit(f"The product's sync did not come to its end: {run.error if run else 'it did not begin'}.")

    return act


def open_office(url: str, folder: str, kind: str, addresses: dict[str, Any], now: str) -> Office:
    """An office with this one ledger, warm as it is in a daemon that has been running for a while."""
    moment = datetime.fromisoformat(now)
    office = Office(
        database=Database(url),
        vault=read_or_make_keys(Path(folder) / "secrets.key"),
        ledgers={kind: settings_of(kind)(**addresses[kind])},
        clock=lambda: moment,
    )
    configure_mappers()
    with office.database.reading() as session:
        session.execute(text("SELECT 1"))
    keep_for_good()
    return office
