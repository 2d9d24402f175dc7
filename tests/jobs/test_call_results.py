"""Mirrors jobs/call_results.py: what is written down of a call, and what follows from it."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs.acting import NotAllowed
from jobs.call_day import call_day
from jobs.call_results import CONVERSATIONS, UNHEARD, Result, Then, Told, wake, write_down
from store.facts import facts_of, ground_of
from store.tables import AddressStopRow, InvoiceRow, TaskRow, WriteBackRow
from tests.jobs.calling_firm import CALL_DAY, DIALLED, DUE, CallingFirm
from tests.jobs.firm import BY

OTHER = "Bob Clerk"
RANG = [Result.NO_ANSWER, Result.RECEPTION, Result.LEFT_MESSAGE, Result.SPOKE]


@pytest.fixture
def firm(database_url: str) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(database_url)
    yield firm
    firm.close()


def ready(firm: CallingFirm) -> list[str]:
    return [call.account.name for call in call_day(firm.office, firm.id).ready]


def test_submit_keeps_the_account_on_the_list(firm: CallingFirm) -> None:
    firm.came_of_it(Result.NO_ANSWER)

    assert firm.reminder().state == ReminderState.QUEUED
    assert ready(firm) == ["Fern & Fig Café"]
    assert firm.position(firm.account_id).next_step == "Final call"


def test_submit_and_next_step_moves_the_account_on(firm: CallingFirm) -> None:
    firm.came_of_it(Result.SPOKE, Then.NEXT_STEP, note="They pay on Friday", name="Jo Marsh")

    assert firm.reminder().state == ReminderState.SENT
    assert firm.reminder().performed_on == CALL_DAY
    assert firm.position(firm.account_id).next_step == "R3"
    assert ready(firm) == []


def test_the_next_step_keeps_its_gap_when_the_call_was_made_late(firm: CallingFirm) -> None:
    firm.walk(CALL_DAY + timedelta(days=1), CALL_DAY + timedelta(days=3))
    firm.came_of_it(Result.SPOKE, Then.NEXT_STEP)

    assert firm.position(firm.account_id).next_due_on == DUE + timedelta(days=35 + 3)


@pytest.mark.parametrize("result", [one for one in Result if one not in (Result.PAYMENT_EXPECTED, Result.DISPUTE)])
@pytest.mark.parametrize("then", [Then.STAY, Then.NEXT_STEP])
def test_each_call_is_one_note_and_goes_into_the_ledger(sqlite_url: str, result: Result, then: Then) -> None:
    firm = CallingFirm.with_a_call(sqlite_url)
    before, written = len(firm.notes()), len(firm.rows(WriteBackRow))

    firm.came_of_it(result, then, note="as ever")

    told = [text for text in firm.notes()[before:] if text.startswith(f"Final call: {BY} rang")]
    assert len(told) == 1
    assert "as ever" in told[0]
    assert len(firm.rows(WriteBackRow)) == written + 1
    firm.close()


def test_the_note_names_the_person_the_number_and_what_was_said(firm: CallingFirm) -> None:
    firm.came_of_it(Result.LEFT_MESSAGE, name="Jo Marsh", note="Asked for a call back")

    note = firm.notes(NoteKind.NOTE)[-1]
    assert note == f"Final call: {BY} rang Jo Marsh (020 7946 0018) and left a message: “Asked for a call back”"


def test_a_promise_becomes_the_hold_that_it_would_be_anywhere_else(firm: CallingFirm) -> None:
    friday = CALL_DAY + timedelta(days=4)
    firm.came_of_it(Result.PAYMENT_EXPECTED, Then.NEXT_STEP, promised_on=friday, name="Jo Marsh")

    assert firm.open_holds() == [(HoldKind.PROMISE, "Jo Marsh said so on the telephone", friday)]
    assert firm.calls()[-1].promised_on == friday
    assert firm.notes(NoteKind.REMINDER_SENT)[-1].endswith("Payment is expected by 30 January 2026.")


def test_a_promise_that_stays_on_the_list_is_not_rung_about_before_its_day(firm: CallingFirm) -> None:
    firm.came_of_it(Result.PAYMENT_EXPECTED, promised_on=CALL_DAY + timedelta(days=4))

    assert ready(firm) == []
    (call,) = call_day(firm.office, firm.id).held
    assert call.held[0].startswith("payment is expected by 30 January 2026")
    firm.walk(CALL_DAY + timedelta(days=1), CALL_DAY + timedelta(days=5))
    assert ready(firm) == ["Fern & Fig Café"]


@pytest.mark.parametrize(
    ("day", "sentence"), [(None, "Give the day"), (CALL_DAY - timedelta(days=1), "is in the past")]
)
def test_a_promise_without_a_day_that_can_be_is_not_written_down_at_all(
    firm: CallingFirm, day: date | None, sentence: str
) -> None:
    before = firm.everything()

    with pytest.raises(NotAllowed, match=sentence):
        firm.came_of_it(Result.PAYMENT_EXPECTED, promised_on=day)

    assert firm.everything() == before
    assert firm.calls() == []


def test_a_dispute_holds_the_invoices_that_were_named(firm: CallingFirm) -> None:
    (invoice,) = firm.rows(InvoiceRow)
    firm.came_of_it(Result.DISPUTE, invoices=[invoice.id], note="Two chairs are broken")

    assert firm.open_holds() == [(HoldKind.DISPUTE, "Two chairs are broken", None)]
    assert firm.notes(NoteKind.NOTE)[-1].endswith("Fern & Fig Café 1 is marked as disputed.")
    assert ready(firm) == []


def test_a_dispute_needs_its_invoices_and_its_reason(firm: CallingFirm) -> None:
    (invoice,) = firm.rows(InvoiceRow)
    with pytest.raises(NotAllowed, match="Tick the invoices"):
        firm.came_of_it(Result.DISPUTE, note="Two chairs are broken")
    with pytest.raises(NotAllowed, match="Write what they dispute"):
        firm.came_of_it(Result.DISPUTE, invoices=[invoice.id])


def test_a_wrong_number_is_not_rung_any_more_and_the_other_one_still_is(firm: CallingFirm) -> None:
    firm.came_of_it(Result.WRONG_NUMBER)

    (stop,) = firm.rows(AddressStopRow)
    assert (stop.medium, stop.address, stop.kind) == ("call", DIALLED, "wrong number")
    assert [task.kind for task in firm.rows(TaskRow)] == ["wrong number"]
    (call,) = call_day(firm.office, firm.id).ready
    assert [one.shown for one in call.numbers] == ["07700 900123"]
    assert [one.shown for one in call.stopped] == ["020 7946 0018"]


def test_a_snoozed_call_leaves_the_list_and_comes_back_by_itself(firm: CallingFirm) -> None:
    firm.came_of_it(None, Then.SNOOZE, until=firm.at(CALL_DAY, 14))

    assert ready(firm) == []
    assert [call.account.name for call in call_day(firm.office, firm.id).snoozed] == ["Fern & Fig Café"]
    assert firm.notes(NoteKind.HELD)[-1] == f"Final call: {BY} put the call off until 26 January 2026 at 14:00."
    firm.now = firm.at(CALL_DAY, 14)
    assert ready(firm) == ["Fern & Fig Café"]


def test_a_snoozed_call_can_be_put_back_before_its_time(firm: CallingFirm) -> None:
    firm.came_of_it(None, Then.SNOOZE, until=firm.at(CALL_DAY, 14))
    wake(firm.office, firm.call, by=OTHER)
    wake(firm.office, firm.call, by=OTHER)

    assert ready(firm) == ["Fern & Fig Café"]
    assert firm.notes().count(f"Final call: {OTHER} put the call back on the list.") == 1


def test_a_result_and_a_snooze_are_written_down_together(firm: CallingFirm) -> None:
    firm.came_of_it(Result.RECEPTION, Then.SNOOZE, until=firm.at(CALL_DAY, 15), note="She is in a meeting")

    assert [row.result for row in firm.calls()] == ["reception"]
    assert call_day(firm.office, firm.id).snoozed


@pytest.mark.parametrize(("days", "sentence"), [(-1, "has passed"), (400, "a year at most"), (None, "Say until when")])
def test_a_snooze_needs_a_moment_that_can_be(firm: CallingFirm, days: int | None, sentence: str) -> None:
    until = None if days is None else firm.now + timedelta(days=days)
    with pytest.raises(NotAllowed, match=sentence):
        firm.came_of_it(None, Then.SNOOZE, until=until)


def test_a_call_that_comes_round_again_is_not_snoozed_any_more(firm: CallingFirm) -> None:
    firm.came_of_it(None, Then.SNOOZE, until=firm.at(CALL_DAY + timedelta(days=9), 9))
    firm.pay("Fern & Fig Café 1")
    assert firm.reminder().state == ReminderState.WITHDRAWN
    with firm.office.database.unit_of_work() as unit:
        invoice = unit.get(InvoiceRow, 1)
        assert invoice is not None
        invoice.status, invoice.balance = "open", invoice.total
    firm.walk(CALL_DAY + timedelta(days=1), CALL_DAY + timedelta(days=60))

    assert ready(firm) == ["Fern & Fig Café"]


def test_the_account_that_has_paid_is_off_the_list_and_nobody_writes_a_result(firm: CallingFirm) -> None:
    firm.pay("Fern & Fig Café 1")

    assert ready(firm) == []
    with pytest.raises(NotAllowed, match="does not wait for a call any more"):
        firm.came_of_it(Result.SPOKE)


def test_a_double_click_writes_the_call_down_once(firm: CallingFirm) -> None:
    for _ in range(2):
        told = Told(result=Result.NO_ANSWER, note="rang twice", last_seen=0)
        write_down(firm.office, firm.call, told, by=BY)

    assert len(firm.calls()) == 1
    assert sum("rang twice" in text for text in firm.notes()) == 1


def test_a_result_is_not_written_over_that_of_a_colleague(firm: CallingFirm) -> None:
    firm.came_of_it(Result.NO_ANSWER, by=OTHER)

    with pytest.raises(NotAllowed, match=f"{OTHER} has written down a call meanwhile"):
        firm.came_of_it(Result.SPOKE, last_seen=0)
    firm.came_of_it(Result.SPOKE)
    assert [row.result for row in firm.calls()] == ["no answer", "spoke"]


def test_saying_nothing_is_no_result(firm: CallingFirm) -> None:
    with pytest.raises(NotAllowed, match="Say what came of the call"):
        firm.came_of_it(None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    results=st.lists(
        st.sampled_from([Result.NO_ANSWER, Result.RECEPTION, Result.LEFT_MESSAGE, Result.SPOKE]), max_size=4
    )
)
def test_a_call_always_counts_as_one_contact_when_the_telephone_has_rung(
    tmp_path_factory: pytest.TempPathFactory, results: list[Result]
) -> None:
    firm = CallingFirm.with_a_call(f"sqlite:///{tmp_path_factory.mktemp('firm') / 'books.db'}", contact_rules="us")
    for place, result in enumerate(results):
        last = place == len(results) - 1
        firm.came_of_it(result, Then.NEXT_STEP if last else Then.STAY, note=str(place))
    with firm.office.database.reading() as session:
        known = facts_of(session, ground_of(session, firm.id, now=firm.now), [firm.account_id])[firm.account_id]
    firm.close()

    counted = [one for one in known.contacted if one.channel == "call"]
    assert len(counted) == len(results)
    assert sum(one.conversation for one in counted) == sum(result in CONVERSATIONS for result in results)


def test_a_wrong_number_is_no_contact_with_the_debtor(firm: CallingFirm) -> None:
    firm.change(contact_rules="us")
    firm.came_of_it(Result.WRONG_NUMBER, Then.NEXT_STEP)
    with firm.office.database.reading() as session:
        known = facts_of(session, ground_of(session, firm.id, now=firm.now), [firm.account_id])[firm.account_id]

    assert [one for one in known.contacted if one.channel == "call"] == []
    assert firm.reminder().heard is (Result.WRONG_NUMBER not in UNHEARD)
