"""Mirrors jobs/call_doubts.py: a doubt about a call is settled by evidence or a person, and never by a second ring."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import sandbox
from channels import Unsure
from jobs import deliver
from jobs.acting import NotAllowed
from jobs.call_doubts import DIED, ask_the_provider, settle_doubt, settle_doubtful_calls
from jobs.call_results import Result, Then
from jobs.calling import doubtful, ring, settle_call, under_way
from jobs.calls import CallState, call_heard
from jobs.looking_up import known_of
from store.tables import MessageRow, PhoneCallRow, TaskRow
from tests.channels.twilio_world import AGENT, PUBLIC, Line, opened
from tests.jobs.calling_firm import DIALLED, CallingFirm
from tests.jobs.firm import BY


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(f"sqlite:///{tmp_path / 'books.db'}")
    yield firm
    firm.close()


@pytest.fixture
def line(firm: CallingFirm) -> Iterator[Line]:
    with sandbox.start(clock=firm.now, company=False) as world, opened(Line(world, "call_twilio")) as line:
        firm.office.channels = {"call_twilio": line.settings}
        firm.office.public_url = PUBLIC
        yield line
        firm.office.close_channels()


def rung(firm: CallingFirm) -> int:
    return ring(firm.office, firm.id, firm.call, number=DIALLED, agent=AGENT, by=BY, nevertheless="they asked for it")


def the_call(firm: CallingFirm) -> PhoneCallRow:
    (call,) = firm.calls()
    return call


def its_message(firm: CallingFirm) -> MessageRow:
    (message,) = firm.rows(MessageRow)
    return message


def minutes_later(firm: CallingFirm, *minutes: int) -> list[int]:
    """How often the provider had been asked after each of these minutes."""
    begun, tries = firm.now, []
    for minute in minutes:
        firm.now = begun + timedelta(minutes=minute)
        settle_doubtful_calls(firm.office)
        tries.append(its_message(firm).evidence_tries)
    return tries


def asked_of_people(firm: CallingFirm) -> list[str]:
    return [task.text for task in firm.rows(TaskRow) if task.kind == "unsure" and task.closed_at is None]


def looked_up_in_vain(firm: CallingFirm, line: Line) -> None:
    """The provider's answer was lost, and the last of its four look-ups has found nothing."""
    line.control.person(AGENT, presses=["1"])
    line.world.control.faults(twilio=["drop_after"])
    rung(firm)
    line.control.settled()
    line.world.control.faults(twilio=["drop_before"] * 12)
    minutes_later(firm, 2, 10, 30, 120)
    line.world.control.faults(twilio=[])


def left_while_dialling(firm: CallingFirm, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("jobs.calling.settle_call", dies)
        with pytest.raises(SystemExit):
            rung(firm)


def test_a_call_in_doubt_is_looked_up_after_2_10_30_and_120_minutes_and_then_left_to_a_person(firm, line):
    line.world.control.faults(twilio=["drop_before"])
    rung(firm)

    assert minutes_later(firm, 1, 2, 9, 10, 29, 30, 119, 120, 121, 600) == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert doubtful(the_call(firm), firm.now)
    assert line.control.calls() == [], "a doubt is never rung again by itself"
    assert "asked 4 times" in known_of(its_message(firm))


def test_after_the_last_look_a_person_is_asked_to_find_out_whether_it_rang(firm, line):
    line.world.control.faults(twilio=["drop_before"])
    rung(firm)
    minutes_later(firm, 2, 10, 30, 119)
    assert asked_of_people(firm) == [], "the provider is asked once more"
    minutes_later(firm, 1, 60)

    (task,) = asked_of_people(firm)
    assert task.startswith(f"Fern & Fig Café: nobody knows whether {BY} was put through to 020 7946 0018 on 26 January")
    assert "The provider was asked 4 times" in task
    assert "Look into the call log of your telephone provider, then say on the call's page whether it rang." in task


def the_provider_tells(firm: CallingFirm, line: Line) -> None:
    for event in line.told():
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, event)


def evidence_is_found(firm: CallingFirm, _: Line) -> None:
    assert ask_the_provider(firm.office, 1)


def a_person_says_so(firm: CallingFirm, _: Line) -> None:
    settle_doubt(firm.office, 1, rang=True, by=BY)


def a_person_says_that_it_did_not_ring(firm: CallingFirm, _: Line) -> None:
    settle_doubt(firm.office, 1, rang=False, by=BY)


def its_result_is_written_down(firm: CallingFirm, _: Line) -> None:
    firm.came_of_it(Result.LEFT_MESSAGE, Then.NEXT_STEP)


