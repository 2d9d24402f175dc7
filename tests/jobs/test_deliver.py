"""Mirrors jobs/deliver.py: one more look, one message, and never at a time when nobody wants to be written to."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from channels import Outcome, Receipt, Refused, Unavailable, Unsure
from connector import Records
from daemon.serving import mind_a_restored_database
from engine.reminders import ReminderState
from jobs import account_acts, acts, deliver, stranded
from jobs.office import Office
from store import HighWater, inbox
from store.tables import AccountRow, InvoiceRow, MessageRow, OrganisationRow, StepRow
from tests.jobs.sending_house import Answering, plug_in
from town import Town

FERN = "Fern & Fig Café"


def due_today(a_town: Callable[..., Town], url: str | None = None, *, invoices: int = 1) -> Town:
    """Tuesday 13 January, 07:30 UTC: the reminder is queued for 09:00."""
    town = a_town(url, at=datetime(2026, 1, 12, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    for number in range(invoices):
        town.control.add_invoice(FERN, due="2026-01-06", amount="10.00", number=f"INV-{number:03}")
    town.connect()
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    return town


def test_nothing_leaves_before_the_sending_time(a_town: Callable[..., Town]) -> None:
    town = due_today(a_town)
    town.move(datetime(2026, 1, 13, 8, 59, tzinfo=UTC))
    town.work()
    assert town.control.mails() == []

    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    town.work()
    assert len(town.control.mails()) == 1


def test_a_reminder_that_becomes_due_after_the_sending_time_waits_for_the_next_one(a_town: Callable[..., Town]) -> None:
    town = due_today(a_town)
    town.control.edit_contact(FERN, email=None)
    town.move(datetime(2026, 1, 13, 8, 45, tzinfo=UTC))
    town.sync()
    town.control.edit_contact(FERN, email="fern@fig.example")
    town.move(datetime(2026, 1, 13, 21, 0, tzinfo=UTC))
    town.sync()
    town.work()
    assert town.control.mails() == [], "nobody wants to be written to at night"

    town.day(date(2026, 1, 14))
    assert len(town.control.mails()) == 1


def test_a_reminder_that_missed_its_day_because_we_were_down_waits_for_the_next_sending_time(
    a_town: Callable[..., Town],
) -> None:
    town = due_today(a_town)
    town.move(datetime(2026, 1, 13, 22, 0, tzinfo=UTC))
    town.sync()
    town.work()
    town.work()

    assert town.control.mails() == []
    assert [note.text for note in town.notes(FERN) if note.kind == "held"] == [
        "Reminder 1 missed its sending time; it waits for 14 January 2026."
    ]
    town.day(date(2026, 1, 14))
    assert len(town.control.mails()) == 1


def test_many_workers_at_once_say_once_that_a_reminder_missed_its_sending_time(
    a_town: Callable[..., Town], database_url: str
) -> None:
    town = due_today(a_town, database_url)
    town.move(datetime(2026, 1, 13, 22, 0, tzinfo=UTC))
    town.sync()
    together = threading.Barrier(6)

    def work() -> None:
        together.wait()
        deliver.postpone_missed(town.office)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([note for note in town.notes(FERN) if note.kind == "held"]) == 1


def test_the_look_before_the_send_asks_about_every_open_invoice_however_many(a_town: Callable[..., Town]) -> None:
    town = due_today(a_town, invoices=95)
    town.control.calls(reset=True)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    asked = [call for call in town.control.calls() if "IDs=" in str(call.get("query"))]
    assert len(asked) == 3, "forty a call"
    assert town.mails_to("fern@fig.example")[0]["subject"]


def test_after_a_restore_no_attempt_has_the_number_of_one_that_the_copy_does_not_know(
    a_town: Callable[..., Town], database_url: str
) -> None:
    """Debtors have its number in the address that they answer to, and providers in what they still tell of it."""
    town = due_today(a_town, database_url)
    town.office.high_water = mark = HighWater(town.folder / "high-water")
    mark.rise(41)
    mind_a_restored_database(town.office)
    acts.resume_organisation(town.office, town.organisation, by="Olive Owner")
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    town.work()

    with town.office.database.reading() as session:
        assert list(session.scalars(select(MessageRow.id))) == [42]
        assert not mark.is_above(session), "and nobody has to start sending again after each restart"
    assert len(town.control.mails()) == 1


def test_eight_workers_at_once_send_one_message(a_town: Callable[..., Town], database_url: str) -> None:
    town = due_today(a_town, database_url)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    threads = [threading.Thread(target=deliver.deliver_due, args=(town.office,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(town.control.mails()) == 1
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.SENT]
    assert len([note for note in town.notes(FERN) if note.kind == "reminder sent"]) == 1


def test_a_payment_that_syncs_between_the_look_and_the_send_is_not_undone_by_the_older_look(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = due_today(a_town, invoices=2)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    inner = deliver.look_again

    def looks_and_is_overtaken(office: Office, claimed: deliver.Claimed, *links: Any) -> Records | None:
        seen = inner(office, claimed, *links)
        town.control.pay("INV-000")
        town.move(datetime(2026, 1, 13, 9, 1, tzinfo=UTC))
        assert town.sync().state == "done"
        return seen

    monkeypatch.setattr(deliver, "look_again", looks_and_is_overtaken)
    deliver.deliver_due(town.office)

    (mail,) = town.control.mails()
    assert "INV-001" in mail["text"]
    assert "INV-000" not in mail["text"], "our own books had said that it was paid"


def test_what_the_last_look_has_learnt_moves_the_account_though_an_unread_answer_keeps_its_reminder_back(
    a_town: Callable[..., Town],
) -> None:
    town = due_today(a_town)
    town.control.pay("INV-000")
    with town.office.database.unit_of_work() as unit:  # of a channel that is not set up any more, say
        inbox.keep_post(unit, channel="nowhere", event_id="1", raw=b"", at=town.clock())
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    assert town.control.mails() == []
    assert town.position(FERN).state == "clear"
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.WITHDRAWN]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Receipt("250 2.0.0 \0Ok\ud800", datetime(2026, 1, 13, 9, tzinfo=UTC), "Not all \0of it."), ReminderState.SENT),
        (Refused("550 no\0body\ud800 here"), ReminderState.REFUSED),
        (Unavailable("450 come \0back\ud800"), ReminderState.QUEUED),
        (Unsure("\0\ud800"), ReminderState.UNSURE),
    ],
)
def test_no_word_of_a_strange_server_keeps_what_became_of_a_message_from_being_written_down(
    a_town: Callable[..., Town], database_url: str, outcome: Outcome, state: ReminderState
) -> None:
    """PostgreSQL takes no zero byte in a text, and neither database half a character."""
    town = due_today(a_town, database_url)
    plug_in(town.office, "email_smtp", Answering([outcome]))
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    assert [reminder.state for reminder in town.reminders(FERN)] == [state]


def test_an_outcome_that_comes_late_does_not_touch_the_attempt_that_followed(a_town: Callable[..., Town]) -> None:
    """A worker freezes while it sends; a person says that it did not go; another worker sends; the first wakes up."""
    town = due_today(a_town)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    office, (reminder,) = town.office, town.reminders(FERN)
    claimed = deliver.claim(office, reminder.id or 0)
    assert claimed is not None
    fresh = deliver.look_again(office, claimed)
    assert fresh is not None
    frozen = deliver.mark(office, claimed, fresh)
    assert frozen is not None
    town.move(datetime(2026, 1, 13, 9, 11, tzinfo=UTC))
    stranded.settle_stranded(office)
    acts.settle_unsure(office, reminder.id or 0, went=False, by="Olive Owner")
    deliver.deliver_due(office)
    assert len(town.control.mails()) == 1

    deliver.settle(office, frozen, Unavailable("the connection was refused"))
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    deliver.deliver_due(office)

    assert len(town.control.mails()) == 1
    assert town.reminders(FERN)[0].state == ReminderState.SENT


def test_a_doubt_that_a_person_settles_counts_for_the_day_on_the_organisations_own_calendar(
    a_town: Callable[..., Town],
) -> None:
    town = a_town(at=datetime(2026, 1, 11, 20, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="10.00")
    town.connect()
    with town.office.database.unit_of_work() as unit:
        for organisation in unit.scalars(select(OrganisationRow)):
            organisation.time_zone = "Australia/Sydney"
    town.control.faults(smtp={"drop_after_data": 1})
    town.move(datetime(2026, 1, 12, 21, 0, tzinfo=UTC))  # Tuesday the 13th, 08:00, in Sydney
    town.sync()
    town.move(datetime(2026, 1, 12, 22, 5, tzinfo=UTC))
    town.work()
    (unsure,) = town.reminders(FERN)
    assert unsure.state == ReminderState.UNSURE
    acts.settle_unsure(town.office, unsure.id or 0, went=True, by="Olive Owner")

    assert str(town.reminders(FERN)[0].performed_on) == "2026-01-13"


def test_an_invoice_that_the_ledger_no_longer_shows_is_a_task_and_nothing_is_sent(a_town: Callable[..., Town]) -> None:
    town = due_today(a_town)
    (invoice,) = town.control.invoices()
    town.control.raw_row("Invoices", {"DueDate": None, "DueDateString": None}, like=invoice["id"])
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    assert town.control.mails() == []
    assert [task.text for task in town.tasks()] == [
        "The ledger no longer says how INV-000 stands. Until it does, nothing is sent to this account."
    ]


def test_of_an_invoice_that_is_missing_no_other_organisations_number_is_told(a_town: Callable[..., Town]) -> None:
    """QuickBooks counts each company's invoices from one, so two organisations have the same ledger ids."""
    town = due_today(a_town)
    (invoice,) = town.control.invoices()
    with town.office.database.unit_of_work() as unit:
        unit.add(OrganisationRow(id=77, name="Another Firm", created_at=town.clock()))
        unit.flush()
        unit.add(AccountRow(id=77, organisation_id=77, ledger_id="1", name="Their debtor"))
        unit.flush()
        theirs = InvoiceRow(organisation_id=77, account_id=77, ledger_id=invoice["id"], number="THEIRS-1")
        theirs.due_on, theirs.total, theirs.balance = date(2026, 1, 6), Decimal(1), Decimal(1)
        theirs.currency, theirs.status = "GBP", "paid"
        unit.add(theirs)
    town.control.raw_row("Invoices", {"DueDate": None, "DueDateString": None}, like=invoice["id"])
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    assert [task.text for task in town.tasks()] == [
        "The ledger no longer says how INV-000 stands. Until it does, nothing is sent to this account."
    ]
    assert not any("THEIRS-1" in note.text for note in town.notes(FERN))


