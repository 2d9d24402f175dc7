"""Mirrors jobs/voice.py and jobs/call_choices.py: a machine calls only where two people have said so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from channels import Delivery, DeliveryEvent
from engine.holds import HoldKind
from engine.reminders import ReminderState
from jobs.acting import NotAllowed
from jobs.call_results import Result
from jobs.calls import call_heard
from jobs.consents import consents, number_for_a_machine
from jobs.voice import (
    let_a_machine_call,
    may_still_speak,
    record_consent,
    set_voice_countries,
    withdraw_consent,
)
from store.tables import (
    AccountRow,
    AddressStopRow,
    InvoiceRow,
    MessageRow,
    OrganisationRow,
    ReminderRow,
    TaskRow,
    VoiceConsentRow,
)
from tests.jobs.calling_firm import CALL_DAY, CallingFirm
from tests.jobs.firm import BY

NUMBER = "+447400123456"
"""A number that is really given out, so that its country is known beyond doubt."""


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(sqlite_url)
    firm.office.channels = {"call_twilio": None}
    yield firm
    firm.close()


def chosen(firm: CallingFirm, *countries: str) -> None:
    set_voice_countries(firm.office, firm.id, [*countries], by=BY)


def agreed(firm: CallingFirm, number: str = NUMBER) -> None:
    record_consent(firm.office, firm.account_id, number=number, how="by email of 3 January", given_on=CALL_DAY, by=BY)


def may_call(firm: CallingFirm) -> str:
    with firm.office.database.reading() as session:
        organisation = session.get(OrganisationRow, firm.id)
        account = session.get(AccountRow, firm.account_id)
        assert organisation is not None and account is not None
        return number_for_a_machine(session, organisation, account)


@pytest.mark.parametrize(("countries", "consent"), [((), False), (("GB",), False), ((), True), (("US", "AU"), True)])
def test_without_both_no_machine_ever_calls(firm: CallingFirm, countries: tuple[str, ...], consent: bool) -> None:
    chosen(firm, *countries)
    if consent:
        agreed(firm)

    assert may_call(firm) == ""
    with pytest.raises(NotAllowed, match="A machine may not call them"):
        let_a_machine_call(firm.office, firm.call, by=BY)
    assert firm.reminder().by_machine is False


def test_with_both_a_person_may_let_a_machine_call(firm: CallingFirm) -> None:
    chosen(firm, "gb")
    agreed(firm)
    let_a_machine_call(firm.office, firm.call, by=BY)

    row = firm.reminder()
    assert (row.by_machine, row.approved_by, row.state) == (True, BY, ReminderState.QUEUED)
    assert firm.notes()[-1] == f"Final call: {BY} lets the machine call 07400 123456."


def test_even_with_both_a_call_step_waits_for_a_person(firm: CallingFirm) -> None:
    chosen(firm, "GB")
    agreed(firm)
    firm.walk(CALL_DAY + timedelta(days=1), CALL_DAY + timedelta(days=5))

    assert firm.reminder().state == ReminderState.QUEUED
    assert firm.reminder().held_because == "it waits for a person"


def test_a_consent_that_is_withdrawn_counts_no_more_and_can_be_given_again(firm: CallingFirm) -> None:
    chosen(firm, "GB")
    agreed(firm)
    agreed(firm)
    (consent,) = firm.rows(VoiceConsentRow)
    withdraw_consent(firm.office, firm.account_id, consent.id, by=BY)
    assert may_call(firm) == ""
    agreed(firm)

    assert may_call(firm) == NUMBER
    with firm.office.database.reading() as session:
        assert len(consents(session, firm.account_id, past=True)) == 2


def test_a_consent_withdrawn_in_the_last_second_sends_the_call_back_to_a_person(firm: CallingFirm) -> None:
    chosen(firm, "GB")
    agreed(firm)
    let_a_machine_call(firm.office, firm.call, by=BY)
    withdraw_consent(firm.office, firm.account_id, 1, by=BY)
    with firm.office.database.unit_of_work() as unit:
        organisation, account = unit.get(OrganisationRow, firm.id), unit.get(AccountRow, firm.account_id)
        reminder = unit.get(ReminderRow, firm.call)
        assert organisation is not None and account is not None and reminder is not None
        assert not may_still_speak(unit, firm.office, organisation, account, reminder)

    row = firm.reminder()
    assert (row.by_machine, row.approved_at, row.held_because) == (False, None, "it waits for a person")


@pytest.mark.parametrize("countries", [["Britain"], ["XX"], ["G"]])
def test_what_is_no_country_is_not_saved(firm: CallingFirm, countries: list[str]) -> None:
    with pytest.raises(NotAllowed, match="is no country"):
        set_voice_countries(firm.office, firm.id, countries, by=BY)


def test_a_consent_says_how_and_when_and_for_which_number(firm: CallingFirm) -> None:
    given: dict[str, Any] = {"number": NUMBER, "how": "by email", "given_on": CALL_DAY}
    for wrong, sentence in (
        ({"how": " "}, "Say how they agreed"),
        ({"number": "x"}, "no number that can be called"),
        ({"given_on": CALL_DAY + timedelta(days=1)}, "has not come yet"),
    ):
        with pytest.raises(NotAllowed, match=sentence):
            record_consent(firm.office, firm.account_id, by=BY, **(given | wrong))
    assert firm.rows(VoiceConsentRow) == []


def test_a_machine_is_not_let_go_while_something_holds_the_account(firm: CallingFirm) -> None:
    chosen(firm, "GB")
    agreed(firm)
    firm.came_of_it(Result.PAYMENT_EXPECTED, promised_on=CALL_DAY + timedelta(days=3))

    with pytest.raises(NotAllowed, match="No machine calls them now: payment is expected"):
        let_a_machine_call(firm.office, firm.call, by=BY)


def by_machine(firm: CallingFirm) -> int:
    """The attempt of a call by machine, as `deliver` leaves it behind."""
    with firm.office.database.unit_of_work() as unit:
        message = MessageRow(
            organisation_id=firm.id,
            account_id=firm.account_id,
            reminder_id=firm.call,
            channel="call_twilio",
            to=NUMBER,
            created_at=firm.now,
        )
        unit.add(message)
        unit.flush()
        return message.id or 0


def heard(firm: CallingFirm, kind: Delivery, **details: str) -> None:
    with firm.office.database.unit_of_work() as unit:
        event = DeliveryEvent(kind, attempt="1", recipient=NUMBER, at=firm.now, details={"leg": "debtor"} | details)
        call_heard(unit, firm.office, event)


@pytest.mark.parametrize(("choice", "holds"), [("will pay", []), ("a person", []), ("dispute", [HoldKind.QUESTION])])
def test_what_is_chosen_on_a_call_is_a_task_or_a_hold_and_never_money(
    firm: CallingFirm, choice: str, holds: list[HoldKind]
) -> None:
    owed = [row.model_dump() for row in firm.rows(InvoiceRow)]
    by_machine(firm)
    for _ in range(2):
        heard(firm, Delivery.ANSWERED, choice=choice)

    assert [task.kind for task in firm.rows(TaskRow)] == ["call"]
    assert [kind for kind, _, _ in firm.open_holds()] == holds
    assert [row.model_dump() for row in firm.rows(InvoiceRow)] == owed
    assert sum("automatic call" in text for text in firm.notes()) == 1


def test_do_not_call_again_is_honoured_at_once_and_ends_the_consent(firm: CallingFirm) -> None:
    chosen(firm, "GB")
    agreed(firm)
    by_machine(firm)
    for _ in range(2):
        heard(firm, Delivery.OPTED_OUT)

    assert [(stop.medium, stop.address, stop.kind) for stop in firm.rows(AddressStopRow)] == [
        ("call", NUMBER, "opt-out")
    ]
    assert may_call(firm) == ""
    assert sum("not called any more" in text for text in firm.notes()) == 1


def test_an_automatic_call_is_in_the_books_with_what_became_of_it(firm: CallingFirm) -> None:
    by_machine(firm)
    heard(firm, Delivery.RINGING)
    heard(firm, Delivery.ANSWERED)
    heard(firm, Delivery.ENDED, status="completed", seconds="31")
    heard(firm, Delivery.ENDED, status="completed", seconds="31")

    (call,) = firm.calls()
    assert (call.by_machine, call.seconds, call.counted_on) == (True, 31, CALL_DAY)
    told = f"The automatic call to {NUMBER} was answered, and lasted 31 seconds."
    assert firm.notes().count(told) == 1
