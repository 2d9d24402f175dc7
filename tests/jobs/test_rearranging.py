"""Mirrors jobs/rearranging.py: steps change places under accounts that have had some of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from engine.reminders import ReminderState
from engine.workflow import WorkflowKind
from jobs.drafts import Draft
from jobs.impact import Effect, Impact, impact_of
from store.tables import ReminderRow
from tests.jobs.firm import START, Firm, an_email, on


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    firm = Firm.founded(f"sqlite:///{tmp_path / 'arrears.db'}")
    yield firm
    firm.close()


def moved(draft: Draft, **days: int) -> Draft:
    return replace(draft, steps=tuple(replace(step, day=days.get(step.name, step.day)) for step in draft.steps))


@pytest.mark.parametrize("days", [{"R2": 3}, {"R1": 25}])
def test_a_step_that_an_account_has_had_does_not_come_next_for_having_changed_its_place(
    firm: Firm, days: dict[str, int]
) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))

    firm.save(moved(firm.draft(firm.house), **days))
    position = firm.position(ivy)
    assert (position.state, position.next_step, position.next_due_on) == ("waiting", "R3", on(35))

    firm.walk(on(23), on(60))
    assert firm.sent(ivy) == ["R1", "R2", "R3"]


def test_one_that_now_follows_a_step_still_to_come_comes_round_again_on_its_new_day(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))

    firm.save(moved(firm.draft(firm.house), R1=50))
    firm.walk(on(23), on(60))

    assert firm.sent(ivy) == ["R1", "R2", "R3", "R1"]
    assert firm.position(ivy).state == "idle"


@pytest.mark.parametrize(
    ("days", "sent"),
    [({"R1": 28}, ["R1", "R2", "R1", "R3"]), ({"R1": 50}, ["R1", "R2", "R3", "R1"]), ({"R3": 5}, ["R1", "R2"])],
)
def test_no_step_ahead_is_passed_over_because_the_last_one_done_now_stands_behind_it(
    firm: Firm, days: dict[str, int], sent: list[str]
) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(10))

    firm.save(moved(firm.draft(firm.house), **days))
    firm.walk(on(11), on(60))

    assert firm.sent(ivy) == sent


@pytest.mark.parametrize("days", [*permutations((7, 21, 35))])
@pytest.mark.parametrize("age", [8, 22])
def test_in_whichever_order_the_steps_are_put_nobody_stands_still(
    firm: Firm, age: int, days: tuple[int, int, int]
) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(age))

    firm.save(moved(firm.draft(firm.house), **dict(zip(("R1", "R2", "R3"), days, strict=True))))
    firm.walk(on(age + 1), on(80))

    assert firm.position(ivy).state == "idle"
    assert firm.reminders(ivy, ReminderState.QUEUED) == []


def test_an_invoice_that_walks_alone_is_carried_over_likewise(database_url: str) -> None:
    firm = Firm.founded(database_url)
    steps = (an_email("S1", 5), an_email("S2", 15), an_email("S3", 25))
    single = firm.save(Draft("Single", steps, kind=WorkflowKind.INVOICE))
    oak = firm.account("Oak", START, on(4), default_workflow_id=single)
    firm.walk(on(1), on(16))
    assert firm.sent(oak) == ["S1", "S1", "S2"]

    firm.save(moved(firm.draft(single), S1=40, S2=3))
    firm.walk(on(17), on(60))

    assert firm.sent(oak) == ["S1", "S1", "S2", "S3", "S3", "S1", "S1"]
    firm.close()


def test_a_reminder_that_is_just_leaving_counts_also_when_its_step_changes_places(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(20))
    firm.change(paused_at=firm.now)
    firm.day(on(21))
    leaving(firm, state=ReminderState.SENDING)

    firm.save(moved(firm.draft(firm.house), R1=50))
    leaving(firm, state=ReminderState.SENT, performed_on=on(21), heard=True, counted=False)
    firm.change(paused_at=None)
    firm.walk(on(22), on(40))

    assert firm.sent(ivy) == ["R1", "R2", "R3"]


def leaving(firm: Firm, **becomes: object) -> None:
    with firm.office.database.unit_of_work() as unit:
        unit.execute(update(ReminderRow).where(col(ReminderRow.step_name) == "R2").values(**becomes))


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda house: moved(house, R2=3), "at R1; R3 follows on 5 February 2026"),
        (lambda house: moved(house, R1=50), "at R2; R3 follows on 5 February 2026"),
    ],
)
def test_the_impact_of_such_an_edit_is_told_as_it_then_comes(
    firm: Firm, edit: Callable[[Draft], Draft], told: str
) -> None:
    firm.account("Ivy", START)
    firm.walk(on(1), on(22))
    found = impact_of(firm.office, firm.id, edit(firm.draft(firm.house)))

    assert isinstance(found, Impact)
    assert {(change.effect, change.after) for change in found.changes} <= {(Effect.DIFFERENT, told)}
