"""Mirrors store/rows.py: what goes to the server without waiting is in when the unit ends, or none of it ever was."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import errors
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from fresh_books import open_books
from store import Database
from store.rows import Question, all_rows, asking, insert, piped, put, rows, together, upsert, write
from store.tables import AccountRow, OrganisationRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NAMES = "SELECT name FROM accounts ORDER BY id"
RENAME = "UPDATE accounts SET name = ? WHERE id = ?"
CONTACT = ("account_id", "place", "name", "email", "mobile", "role", "receives_reminders")
MARK = ("name", "value")
LINE_IS_LOST = (errors.OperationalError, OperationalError)
"""Of the driver, or of the library that wanted to take the unit back over the same line."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_books(database_url)
    with opened.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
        unit.flush()
        unit.add_all(AccountRow(id=n, organisation_id=1, ledger_id=f"L{n}", name=f"Account {n}") for n in (1, 2))
    yield opened
    opened.close()


on_a_server = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
"""SQLite has no line to a server."""


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return [name for (name,) in all_rows(session, NAMES)]


def contact(account: int, place: int, name: str = "Mia") -> tuple[Any, ...]:
    return account, place, name, "", "", "", True


def a_key_twice(unit: Session) -> None:
    insert(unit, "bookmarks", MARK, [("one", "1"), ("one", "2"), ("two", "3")])


def an_account_that_is_not_there(unit: Session) -> None:
    insert(unit, "contacts", CONTACT, [contact(99, 0)])


def too_slow(unit: Session) -> None:
    write(unit, "UPDATE accounts SET name = name || (SELECT '' FROM pg_sleep(?)) WHERE id = ?", [(30, 2)])


def no_such_table(unit: Session) -> None:
    write(unit, "UPDATE nothing SET name = ?", [("x",)])


def a_text_with_a_zero_byte(unit: Session) -> None:
    write(unit, RENAME, [("zero\0byte", 2)])


FAULTS: list[tuple[Callable[[Session], None], type[Exception]]] = [
    (a_key_twice, errors.UniqueViolation),
    (an_account_that_is_not_there, errors.ForeignKeyViolation),
    (too_slow, errors.QueryCanceled),
    (no_such_table, errors.UndefinedTable),
    (a_text_with_a_zero_byte, errors.DataError),
]