def test_when_the_ledger_says_slow_down_nobody_calls_it_again_before_its_time(a_town: Callable[..., Town]) -> None:
    town = due_today(a_town)
    for number in range(4):
        town.control.add_contact(f"Ash {number}", email=f"ash{number}@debtor.example")
        town.control.add_invoice(f"Ash {number}", due="2026-01-05", amount="10.00")
    town.move(datetime(2026, 1, 13, 8, 30, tzinfo=UTC))
    town.sync()
    town.control.faults(next=["429day"])
    town.control.calls(reset=True)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    town.work()

    assert len([call for call in town.control.calls() if "IDs=" in str(call)]) == 1
    assert town.control.mails() == []


def test_a_mailbox_that_cannot_be_opened_is_a_task_and_after_a_day_of_it_nothing_is_sent(
    a_town: Callable[..., Town],
) -> None:
    town = due_today(a_town)
    settings = town.office.channels["email_smtp"]
    town.office.channels = {"email_smtp": replace(settings, imap_password="wrong")}
    town.office.close_channels()
    town.move(datetime(2026, 1, 13, 8, 0, tzinfo=UTC))
    town.work()
    (task,) = town.tasks()
    assert task.text.startswith("Answers cannot be read:")

    town.move(datetime(2026, 1, 14, 8, 30, tzinfo=UTC))
    town.sync()
    town.move(datetime(2026, 1, 14, 9, 0, tzinfo=UTC))
    town.work()
    assert town.control.mails() == [], "people may have answered, and we would not know"

    town.office.channels = {"email_smtp": settings}
    town.office.close_channels()
    town.move(datetime(2026, 1, 14, 9, 5, tzinfo=UTC))
    town.work()
    town.move(datetime(2026, 1, 14, 9, 6, tzinfo=UTC))
    town.work()
    assert town.tasks() == []
    assert len(town.control.mails()) == 1


