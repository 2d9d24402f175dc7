"""Mirrors jobs/deliveries.py: what providers tell comes late, twice and in any order, and ends in the same place."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from channels import Delivery, DeliveryEvent, token_of
from engine.reminders import ReminderState
from jobs import acts
from jobs.deliveries import take_note
from jobs.recalculate import recalculate
from jobs.stops import lift_stop
from store.facts import facts_of, ground_of
from store.tables import AddressStopRow, HistoryNoteRow, MessageRow, ReminderRow, TaskRow
from tests.jobs.firm import BY, Channel, Firm

AT = datetime(2026, 1, 12, 9, tzinfo=UTC)
BOUNCED = DeliveryEvent(Delivery.FAILED, why="550 user unknown", at=AT, stops_address=True)


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    firm.now = AT
    firm.change(ledger_as_of=AT)
    yield firm
    firm.close()


def sent(firm: Firm, account: int, to: str, *, state: str = "sent", **more: Any) -> int:
    """A reminder that was sent to this address. Returns the number of its message, which is the attempt."""
    with firm.office.database.unit_of_work() as unit:
        reminder = ReminderRow(
            organisation_id=firm.id,
            account_id=account,
            cycle=next(_cycles),
            step_id="1",
            step_name="R1",
            workflow_id=firm.house,
            channel="email",
            state=state,
            due_on=date(2026, 1, 8),
            send_after=AT,
            performed_on=date(2026, 1, 8) if state == "sent" else None,
            counted=True,
            queued_at=AT,
        )
        unit.add(reminder)
        unit.flush()
        message = MessageRow(
            organisation_id=firm.id,
            account_id=account,
            reminder_id=int(reminder.id or 0),
            to=to,
            **({"channel": "email_smtp", "created_at": AT} | more),
        )
        unit.add(message)
        unit.flush()
        return int(message.id or 0)


_cycles = count(100)


def tell(firm: Firm, attempt: int, *events: DeliveryEvent, kind: str = "email_smtp") -> None:
    for event in events:
        with firm.office.database.unit_of_work() as unit:
            take_note(unit, firm.office, kind, about(event, attempt))


def about(event: DeliveryEvent, attempt: int) -> DeliveryEvent:
    return DeliveryEvent(
        event.kind, attempt=str(attempt), recipient=event.recipient, message_id=event.message_id, why=event.why,
        at=event.at, stops_address=event.stops_address,
    )  # fmt: skip


def message(firm: Firm, attempt: int) -> MessageRow:
    return next(row for row in firm.rows(MessageRow) if row.id == attempt)


def stops(firm: Firm, *where: Any) -> list[AddressStopRow]:
    with firm.office.database.reading() as session:
        return list(session.scalars(select(AddressStopRow).where(col(AddressStopRow.lifted_at).is_(None), *where)))


def open_tasks(firm: Firm) -> list[TaskRow]:
    return [row for row in firm.rows(TaskRow) if row.closed_at is None]


def notes(firm: Firm, account: int) -> list[str]:
    return [row.text for row in firm.rows(HistoryNoteRow) if row.account_id == account]


def test_a_mail_that_came_back_stops_its_address_leaves_a_note_and_asks_a_person(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1), email="Pay@Ivy.example")
    tell(firm, sent(firm, ivy, "Pay@Ivy.example"), BOUNCED)

    (stop,) = stops(firm)
    assert (stop.address, stop.medium, stop.kind, stop.said) == (
        "pay@ivy.example",
        "email",
        "bounce",
        "550 user unknown",
    )
    assert "R1 to Pay@Ivy.example did not arrive: 550 user unknown." in notes(firm, ivy)
    (task,) = open_tasks(firm)
    assert (task.kind, task.account_id) == ("bounce", ivy)


def test_an_account_whose_address_is_stopped_is_held_and_the_hold_says_why(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1), email="pay@ivy.example")
    tell(firm, sent(firm, ivy, "pay@ivy.example"), BOUNCED)
    recalculate(firm.office, firm.id)

    held = firm.position(ivy).held_because
    assert "the address pay@ivy.example is stopped: it bounced on 12 January 2026" in held
    assert [task.kind for task in open_tasks(firm)] == ["bounce"], "one matter, one task"
    with firm.office.database.reading() as session:
        facts = facts_of(session, ground_of(session, firm.id), [ivy])[ivy]
    assert Channel.EMAIL not in facts.reachable and Channel.SMS not in facts.reachable


def test_lifting_the_stop_lets_reminders_go_again_and_old_news_does_not_bring_it_back(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1), email="pay@ivy.example")
    attempt = sent(firm, ivy, "pay@ivy.example")
    tell(firm, attempt, BOUNCED)
    lift_stop(firm.office, int(stops(firm)[0].id or 0), by="Olive Owner", why="they made room in the mailbox")
    tell(firm, attempt, BOUNCED)

    assert stops(firm) == [] and open_tasks(firm) == []
    assert firm.position(ivy).held_because == ""
    tell(firm, sent(firm, ivy, "pay@ivy.example"), BOUNCED)
    assert len(stops(firm)) == 1, "another mail that comes back is news"


def test_a_copy_that_came_back_stops_the_copys_address_alone(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1), email="pay@ivy.example")
    attempt = sent(firm, ivy, "pay@ivy.example", cc=["boss@ivy.example"])
    copy = DeliveryEvent(Delivery.FAILED, recipient="boss@ivy.example", why="gone", at=AT, stops_address=True)
    tell(firm, attempt, DeliveryEvent(Delivery.DELIVERED, at=AT), copy, copy)

    assert message(firm, attempt).delivery == "delivered"
    assert [stop.address for stop in stops(firm)] == ["boss@ivy.example"]
    assert sum("boss@ivy.example did not arrive" in text for text in notes(firm, ivy)) == 1
    assert firm.position(ivy).held_because == ""


def test_what_became_of_a_message_to_ourselves_stops_nobody(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1), email="pay@ivy.example")
    attempt = sent(firm, ivy, "pay@ivy.example", diverted_to="me@firm.example")
    tell(firm, attempt, DeliveryEvent(Delivery.FAILED, recipient="me@firm.example", at=AT, stops_address=True))

    assert message(firm, attempt).delivery == "failed"
    assert stops(firm) == [] and open_tasks(firm) == []


def test_a_failure_that_is_not_the_addresss_fault_is_a_task_and_no_stop(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1))
    attempt = sent(firm, ivy, "pay@debtor.example")
    blocked = DeliveryEvent(Delivery.FAILED, why="blocked as spam", at=AT)
    tell(firm, attempt, blocked, blocked)

    assert stops(firm) == []
    assert [task.kind for task in open_tasks(firm)] == ["undelivered"]


@pytest.mark.parametrize("state", [ReminderState.UNSURE, ReminderState.SENDING])
@pytest.mark.parametrize("kind", [Delivery.ACCEPTED, Delivery.DEFERRED, Delivery.DELIVERED, Delivery.FAILED])
def test_whatever_is_told_settles_a_doubt_the_message_went(firm: Firm, state: ReminderState, kind: Delivery) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1))
    attempt = sent(firm, ivy, "pay@debtor.example", state=state)
    tell(firm, attempt, DeliveryEvent(kind, at=AT))

    assert [row.state for row in firm.rows(ReminderRow) if row.id == message(firm, attempt).reminder_id] == ["sent"]


@pytest.mark.parametrize("kind", [Delivery.ACCEPTED, Delivery.DEFERRED, Delivery.DELIVERED, Delivery.COMPLAINT])
def test_what_proves_that_an_attempt_went_after_all_keeps_it_from_going_once_more(firm: Firm, kind: Delivery) -> None:
    """A person said that it did not go, so it is queued again; then its provider speaks up."""
    ivy = firm.account("Ivy", date(2026, 1, 1))
    attempt = sent(firm, ivy, "pay@debtor.example", state="queued")
    tell(firm, attempt, DeliveryEvent(kind, at=AT))

    assert [row.state for row in firm.rows(ReminderRow) if row.cycle >= 100] == [ReminderState.SENT]
    assert message(firm, attempt).outcome == "sent"


def test_an_attempt_that_came_back_leaves_the_next_one_queued(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1))
    attempt = sent(firm, ivy, "old@debtor.example", state="queued")
    tell(firm, attempt, DeliveryEvent(Delivery.FAILED, at=AT))
    tell(firm, attempt, DeliveryEvent(Delivery.ACCEPTED, at=AT))

    assert [row.state for row in firm.rows(ReminderRow) if row.cycle >= 100] == [ReminderState.QUEUED]


def test_a_signed_word_about_an_attempt_of_another_account_is_passed_over(firm: Firm) -> None:
    """A database that was restored gives a number that is used up already to another attempt."""
    ivy, fern = firm.account("Ivy", date(2026, 1, 1)), firm.account("Fern", date(2026, 1, 1))
    attempt = sent(firm, fern, "pay@debtor.example", state="unsure")
    token = token_of(account=ivy, attempt=attempt, key=firm.office.reply_keys[0])
    with firm.office.database.unit_of_work() as unit:
        take_note(unit, firm.office, "email_smtp", DeliveryEvent(Delivery.FAILED, token=token, stops_address=True))

    assert stops(firm) == []
    assert [row.state for row in firm.rows(ReminderRow) if row.cycle >= 100] == [ReminderState.UNSURE]


def test_two_workers_that_hear_of_one_message_at_the_same_moment_forget_nothing(database_url: str) -> None:
    firm = Firm.founded(database_url)
    firm.now = AT
    firm.change(ledger_as_of=AT)
    attempts = [sent(firm, firm.account(f"A{n}", date(2026, 1, 1)), f"a{n}@debtor.example") for n in range(15)]
    kinds = (Delivery.ACCEPTED, Delivery.FAILED, Delivery.DELIVERED, Delivery.DEFERRED)
    together = threading.Barrier(len(kinds))

    def hear(kind: Delivery) -> None:
        for attempt in attempts:
            together.wait()
            tell(firm, attempt, DeliveryEvent(kind, at=AT))

    threads = [threading.Thread(target=hear, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {message(firm, attempt).delivery for attempt in attempts} == {Delivery.FAILED}
    firm.close()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_person_who_answers_a_doubt_while_its_provider_speaks_up_is_told_that_it_is_settled(
    database_url: str,
) -> None:
    firm = Firm.founded(database_url)
    firm.now = AT
    firm.change(ledger_as_of=AT)
    attempt = sent(firm, firm.account("Ivy", date(2026, 1, 1)), "pay@debtor.example", state="unsure")
    doubt = message(firm, attempt).reminder_id
    refused: list[str] = []

    def answer() -> None:
        try:
            acts.settle_unsure(firm.office, doubt, went=False, by=BY)
        except acts.NotAllowed as problem:
            refused.append(str(problem))

    person = threading.Thread(target=answer)
    with firm.office.database.unit_of_work() as unit:
        take_note(unit, firm.office, "email_smtp", DeliveryEvent(Delivery.DELIVERED, attempt=str(attempt), at=AT))
        person.start()
        person.join(timeout=0.5)  # it waits for us, with what it has read of the reminder already
    person.join()

    assert refused == ["There is no doubt about this reminder any more."]
    assert [row.state for row in firm.rows(ReminderRow) if row.id == doubt] == [ReminderState.SENT]
    assert not [note.text for note in firm.rows(HistoryNoteRow) if "did not go out" in note.text]
    firm.close()


def test_what_is_told_of_a_message_that_is_not_ours_is_passed_over(firm: Firm) -> None:
    for attempt in ("", "999", "x", "-1", "1" * 30):
        with firm.office.database.unit_of_work() as unit:
            take_note(unit, firm.office, "email_smtp", DeliveryEvent(Delivery.FAILED, attempt=attempt[:18]))
    ivy = firm.account("Ivy", date(2026, 1, 1))
    tell(firm, sent(firm, ivy, "pay@debtor.example"), BOUNCED, kind="email_sendgrid")

    assert stops(firm) == []


def test_the_message_id_that_the_provider_chose_is_kept_for_the_thread(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1))
    attempt = sent(firm, ivy, "pay@debtor.example", message_id="<ours@firm.example>")
    tell(firm, attempt, DeliveryEvent(Delivery.ACCEPTED, message_id="<ours@firm.example>", at=AT))
    assert message(firm, attempt).seen_as == ""

    tell(firm, attempt, DeliveryEvent(Delivery.ACCEPTED, message_id="<theirs@sg.example>", at=AT))
    assert message(firm, attempt).seen_as == "<theirs@sg.example>"


EVENTS = st.builds(
    DeliveryEvent,
    kind=st.sampled_from(
        [
            Delivery.ACCEPTED,
            Delivery.DEFERRED,
            Delivery.DELIVERED,
            Delivery.FAILED,
            Delivery.OPTED_OUT,
            Delivery.COMPLAINT,
        ]
    ),
    why=st.sampled_from(["", "full", "unknown"]),
    at=st.integers(0, 5).map(lambda minutes: AT + timedelta(minutes=minutes)),
    stops_address=st.booleans(),
)


@pytest.fixture(scope="module")
def one_firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    file: Path = tmp_path_factory.mktemp("books") / "arrears.db"
    firm = Firm.founded(f"sqlite:///{file}")
    firm.now = AT
    yield firm
    firm.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, min_size=1, max_size=6), st.randoms(use_true_random=False), st.booleans())
def test_the_end_is_always_the_same_in_any_order_and_however_often_it_is_told(
    one_firm: Firm, events: list[DeliveryEvent], chance: Any, unsure: bool
) -> None:
    again = events + [chance.choice(events) for _ in range(3)]
    chance.shuffle(again)
    ends = []
    for told in (events, again):
        address = f"n{next(_cycles)}@debtor.example"
        account = one_firm.account(address, email=address)
        state = ReminderState.UNSURE if unsure else ReminderState.SENT
        attempt = sent(one_firm, account, address, state=state)
        tell(one_firm, attempt, *told)
        row = message(one_firm, attempt)
        kinds = {stop.kind for stop in stops(one_firm, col(AddressStopRow.address) == address)}
        (reminder,) = [one.state for one in one_firm.rows(ReminderRow) if one.id == row.reminder_id]
        ends.append((row.delivery, row.delivery_at, row.delivery_why, kinds, reminder))

    assert ends[0] == ends[1]
