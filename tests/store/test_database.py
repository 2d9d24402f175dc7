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
def database(bare_database_url: str):  # type: ignore[no-untyped-def]
    opened = Database(bare_database_url)
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

    assert ("account_id", "cycle", "step_id", "invoice_id") in unique, (
        "the same step of the same run can be queued once"
    )
    assert ("channel", "event_id") in {tuple(key["column_names"]) for key in found.get_unique_constraints("posts")}
    assert InvoiceRow and PostRow


def test_books_of_the_first_version_keep_everything_when_they_are_brought_up_to_date(bare_database_url: str) -> None:
    database = Database(bare_database_url)
    database.migrate("0001")
    with database.engine.begin() as connection:
        for statement in _OLD_BOOKS:
            connection.exec_driver_sql(statement)
    database.migrate()
    with database.engine.connect() as connection:
        position = connection.exec_driver_sql(
            "SELECT performed, ended, last_step_on, path FROM positions WHERE account_id = 1"
        ).one()
        message = connection.exec_driver_sql("SELECT reminder_id FROM messages").one()
        reminder = connection.exec_driver_sql("SELECT step_id, invoice_id FROM reminders").one()
    database.close()

    assert (bool(position[0]), bool(position[1]), str(position[2]), position[3]) == (True, True, "2026-05-01", "")
    assert tuple(message) == (1,)
    assert tuple(reminder) == ("r1", 0)


_OLD_BOOKS = (
    "INSERT INTO organisations (id, name, time_zone, locale, currency, sender_name, reassess_on_payment,"
    " reassess_locked, sending_time, sending_weekdays, min_days_between_reminders, stale_after_days, ignore_below,"
    " disputed_invoices_drive, reply_holds, paused_by, paused_why, sync_every_minutes, lease_generation, created_at)"
    " VALUES (1, 'Old', 'UTC', 'en_GB', 'GBP', '', true, true, '09:00:00', '[0]', 1, 1, 0, false, true, '', '', 15, 0,"
    " '2026-01-01 00:00:00')",
    "INSERT INTO workflows (id, organisation_id, name, description, kind, version) VALUES"
    " (1, 1, 'W', '', 'account', 1)",
    "INSERT INTO accounts (id, organisation_id, ledger_id, name, number, email, phone, mobile, first_name, last_name,"
    " currency, archived) VALUES (1, 1, 'a', 'A', '', '', '', '', '', '', 'GBP', false)",
    "INSERT INTO positions (account_id, organisation_id, workflow_id, state, because, as_of, held_because, cycle,"
    " last_reminded_on, done, done_day, decided_at) VALUES (1, 1, 1, 'idle', '', '2026-05-04', '', 1, '2026-05-01',"
    " 'r1', 7, '2026-05-04 00:00:00')",
    "INSERT INTO reminders (id, organisation_id, account_id, cycle, step_id, step_name, workflow_id, channel, state,"
    " due_on, send_after, held_because, why, approved_by, attempts, claim, heard, counted, queued_at) VALUES (1, 1, 1,"
    " 1, 'r1', 'R1', 1, 'email', 'sent', '2026-05-01', '2026-05-01 00:00:00', '', '', '', 1, '', true, true,"
    " '2026-05-01 00:00:00')",
    'INSERT INTO messages (id, organisation_id, account_id, reminder_id, message_id, channel, "to", to_name, cc,'
    " reply_to, subject, text, html, invoices, body_hash, created_at, provider_id, outcome) VALUES (1, 1, 1, 1, '',"
    " 'email', '', '', '[]', '', '', '', '', '[]', '', '2026-05-01 00:00:00', '', 'sent')",
)
