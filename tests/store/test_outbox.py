"""Mirrors store/outbox.py and store/leases.py: each step is a compare-and-set, and only one worker passes."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from engine.reminders import ReminderState
from fresh_books import open_books
from store import Database, outbox
from store.leases import end_lease, take_lease
from store.tables import AccountRow, OrganisationRow, ReminderRow, WorkflowRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=10)


@pytest.fixture
def database(database_url: str):  # type: ignore[no-untyped-def]
    opened = open_books(database_url)
    with opened.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
        unit.flush()
        unit.add(WorkflowRow(id=1, organisation_id=1, name="W"))
        unit.add(AccountRow(id=1, organisation_id=1, ledger_id="L1", name="Fern"))
        unit.flush()
        unit.add(a_reminder(id=1))
    yield opened
    opened.close()


def a_reminder(**given: object) -> ReminderRow:
    known: dict[str, object] = {
        "organisation_id": 1,
        "account_id": 1,
        "cycle": 1,
        "step_id": "r1",
        "step_name": "Reminder 1",
        "workflow_id": 1,
        "channel": "email",
        "due_on": date(2026, 5, 4),
        "send_after": NOW,
        "queued_at": NOW,
    }
    return ReminderRow(**{**known, **given})


def test_the_same_step_of_the_same_cycle_cannot_be_queued_twice(database: Database) -> None:
    with pytest.raises(IntegrityError), database.unit_of_work() as unit:
        unit.add(a_reminder())


def test_of_many_workers_exactly_one_gets_the_claim(database: Database) -> None:
    claims: list[str] = []

    def work(name: str) -> None:
        with database.unit_of_work() as unit:
            if outbox.claim(unit, 1, by=name, now=NOW, until=SOON) is not None:
                claims.append(name)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claims) == 1


def test_a_claim_that_has_run_out_is_free_again_and_the_old_worker_can_no_longer_mark(database: Database) -> None:
    with database.unit_of_work() as unit:
        outbox.claim(unit, 1, by="asleep", now=NOW, until=SOON)
    with database.unit_of_work() as unit:
        assert outbox.claim(unit, 1, by="awake", now=SOON + timedelta(seconds=1), until=SOON + timedelta(hours=1))
    with database.unit_of_work() as unit:
        assert not outbox.mark_sending(unit, 1, by="asleep", until=SOON)
        assert outbox.mark_sending(unit, 1, by="awake", until=SOON)


def test_a_reminder_that_is_being_sent_or_held_is_never_ready(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.add(a_reminder(id=2, step_id="r2", state=ReminderState.SENDING))
        unit.add(a_reminder(id=3, step_id="r3", held_because="the account is paused"))
        unit.add(a_reminder(id=4, step_id="r4", send_after=SOON))
        unit.add(a_reminder(id=5, step_id="r5", next_attempt_at=SOON))
    with database.reading() as session:
        assert list(outbox.ready(session, now=NOW)) == [1]


def test_what_is_settled_is_settled_once(database: Database) -> None:
    with database.unit_of_work() as unit:
        outbox.claim(unit, 1, by="w", now=NOW, until=SOON)
        outbox.mark_sending(unit, 1, by="w", until=SOON)
        assert outbox.settle(unit, 1, ReminderState.SENT, now=NOW, performed_on=NOW.date())
        assert not outbox.settle(unit, 1, ReminderState.REFUSED, now=NOW)


def test_a_reminder_left_in_the_middle_of_sending_is_found_when_its_claim_has_run_out(database: Database) -> None:
    with database.unit_of_work() as unit:
        outbox.claim(unit, 1, by="w", now=NOW, until=SOON)
        outbox.mark_sending(unit, 1, by="w", until=SOON)
    with database.reading() as session:
        assert outbox.stranded(session, now=NOW) == []
        assert [row.id for row in outbox.stranded(session, now=SOON + timedelta(seconds=1))] == [1]


def test_one_worker_at_a_time_works_for_an_organisation_and_a_sleeper_is_fenced_off(database: Database) -> None:
    with database.unit_of_work() as unit:
        first = take_lease(unit, 1, now=NOW, until=SOON)
        assert first is not None
        assert take_lease(unit, 1, now=NOW, until=SOON) is None
    with database.unit_of_work() as unit:
        second = take_lease(unit, 1, now=SOON + timedelta(seconds=1), until=SOON + timedelta(hours=1))
        assert second is not None
        assert not end_lease(unit, 1, first), "whoever slept too long may not write any more"
        assert end_lease(unit, 1, second)
