"""Mirrors jobs/addressing.py: whom a reminder goes to, by each medium."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from channels import Refused
from engine.reminders import ReminderState
from jobs import deliver
from jobs.recalculate import recalculate
from jobs.stops import stop_address
from store import stops
from store.tables import AccountRow, ContactRow, MessageRow, ReminderRow, StepRow
from tests.jobs.sending_house import MORNING, Answering, debts, plug_in, settle
from town import Town

WORDS = "Please pay – {{ organisation.name }}’s invoice."


def texting(a_town: Callable[..., Town], mobile: str, contact: str = "") -> tuple[Town, Answering]:
    """Every step is a text message; the numbers are written as they are in the ledger."""
    town = debts(a_town, "Fern")
    speaking = plug_in(town.office, "sms_twilio", Answering(sender="+447700900999"))
    account = town.account("Fern").id
    with town.office.database.unit_of_work() as unit:
        unit.execute(update(StepRow).values(channel="sms", body=WORDS))
        unit.execute(update(AccountRow).values(mobile=mobile))
        if contact:
            unit.add(ContactRow(account_id=account, name="Ida", mobile=contact, receives_reminders=True, place=1))
        unit.execute(update(AccountRow).values(email=""))
        unit.execute(update(ReminderRow).values(channel="sms"))
    settle(town, country="GB")
    recalculate(town.office, town.organisation)
    return town, speaking


def test_a_text_goes_to_the_mobile_alone_in_the_networks_own_alphabet(a_town: Callable[..., Town]) -> None:
    town, speaking = texting(a_town, "07700 900123")
    deliver.deliver_due(town.office)

    (message,) = speaking.given
    assert (message.to, message.cc) == ("+447700900123", ())
    assert (message.subject, message.html, message.reply_to) == ("", "", "")
    assert message.text.startswith("Please pay - ") and "'s invoice." in message.text
    assert message.token
    assert town._of(MessageRow, "Fern")[-1].segments == 1


def test_without_a_mobile_of_its_own_the_first_person_with_one_gets_the_text(a_town: Callable[..., Town]) -> None:
    town, speaking = texting(a_town, "020 7946 0018", contact="07700 900456")
    deliver.deliver_due(town.office)
    assert [message.to for message in speaking.given] == ["+447700900456"]


@pytest.mark.parametrize("number", ["", "020 7946 0018", "999", "0871 234 5678", "not a number"])
def test_without_a_usable_mobile_the_step_is_skipped_and_the_sequence_goes_on(
    a_town: Callable[..., Town], number: str
) -> None:
    town, speaking = texting(a_town, number)
    deliver.deliver_due(town.office)
    assert speaking.given == []
    (reminder,) = town.reminders("Fern")
    assert (reminder.state, reminder.heard) == (ReminderState.SENT, False)
    assert "no usable mobile" in town.notes("Fern")[-1].text


def test_a_number_that_has_opted_out_at_the_provider_is_stopped_at_once(a_town: Callable[..., Town]) -> None:
    town, speaking = texting(a_town, "07700 900123")
    speaking.answers = [Refused("they have replied STOP", opted_out=True)]
    deliver.deliver_due(town.office)
    with town.office.database.reading() as session:
        stop = stops.stopped(session, town.organisation, "sms", "+447700900123")
    assert stop is not None and stop.kind == stops.OPT_OUT


def test_a_text_to_a_number_that_was_stopped_is_skipped_and_says_so(a_town: Callable[..., Town]) -> None:
    town, speaking = texting(a_town, "07700 900123")
    with town.office.database.unit_of_work() as unit:
        about = {"organisation_id": town.organisation, "account_id": town.account("Fern").id}
        stop_address(
            unit,
            town.office,
            medium="sms",
            address="+447700900123",
            kind=stops.OPT_OUT,
            source="keyword",
            **about,  # type: ignore[arg-type]
        )
    deliver.deliver_due(town.office)

    assert speaking.given == []
    stopped = "the number +447700900123 is stopped: they asked us to stop on 13 January 2026"
    assert town.notes("Fern")[-1].text == f"Reminder 1 was skipped: {stopped}."


def test_a_text_may_not_arrive_after_the_debtors_hours_of_contact(a_town: Callable[..., Town]) -> None:
    town, speaking = texting(a_town, "07700 900123")
    settle(town, contact_rules="uk")
    deliver.deliver_due(town.office)
    assert [message.valid_for for message in speaking.given] == [timedelta(hours=11)], "09:00 to 20:00"


def test_an_address_that_was_stopped_meanwhile_gets_no_copy(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    with town.office.database.unit_of_work() as unit:
        account = town.account("Fern")
        unit.add(ContactRow(account_id=account.id, name="Ida", email="ida@x.example", receives_reminders=True, place=1))
        unit.execute(update(StepRow).values(cc=["boss@brightwater.example", "IDA@x.example"]))
        stop_address(
            unit,
            town.office,
            organisation_id=town.organisation,
            account_id=account.id,
            medium="email",
            address="ida@x.example",
            kind=stops.BOUNCE,
            source="the provider",
        )
    deliver.deliver_due(town.office)
    (row,) = town._of(MessageRow, "Fern")
    assert (row.to, row.cc) == ("fern@debtor.example", ["boss@brightwater.example"])
    assert row.created_at == MORNING
    assert "Nothing went to ida@x.example: it bounced on 13 January 2026." in town.notes("Fern")[-1].text
