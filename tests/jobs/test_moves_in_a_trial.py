"""Mirrors store/eventful.py: a trial shows after a payment what the live run would do, and nothing more."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from engine.reminders import ReminderState
from engine.workflow import WorkflowKind
from jobs.assigning import assign_workflow
from jobs.drafts import Draft
from jobs.sending_settings import GoingLive
from jobs.trying_out import SendingMode
from jobs.workflows import Saved, save_workflow
from tests.jobs.firm import BY, an_email
from tests.jobs.sending_house import debts
from tests.jobs.sending_house import settle as set_to
from tests.jobs.test_gap_in_a_trial import switch
from town import Town

STEPS = (an_email("R1", 7), an_email("R2", 14), an_email("R3", 28))
PAID = date(2026, 1, 28)


def walked(a_town: Callable[..., Town], mode: SendingMode, paid_on: date = PAID, url: str | None = None) -> Town:
    """Fern owes INV-000, due on 6 January, and INV-900, due on the 10th. The older one is paid after R2."""
    town = debts(a_town, "Fern", url=url)
    town.control.add_invoice("Fern", due="2026-01-10", amount="20.00", number="INV-900")
    saved = save_workflow(town.office, town.organisation, Draft("Three", STEPS, kind=WorkflowKind.ACCOUNT), by=BY)
    assert isinstance(saved, Saved)
    set_to(town, sending_weekdays=list(range(7)))
    assign_workflow(town.office, [town.account("Fern").id or 0], saved.workflow_id, by=BY)
    if mode is not SendingMode.LIVE:
        switch(town, mode)
    town.walk(date(2026, 1, 13), paid_on - timedelta(days=1))
    town.control.pay("INV-000")
    return town


def steps_of(town: Town) -> list[tuple[str, date | None]]:
    return [(one.step_name, one.performed_on) for one in town.reminders("Fern") if one.state == ReminderState.SENT]


@pytest.mark.parametrize("mode", [SendingMode.SHADOW, SendingMode.TO_ME])
def test_in_a_trial_nothing_more_goes_after_the_driver_is_paid_than_in_the_live_run(
    a_town: Callable[..., Town], mode: SendingMode
) -> None:
    live, trial = walked(a_town, SendingMode.LIVE), walked(a_town, mode)
    for town in (live, trial):
        town.walk(PAID, PAID + timedelta(days=20))

    assert steps_of(trial) == steps_of(live)
    assert [step for step, _ in steps_of(live)] == ["R1", "R2", "R3"]


@pytest.mark.parametrize(("going_live", "first"), [(GoingLive.ANEW, "R1"), (GoingLive.GO_ON, "R3")])
def test_going_live_anew_the_customer_gets_what_was_only_tried_out_although_the_driver_was_paid(
    a_town: Callable[..., Town], going_live: GoingLive, first: str
) -> None:
    town = walked(a_town, SendingMode.SHADOW)
    town.walk(PAID, PAID)
    switch(town, SendingMode.LIVE, going_live)
    town.walk(PAID + timedelta(days=1), PAID + timedelta(days=20))

    assert town.mails_to("fern@debtor.example")[0]["subject"].startswith(first)
