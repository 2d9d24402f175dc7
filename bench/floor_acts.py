"""The floor as it is measured: opened on either database, and sworn to hold nothing of the product."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from bench import floor, floor_postgres, floor_sqlite
from bench.ledger import invoice_of

_SQLITE = "sqlite:///"


def prepare(url: str) -> None:
    if url.startswith(_SQLITE):
        floor_sqlite.prepare(url.removeprefix(_SQLITE))
    else:
        floor_postgres.prepare(_address(url))


def looks(url: str, now: str) -> Iterator[Callable[[], Any]]:
    """One look at everything, ready to be timed."""
    books, today = _books(url), date.fromisoformat(now[:10])
    yield lambda: floor.look(books, today)


def explained(url: str, now: str) -> Iterator[Callable[[], Any]]:
    """The same look, with every decision kept, ready to be timed; afterwards all of it is forgotten again."""
    books, today = _books(url), date.fromisoformat(now[:10])
    books.lay_ground()
    yield lambda: floor.look(books, today, keeping_reasons=True)
    books.forget()


wholes = new_days = looks  # to the floor each of them is a look at everything


def payments(url: str, now: str, paid: Sequence[Sequence[Any]]) -> Iterator[Callable[[], Any]]:
    """A payment after another, each ready to be timed."""
    books, today = _books(url), date.fromisoformat(now[:10])
    for row in paid:
        invoice = invoice_of(row)
        yield lambda invoice=invoice: floor.pay(books, invoice.number, invoice.account, today)


def _books(url: str) -> "floor_sqlite.SqliteBooks | floor_postgres.PostgresBooks":
    strangers = {name.partition(".")[0] for name in sys.modules} & {"engine", "store", "jobs", "sqlalchemy", "sqlmodel"}
    assert not strangers, f"the floor is not bare: {strangers} are imported"
    if url.startswith(_SQLITE):
        return floor_sqlite.SqliteBooks(url.removeprefix(_SQLITE))
    return floor_postgres.PostgresBooks(_address(url))


def _address(url: str) -> str:
    return url.replace("postgresql+psycopg:", "postgresql:")
