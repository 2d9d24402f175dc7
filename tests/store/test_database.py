"""Mirrors store/database.py, store/columns.py and store/migrations: the books are opened, written and closed."""

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlmodel import SQLModel

from store import Database
from store.columns import Amount, Instant
from store.tables import BookmarkRow, InvoiceRow, OrganisationRow, PostRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def database(database_url: str):  # type: ignore[no-untyped-def]
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.close()


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    tables = inspect(database.engine).get_table_names()
    database.migrate()

    assert inspect(database.engine).get_table_names() == tables


def test_a_unit_of_work_is_written_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work() as unit:
        unit.add(OrganisationRow(name="Half", created_at=NOW))
        unit.flush()
        raise RuntimeError

    with database.reading() as session:
        assert session.scalars(select(OrganisationRow)).all() == []


def test_amounts_come_back_to_the_cent_and_instants_in_utc(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.add(OrganisationRow(name="Exact", created_at=NOW, ignore_below=Decimal("0.1")))
    with database.reading() as session:
        kept = session.scalars(select(OrganisationRow)).one()

    assert kept.ignore_below == Decimal("0.10")
    assert str(kept.ignore_below) == "0.10"
    assert kept.created_at == NOW


def test_an_amount_with_five_decimals_and_an_instant_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="more than four decimals"):
        Amount().process_bind_param(Decimal("0.00001"), None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no time zone"):
        Instant().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]


def test_many_writers_at_once_all_get_their_turn(database: Database) -> None:
    """Each reads before it writes: with a deferred transaction most of them would fail at once on SQLite."""
    failures: list[Exception] = []

    def write(worker: int) -> None:
        try:
            for number in range(20):
                with database.unit_of_work() as unit:
                    unit.get(BookmarkRow, f"{worker}:{number}")
                    unit.add(BookmarkRow(name=f"{worker}:{number}", value="x"))
        except Exception as problem:
            failures.append(problem)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with database.reading() as session:
        assert len(session.scalars(select(BookmarkRow)).all()) == 120


def test_a_database_without_a_file_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="needs a database file"):
        Database("sqlite://")


def test_the_tables_that_matter_have_the_keys_that_keep_the_promise(database: Database) -> None:
    found = inspect(database.engine)
    unique = {tuple(key["column_names"]) for key in found.get_unique_constraints("reminders")}

    assert ("account_id", "cycle", "step_id") in unique, "the same step of the same run can be queued once"
    assert ("channel", "event_id") in {tuple(key["column_names"]) for key in found.get_unique_constraints("posts")}
    assert InvoiceRow and PostRow