def test_a_mail_server_that_cannot_be_reached_is_told_to_a_person_until_the_next_reminder_gets_through(
    a_town: Callable[..., Town],
) -> None:
    town = due_today(a_town)
    settings = town.office.channels["email_smtp"]
    town.office.channels = {"email_smtp": replace(settings, port=1)}
    town.office.close_channels()
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)
    (task,) = town.tasks()
    assert task.text.startswith("Reminders by email cannot be sent:")
    assert town.reminders(FERN)[0].state == ReminderState.QUEUED

    town.office.channels = {"email_smtp": settings}
    town.office.close_channels()
    town.move(datetime(2026, 1, 13, 9, 6, tzinfo=UTC))
    deliver.deliver_due(town.office)
    assert town.tasks() == []
    assert len(town.control.mails()) == 1


def test_other_people_at_the_account_are_copied_when_the_ledger_says_so(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 12, 7, tzinfo=UTC), company=False)
    persons = [
        {"first_name": "Bo", "last_name": "Boss", "email": "boss@fig.example", "in_emails": True},
        {"first_name": "No", "last_name": "Body", "email": "no@fig.example", "in_emails": False},
    ]
    town.control.add_contact(FERN, email="fern@fig.example", persons=persons)
    town.control.add_invoice(FERN, due="2026-01-06", amount="10.00")
    town.connect()
    town.day(date(2026, 1, 13))

    (mail,) = town.control.mails()
    assert "fern@fig.example" in str(mail["to"])
    assert "boss@fig.example" in str(mail["cc"])
    assert "no@fig.example" not in mail["raw"]


