"""Mirrors jobs/nightly.py: every open invoice is compared with the ledger once a day, in a quiet hour of its place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from connector import WHOLE_CHECK_DUE
from jobs import nightly
from store.tables import ConnectionRow, OrganisationRow, SyncRunRow
from town import Town


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    founded = a_town(at=datetime(2026, 6, 1, 9, tzinfo=UTC), company=False)
    founded.control.add_contact("Fern", email="fern@fig.example")
    founded.control.add_invoice("Fern", due="2026-06-20", amount="10.00", number="INV-1")
    founded.connect()
    return founded


def checks(town: Town) -> list[SyncRunRow]:
    with town.office.database.reading() as session:
        return list(session.scalars(select(SyncRunRow).where(col(SyncRunRow.trigger) == "nightly check")))


def test_the_check_comes_once_a_night_after_two_where_the_organisation_lives(town: Town) -> None:
    with town.office.database.unit_of_work() as unit:
        unit.execute(update(OrganisationRow).values(time_zone="Australia/Sydney"))
    seen = []
    for _ in range(72):
        town.move(town.clock() + timedelta(minutes=60))
        before = len(checks(town))
        nightly.check_due(town.office)
        if len(checks(town)) > before:
            seen.append(town.clock().hour)
    assert seen == [17, 17, 17]  # 3 o'clock in Sydney, the first full hour after half past two
    assert {run.state for run in checks(town)} == {"done"}


def test_a_check_makes_our_copy_no_younger_and_moves_no_cursor(town: Town) -> None:
    known = select(OrganisationRow.ledger_as_of, ConnectionRow.cursor).join(ConnectionRow)
    with town.office.database.reading() as session:
        read, cursor = session.execute(known).one()
    town.move(town.clock() + timedelta(days=1))
    nightly.check_due(town.office)
    with town.office.database.reading() as session:
        assert session.execute(known).one() == (read, cursor)
    assert len(checks(town)) == 1


def test_a_payment_that_no_list_of_changes_has_shown_is_found(town: Town) -> None:
    town.control.pay("INV-1")
    town.move(town.clock() + timedelta(days=1))
    nightly.check_due(town.office)
    (run,) = checks(town)
    assert run.changed >= 1
    with town.office.database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT status FROM invoices").scalar() == "paid"


def test_a_ledger_that_asks_for_a_check_gets_it_at_once_and_only_once(town: Town) -> None:
    with town.office.database.unit_of_work() as unit:
        row = unit.scalars(select(ConnectionRow)).one()
        row.cursor = {**(row.cursor or {}), WHOLE_CHECK_DUE: "due"}
        row.checked_at = town.clock()
    nightly.check_due(town.office)
    nightly.check_due(town.office)
    assert len(checks(town)) == 1
    with town.office.database.reading() as session:
        assert WHOLE_CHECK_DUE not in session.scalars(select(ConnectionRow.cursor)).one()


def test_a_check_that_fails_is_tried_again_after_an_hour(town: Town) -> None:
    town.move(town.clock() + timedelta(days=1))
    town.sync()
    town.control.faults(next=[{"fault": "503"}])
    for minutes in (0, 5, 56):
        town.move(town.clock() + timedelta(minutes=minutes))
        nightly.check_due(town.office)
    assert [run.state for run in checks(town)] == ["failed", "done"]


def test_sending_waits_for_no_night_when_the_last_check_is_too_old(town: Town) -> None:
    town.move(town.clock() + timedelta(hours=36))
    nightly.check_before_sending(town.office, {town.organisation})
    assert checks(town) == []
    town.move(town.clock() + timedelta(hours=1))
    nightly.check_before_sending(town.office, {town.organisation})
    assert len(checks(town)) == 1
