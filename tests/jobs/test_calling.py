"""Mirrors jobs/calling.py and jobs/calls.py: click-to-call, at the practice Twilio over real HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import sandbox
from channels import Delivery, DeliveryEvent
from engine.reminders import ReminderState
from jobs.acting import NotAllowed
from jobs.call_day import call_day
from jobs.call_results import Result, Then
from jobs.calling import doubtful, ring, set_own_number, under_way
from jobs.calls import CallState, call_heard
from store.facts import facts_of, ground_of
from store.tables import MessageRow, OrganisationRow, PhoneCallRow, UserRow
from tests.channels.twilio_world import AGENT, OTHER, PUBLIC, Line, opened
from tests.jobs.calling_firm import CALL_DAY, DIALLED, DIALLED_MOBILE, DUE, RING, CallingFirm
from tests.jobs.firm import BY

BECAUSE = "the ledger is away, and they asked to be rung"
"""These firms have no ledger at hand, which is something that speaks against ringing."""


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(f"sqlite:///{tmp_path / 'books.db'}")
    yield firm
    firm.close()


@pytest.fixture
def world(firm: CallingFirm) -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=firm.now, company=False) as world:
        yield world


@pytest.fixture
def line(firm: CallingFirm, world: sandbox.Sandbox) -> Iterator[Line]:
    with opened(Line(world, "call_twilio")) as line:
        firm.office.channels = {"call_twilio": line.settings}
        firm.office.public_url = PUBLIC
        yield line
    firm.office.close_channels()


def rung(firm: CallingFirm, number: str = DIALLED, *, by: str = BY, nevertheless: str = BECAUSE) -> int:
    return ring(firm.office, firm.id, firm.call, number=number, agent=AGENT, by=by, nevertheless=nevertheless)


def told(firm: CallingFirm, line: Line) -> list[DeliveryEvent]:
    """All that Twilio tells is taken in."""
    events = line.told()
    for event in events:
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, event)
    return events


def the_call(firm: CallingFirm) -> PhoneCallRow:
    (call,) = firm.calls()
    return call


def contacts(firm: CallingFirm) -> list[str]:
    firm.change(contact_rules="us")
    with firm.office.database.reading() as session:
        known = facts_of(session, ground_of(session, firm.id, now=firm.now), [firm.account_id])[firm.account_id]
    return [one.channel for one in known.contacted if one.channel == "call"]


def test_our_person_is_rung_first_and_the_debtor_only_once_they_pressed_one(firm, line):
    line.control.person(AGENT, presses=["1"])
    line.control.person(DIALLED, talks=192)
    rung(firm)
    told(firm, line)

    assert [leg["to"] for leg in line.control.calls()] == [AGENT, DIALLED]
    call = the_call(firm)
    assert (call.state, call.seconds) == (CallState.ENDED, 192)
    assert call.reached_at is not None and call.counted_on == CALL_DAY
    assert contacts(firm) == ["call"]


def test_the_result_is_written_onto_the_call_that_was_put_through(firm, line):
    line.control.person(AGENT, presses=["1"])
    line.control.person(DIALLED, talks=192)
    rung(firm)
    told(firm, line)
    firm.came_of_it(Result.SPOKE, Then.NEXT_STEP, note="They pay")

    call = the_call(firm)
    assert (call.result, call.note, call.conversation) == ("spoke", "They pay", True)
    note = firm.notes()[-1]
    assert "spoke to them for 3 min 12 s: “They pay”" in note
    assert f"they rang because: {BECAUSE}" in note
    assert contacts(firm) == ["call"]


def test_each_organisation_of_one_installation_has_its_people_asked_in_its_own_language(firm, line):
    english, own_call = firm.id, firm.call
    firm.id = firm.another("Fichte & Söhne")
    firm.change(default_workflow_id=firm.save(RING), locale="de_DE")
    theirs = firm.account("Gasthof Linde", DUE, phone="+44 20 7946 0018")
    firm.walk(DUE + timedelta(days=1), CALL_DAY)
    for organisation, call, agent, by in (
        (english, own_call, AGENT, BY),
        (firm.id, firm.waiting(theirs), OTHER, "Ute"),
    ):
        ring(firm.office, organisation, call, number=DIALLED, agent=agent, by=by, nevertheless=BECAUSE)
    told(firm, line)

    assert line.control.heard(AGENT)[0] == "Press 1 to be connected to Fern & Fig Café."
    assert line.control.heard(OTHER)[0] == "Drücken Sie die 1, um mit Gasthof Linde verbunden zu werden."
    assert (line.control.voices(AGENT)[0], line.control.voices(OTHER)[0]) == ("en-GB", "de-DE")


@pytest.mark.parametrize(
    ("agent", "why"), [({"answers": "no-answer"}, "not answered"), ({"presses": [""]}, "did not press 1")]
)
def test_a_call_that_never_reached_the_debtor_is_no_contact(firm, line, agent, why):
    line.control.person(AGENT, **agent)
    rung(firm)
    told(firm, line)

    assert [leg["to"] for leg in line.control.calls()] == [AGENT]
    call = the_call(firm)
    assert (call.state, call.reached_at) == (CallState.ENDED, None)
    assert why in call.why
    assert contacts(firm) == []


@pytest.mark.parametrize(("answers", "why"), [("no-answer", "nobody answered"), ("busy", "the line was busy")])
def test_a_telephone_that_rang_is_a_contact_though_nobody_answered(firm, line, answers, why):
    line.control.person(AGENT, presses=["1"])
    line.control.person(DIALLED, answers=answers)
    rung(firm)
    told(firm, line)

    call = the_call(firm)
    assert (call.state, call.why, call.answered_at) == (CallState.ENDED, why, None)
    assert contacts(firm) == ["call"]


def test_what_is_told_twice_and_backwards_comes_to_the_same(firm, line):
    line.control.person(AGENT, presses=["1"])
    line.control.person(DIALLED, talks=60)
    rung(firm)
    events = told(firm, line)
    once = the_call(firm).model_dump()
    for event in [*reversed(events), *events]:
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, event)

    assert the_call(firm).model_dump() == once


def test_a_double_click_dials_once(firm, line):
    line.control.habits(queue_seconds=3600)  # nobody has picked up yet
    first = rung(firm)

    assert rung(firm) == first
    assert len(line.control.calls()) == 1
    assert under_way(the_call(firm), firm.now)


def test_nobody_is_rung_by_two_people_at_once(firm, line):
    line.control.habits(queue_seconds=3600)
    rung(firm)

    with pytest.raises(NotAllowed, match=f"{BY} is ringing them already"):
        rung(firm, by="Bob Clerk")


def test_nobody_rings_two_accounts_at_once(firm, line):
    line.control.habits(queue_seconds=3600)
    rung(firm)
    other = firm.account("Ivy Cottage", CALL_DAY - timedelta(days=21), phone="020 7946 0019")
    firm.walk(CALL_DAY + timedelta(days=1), CALL_DAY + timedelta(days=30))
    with firm.office.database.unit_of_work() as unit:
        unit.get(PhoneCallRow, 1).begun_at = firm.now

    with pytest.raises(NotAllowed, match="on the telephone about another account"):
        ring(firm.office, firm.id, firm.waiting(other), number="+442079460019", agent=AGENT, by=BY, nevertheless="x")


def test_the_call_is_written_down_before_anything_rings_and_a_lost_answer_is_a_doubt(firm, line):
    line.world.control.faults(twilio=["drop_after"])
    rung(firm)

    call = the_call(firm)
    assert doubtful(call, firm.now)
    assert call.state == CallState.UNSURE
    (message,) = firm.rows(MessageRow)
    assert message.outcome.startswith("unsure: ")


def test_a_number_that_twilio_refuses_is_not_put_through_and_can_be_tried_again(firm, line):
    line.control.person(AGENT, refuses=21211)
    rung(firm)
    assert the_call(firm).state == CallState.NOT_MADE
    line.control.person(AGENT, refuses=0, presses=["1"])
    rung(firm)

    assert [call.state for call in firm.calls()] == [CallState.NOT_MADE, CallState.RINGING_US]


def test_only_a_number_of_the_account_is_rung(firm, line):
    with pytest.raises(NotAllowed, match="not a number of this account"):
        rung(firm, "+442079469999")
    assert line.control.calls() == []


def test_a_stopped_number_is_not_rung(firm, line):
    firm.came_of_it(Result.WRONG_NUMBER)

    with pytest.raises(NotAllowed, match="not a number of this account that may be rung"):
        rung(firm)
    rung(firm, DIALLED_MOBILE)
    assert [leg["to"] for leg in line.control.calls()][:1] == [AGENT]


def test_what_speaks_against_a_call_needs_a_reason_to_ring_nevertheless(firm, line):
    firm.came_of_it(Result.PAYMENT_EXPECTED, promised_on=CALL_DAY + timedelta(days=3))

    with pytest.raises(NotAllowed, match=r"Payment is expected by 29 January 2026.*Say why you ring nevertheless"):
        rung(firm, nevertheless="")
    assert line.control.calls() == []
    rung(firm)
    assert firm.calls()[-1].nevertheless == BECAUSE


def test_nobody_is_rung_outside_the_hours_without_a_reason(firm, line):
    firm.change(contact_rules="uk")
    firm.now = firm.at(CALL_DAY, 21)

    (call,) = [*call_day(firm.office, firm.id).ready, *call_day(firm.office, firm.id).held]
    assert not call.open_now
    with pytest.raises(NotAllowed, match="closed for calls"):
        rung(firm, nevertheless="")


def test_whoever_has_paid_is_not_rung(firm, line):
    firm.pay("Fern & Fig Café 1")

    with pytest.raises(NotAllowed, match="does not wait for a call any more"):
        rung(firm)
    assert line.control.calls() == []


def test_nothing_rings_while_sending_is_only_tried_out(firm, line):
    firm.change(sending_mode="shadow")

    with pytest.raises(NotAllowed, match="only tried out"):
        rung(firm)
    assert line.control.calls() == []


def test_without_a_telephone_provider_the_person_is_told_so(firm):
    with pytest.raises(NotAllowed, match="No channel that puts calls through"):
        rung(firm)


def test_an_event_of_a_call_that_is_not_ours_changes_nothing(firm, line):
    before = firm.everything()
    for attempt in ("", "999", "x"):
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, DeliveryEvent(Delivery.RINGING, attempt=attempt))

    assert firm.everything() == before


def test_the_step_still_waits_while_the_call_goes_on(firm, line):
    line.control.person(AGENT, presses=["1"])
    rung(firm)
    told(firm, line)

    assert firm.reminder().state == ReminderState.QUEUED
    assert firm.position(firm.account_id).next_step == "Final call"


@pytest.mark.parametrize(
    ("written", "kept"), [("020 7946 0018", "+442079460018"), ("+49 30 901820", "+4930901820"), ("", "")]
)
def test_a_persons_own_number_is_kept_as_it_is_dialled(firm, written, kept):
    with firm.office.database.unit_of_work() as unit:
        unit.add(UserRow(email="x@example.com", password_hash="x", created_at=firm.now))
    set_own_number(firm.office, 1, firm.rows(OrganisationRow)[0], written)

    assert firm.rows(UserRow)[0].phone == kept


def test_what_is_no_number_is_not_kept(firm):
    with pytest.raises(NotAllowed, match="is not a telephone number"):
        set_own_number(firm.office, 1, firm.rows(OrganisationRow)[0], "ring the bell")
