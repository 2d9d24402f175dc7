"""Mirrors jobs/sync.py: a reading cut short keeps what it has, and nothing is sent on half the books."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from connector import Budget
from jobs import acts, deliver, governors, recalculate
from jobs.sync import sync_due
from store.tables import ConnectionRow, InvoiceRow, OrganisationRow, PositionRow, SyncRunRow
from town import Town

MANY = 9


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    """Nine accounts long overdue, read two rows a call, and eight calls a minute: too few for one reading."""
    founded = a_town(at=datetime(2026, 2, 2, 7, tzinfo=UTC), company=False)
    founded.office.ledgers = {"xero": replace(founded.office.ledgers["xero"], page_size=2)}
    for number in range(MANY):
        founded.control.add_contact(f"Account {number}", email=f"a{number}@debtor.example")
        founded.control.add_invoice(f"Account {number}", due="2026-01-06", amount="10.00", number=f"INV-{number}")
    founded.move(founded.clock() + timedelta(hours=1))
    return founded


def one(town: Town, table: type) -> object:
    with town.office.database.reading() as session:
        return session.scalars(select(table)).one()


def count(town: Town, table: type) -> int:
    with town.office.database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def runs(town: Town) -> list[SyncRunRow]:
    with town.office.database.reading() as session:
        return list(session.scalars(select(SyncRunRow).order_by(SyncRunRow.id)))


def test_a_first_reading_longer_than_a_minutes_calls_is_done_in_several_and_sends_nothing_before_its_end(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(governors, "budget_of", lambda *_: Budget(at_once=4, a_minute=5))
    with pytest.raises(acts.NotAllowed):
        town.connect()  # sending cannot be started on books that nobody has read
    first = runs(town)[0]
    assert (first.state, first.goes_on_at) == ("partial", town.clock() + timedelta(minutes=1))
    assert first.waits[0]["why"] == "the 5 calls that the ledger allows in a minute are used up"
    assert "it goes on from there" in first.next_act
    assert 0 < count(town, InvoiceRow) < MANY
    assert one(town, OrganisationRow).ledger_as_of is None

    with town.office.database.unit_of_work() as unit:  # as if somebody had lifted the pause all the same
        unit.get(OrganisationRow, town.organisation).paused_at = None
    for _ in range(12):
        recalculate.recalculate_new_days(town.office)
        deliver.deliver_due(town.office)
        if runs(town)[-1].state == "done":
            break
        assert count(town, PositionRow) == 0
        assert town.mails_to("debtor.example") == []
        town.move(town.clock() + timedelta(minutes=1))
        sync_due(town.office)

    assert [run.state for run in runs(town)] == [*["partial"] * (len(runs(town)) - 1), "done"]
    assert len(runs(town)) > 2
    assert all(run.call_count <= 5 for run in runs(town))
    assert (count(town, InvoiceRow), count(town, PositionRow)) == (MANY, MANY)
    assert one(town, OrganisationRow).ledger_as_of == town.clock()


def test_a_later_reading_that_is_cut_short_is_taken_up_and_counts_as_none_until_then(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.connect()
    read = one(town, OrganisationRow).ledger_as_of
    for number in range(MANY):
        town.control.pay(f"INV-{number}")
    town.move(town.clock() + timedelta(minutes=20))
    with monkeypatch.context() as tight:
        tight.setattr(governors, "budget_of", lambda *_: Budget(at_once=4, a_minute=3))
        assert town.sync().state == "partial"
    settled = sum(town.position(f"Account {number}").state == "clear" for number in range(MANY))
    assert 0 < settled < MANY
    assert one(town, OrganisationRow).ledger_as_of == read
    kept = one(town, ConnectionRow).cursor

    town.move(town.clock() + timedelta(minutes=1))
    sync_due(town.office)
    assert runs(town)[-1].state == "done"
    assert runs(town)[-1].cursor_before == kept
    assert all(town.position(f"Account {number}").state == "clear" for number in range(MANY))


def test_an_account_that_a_cut_reading_did_not_reach_is_asked_for_by_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would stay a name without an address."""
    town.connect()
    town.control.add_contact("Late & Co", email="late@debtor.example")
    for number in range(20, 26):
        town.control.add_invoice("Late & Co", due="2026-01-06", amount="5.00", number=f"INV-{number}")
    town.move(town.clock() + timedelta(minutes=20))
    with monkeypatch.context() as tight:
        tight.setattr(governors, "budget_of", lambda *_: Budget(at_once=4, a_minute=2))
        assert town.sync().state == "partial"
    town.move(town.clock() + timedelta(minutes=2))
    assert town.sync().state == "done"
    assert town.account("Late & Co").email == "late@debtor.example"
    town.day(date(2026, 2, 3))
    assert len(town.mails_to("late@debtor.example")) == 1