def test_one_reminder_that_trips_does_not_hold_up_the_others(a_town: Callable[..., Town], monkeypatch: object) -> None:
    town = due_today(a_town)
    town.control.add_contact("Ash", email="ash@debtor.example")
    town.control.add_invoice("Ash", due="2026-01-05", amount="10.00")
    town.move(datetime(2026, 1, 13, 8, 30, tzinfo=UTC))
    town.sync()
    inner = deliver.look_again

    def trips(office: Office, claimed: deliver.Claimed, *links: Any) -> Records | None:
        if claimed.reminder_id == town.reminders(FERN)[0].id:
            raise RuntimeError("something nobody thought of")
        return inner(office, claimed, *links)

    monkeypatch.setattr(deliver, "look_again", trips)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    assert len(town.mails_to("ash@debtor.example")) == 1
    assert town.reminders(FERN)[0].state == ReminderState.QUEUED
    assert [task.kind for task in town.tasks()] == ["trouble"]


def test_a_machine_that_is_switched_on_after_the_sending_time_still_sends_that_day(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 12, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="10.00")
    town.connect()
    town.move(datetime(2026, 1, 13, 9, 40, tzinfo=UTC))
    town.sync()
    town.work()

    assert [str(reminder.performed_on) for reminder in town.reminders(FERN)] == ["2026-01-13"]