WAYS = [
    the_provider_tells,
    evidence_is_found,
    a_person_says_so,
    a_person_says_that_it_did_not_ring,
    its_result_is_written_down,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nobody_is_asked_any_more_once_the_doubt_is_settled_by_whichever_way(firm, line, way):
    looked_up_in_vain(firm, line)
    assert len(asked_of_people(firm)) == 1
    way(firm, line)

    assert asked_of_people(firm) == []
    assert not doubtful(the_call(firm), firm.now)


def test_a_call_whose_answer_was_lost_is_found_by_the_round_of_the_schedule(firm, line):
    line.control.person(AGENT, presses=["1"])
    line.world.control.faults(twilio=["drop_after"])
    rung(firm)
    line.control.settled()
    firm.now += timedelta(minutes=2)
    deliver.deliver_due(firm.office)

    assert not doubtful(the_call(firm), firm.now)
    assert the_call(firm).provider_id == line.control.calls()[0]["sid"]
    assert its_message(firm).sent_at is not None


def test_a_call_that_is_over_when_it_is_found_keeps_nobody_from_ringing_the_next(firm, line):
    line.control.person(AGENT, presses=[""])
    line.world.control.faults(twilio=["drop_after"])
    rung(firm)
    line.control.settled()
    minutes_later(firm, 2)

    assert the_call(firm).state == CallState.ENDED
    assert not under_way(the_call(firm), firm.now)


def test_what_is_known_to_be_another_call_is_no_evidence(firm, line):
    """A person rang once more at once, and the provider's list has that one call only."""
    line.world.control.faults(twilio=["drop_before"])
    rung(firm)
    settle_doubt(firm.office, 1, rang=False, by=BY)
    rung(firm)
    line.control.settled()
    with firm.office.database.unit_of_work() as unit:
        first = unit.get(PhoneCallRow, 1)
        first.state, first.settled_at = CallState.UNSURE, None

    assert not ask_the_provider(firm.office, 1)
    assert firm.calls()[1].provider_id == line.control.calls()[0]["sid"]


def test_a_process_that_died_while_dialling_leaves_a_doubt_that_nobody_dials_over(firm, line, monkeypatch):
    left_while_dialling(firm, monkeypatch)
    line.control.settled()
    assert the_call(firm).state == CallState.DIALLING
    firm.now += timedelta(minutes=3)

    assert doubtful(the_call(firm), firm.now)
    rung(firm)
    assert len({leg["sid"] for leg in line.control.calls() if leg["to"] == AGENT}) == 1
    assert ask_the_provider(firm.office, 1)
    assert not doubtful(the_call(firm), firm.now)


def test_a_call_that_a_dead_process_never_asked_for_is_marked_and_looked_up_like_any_doubt(firm, line, monkeypatch):
    line.world.control.faults(twilio=["drop_before"])
    left_while_dialling(firm, monkeypatch)
    minutes_later(firm, 1)
    assert the_call(firm).state == CallState.DIALLING, "somebody may still be asking for it"
    minutes_later(firm, 2)

    call = the_call(firm)
    assert (call.state, call.why) == (CallState.UNSURE, DIED)
    assert minutes_later(firm, 1, 2, 10) == [0, 1, 2]


def test_a_call_that_nobody_can_be_asked_about_waits_for_a_person(firm, line, monkeypatch):
    left_while_dialling(firm, monkeypatch)
    firm.office.channels = {}
    minutes_later(firm, 3, 600)

    assert doubtful(the_call(firm), firm.now)
    assert its_message(firm).evidence_next_at is None
    (task,) = asked_of_people(firm)
    assert "The provider was asked" not in task


def test_an_open_doubt_of_a_person_s_call_never_settles_the_step_itself(firm, line):
    """The step may be sent by a machine later, and be in doubt for itself."""
    line.world.control.faults(twilio=["drop_after"])
    rung(firm)
    line.control.settled()
    with firm.office.database.unit_of_work() as unit:
        unit.get(type(firm.reminder()), firm.call).state = "unsure"
    firm.now += timedelta(minutes=2)
    deliver.deliver_due(firm.office)

    assert firm.reminder().state == "unsure"


def test_a_doubt_is_settled_by_what_twilio_tells_later(firm, line, monkeypatch):
    line.control.person(AGENT, presses=["1"])
    left_while_dialling(firm, monkeypatch)
    firm.now += timedelta(minutes=3)
    assert doubtful(the_call(firm), firm.now)
    for event in line.told():
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, event)

    assert the_call(firm).state == CallState.ENDED
    assert not doubtful(the_call(firm), firm.now)


@pytest.mark.parametrize(("rang", "state"), [(True, CallState.ENDED), (False, CallState.NOT_MADE)])
def test_a_doubt_is_settled_by_a_person(firm, line, monkeypatch, rang, state):
    left_while_dialling(firm, monkeypatch)
    firm.now += timedelta(minutes=3)
    settle_doubt(firm.office, 1, rang=rang, by=BY)

    assert the_call(firm).state == state
    with pytest.raises(NotAllowed, match="no doubt"):
        settle_doubt(firm.office, 1, rang=not rang, by=BY)


def test_a_word_that_comes_before_the_lost_answer_counts_for_more(firm, line, monkeypatch):
    left_while_dialling(firm, monkeypatch)
    for event in line.told():
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, event)
    known = the_call(firm).state
    settle_call(firm.office, 1, Unsure("the line broke"))

    assert the_call(firm).state == known
    assert its_message(firm).evidence_next_at is None
