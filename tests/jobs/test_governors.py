"""Mirrors jobs/governors.py: all threads of a connection, and whoever comes after a restart, share one count."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connector import Budget, Purpose, RateLimited
from jobs import deliver, governors
from jobs.governors import OutOfTurns, Turns, governor_of
from jobs.ledgers import connection_of
from jobs.office import Office
from store.tables import ConnectionRow
from town import Town


@pytest.fixture
def town(a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch) -> Town:
    founded = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    founded.control.add_contact("Fern", email="fern@fig.example")
    founded.control.add_invoice("Fern", due="2026-01-01", amount="10.00", number="INV-1")
    founded.connect()
    founded.move(founded.clock() + timedelta(days=2))
    return founded


def connection(town: Town) -> ConnectionRow:
    with town.office.database.reading() as session:
        found = connection_of(session, town.organisation)
    assert found is not None
    return found


def governor(town: Town, purpose: Purpose, office: Office | None = None) -> Turns:
    return governor_of(office or town.office, connection(town), purpose)


def allow(monkeypatch: pytest.MonkeyPatch, budget: Budget) -> None:
    monkeypatch.setattr(governors, "budget_of", lambda *_: budget)


def test_twelve_threads_together_make_no_more_calls_than_the_minute_allows(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, Budget(at_once=4, a_minute=20))
    made, most, under_way, lock = [], [0], [0], threading.Lock()

    def calls() -> None:
        for _ in range(5):
            try:
                with governor(town, Purpose.READING).turn():
                    with lock:
                        under_way[0] += 1
                        most[0] = max(most[0], under_way[0])
                        made.append(1)
                    with lock:
                        under_way[0] -= 1
            except RateLimited:
                pass

    threads = [threading.Thread(target=calls) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 20
    assert most[0] <= 4


def test_a_restart_and_a_second_process_go_on_counting(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, Budget(at_once=4, a_minute=2))
    with governor(town, Purpose.READING).turn():
        pass
    another = Office(town.office.database, town.office.vault, town.office.ledgers, clock=town.office.clock)
    with governor(town, Purpose.READING, another).turn():
        pass
    turns = governor(town, Purpose.READING)
    with pytest.raises(OutOfTurns) as late, turns.turn():
        pass
    assert late.value.until == town.clock() + timedelta(minutes=1)
    assert [wait["until"] for wait in turns.waits] == [late.value.until.isoformat()]


def test_silence_that_the_ledger_asked_for_is_kept_by_everybody(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    until = town.clock() + timedelta(hours=3)
    governor(town, Purpose.READING).wait_until(until)
    another = Office(town.office.database, town.office.vault, town.office.ledgers, clock=town.office.clock)
    with pytest.raises(RateLimited) as late, governor(town, Purpose.SENDING, another).turn():
        pass
    assert late.value.until == until


def test_reading_that_has_used_its_share_leaves_the_look_before_each_reminder(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading is out of calls; the reminder that is due still gets its look, and goes."""
    allow(monkeypatch, Budget(at_once=4, a_minute=100, a_day=30, reserve=0.5))
    town.move(datetime(2026, 1, 8, 7, 30, tzinfo=UTC))
    town.sync()
    with pytest.raises(OutOfTurns):  # the day's share of reading is used up
        while True:
            with governor(town, Purpose.READING).turn():
                pass
    town.move(datetime(2026, 1, 8, 9, 30, tzinfo=UTC))
    run = town.sync()
    assert (run.state, run.call_count) == ("failed", 0)
    assert run.waits[0]["why"] == "what is left of the day's calls is kept for the look before each reminder"
    assert connection(town).not_before is None
    deliver.deliver_due(town.office)
    assert [reminder.state for reminder in town.reminders("Fern")] == ["sent"]
