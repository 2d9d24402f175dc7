"""Mirrors jobs/calls.py: what the provider tells of a call, in whatever order and however often it is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import Delivery, DeliveryEvent, token_of
from jobs.calls import CallState, call_heard
from store.tables import MessageRow, PhoneCallRow
from tests.jobs.calling_firm import CALL_DAY, DIALLED, CallingFirm
from tests.jobs.firm import BY


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(f"sqlite:///{tmp_path_factory.mktemp('calls') / 'books.db'}")
    yield firm
    firm.close()


def a_call(firm: CallingFirm) -> tuple[int, int]:
    """The number of a call that is being put through, and its attempt."""
    with firm.office.database.unit_of_work() as unit:
        own = {"organisation_id": firm.id, "account_id": firm.account_id, "reminder_id": firm.call}
        message = MessageRow(**own, channel="call_twilio", to=DIALLED, created_at=firm.now)
        unit.add(message)
        unit.flush()
        row = PhoneCallRow(**own, message_id=message.id, number=DIALLED, by=BY, begun_at=firm.now)
        row.state = CallState.DIALLING
        unit.add(row)
        unit.flush()
        return row.id or 0, message.id or 0


def told(firm: CallingFirm, attempt: int, place: int) -> DeliveryEvent:
    """What is told at each place of a call in which the two have spoken for 40 seconds."""
    kind, details = (
        (Delivery.ACCEPTED, {"leg": "agent", "status": "ringing"}),
        (Delivery.RINGING, {"leg": "debtor", "status": "ringing"}),
        (Delivery.ANSWERED, {"leg": "debtor", "status": "in-progress"}),
        (Delivery.ENDED, {"leg": "debtor", "status": "completed", "seconds": "40"}),
        (Delivery.ENDED, {"leg": "agent", "status": "completed"}),
    )[place]
    return DeliveryEvent(kind, attempt=str(attempt), at=firm.now + timedelta(seconds=10 * place), details=details)


def after(firm: CallingFirm, places: list[int]) -> PhoneCallRow:
    number, attempt = a_call(firm)
    for place in places:
        with firm.office.database.unit_of_work() as unit:
            call_heard(unit, firm.office, told(firm, attempt, place))
    with firm.office.database.reading() as session:
        row = session.get(PhoneCallRow, number)
        assert row is not None
        return row


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.permutations(range(5)),
    again=st.lists(st.integers(0, 4), max_size=4),
)
def test_a_call_always_comes_to_the_same_in_whatever_order_it_is_told(
    firm: CallingFirm, places: list[int], again: list[int]
) -> None:
    call = after(firm, [*places, *again])

    assert (call.state, call.seconds, call.counted_on, call.why) == (CallState.ENDED, 40, CALL_DAY, "")
    assert call.reached_at == firm.now + timedelta(seconds=10)
    assert call.answered_at == firm.now + timedelta(seconds=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_a_call_never_goes_back_and_never_counts_before_the_debtors_telephone_has_rung(
    firm: CallingFirm, places: list[int]
) -> None:
    order = list(CallState)
    reached = [CallState.DIALLING]
    for length in range(1, len(places) + 1):
        call = after(firm, places[:length])
        reached.append(CallState(call.state))
        assert (call.counted_on is not None) == any(place in (1, 2, 3) for place in places[:length])

    assert reached == sorted(reached, key=order.index)


def test_a_signed_word_about_an_attempt_of_another_account_changes_no_call(firm: CallingFirm) -> None:
    """A database that was restored gives a number that is used up already to another attempt."""
    number, attempt = a_call(firm)
    token = token_of(account=firm.account_id + 1, attempt=attempt, key=firm.office.reply_keys[0])
    with firm.office.database.unit_of_work() as unit:
        call_heard(unit, firm.office, replace(told(firm, attempt, 4), attempt="", token=token))

    with firm.office.database.reading() as session:
        call = session.get(PhoneCallRow, number)
    assert call is not None and call.state == CallState.DIALLING
