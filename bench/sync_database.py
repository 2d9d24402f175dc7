"""Where the product keeps its copy: fresh databases, and what a sync run said of itself."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from bench import postgres

COPIED = {
    "accounts": "ledger_id, name, number, email, phone, mobile, first_name, last_name, currency, archived, changed_at",
    "contacts": "name, email, receives_reminders",
    "invoices": (
        "ledger_id, number, reference, issued_on, due_on, total, balance, paid, credited, currency, status, changed_at"
    ),
    "payments": "ledger_id, paid_on, amount",
    "credits": "ledger_id, kind, number, issued_on, total, remaining, currency, status, changed_at",
}


@contextmanager
def database(server: postgres.Server | None) -> Iterator[tuple[str, str]]:
    """The URL of an empty database and a folder beside it, both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="arrears-bench-") as folder:
        if server is None:
            yield f"sqlite:///{folder}/arrears.db", folder
            return
        url = postgres.new_database(server.address, "copy")
        try:
            yield url.replace("postgresql:", "postgresql+psycopg:"), folder
        finally:
            postgres.drop_database(server.address, "copy")


def last_run(url: str) -> dict[str, Any]:
    """The product's own record of its last sync."""
    names = ("seen", "new", "changed", "unchanged", "accounts_touched", "call_count", "bytes")
    query = f"SELECT {', '.join(names)} FROM sync_runs ORDER BY id DESC LIMIT 1"
    return dict(zip(names, _one(url, query), strict=True))


def differences(url: str, floor: str) -> str:
    """Whether the product's copy and the floor's hold the same: a sentence."""
    rows = 0
    with closing(sqlite3.connect(floor)) as connection:
        connection.execute("ATTACH ? AS product", (url.removeprefix("sqlite:///"),))
        for table, columns in COPIED.items():
            ours, theirs = (f"SELECT {columns} FROM {schema}.{table}" for schema in ("main", "product"))
            for query in (f"{ours} EXCEPT {theirs}", f"{theirs} EXCEPT {ours}"):
                found = len(connection.execute(query).fetchall())
                if found:
                    return f"FLOOR AND PRODUCT DIFFER in {found:,} {table}: one of them did less work."
            rows += connection.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0]
    return f"floor and product hold the same {rows:,} rows"


def _one(url: str, query: str) -> Any:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query).fetchone()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchone()
