"""Mirrors store/contact_facts.py: the days between two reminders are kept in a trial as they will be when live."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.facts import Facts, Rules
from engine.gates import rested
from engine.reasons import explain
from engine.reminders import Outcome, ReminderKey, ReminderState
from engine.workflow import WorkflowKind
from jobs.assigning import assign_workflow
from jobs.drafts import Draft
from jobs.sending_settings import GoingLive, save_sending_settings, sending_settings_of
from jobs.simulate import simulate
from jobs.trying_out import SendingMode
from jobs.workflows import Saved, save_workflow
from store.facts import facts_of, ground_of
from tests.jobs.firm import BY, an_email
from tests.jobs.sending_house import debts, organisation_in
from tests.jobs.sending_house import settle as set_to
from town import Town

DAILY = tuple(an_email(f"R{day}", day) for day in range(7, 19))
GAP = 4
FIRST, LAST = date(2026, 1, 13), date(2026, 1, 27)


def daily(
    a_town: Callable[..., Town],
    mode: SendingMode,
    kind: WorkflowKind = WorkflowKind.ACCOUNT,
    url: str | None = None,
) -> Town:
    """Fern is due a reminder on each of twelve days, and four days are to lie between two."""
    town = debts(a_town, "Fern", url=url)
    saved = save_workflow(town.office, town.organisation, Draft("Daily", DAILY, kind=kind), by=BY)
    assert isinstance(saved, Saved)
    set_to(town, min_days_between_reminders=GAP, sending_weekdays=list(range(7)))
    assign_workflow(town.office, [town.account("Fern").id or 0], saved.workflow_id, by=BY)
    if mode is not SendingMode.LIVE:
        switch(town, mode)
    return town


def switch(town: Town, mode: SendingMode, going_live: GoingLive = GoingLive.GO_ON) -> None:
    with town.office.database.reading() as session:
        known = sending_settings_of(organisation_in(session, town))
    wanted = replace(known, sending_mode=mode, sending_to="olive@firm.example")
    save_sending_settings(town.office, town.organisation, wanted, by=BY, going_live=going_live)


def days_of(town: Town) -> list[tuple[str, date]]:
    sent = [one for one in town.reminders("Fern") if one.state == ReminderState.SENT and one.performed_on]
    return [(one.step_name, one.performed_on) for one in sent]


def facts_about_fern(town: Town) -> Facts:
    number = town.account("Fern").id or 0
    with town.office.database.reading() as session:
        ground = ground_of(session, town.organisation, now=town.clock())
        return facts_of(session, ground, [number])[number]


@pytest.mark.parametrize("kind", WorkflowKind)
@pytest.mark.parametrize("mode", [SendingMode.SHADOW, SendingMode.TO_ME])
def test_as_many_days_lie_between_two_reminders_in_a_trial_as_in_the_live_run(
    a_town: Callable[..., Town], mode: SendingMode, kind: WorkflowKind
) -> None:
    live, trial = daily(a_town, SendingMode.LIVE, kind), daily(a_town, mode, kind)
    for town in (live, trial):
        town.walk(FIRST, LAST)

    assert days_of(trial) == days_of(live)
    gaps = [(later - earlier).days for (_, earlier), (_, later) in pairwise(days_of(live))]
    assert gaps == [GAP] * 3, "each would have come the day after the one before"


def test_what_the_plan_foresees_in_the_middle_of_a_trial_comes_true(
    a_town: Callable[..., Town], database_url: str
) -> None:
    town = daily(a_town, SendingMode.SHADOW, url=database_url)
    town.walk(FIRST, FIRST + timedelta(days=1))
    until = (LAST - FIRST).days - 1
    foreseen = [(one.send.step, one.send.on) for one in simulate(town.office, town.organisation, days=until).messages]
    known = len(days_of(town))
    town.walk(FIRST + timedelta(days=2), LAST)

    assert foreseen == days_of(town)[known:]
    assert len(foreseen) == 3


def test_why_an_account_waits_in_a_trial_says_that_the_last_reminder_was_only_tried_out(
    a_town: Callable[..., Town],
) -> None:
    town = daily(a_town, SendingMode.SHADOW)
    town.walk(FIRST, FIRST + timedelta(days=1))
    reason = explain(facts_about_fern(town), FIRST + timedelta(days=1)).primary

    assert reason.text == "the last reminder was tried out on 13 January 2026, and 4 days must lie between two"


@pytest.mark.parametrize("going_live", [GoingLive.GO_ON, GoingLive.ANEW])
@pytest.mark.parametrize("kind", WorkflowKind)
def test_once_live_nobody_waits_for_a_reminder_that_they_never_had(
    a_town: Callable[..., Town], kind: WorkflowKind, going_live: GoingLive
) -> None:
    """They go live on the morning after, before the sending time of that day."""
    town = daily(a_town, SendingMode.SHADOW, kind)
    town.day(FIRST)
    town.move(town.clock() + timedelta(hours=22))
    town.sync()
    assert len(days_of(town)) == 1 and len(facts_about_fern(town).tried_out) == 1
    switch(town, SendingMode.LIVE, going_live)
    assert facts_about_fern(town).tried_out == ()
    town.day(FIRST + timedelta(days=1))

    assert len(town.mails_to("fern@debtor.example")) == 1


DAYS = st.dates(date(2026, 1, 1), date(2026, 2, 28))


@given(heard=st.none() | DAYS, tried=DAYS, as_of=DAYS, gap=st.integers(0, 40))
def test_for_the_gap_what_is_tried_out_always_counts_like_what_was_heard(
    heard: date | None, tried: date, as_of: date, gap: int
) -> None:
    known = Facts(Rules(min_days_between_reminders=gap), {}, "W1", (), None, last_reminded_on=heard)
    trial = known._replace(tried_out=(Outcome(ReminderKey(1, "R1"), tried, heard=False),))
    live = known._replace(last_reminded_on=max(heard or tried, tried))

    assert rested(trial, as_of) == rested(live, as_of)