@on_a_server
@pytest.mark.parametrize("place", ["first", "in the middle", "last"])
@pytest.mark.parametrize(("fault", "error"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_whatever_goes_wrong_in_a_pipe_is_raised_within_it_and_nothing_of_the_unit_is_kept(
    database: Database, fault: Callable[[Session], None], error: type[Exception], place: str
) -> None:
    raised_within = False
    with pytest.raises(error), database.unit_of_work() as unit:
        unit.execute(text("SET LOCAL statement_timeout = '200ms'"))
        write(unit, RENAME, [("before the pipe", 1)])
        try:
            with piped(unit, 3):
                for number in range(3):
                    if number == ("first", "in the middle", "last").index(place):
                        fault(unit)
                    write(unit, RENAME, [("in the pipe", 1), ("in the pipe", 2)])
        except error:
            raised_within = True
            raise
        pytest.fail("the unit went on as if nothing had happened")

    assert raised_within
    assert names(database) == ["Account 1", "Account 2"]
    with database.unit_of_work() as unit:  # and the line is as good as before
        write(unit, RENAME, [("afterwards", 1)])
    assert names(database) == ["afterwards", "Account 2"]


@on_a_server
@pytest.mark.parametrize("among", [0, 1, 2])
def test_a_question_that_fails_among_others_is_raised_and_nothing_of_the_unit_is_kept(
    database: Database, among: int
) -> None:
    questions = [Question(NAMES)] * 3
    questions[among] = Question("SELECT 1 / 0 FROM accounts")
    with pytest.raises(errors.DivisionByZero), database.unit_of_work() as unit:
        write(unit, RENAME, [("before", 1)])
        together(unit, questions)
        pytest.fail("the unit went on as if nothing had happened")

    assert names(database) == ["Account 1", "Account 2"]
    with database.reading() as session:
        assert together(session, [Question("SELECT 1"), Question(NAMES)]) == [
            [(1,)],
            [("Account 1",), ("Account 2",)],
        ]


@on_a_server
def test_what_is_asked_ahead_is_answered_after_other_work_and_as_it_was_when_asked(database: Database) -> None:
    with database.unit_of_work() as unit:
        with asking(unit, [Question("SELECT 1"), Question(NAMES), Question(f"{NAMES} LIMIT 0")]) as answers:
            others = sum(range(1000))  # nothing of the database
        counted = [answers.count(place) for place in range(3)]
        found = answers.rows()
        write(unit, RENAME, [("Renamed", 1)])  # the line is free again
        with asking(unit, []) as none:
            assert none.rows() == []

    assert others == 499_500
    assert counted == [1, 2, 0]
    assert found == [[(1,)], [("Account 1",), ("Account 2",)], []]
    assert names(database) == ["Renamed", "Account 2"]


def test_a_trouble_while_the_server_reads_ahead_leaves_the_line_free(database: Database) -> None:
    with database.reading() as session:
        with pytest.raises(LookupError), asking(session, [Question(NAMES)]):
            raise LookupError("of our own")
        assert all_rows(session, NAMES) == [("Account 1",), ("Account 2",)]


def test_a_trouble_of_our_own_within_a_pipe_takes_back_what_was_piped(database: Database) -> None:
    with pytest.raises(LookupError), database.unit_of_work() as unit, piped(unit, 1):
        write(unit, RENAME, [("in the pipe", 1)])
        raise LookupError

    assert names(database) == ["Account 1", "Account 2"]


@on_a_server
def test_two_troubles_at_once_in_a_pipe_take_back_what_was_piped(database: Database) -> None:
    """A quick server speaks up before we have found our own trouble; of a slow one ours is told."""
    with pytest.raises((LookupError, errors.UniqueViolation)), database.unit_of_work() as unit, piped(unit, 1):
        a_key_twice(unit)
        raise LookupError

    assert names(database) == ["Account 1", "Account 2"]


@on_a_server
@pytest.mark.parametrize("when", ["before", "within", "at the end"])
def test_a_line_that_breaks_is_raised_and_nothing_of_the_unit_is_kept(database: Database, when: str) -> None:
    with pytest.raises(LINE_IS_LOST), database.unit_of_work() as unit:
        write(unit, RENAME, [("before", 1)])
        (number,) = all_rows(unit, "SELECT pg_backend_pid()")[0]
        if when == "before":
            cut(database, number)
        with piped(unit, 1):
            write(unit, RENAME, [("in the pipe", 1)])
            if when == "within":
                cut(database, number)
            write(unit, RENAME, [("in the pipe", 2)])
            if when == "at the end":
                cut(database, number)
        pytest.fail("the unit went on as if nothing had happened")

    assert names(database) == ["Account 1", "Account 2"]


@on_a_server
def test_a_line_that_breaks_while_questions_wait_is_raised(database: Database) -> None:
    with pytest.raises(LINE_IS_LOST), database.unit_of_work() as unit:
        write(unit, RENAME, [("before", 1)])
        together(unit, [Question("SELECT pg_terminate_backend(pg_backend_pid())"), Question(NAMES)])
        pytest.fail("the unit went on as if nothing had happened")

    assert names(database) == ["Account 1", "Account 2"]


def cut(database: Database, number: int) -> None:
    """Ends the server's side of a line, and comes back when it has ended."""
    other = create_engine(database.url, isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
    other.dispose()


def test_what_is_piped_is_there_for_whoever_asks_next_in_the_same_unit(database: Database) -> None:
    with database.unit_of_work() as unit:
        with piped(unit, 2):
            write(unit, RENAME, [("first", 1), ("second", 2)])
            write(unit, "DELETE FROM contacts WHERE account_id = ?", [(1,)])
            insert(unit, "contacts", CONTACT, [contact(1, 0, "Mia"), contact(1, 1, "Max")])
            upsert(unit, "bookmarks", MARK, ["name"], [("one", "1")])
            put(unit, "bookmarks", MARK, [("one", "2"), ("two", "3")], "ON CONFLICT (name) DO NOTHING")
        found = together(unit, [Question(NAMES), Question("SELECT name, value FROM bookmarks ORDER BY name")])
        assert found == [[("first",), ("second",)], [("one", "1"), ("two", "3")]]
        assert list(rows(unit, "SELECT name FROM contacts ORDER BY place")) == [("Mia",), ("Max",)]

    assert names(database) == ["first", "second"]


def test_more_than_fit_into_a_pipe_go_one_after_another_and_fail_alike(database: Database) -> None:
    with database.unit_of_work() as unit, piped(unit, 1_000):
        insert(unit, "bookmarks", MARK, [(f"name {n}", "x") for n in range(1_000)])
    with pytest.raises(Exception, match=r"(?i)unique"), database.unit_of_work() as unit, piped(unit, 1_000):
        write(unit, RENAME, [("in the pipe", 1)])
        insert(unit, "bookmarks", MARK, [(f"name {n}", "x") for n in range(999, 2_000)])
        pytest.fail("the unit went on as if nothing had happened")

    assert names(database) == ["Account 1", "Account 2"]
    with database.reading() as session:
        assert all_rows(session, "SELECT count(*) FROM bookmarks") == [(1_000,)]
