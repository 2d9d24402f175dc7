"""Reminders leave by SendGrid, and what became of them and the answers come in at the doors, all over real HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from sqlalchemy import select
from sqlmodel import col

from channels import settings_of
from engine.reminders import ReminderState
from jobs import deliver
from jobs.looked import Looked
from jobs.office import Office
from store.inbox import keep_post
from store.tables import AddressStopRow, MessageRow, PostRow
from tests.sandbox.sendgrid_listening import settled
from town import Town
from web import build

FERN, ADDRESS = "Fern & Fig Café", "fern@fig.example"
REPLIES = "reply.brightwater.example"
FIRST_REMINDER = date(2026, 1, 13)


class House:
    """A town whose email goes by SendGrid and whose doors are open."""

    def __init__(self, town: Town, hooks: str) -> None:
        self.town, self.hooks = town, hooks
        keys = {
            "event_public_key": town.control.sendgrid.webhook(f"{hooks}/events"),
            "inbound_public_key": town.control.sendgrid.parse(REPLIES, f"{hooks}/inbound"),
        }
        grid = town.world.sendgrid
        addresses = {"from_address": "accounts@brightwater.example", "reply_mailbox": f"replies@{REPLIES}"}
        settings = settings_of("email_sendgrid")(grid.api_key, host=grid.host, **addresses, **keys)
        town.office.channels = {"email_sendgrid": settings}

    def until(self, posts: int) -> None:
        """So many posts have been stored, and everything that the schedule does is done."""
        patience = threading.Event()
        for _ in range(1000):
            if len(self.rows(PostRow)) >= posts:
                break
            patience.wait(0.01)
        assert len(self.rows(PostRow)) == posts
        self.town.work()

    def rows(self, table: Any) -> list[Any]:
        with self.town.office.database.reading() as session:
            return list(session.scalars(select(table).order_by(col(table.id))))


@pytest.fixture
def house(a_town: Callable[..., Town]) -> Iterator[House]:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email=ADDRESS, first_name="Fern", last_name="Figgis")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    house = House(town, f"http://127.0.0.1:{port}/hooks/email_sendgrid")
    app = build(town.office, poke=lambda *_: None)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    patience = threading.Event()
    for _ in range(1000):
        if server.started:
            break
        patience.wait(0.01)
    town.connect()
    yield house
    server.should_exit = True
    thread.join(10)


def test_what_is_told_of_one_mail_keeps_no_other_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, town = deliver.look_again, house.town

    def meanwhile(office: Office, *claimed: Any) -> Looked | None:
        fresh = looked(office, *claimed)
        told = b'{"event": "delivered", "sg_event_id": "of-another", "email": "someone@else.example"}'
        with office.database.unit_of_work() as unit:
            assert keep_post(unit, channel="email_sendgrid", event_id="of-another", raw=told, at=office.clock())
        return fresh

    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    monkeypatch.setattr(deliver, "look_again", meanwhile)
    town.walk(FIRST_REMINDER, FIRST_REMINDER)

    assert len(town.mails_to(ADDRESS)) == 1


def test_a_reminder_leaves_arrives_and_is_answered(house: House) -> None:
    town = house.town
    town.walk(date(2026, 1, 6), FIRST_REMINDER)
    house.until(posts=2)
    (message,) = house.rows(MessageRow)
    (mail,) = town.mails_to(ADDRESS)

    assert (message.delivery, message.provider_id) == (
        "delivered",
        town.control.sendgrid.mails()[0]["sg_message_id"][:22],
    )
    assert mail["message_id"] == message.message_id and mail["reply_to"].endswith(f"@{REPLIES}")
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.SENT]

    town.control.reply(0, "It goes out on Friday.\n\nFern", html="<p>It goes out on Friday.</p>")
    house.until(posts=3)
    (reply,) = town.replies(FERN)
    assert (reply.matched_by, reply.said.split("\n")[0]) == ("token", "It goes out on Friday.")
    assert any("It goes out on Friday" in note["details"] for note in town.control.notes())
    town.walk(date(2026, 1, 14), date(2026, 1, 28))
    assert len(town.mails_to(ADDRESS)) == 1, "an unread reply holds the next reminder"


def test_a_reminder_whose_answer_was_lost_is_settled_by_what_sendgrid_tells_of_it(house: House) -> None:
    town = house.town
    town.control.sendgrid.habits(events_after=900, duplicates=True, out_of_order=True)
    town.control.sendgrid.faults("drop_after")
    town.walk(date(2026, 1, 6), FIRST_REMINDER)
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.UNSURE]

    town.move(town.clock() + timedelta(minutes=15))
    house.until(posts=2)
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.SENT]
    town.walk(date(2026, 1, 14), date(2026, 1, 20))
    assert len(town.mails_to(ADDRESS)) == 1


def test_a_reminder_that_a_crash_left_in_the_middle_is_found_in_the_logs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = house.town
    town.control.sendgrid.no_webhooks()
    with monkeypatch.context() as crash, pytest.raises(SystemExit):
        crash.setattr(deliver, "settle", lambda *_: (_ for _ in ()).throw(SystemExit))
        town.walk(date(2026, 1, 6), FIRST_REMINDER)
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.SENDING]

    town.walk(date(2026, 1, 14), date(2026, 1, 15))
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.SENT]
    assert any("Email Logs" in note.text for note in town.notes(FERN))
    assert len(town.mails_to(ADDRESS)) == 1


def test_an_address_that_came_back_gets_nothing_more_until_a_person_has_looked(house: House) -> None:
    town = house.town
    town.control.sendgrid.fates({ADDRESS: "bounce"})
    town.walk(date(2026, 1, 6), FIRST_REMINDER)
    house.until(posts=2)
    (stop,) = house.rows(AddressStopRow)

    assert (stop.address, stop.kind) == (ADDRESS, "bounce")
    town.walk(date(2026, 1, 14), date(2026, 1, 28))
    assert len(town.control.sendgrid.mails()) == 1


def test_a_mail_that_nobody_signed_waits_for_a_person_and_holds_nothing(house: House) -> None:
    town = house.town
    town.walk(date(2026, 1, 6), FIRST_REMINDER)
    house.until(posts=2)
    town.control.sendgrid.parse(REPLIES, f"{house.hooks}/inbound", signed=False)
    town.control.reply(0, "Never mind, all is paid.")
    house.until(posts=3)

    assert town.replies(FERN) == []
    assert any(task.kind == "unreadable reply" for task in town.tasks())
    assert town.control.sendgrid.handed()[-1]["state"] == "done", "it is kept, so SendGrid need not come again"


def test_mails_wait_at_sendgrid_while_the_doors_are_closed(house: House) -> None:
    town = house.town
    town.walk(date(2026, 1, 6), FIRST_REMINDER)
    house.until(posts=2)
    broken = town.office.database
    town.office.database = None
    town.control.reply(0, "It goes out on Friday.")
    settled(town.control.sendgrid.handed, lambda rows: rows[0]["statuses"])
    town.office.database = broken
    assert town.control.sendgrid.handed()[0]["statuses"] == [503]

    town.move(town.clock() + timedelta(minutes=10))
    house.until(posts=3)
    assert [reply.said for reply in town.replies(FERN)] == ["It goes out on Friday."]


def test_a_reminder_waits_while_sendgrid_does_not_know_us(house: House) -> None:
    town = house.town
    town.control.sendgrid.key([])
    town.walk(date(2026, 1, 6), FIRST_REMINDER)

    (task,) = [task for task in town.tasks() if task.kind == "carrier"]
    assert "check api_key in [email_sendgrid]" in task.text
    assert [reminder.state for reminder in town.reminders(FERN)] == [ReminderState.QUEUED]
    town.control.sendgrid.key(["mail.send"])
    town.walk(date(2026, 1, 14), date(2026, 1, 14))
    assert len(town.mails_to(ADDRESS)) == 1
