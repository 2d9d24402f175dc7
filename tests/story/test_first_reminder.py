"""The whole path: ledger, reminder, reply and a note back in the ledger, over real HTTP, SMTP and IMAP."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from engine.reminders import ReminderState
from jobs import acts
from store.tables import OrganisationRow, ReminderRow, SetAsideRow, StepRow, SyncRunRow
from town import Town

FERN = "Fern & Fig Café"
GROWS = "{% assign x = 'xxxxxxxxxx' %}" + "{% assign x = x | append: x %}" * 60 + "{{ x }}"


def a_firm_with_fern(a_town: Callable[..., Town], url: str | None = None) -> Town:
    town = a_town(url, at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example", first_name="Fern", last_name="Figgis")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    town.control.add_invoice(FERN, due="2026-01-24", amount="400.00", number="INV-B")
    return town


def test_the_story_of_the_product_from_the_first_reminder_to_the_note_in_the_ledger(
    a_town: Callable[..., Town], database_url: str
) -> None:
    town = a_firm_with_fern(a_town, database_url)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 2, 17))

    sent = [(reminder.step_name, str(reminder.performed_on)) for reminder in town.reminders(FERN)]
    assert sent == [
        ("Reminder 1", "2026-01-13"),
        ("Reminder 2", "2026-01-27"),
        ("Reminder 3", "2026-02-10"),
        ("Reminder 4", "2026-02-17"),
    ]
    mails = town.mails_to("fern@fig.example")
    assert len(mails) == 4
    assert "INV-A" in mails[-1]["text"] and "INV-B" in mails[-1]["html"]
    assert "£1,400.00" in mails[-1]["text"]
    assert mails[-1]["headers"]["Auto-Submitted"] == "auto-generated"

    town.control.pay("INV-A")
    town.day(date(2026, 2, 18))
    position = town.position(FERN)
    assert (position.assigned_step, position.next_step) == ("Reminder 2", "Reminder 3")
    assert position.next_due_on == date(2026, 2, 28)
    assert position.because == (
        "INV-A, 43 days overdue, was paid; INV-B is now the oldest at 25 days, where Reminder 2 applies"
    )

    town.control.reply(mails[-1]["message_id"], "INV-B goes out on Friday, sorry!\nFern")
    town.work()
    (reply,) = town.replies(FERN)
    assert (reply.matched_by, reply.said) == ("token", "INV-B goes out on Friday, sorry!\nFern")
    in_the_ledger = [note["details"] for note in town.control.notes()]
    assert any("INV-B goes out on Friday" in text for text in in_the_ledger)
    assert any(text.startswith("Moved back from Reminder 4 to Reminder 2") for text in in_the_ledger)
    assert len(in_the_ledger) == 6, "four reminders, one move back, one reply"


def test_an_unread_reply_holds_the_next_reminder_until_somebody_has_read_it(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    town.control.reply(town.mails_to("fern@fig.example")[0]["message_id"], "Which invoice is this?")
    town.walk(date(2026, 1, 14), date(2026, 1, 28))

    assert len(town.mails_to("fern@fig.example")) == 1
    assert "a reply has not been read yet" in town.reminders(FERN)[-1].held_because

    acts.read_reply(town.office, town.replies(FERN)[0].id or 0, by="Olive Owner")
    town.day(date(2026, 1, 29))
    assert len(town.mails_to("fern@fig.example")) == 2


def test_what_was_paid_in_the_minute_before_the_sending_time_is_not_chased(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    assert town.reminders(FERN)[0].state == ReminderState.QUEUED

    town.control.pay("INV-A")  # after the sync, before the send
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()

    assert town.mails_to("fern@fig.example") == []
    assert town.reminders(FERN)[0].state == ReminderState.WITHDRAWN
    assert town.position(FERN).state == "clear"


def test_nothing_is_sent_while_the_ledger_cannot_be_asked_once_more(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.faults(down=True)
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()

    (waiting,) = town.reminders(FERN)
    assert waiting.state == ReminderState.QUEUED
    assert waiting.why.startswith("the ledger could not be asked once more")
    assert town.mails_to("fern@fig.example") == []

    town.control.faults(down=False)
    town.move(datetime(2026, 1, 13, 10, 0, tzinfo=UTC))
    town.work()
    assert len(town.mails_to("fern@fig.example")) == 1


def test_a_sync_that_is_cut_short_keeps_what_was_read_and_counts_as_no_reading(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 8))
    read = _read_at(town)
    town.control.pay("INV-A")
    town.control.faults(next=[{"fault": "503", "path": "Contacts"}])
    town.move(town.clock() + timedelta(hours=2))  # long enough for the contacts to be due again

    run = town.sync()

    assert run.state == "partial"
    assert run.error and "it goes on from there" in run.next_act
    assert run.call_count >= 2, "the invoices had been read already"
    assert town.position(FERN).state == "clear"
    assert _read_at(town) == read

    assert town.sync().state == "done"
    assert _read_at(town) == town.clock()


def test_a_row_that_cannot_be_read_waits_in_the_sync_log_and_the_others_go_on(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    (model,) = [row["id"] for row in town.control.invoices() if row["number"] == "INV-B"]
    town.control.raw_row("Invoices", {"DueDate": None, "DueDateString": None}, like=model)
    town.connect()
    run = _last_run(town)

    assert run.state == "done"
    assert run.set_aside == 1
    with town.office.database.reading() as session:
        (aside,) = session.scalars(select(SetAsideRow)).all()
    assert "due date" in aside.reason.lower()
    assert '"DueDate":null' in aside.raw.replace(" ", "")
    town.walk(date(2026, 1, 6), date(2026, 1, 7))
    assert town.position(FERN).because.startswith("INV-A is the oldest overdue invoice")


def test_an_account_without_an_address_is_a_task_for_a_person(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact("Nowhere Ltd")
    town.control.add_invoice("Nowhere Ltd", due="2025-12-20", amount="80.00", number="N-1")
    town.connect()
    town.day(date(2026, 1, 6))

    (task,) = town.tasks()
    assert task.text == "Nowhere Ltd cannot be reminded: the ledger has no email address for it. Add one there."
    assert town.control.mails() == []

    town.control.edit_contact("Nowhere Ltd", email="found@nowhere.example")
    town.day(date(2026, 1, 7))
    assert town.tasks() == []
    assert len(town.mails_to("found@nowhere.example")) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("You owe {{ account.total_ovredue }}.", "account.total_ovredue"),
        (GROWS, "make the texts it assigns shorter"),
    ],
    ids=["an unknown placeholder", "a text that grows without end"],
)
def test_a_template_that_does_not_render_holds_the_reminder_and_says_why(
    a_town: Callable[..., Town], words: str, why: str
) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    _reword(town, "r1", words)
    town.walk(date(2026, 1, 6), date(2026, 1, 13))

    assert town.mails_to("fern@fig.example") == []
    (held,) = town.reminders(FERN)
    assert held.state == ReminderState.QUEUED
    assert why in held.held_because
    (task,) = town.tasks()
    assert "cannot be put into words" in task.text

    _reword(town, "r1", "You owe {{ account.total_overdue }}.")
    acts.close_task(town.office, task.id or 0, by="Olive Owner")
    town.day(date(2026, 1, 14))
    assert "You owe £1,000.00." in town.mails_to("fern@fig.example")[0]["text"]


def test_a_refused_address_is_told_to_a_person_and_tried_again_only_when_asked(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.control.faults(smtp={"refuse": ["fern@fig.example"]})
    town.walk(date(2026, 1, 6), date(2026, 1, 15))

    (refused,) = town.reminders(FERN)
    assert refused.state == ReminderState.REFUSED
    assert refused.attempts == 1
    assert [task.kind for task in town.tasks()] == ["refused"]

    town.control.faults(smtp={"refuse": []})
    acts.try_again(town.office, refused.id or 0, by="Olive Owner")
    town.day(date(2026, 1, 16))
    assert len(town.mails_to("fern@fig.example")) == 1
    assert town.tasks() == []


def test_a_doubtful_send_is_never_repeated_by_itself_and_a_reply_to_it_settles_it(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.control.faults(smtp={"drop_after_data": 1})
    town.walk(date(2026, 1, 6), date(2026, 1, 15))

    (unsure,) = town.reminders(FERN)
    assert unsure.state == ReminderState.UNSURE
    assert len(town.mails_to("fern@fig.example")) == 1, "it had in truth gone out"
    assert [task.kind for task in town.tasks()] == ["unsure"]

    town.control.reply(town.mails_to("fern@fig.example")[0]["message_id"], "Will do.")
    town.work()
    assert town.reminders(FERN)[0].state == ReminderState.SENT
    assert town.tasks() == []


def test_a_bounce_stops_the_address_and_raises_a_task(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    town.control.bounce(town.mails_to("fern@fig.example")[0]["message_id"])
    town.walk(date(2026, 1, 14), date(2026, 1, 28))

    assert len(town.mails_to("fern@fig.example")) == 1
    assert [task.kind for task in town.tasks()] == ["bounce"]


def test_an_out_of_office_answer_holds_nothing(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    town.control.reply(
        town.mails_to("fern@fig.example")[0]["message_id"], "I am away.", subject="Automatic reply: Overdue account"
    )
    town.walk(date(2026, 1, 14), date(2026, 1, 28))

    assert [reply.kind for reply in town.replies(FERN)] == ["out of office"]
    assert len(town.mails_to("fern@fig.example")) == 2


def test_a_reply_that_nobody_can_match_waits_for_a_person_and_is_never_guessed(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    town.control.reply(
        town.mails_to("fern@fig.example")[0]["message_id"],
        "We have paid.",
        from_="somebody@else.example",
        as_new_thread=True,
        subject="A question",
    )
    town.work()

    assert town.replies(FERN) == []
    assert [task.kind for task in town.tasks()] == ["unmatched reply"]


def test_a_new_organisation_starts_paused_and_shows_what_it_would_send(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=True)
    town.connect(start_sending=False)
    town.walk(date(2026, 1, 6), date(2026, 1, 7))

    assert town.control.mails() == []
    with town.office.database.reading() as session:
        planned = session.scalars(select(ReminderRow).where(col(ReminderRow.state) == ReminderState.QUEUED)).all()
    assert planned
    assert all("sending is paused for the whole organisation" in reminder.held_because for reminder in planned)


def test_a_note_whose_answer_was_lost_is_written_once(a_town: Callable[..., Town]) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.faults(next=[{"fault": "drop_after", "method": "PUT", "path": "History"}])
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()
    town.move(datetime(2026, 1, 13, 9, 33, tzinfo=UTC))
    town.work()
    town.move(datetime(2026, 1, 13, 11, 0, tzinfo=UTC))
    town.work()

    assert len(town.control.notes()) == 1


def test_a_note_is_looked_for_before_it_is_written_again_once_the_ledger_may_have_forgotten(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm_with_fern(a_town)
    town.connect()
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.faults(next=[{"fault": "drop_after", "method": "PUT", "path": "History"}])
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()
    town.move(datetime(2026, 1, 13, 12, 0, tzinfo=UTC))
    town.work()

    assert len(town.control.notes()) == 1


def _read_at(town: Town) -> object:
    with town.office.database.reading() as session:
        return session.scalars(select(OrganisationRow)).one().ledger_as_of


def _last_run(town: Town) -> SyncRunRow:
    with town.office.database.reading() as session:
        return session.scalars(select(SyncRunRow).order_by(col(SyncRunRow.id).desc()).limit(1)).one()


def _reword(town: Town, step: str, body: str) -> None:
    with town.office.database.unit_of_work() as unit:
        for row in unit.scalars(select(StepRow).where(col(StepRow.step_id) == step)):
            row.body = body
