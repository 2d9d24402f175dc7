"""Texts come in and calls are put through at the doors of the real house: FastAPI, signatures and all, over real HTTP.

The house stands behind a proxy, as most do: Twilio knows it by another name than it knows itself.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from channels import settings_of
from engine.workflow import Channel
from jobs.calling import ring
from jobs.calls import CallState
from jobs.drafts import Draft, DraftStep
from jobs.workflows import Saved, save_workflow
from serving import served
from store.tables import OrganisationRow, PhoneCallRow, PostRow, ReminderRow
from town import Town
from web import build

FERN, MOBILE, AGENT = "Fern & Fig Café", "+447400123456", "+447400654321"
PUBLIC = "https://arrears.example/office"
RING = Draft("Ring", (DraftStep("Call them", 7, subject="", body="", channel=Channel.CALL),))
CALL_DAY = date(2026, 1, 13)


class House:
    """A town whose telephone is at Twilio and whose doors are open."""

    def __init__(self, town: Town, address: str) -> None:
        self.town, self.twilio = town, town.control.twilio
        phone = town.world.twilio
        keys = {"account_sid": phone.account_sid, "auth_token": phone.auth_token, "from_number": phone.number}
        town.office.public_url = PUBLIC
        town.office.channels = {
            **town.office.channels,
            **{
                kind: settings_of(kind)(**keys, base_url=phone.base_url, answer_seconds=10)
                for kind in ("sms_twilio", "call_twilio")
            },
        }
        self.twilio.reach(PUBLIC, address)
        self.twilio.number(sms_url=f"{PUBLIC}/hooks/sms_twilio/reply")

    def settle(self) -> None:
        """Everybody has hung up, every post is answered, and everything that the schedule does is done."""
        self.twilio.settled()
        self.town.work()

    def rows(self, table: Any) -> list[Any]:
        with self.town.office.database.reading() as session:
            return list(session.scalars(select(table).order_by(col(table.id))))

    def statuses(self) -> set[int]:
        return {status for post in self.twilio.posts() for status in post["statuses"]}


@pytest.fixture
def house(a_town: Callable[..., Town]) -> Iterator[House]:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example", mobile="+44 7400 123456")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    with served(build(town.office, poke=lambda *_: None)) as address:
        house = House(town, address)
        town.connect()
        yield house


def the_call_that_waits(house: House) -> int:
    town = house.town
    saved = save_workflow(town.office, town.organisation, RING, by="Olive Owner")
    assert isinstance(saved, Saved), saved
    with town.office.database.unit_of_work() as unit:
        organisation = unit.get(OrganisationRow, town.organisation)
        assert organisation is not None
        organisation.default_workflow_id = saved.workflow_id
    town.walk(date(2026, 1, 6), CALL_DAY)
    (reminder,) = [row for row in house.rows(ReminderRow) if row.channel == Channel.CALL]
    return int(reminder.id)


def test_a_text_comes_in_at_the_door_and_is_a_reply_of_whoever_has_that_number(house: House) -> None:
    house.twilio.text(MOBILE, "We pay on Friday – promised 🙂")
    house.settle()

    (reply,) = house.town.replies(FERN)
    assert (reply.said, reply.sender) == ("We pay on Friday – promised 🙂", MOBILE)
    assert house.statuses() == {200}
    assert any("We pay on Friday" in note.text for note in house.town.notes(FERN))


def test_a_text_that_was_posted_and_is_found_in_the_list_as_well_is_one_reply(house: House) -> None:
    house.twilio.text(MOBILE, "We pay on Friday")
    house.settle()
    house.town.move(house.town.clock() + timedelta(hours=2))
    house.settle()

    assert len(house.rows(PostRow)) == 1


def test_a_text_that_came_while_the_house_was_closed_is_found_in_the_list(house: House) -> None:
    house.twilio.reach(PUBLIC, "http://127.0.0.1:9")
    house.twilio.text(MOBILE, "We pay on Friday")
    house.settle()

    assert house.statuses() == {0}
    assert [reply.said for reply in house.town.replies(FERN)] == ["We pay on Friday"]


def test_a_first_text_that_came_on_the_first_of_many_days_of_being_down_is_found_in_the_list(house: House) -> None:
    """Nobody had ever answered by text before, so nothing said how far the list had been read."""
    house.settle()
    house.twilio.reach(PUBLIC, "http://127.0.0.1:9")
    house.twilio.text(MOBILE, "We pay on Friday")
    house.town.move(house.town.clock() + timedelta(days=4))
    house.town.office.close_channels()  # and with them goes what the process has remembered
    house.settle()

    assert [reply.said for reply in house.town.replies(FERN)] == ["We pay on Friday"]


def test_a_click_rings_our_own_telephone_and_then_the_debtors(house: House) -> None:
    waiting, town = the_call_that_waits(house), house.town
    house.twilio.person(AGENT, presses=["1"])
    house.twilio.person(MOBILE, talks=95)
    ring(
        town.office,
        town.organisation,
        waiting,
        number=MOBILE,
        agent=AGENT,
        by="Olive Owner",
        nevertheless="they asked to be rung",
    )
    house.settle()

    (call,) = house.rows(PhoneCallRow)
    assert [leg["to"] for leg in house.twilio.calls()] == [AGENT, MOBILE]
    assert (call.state, call.seconds) == (CallState.ENDED, 95)
    assert call.reached_at is not None and call.answered_at is not None
    assert house.statuses() == {200, 204}
    assert [leg["troubles"] for leg in house.twilio.calls()] == [[], []]
    assert house.twilio.recordings() == 0


def test_a_post_that_came_to_another_house_by_the_same_name_is_turned_away(house: House) -> None:
    house.town.office.public_url = "https://somewhere-else.example"
    house.town.office.close_channels()
    house.twilio.text(MOBILE, "We pay on Friday")
    house.twilio.settled()

    assert house.statuses() == {401}
    assert house.rows(PostRow) == []
