"""Databases with nothing in them but tables.

Building the tables takes longer than most tests do, so they are built once in each process and copied. That they are
built rightly is proven in `tests/store`.
"""

import atexit
import shutil
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import NullPool, create_engine, event, make_url

from store import Database


def open_books(url: str, *, there: bool = False) -> Database:
    """A database with its tables, of which nobody waits for the disk: no power is cut here.

    `there`: somebody has made it already.
    """
    file = make_url(url).database if url.startswith("sqlite") else None
    if file is not None and not Path(file).exists():
        shutil.copy(_tables(), file)
    database = Database(url)
    if file is not None:
        event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    elif not there:
        database.migrate()
    return database


@cache
def _tables() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="arrears-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "tables.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file


@contextmanager
def bare_database(server: str) -> Iterator[str]:
    """The URL of a database on this PostgreSQL server without a single table. It is gone afterwards."""
    name = f"t{uuid.uuid4().hex[:12]}"
    _say(f"{server}/postgres", f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    _say(f"{server}/postgres", f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def emptied_books(server: str) -> Iterator[str]:
    """The URL of a database on this PostgreSQL server with all tables and not a row in them.

    Afterwards whoever is still connected is shown out, and it is emptied for the next one.
    """
    ready = _ready[server]
    url = ready.pop() if ready else _new_books(server)
    yield url
    _say(url, _SHOW_OUT, _EMPTY)
    ready.append(url)


_ready: dict[str, list[str]] = defaultdict(list)

_SHOW_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no reference is looked up, for soon there is nothing to refer to
    FOR name IN
        SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    PERFORM setval((quote_ident(schemaname) || '.' || quote_ident(sequencename))::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""


def _new_books(server: str) -> str:
    name = f"books{uuid.uuid4().hex[:12]}"
    _say(f"{server}/postgres", f"CREATE DATABASE {name}")
    database = Database(f"{server}/{name}")
    database.migrate()
    database.close()
    return f"{server}/{name}"


def _say(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
