"""The whole path, twice: thirty days are simulated, and then lived through with the same events, over real doors.

What was foreseen and what really left must be one list. The firm and its forty accounts are made up, payments are made
in the ledger on the days on which they were expected, and people do in the morning what waits for them.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlmodel import col

from engine.reminders import ReminderState
from engine.workflow import Channel, Step, WorkflowKind
from jobs import acts
from jobs.account_acts import approve_reminder, waits_for_a_person
from jobs.simulate import Payers, Simulation, simulate
from store.tables import AccountRow, OrganisationRow, ReminderRow, StepRow, WorkflowRow
from town import Town

FIRST = date(2026, 3, 2)
DAYS = 30
BY = "Olive Owner"


class Left(NamedTuple):
    """One step performed: on which day, for which account, and by which channel; skipped where nobody was reached."""

    on: date
    account: str
    step: str
    channel: str
    skipped: bool


class House(NamedTuple):
    """A workflow to try: its steps, and those of the one that it leads on to."""

    steps: tuple[Step, ...] = ()
    onward: tuple[Step, ...] = ()
    kind: WorkflowKind = WorkflowKind.ACCOUNT


STANDARD = House()
MIXED = House(
    (
        Step("c1", "Soon due", -3),
        Step("c0", "Due today", 0, manual=True),
        Step("m1", "First", 4),
        Step("m2", "Looked over", 9, manual=True),
        Step("m3", "Text", 12, Channel.SMS),
        Step("m4", "Call", 15, Channel.CALL),
        Step("m5", "Last", 22),
    ),
    (Step("s1", "Stern", 30, manual=True), Step("s2", "Sterner", 33)),
)
REGULAR = House(
    (Step("c0", "Due today", 0), Step("i1", "First", 5), Step("i2", "Second", 14, manual=True)),
    kind=WorkflowKind.INVOICE,
)


@pytest.mark.parametrize(
    ("house", "payers"),
    [
        pytest.param(STANDARD, Payers.NOBODY, id="standard, nobody pays"),
        pytest.param(STANDARD, Payers.AT_THEIR_MEDIAN, id="standard, everybody pays as usual"),
        pytest.param(MIXED, Payers.NOBODY, id="mixed, nobody pays"),
        pytest.param(MIXED, Payers.AT_THEIR_MEDIAN, id="mixed, everybody pays as usual"),
        pytest.param(REGULAR, Payers.NOBODY, id="regular, nobody pays"),
    ],
)
def test_what_was_foreseen_is_what_left(a_town: Callable[..., Town], house: House, payers: Payers) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    a_firm_of_forty(town)
    if house.steps:
        works_by(town, house)
    town.move(datetime.combine(FIRST, time(7), UTC))
    town.sync()

    told = simulate(town.office, town.organisation, days=DAYS, payers=payers)
    assert (told.start, told.paused) == (FIRST, True)
    acts.resume_organisation(town.office, town.organisation, by=BY)
    live_through(town, told)

    lived = what_left(town)
    assert lived == foreseen(told)
    assert len(lived) > 40
    if payers is Payers.NOBODY:
        steps = {step.name for step in (*house.steps, *house.onward)}
        assert steps <= {one.step for one in lived}, "every step of the workflow was performed for somebody"
    assert len(town.control.mails()) == sum(one.channel == Channel.EMAIL for one in lived)
    assert bool(told.payments) is (payers is Payers.AT_THEIR_MEDIAN)


@pytest.mark.parametrize(
    ("house", "payers"),
    [
        pytest.param(MIXED, Payers.AT_THEIR_MEDIAN, id="mixed, everybody pays as usual"),
        pytest.param(REGULAR, Payers.NOBODY, id="regular, nobody pays"),
    ],
)
def test_a_backlog_begun_by_turns_is_foreseen_turn_by_turn(
    a_town: Callable[..., Town], house: House, payers: Payers
) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    a_firm_of_forty(town)
    works_by(town, house)
    with town.office.database.unit_of_work() as unit:
        organisation = unit.get(OrganisationRow, town.organisation)
        assert organisation is not None
        organisation.first_contacts_a_day = 1
    town.move(datetime.combine(FIRST, time(7), UTC))
    town.sync()

    told = simulate(town.office, town.organisation, days=DAYS, payers=payers)
    assert max(told.turns.values()) == 1
    acts.resume_organisation(town.office, town.organisation, by=BY)
    live_through(town, told)

    lived = what_left(town)
    assert lived == foreseen(told)
    firsts = [min(one.on for one in lived if one.account == name and one.channel != "call") for name in heard(lived)]
    assert len(set(firsts)) == len(firsts) == sum(told.turns.values())


def heard(lived: list[Left]) -> set[str]:
    return {one.account for one in lived if one.channel != "call" and not one.skipped}


def a_firm_of_forty(town: Town) -> None:
    """Forty accounts, each with a past of its own and something open. Connected, read, and paused."""
    chance = Random(40)
    town.connect(start_sending=False)
    town.move(town.clock() + timedelta(hours=2))
    for number in range(40):
        name = f"Debtor {number:02}"
        town.control.add_contact(name, email=f"d{number}@debtor.example" if number % 13 else None)
        late = chance.choice((-4, 0, 3, 9, 20, 45))
        for place in range(chance.randint(0, 6)):
            due = FIRST - timedelta(days=60 + 20 * place)
            paid = town.control.add_invoice(name, due=due, date=due - timedelta(days=30), amount="80.00")
            town.control.pay(paid, on=due + timedelta(days=late + chance.randint(-3, 3)))
        for _ in range(chance.randint(0, 4)):
            due = FIRST + timedelta(days=chance.randint(-50, 28))
            town.control.add_invoice(name, due=due, date=due - timedelta(days=30), amount=chance.randint(20, 900))
    town.sync()


def works_by(town: Town, house: House) -> None:
    """Gives the organisation this workflow instead of its default one."""
    with town.office.database.unit_of_work() as unit:
        flow = WorkflowRow(organisation_id=town.organisation, name="House", kind=house.kind)
        onward = WorkflowRow(organisation_id=town.organisation, name="Onward")
        unit.add_all((flow, onward))
        unit.flush()
        for workflow, steps in ((flow, house.steps), (onward, house.onward)):
            for step in steps:
                words = {"subject": step.name, "body": "Dear {{ contact.first_name }}"}
                unit.add(
                    StepRow(
                        workflow_id=workflow.id,
                        step_id=step.id,
                        name=step.name,
                        day=step.day,
                        channel=step.channel,
                        manual=step.manual,
                        **words,
                    )
                )
        if house.onward:
            flow.link_workflow_id, flow.link_after_days = onward.id, 5
        organisation = unit.get(OrganisationRow, town.organisation)
        assert organisation is not None
        organisation.default_workflow_id = flow.id


def live_through(town: Town, told: Simulation) -> None:
    """The same days with the same events: payments before the sync, people before the sending time."""
    for offset in range(DAYS):
        day = FIRST + timedelta(days=offset)
        town.move(datetime.combine(day, time(7, 15), UTC))
        for payment in told.payments:
            if payment.expected.on == day:
                for invoice in payment.expected.invoices:
                    town.control.pay(told.numbers[invoice], on=day)
        town.move(datetime.combine(day, time(7, 30), UTC))
        assert town.sync().state == "done"
        if day.weekday() < 5:
            people_work(town)
        town.move(datetime.combine(day, time(9, 30), UTC))
        town.work()


def people_work(town: Town) -> None:
    """Everything that waits for somebody is approved, and every call is made."""
    with town.office.database.reading() as session:
        queued = session.scalars(select(ReminderRow).where(col(ReminderRow.state) == ReminderState.QUEUED)).all()
    for reminder in queued:
        if waits_for_a_person(reminder):
            approve_reminder(town.office, reminder.id or 0, by=BY)


def foreseen(told: Simulation) -> list[Left]:
    return sorted(
        Left(one.send.on, told.names[int(one.account)], one.send.step, one.send.channel, one.send.skipped)
        for one in told.messages
    )


def what_left(town: Town) -> list[Left]:
    with town.office.database.reading() as session:
        query = (
            select(ReminderRow, AccountRow.name)
            .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
            .where(col(ReminderRow.state) == ReminderState.SENT)
        )
        found = [
            Left(row.performed_on or date.min, name, row.step_name, row.channel, not row.heard)
            for row, name in session.execute(query)
        ]
    return sorted(found)
