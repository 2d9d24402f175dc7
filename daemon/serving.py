"""Serving: one process that shows the pages and does the work, until somebody stops it."""

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn

from daemon.config import Config
from daemon.log_file import keep_log
from daemon.schedule import Schedule
from daemon.wiring import open_office
from jobs import acts, stranded
from jobs.ledgers import organisations
from jobs.office import Office
from jobs.uncollected import keep_for_good
from web import build

log = structlog.get_logger()


class AlreadyRunning(Exception):
    """Another process does the work of this folder already. Two of them would be in each other's way."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds the folder's lock for as long as we run. Raises AlreadyRunning. A lock left by a crash frees itself."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "arrears.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"arrears is running already on the data in {folder}. Stop that one first, or use its pages."
            ) from None
        yield


def serve_forever(config: Config) -> None:
    """Opens everything, serves until a signal comes, and closes everything in order."""
    with alone_in(config.store.data):
        office = open_office(config)
        if office.kept_log is not None:
            keep_log(office.kept_log)
        mind_a_restored_database(office)
        schedule = Schedule(office, config)
        app = build(office, poke=schedule.poke)
        keep_for_good()
        # The server passes a signal on once it has ended; by default that would end us in the middle of a reminder.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: office.stopping.set())
        schedule.start()
        log.info("serving", at=config.server.public_url)
        try:
            uvicorn.run(app, host=config.server.host, port=config.server.port, log_level="warning", server_header=False)
        finally:
            office.stopping.set()
            schedule.stop()
            office.close()


def mind_a_restored_database(office: Office) -> None:
    """A database that knows less than was sent has been restored: nothing leaves until a person says so."""
    with office.database.reading() as session:
        if office.high_water is None or not office.high_water.is_above(session):
            return
        known = organisations(session)
    log.warning("database is older than what was sent from it; sending is paused")
    for organisation in known:
        why = "this database is older than what was sent from it, so it was restored; look at the plan before you start"
        acts.pause_organisation(office, int(organisation.id or 0), by="arrears", why=why)
    with office.database.unit_of_work() as unit:
        office.high_water.pass_by(unit)
    stranded.doubt_waiting_answers(office)
