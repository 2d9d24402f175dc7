"""Caps on contacts through the whole product: whoever makes them, by whatever way, in a trial as when live."""

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.limit_presets import PRESETS
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs import account_acts
from jobs.assigning import assign_workflow
from jobs.call_day import call_day
from jobs.call_results import Result, Then, Told, write_down
from jobs.drafts import Draft
from jobs.sending_settings import GoingLive, SendingSettings, save_sending_settings, sending_settings_of
from jobs.trying_out import SendingMode
from jobs.workflows import Saved, save_workflow
from store.facts import facts_of, ground_of
from store.tables import PhoneCallRow, ReminderRow, StepRow, WorkflowRow
from tests.jobs.calling_firm import DIALLED, PHONE
from tests.jobs.firm import BY, Firm, an_email
from tests.jobs.sending_house import debts, organisation_in
from tests.jobs.sending_house import settle as set_to
from town import Town

FIRST = date(2026, 1, 5)
DAILY = Draft("Daily", tuple(an_email(f"R{day}", day) for day in range(7, 19)))


# --- in a trial as when live


def daily(a_town: Callable[..., Town], mode: SendingMode) -> Town:
    """Fern is due a reminder on each of twelve days, and three contacts in seven days are the most."""
    town = debts(a_town, "Fern")
    saved = save_workflow(town.office, town.organisation, DAILY, by=BY)
    assert isinstance(saved, Saved)
    set_to(town, contact_rules="uk", sending_weekdays=list(range(7)))
    assign_workflow(town.office, [town.account("Fern").id or 0], saved.workflow_id, by=BY)
    if mode is not SendingMode.LIVE:
        switch(town, mode)
    return town


def switch(town: Town, mode: SendingMode) -> None:
    with town.office.database.reading() as session:
        known: SendingSettings = sending_settings_of(organisation_in(session, town))
    wanted = replace(known, sending_mode=mode, sending_to="olive@firm.example")
    save_sending_settings(town.office, town.organisation, wanted, by=BY, going_live=GoingLive.GO_ON)


def days_of(town: Town) -> list[tuple[str, date]]:
    sent = [one for one in town.reminders("Fern") if one.state == ReminderState.SENT and one.performed_on]
    return [(one.step_name, one.performed_on) for one in sent]


@pytest.mark.parametrize("mode", [SendingMode.SHADOW, SendingMode.TO_ME])
def test_a_trial_waits_for_the_caps_as_the_live_run_does(a_town: Callable[..., Town], mode: SendingMode) -> None:
    live, trial = daily(a_town, SendingMode.LIVE), daily(a_town, mode)
    for town in (live, trial):
        town.walk(date(2026, 1, 13), date(2026, 1, 21))

    assert days_of(trial) == days_of(live)
    assert 3 <= len(days_of(live)) <= 5, "three a week, so the caps have made some wait"


def test_once_live_what_was_only_tried_out_takes_up_no_contact(a_town: Callable[..., Town]) -> None:
    town = daily(a_town, SendingMode.SHADOW)
    town.walk(date(2026, 1, 13), date(2026, 1, 15))
    assert len(contacts(town)) == 3
    switch(town, SendingMode.LIVE)
    assert contacts(town) == [], "nobody got those"


def contacts(town: Town) -> list[date]:
    number = town.account("Fern").id or 0
    with town.office.database.reading() as session:
        facts = facts_of(session, ground_of(session, town.organisation, now=town.clock()), [number])[number]
    return [one.on for one in facts.contacted]


# --- whatever the order


CHANNELS = st.sampled_from([Channel.EMAIL, Channel.SMS, Channel.CALL])
STEPS = st.lists(st.tuples(st.integers(1, 3), CHANNELS, st.booleans()), min_size=6, max_size=12)
"""The days between one step and the next, its channel, and whether a person lets it go."""

PEOPLE = st.lists(st.sampled_from(["nothing", "let go", "call"]), min_size=24, max_size=24)
"""What a person does in the course of each day: nothing, let what waits go, or ring whoever is to be rung."""


def written(firm: Firm, steps: list[tuple[int, Channel, bool]]) -> int:
    """A workflow of these steps, put down as it is kept. Returns its number."""
    days = itertools.accumulate(gap for gap, _, _ in steps)
    with firm.office.database.unit_of_work() as unit:
        workflow = WorkflowRow(organisation_id=firm.id, name="Drawn")
        unit.add(workflow)
        unit.flush()
        for place, (day, (_, channel, manual)) in enumerate(zip(days, steps, strict=True)):
            step = {"step_id": f"s{place}", "name": f"S{place}", "day": day, "channel": channel, "manual": manual}
            unit.add(StepRow(workflow_id=workflow.id or 0, subject="Please", body="Please pay.", **step))
        return workflow.id or 0


def act(firm: Firm, account: int, what: str) -> None:
    """A person lets everything go that waits for them, or rings whom the list of calls has under *Ready to call*."""
    if what == "call":
        for call in call_day(firm.office, firm.id).ready:
            told = Told(result=Result.LEFT_MESSAGE, then=Then.NEXT_STEP, number=DIALLED)
            write_down(firm.office, call.reminder.id or 0, told, by=BY)
    if what == "let go":
        for row in firm.rows(ReminderRow):
            letter = row.account_id == account and row.channel != Channel.CALL
            if letter and row.held_because == account_acts.WAITS_FOR_A_PERSON:
                account_acts.approve_reminder(firm.office, row.id or 0, by=BY)


def made(firm: Firm, account: int) -> list[tuple[date, str]]:
    """Every contact: reminders that went, and calls that rang."""
    calls = [row for row in firm.rows(PhoneCallRow) if row.account_id == account and row.counted_on]
    rung = {call.reminder_id for call in calls}
    sent = [row for row in firm.rows(ReminderRow) if row.account_id == account and row.state == ReminderState.SENT]
    found = [(row.performed_on, row.channel) for row in sent if row.heard and row.id not in rung]
    return sorted([*found, *((call.counted_on, Channel.CALL) for call in calls)])


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])
@given(rules=st.sampled_from(sorted(PRESETS)), steps=STEPS, people=PEOPLE)
def test_nobody_is_ever_contacted_more_often_than_a_cap_allows(
    rules: str, steps: list[tuple[int, Channel, bool]], people: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        firm = Firm.founded(f"sqlite:///{Path(folder) / 'books.db'}")
        try:
            firm.change(default_workflow_id=written(firm, steps), contact_rules=rules)
            account = firm.account("Ivy", FIRST, phone=PHONE, mobile="07700 900123")
            for offset, what in enumerate(people):
                firm.day(FIRST + timedelta(days=offset))
                act(firm, account, what)
            contacted = made(firm, account)
        finally:
            firm.close()
    for cap in PRESETS[rules].caps:
        counted = [on for on, channel in contacted if Channel(channel) in cap.channels]
        for first, last in zip(counted, counted[cap.most :], strict=False):
            assert (last - first).days >= cap.days, f"{cap.sentence}: {contacted}"
