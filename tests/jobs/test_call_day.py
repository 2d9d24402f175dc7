"""Mirrors jobs/call_day.py: whom to ring today, in which order, and that the plan foresees the same calls."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlmodel import col

from engine.workflow import Channel
from jobs import account_acts
from jobs.call_day import call_day
from jobs.call_results import Result, Then
from jobs.simulate import simulate
from store.tables import InvoiceRow
from tests.jobs.calling_firm import CALL_DAY, DUE, CallingFirm
from tests.jobs.firm import BY


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(sqlite_url)
    yield firm
    firm.close()


def rung_today(firm: CallingFirm) -> set[str]:
    return {call.account.name for call in call_day(firm.office, firm.id).ready}


def foreseen(firm: CallingFirm, on: date) -> set[str]:
    told = simulate(firm.office, firm.id, days=30)
    calls = [one for one in told.messages if one.send.channel is Channel.CALL and one.send.on == on]
    return {told.names[int(one.account)] for one in calls}


def several(firm: CallingFirm) -> None:
    """Five accounts with a call that waits, of which one is held, one put off and one paid."""
    for place, name in enumerate(("Ash", "Birch", "Cedar", "Dogwood"), start=2):
        number = firm.account(name, DUE, phone=f"020 7946 00{place}0")
        with firm.office.database.unit_of_work() as unit:
            owed = {"total": Decimal(100 * place), "balance": Decimal(100 * place)}
            unit.execute(update(InvoiceRow).where(col(InvoiceRow.account_id) == number).values(**owed))
    firm.change(recalculated_on=None)
    firm.walk(DUE + timedelta(days=8), DUE + timedelta(days=60))


def test_the_largest_debt_comes_first(firm: CallingFirm) -> None:
    several(firm)

    names = [call.account.name for call in call_day(firm.office, firm.id).ready]
    assert names == ["Dogwood", "Cedar", "Birch", "Ash", "Fern & Fig Café"]


def test_a_call_says_what_to_know_before_ringing(firm: CallingFirm) -> None:
    firm.came_of_it(Result.SPOKE, note="Ring next week")
    (call,) = call_day(firm.office, firm.id).ready

    assert call.oldest is not None
    assert call.oldest.number == "Fern & Fig Café 1"
    assert [(line.currency, line.overdue) for line in call.owed] == [("GBP", Decimal(100))]
    assert "Fern & Fig Café 1 is the oldest overdue invoice at 21 days" in call.because
    assert [one.shown for one in call.numbers] == ["020 7946 0018", "07700 900123"]
    assert call.conversation is not None and call.conversation.note == "Ring next week"


def test_the_time_where_the_debtor_lives_is_their_own(firm: CallingFirm) -> None:
    account_acts.set_time_zone(firm.office, firm.account_id, time_zone="Australia/Sydney", by=BY)
    firm.now = datetime.combine(CALL_DAY, datetime.min.time(), UTC) + timedelta(hours=10)
    (call,) = call_day(firm.office, firm.id).ready

    assert f"{call.local:%H:%M}" == "21:00"


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda firm: account_acts.pause_account(firm.office, firm.account_id, by=BY), "the account is paused"),
        (lambda firm: account_acts.ask_question(firm.office, firm.account_id, text="Why?", by=BY), "needs a response"),
        (
            lambda firm: account_acts.expect_payment(
                firm.office, firm.account_id, until=CALL_DAY + timedelta(days=2), by=BY
            ),
            "payment is expected",
        ),
        (lambda firm: firm.change(ledger_as_of=firm.now - timedelta(days=5)), "too old"),
    ],
)
def test_what_would_hold_a_reminder_holds_a_call_and_says_so(firm: CallingFirm, act, why: str) -> None:  # type: ignore[no-untyped-def]
    act(firm)

    assert rung_today(firm) == set()
    (call,) = call_day(firm.office, firm.id).held
    assert any(why in reason for reason in call.held)


def test_a_pause_of_all_sending_keeps_nobody_from_picking_up_the_telephone(firm: CallingFirm) -> None:
    firm.change(paused_at=firm.now, paused_by=BY)

    assert rung_today(firm) == {"Fern & Fig Café"}


def test_a_conversation_rests_for_a_week_where_the_law_says_so(firm: CallingFirm) -> None:
    firm.change(contact_rules="us")
    firm.came_of_it(Result.SPOKE)

    assert rung_today(firm) == set()
    (call,) = call_day(firm.office, firm.id).held
    assert "no call may follow a conversation within 7 days" in call.held[0]
    firm.walk(CALL_DAY + timedelta(days=1), CALL_DAY + timedelta(days=7))
    assert rung_today(firm) == {"Fern & Fig Café"}


def test_a_call_that_was_not_answered_may_be_tried_again_the_same_day(firm: CallingFirm) -> None:
    firm.change(contact_rules="us")
    firm.came_of_it(Result.NO_ANSWER)

    assert rung_today(firm) == {"Fern & Fig Café"}


def test_the_plan_foresees_the_calls_of_the_list(firm: CallingFirm) -> None:
    several(firm)
    account_acts.expect_payment(firm.office, 2, until=firm.now.date() + timedelta(days=9), by=BY)
    account_acts.pause_account(firm.office, 3, by=BY)
    firm.pay("Cedar 1")
    firm.now = firm.at(firm.now.date() + timedelta(days=1), 7)
    firm.change(ledger_as_of=firm.now)

    assert rung_today(firm) == {"Fern & Fig Café", "Dogwood"}
    assert foreseen(firm, firm.now.date()) == rung_today(firm)


def test_the_plan_foresees_a_call_that_is_put_off_on_the_day_on_which_it_comes_back(firm: CallingFirm) -> None:
    back = CALL_DAY + timedelta(days=4)
    firm.came_of_it(None, Then.SNOOZE, until=firm.at(back, 10))
    firm.now = firm.at(CALL_DAY + timedelta(days=1), 7)
    firm.change(ledger_as_of=firm.now)

    assert rung_today(firm) == set()
    assert foreseen(firm, CALL_DAY + timedelta(days=1)) == set()
    assert foreseen(firm, back) == {"Fern & Fig Café"}
