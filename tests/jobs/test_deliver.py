"""Mirrors jobs/deliver.py: one more look, one message, and never at a time when nobody wants to be written to."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

from engine.reminders import ReminderState
from jobs import deliver
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
        "Reminder 1 missed its sending time; it waits for 14.01.2026."
    ]
    town.day(date(2026, 1, 14))
    assert len(town.control.mails()) == 1


def test_the_look_before_the_send_asks_about_every_open_invoice_however_many(a_town: Callable[..., Town]) -> None:
    town = due_today(a_town, invoices=95)
    town.control.calls(reset=True)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    asked = [call for call in town.control.calls() if "IDs=" in str(call.get("query"))]
    assert len(asked) == 3, "forty a call"
    assert town.mails_to("fern@fig.example")[0]["subject"]


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


def test_a_payment_that_syncs_while_the_message_is_on_its_way_is_not_overwritten(a_town: Callable[..., Town]) -> None:
    """Sync, deliver and a person's act all at once, again and again: in the end the books and the position agree."""
    town = due_today(a_town)
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    town.control.faults(smtp={"slow": 0.3})
    sending = threading.Thread(target=deliver.deliver_due, args=(town.office,))
    sending.start()
    town.control.pay("INV-000")
    town.sync()
    sending.join()

    assert town.position(FERN).state == "clear"
    assert town.position(FERN).anchor is None
    assert all(reminder.state in (ReminderState.SENT, ReminderState.WITHDRAWN) for reminder in town.reminders(FERN))


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

    def trips(office: object, claimed: deliver.Claimed) -> object:
        if claimed.reminder_id == town.reminders(FERN)[0].id:
            raise RuntimeError("something nobody thought of")
        return inner(office, claimed)  # type: ignore[arg-type]

    monkeypatch.setattr(deliver, "look_again", trips)  # type: ignore[attr-defined]
    town.move(datetime(2026, 1, 13, 9, 0, tzinfo=UTC))
    deliver.deliver_due(town.office)

    assert len(town.mails_to("ash@debtor.example")) == 1
    assert town.reminders(FERN)[0].state == ReminderState.QUEUED
