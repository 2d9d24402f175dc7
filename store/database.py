"""One place that opens the books and closes them again.

Whatever is written in one unit of work is written whole or not at all. Nobody else commits. A unit that writes takes
the pen at once (SQLite: BEGIN IMMEDIATE), because asking for it half-way fails whenever somebody else is writing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlmodel import Session

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """SQLite (one node, the default) or PostgreSQL, by its SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """A unit that writes: commits once at the end, rolls back on any exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A unit that only reads: one consistent view, never a lock that a writer would wait for."""
        with Session(self.engine.execution_options(reading=True), expire_on_commit=False) as session:
            try:
                yield session
            finally:
                session.expunge_all()  # what was read stays readable when the unit is over
                session.rollback()

    def migrate(self, to: str = "head") -> None:
        """Brings the tables up to this version of the product. Safe to run again.

        Raises ValueError when a row would be left pointing at nothing; nothing is changed then.
        """
        # Only here, because the package takes 11 MB that a process which finds its tables ready need not spend.
        from alembic import command
        from alembic.config import Config

        with self.engine.connect() as connection:
            raw = connection.connection.driver_connection if self.file is not None else None
            if raw is not None:
                # A table that is made anew is dropped under the rows that point at it; they are checked afterwards.
                raw.execute("PRAGMA foreign_keys = OFF")
            try:
                config = Config()
                config.set_main_option("script_location", str(MIGRATIONS))
                config.attributes["connection"] = connection
                command.upgrade(config, to)
                if raw is not None and (astray := raw.execute("PRAGMA foreign_key_check").fetchone()):
                    raise ValueError(f"the migration would leave a row of {astray[0]} pointing at nothing")
                connection.commit()
            finally:
                connection.rollback()
                if raw is not None:
                    raw.execute("PRAGMA foreign_keys = ON")

    @property
    def file(self) -> Path | None:
        """The database's file, on SQLite."""
        url = self.engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, hide_parameters=True)
    memory = make_url(url).database in (None, "", ":memory:")
    if memory:
        raise ValueError("arrears needs a database file: several threads read and write it")
    engine = create_engine(url, connect_args={"timeout": 10}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # an acknowledged reply survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 10000")
    # Moving the log into the file now and then, in larger portions, keeps one payment in a hundred from waiting for it.
    cursor.execute("PRAGMA wal_autocheckpoint = 8000")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