def test_outside_the_debtors_hours_nothing_is_sent_and_history_says_once_when_it_will_be(
    a_town: Callable[..., Town],
) -> None:
    """The limits are asked a last time in the second before: what was planned for nine may not be true any more."""
    town = due_today(a_town)
    with town.office.database.unit_of_work() as unit:
        for organisation in unit.scalars(select(OrganisationRow)):
            organisation.contact_rules = "uk"
        for account in unit.scalars(select(AccountRow)):
            account.time_zone = "America/New_York"  # and nobody has planned anew
    for minute in (0, 5, 20):
        town.move(datetime(2026, 1, 13, 9, minute, tzinfo=UTC))
        town.work()
    (waiting,) = town.reminders(FERN)
    assert (waiting.state, waiting.send_after) == (ReminderState.QUEUED, datetime(2026, 1, 13, 13, tzinfo=UTC))
    why = "8 pm to 8 am is closed for emails where the debtor lives; open again on 13 January 2026 at 08:00"
    assert waiting.why == why
    assert [note.text for note in town.notes(FERN) if note.kind == "held"] == [f"Reminder 1 was not sent yet: {why}."]
    assert town.control.mails() == []

    town.move(datetime(2026, 1, 13, 13, 1, tzinfo=UTC))
    town.work()
    assert len(town.control.mails()) == 1
    assert str(town.reminders(FERN)[0].performed_on) == "2026-01-13"


def test_what_the_limits_have_moved_into_the_evening_has_not_missed_its_sending_time(
    a_town: Callable[..., Town],
) -> None:
    town = a_town(at=datetime(2026, 1, 12, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="10.00")
    town.connect()
    with town.office.database.unit_of_work() as unit:
        for organisation in unit.scalars(select(OrganisationRow)):
            organisation.contact_rules = "uk"
    account_acts.set_time_zone(town.office, town.account(FERN).id or 0, time_zone="Australia/Sydney", by="Olive Owner")
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    for hour in (9, 17, 20):
        town.move(datetime(2026, 1, 13, hour, 30, tzinfo=UTC))
        town.sync()
        town.work()
    assert town.control.mails() == []
    assert town.reminders(FERN)[0].send_after == datetime(2026, 1, 13, 21, tzinfo=UTC), "8 o'clock in Sydney"

    town.move(datetime(2026, 1, 13, 21, 1, tzinfo=UTC))
    town.work()
    assert len(town.control.mails()) == 1
    assert [note.text for note in town.notes(FERN) if note.kind == "held"] == []


def test_a_third_contact_in_a_week_waits_with_the_reason_and_what_a_person_let_go_counts_too(
    a_town: Callable[..., Town],
) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-05", amount="10.00")
    town.connect()
    with town.office.database.unit_of_work() as unit:
        for organisation in unit.scalars(select(OrganisationRow)):
            organisation.contact_rules = "default"
        steps = unit.scalars(select(StepRow).order_by(StepRow.day)).all()
        for step, day, manual in zip(steps, (1, 2, 3, 40, 50), (False, True, False, False, False), strict=True):
            step.day, step.manual = day, manual
    town.walk(date(2026, 1, 6), date(2026, 1, 7))
    assert len(town.control.mails()) == 1
    (_, pending) = town.reminders(FERN)
    account_acts.approve_reminder(town.office, pending.id or 0, by="Olive Owner")
    town.walk(date(2026, 1, 8), date(2026, 1, 12))
    assert len(town.control.mails()) == 2
    position = town.position(FERN)
    assert position.held_because == "the contact limits are reached: 2 contacts in 7 days are the most"
    assert any(
        note.text.startswith("Reminder 3 was not sent: the contact limits are reached") for note in town.notes(FERN)
    )

    town.day(date(2026, 1, 13))
    assert len(town.control.mails()) == 3, "seven days after the first"
