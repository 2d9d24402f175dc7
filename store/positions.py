"""A position as a row, and back: what is remembered of an account between two looks."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec

from engine.again import look_again_on
from engine.facts import Decision, Facts
from engine.holds import sentence
from engine.position import Held, Leaving, Passed, Run
from store.rows import DAYS, Row

POSITION_COLUMNS = (
    "account_id",
    "organisation_id",
    "workflow_id",
    "state",
    "assigned_step",
    "next_step",
    "next_due_on",
    "driver_id",
    "held_because",
    "cycle",
    "last_reminded_on",
    "last_step_on",
    "anchor",
    "run_driver_id",
    "driver_due_on",
    "done",
    "done_day",
    "repeats",
    "last_heard_on",
    "performed",
    "by_hand",
    "ended",
    "path",
    "look_again_on",
)
"""Those that make a position what it is. `because`, `as_of` and `decided_at` are written along with a change only."""


def _day(value: Any) -> date | None:
    return DAYS[value] if value is not None else None


def run_of(row: Row) -> tuple[Run | None, int, date | None, date | None]:
    """The run, the cycle, when the account was last reminded, and when a step was last performed."""
    (_, _, workflow, _, _, _, _, _, _, cycle, reminded, stepped, anchor, driver, due_on, done, done_day, *more) = row
    last = _day(reminded), _day(stepped)
    if anchor is None:
        return None, cycle, *last
    repeats, heard, performed, by_hand, ended, path, _ = more
    run = Run(
        workflow,
        cycle,
        _day(anchor),  # type: ignore[arg-type]
        driver,
        _day(due_on),  # type: ignore[arg-type]
        done,
        done_day,
        repeats,
        _day(heard),
        bool(performed),
        bool(by_hand),
        _path(path) if path else (),
        bool(ended),
    )
    return run, cycle, *last


def position_row(
    organisation_id: int,
    account_id: int,
    facts: Facts,
    decision: Decision,
    *,
    as_of: date,
    day: Callable[[date | None], Any],
) -> Row:
    """The columns of `POSITION_COLUMNS` as the driver takes and gives them. `day`: how it takes dates."""
    position, run = decision.position, decision.position.run
    state = position.state
    step = position.next_step
    again = look_again_on(facts, decision, as_of)
    held = sentence(state.holds[0]) if isinstance(state, Held) else ""
    next_due_on = state.on if isinstance(state, Leaving) else position.next_due_on
    head = (
        account_id,
        organisation_id,
        position.workflow.id,
        _NAMES[type(state).__name__],
        position.assigned.name if position.assigned is not None else None,
        step.name if step is not None else None,
        day(next_due_on),
        position.driver.id if position.driver is not None else None,
        held,
        decision.cycle,
        day(decision.last_reminded_on),
        day(decision.last_step_on),
    )
    if run is None:
        return (*head, None, None, None, None, 0, 0, None, False, False, False, "", day(again))
    return (
        *head,
        day(run.anchor),
        run.driver,
        day(run.driver_due_on),
        run.done,
        run.done_day,
        run.repeats,
        day(run.last_heard_on),
        run.performed,
        run.by_hand,
        run.ended,
        _path_text(run.path) if run.path else "",
        day(again),
    )


_NAMES = {
    name: name.lower() for name in ("Clear", "Waiting", "Due", "Pending", "Held", "Leaving", "Idle")
}  # `type(state).__name__.lower()`, once a name


def _path(text: str) -> tuple[Passed, ...]:
    return msgspec.json.decode(text, type=tuple[Passed, ...])


def _path_text(path: tuple[Passed, ...]) -> str:
    return msgspec.json.encode(path).decode()


WALK_COLUMNS = (
    *("account_id", "invoice_id", "workflow_id", "cycle", "anchor", "driver_due_on", "done", "done_day", "repeats"),
    *("last_heard_on", "performed", "ended"),
)


def walk_of(row: Sequence[Any]) -> Run:
    """Where one invoice stands on a workflow of kind invoice. The row: `WALK_COLUMNS` without the account."""
    invoice, workflow, cycle, anchor, due_on, done, done_day, repeats, heard, performed, ended = row
    return Run(
        workflow=workflow,
        cycle=cycle,
        anchor=DAYS[anchor],
        driver=invoice,
        driver_due_on=DAYS[due_on],
        done=done,
        done_day=done_day,
        repeats=repeats,
        last_heard_on=_day(heard),
        performed=bool(performed),
        ended=bool(ended),
    )


def walk_row(account_id: int, run: Run, day: Callable[[date | None], Any]) -> Row:
    """The columns of `WALK_COLUMNS`."""
    return (
        account_id,
        run.driver,
        run.workflow,
        run.cycle,
        day(run.anchor),
        day(run.driver_due_on),
        run.done,
        run.done_day,
        run.repeats,
        day(run.last_heard_on),
        run.performed,
        run.ended,
    )
