"""The moves an account can make: it begins, a step is performed, and it goes back when the oldest invoice is paid.

The anchor carries the schedule. Going back takes the later of the present anchor and the new driver's due date, so
a payment can never bring a sterner reminder nearer, whatever happened before.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.facts import Facts, Rules
from engine.position import Run, due_on, lateness, next_step
from engine.workflow import Step, Workflow


class Moved(NamedTuple):
    """A run after a reassessment, and the assigned steps before and after it.

    `moved` also when the assigned step is the same but is now to be sent once more, for the new driver.
    """

    run: Run
    before: Step | None
    after: Step | None
    moved: bool


def begun(facts: Facts, driver: OpenInvoice) -> Run:
    """The first counted invoice puts the account at the start of its default workflow."""
    return Run(
        workflow=facts.default_workflow,
        cycle=facts.cycle + 1,
        anchor=driver.due_on,
        driver=driver.id,
        driver_due_on=driver.due_on,
    )


def performed(run: Run, step: Step, on: date, sending: SendingDays, *, heard: bool) -> Run:
    """A step was sent, called or skipped: it is done, and the rest of the schedule keeps its gaps."""
    late = lateness(run, step, on, sending)
    return replace(
        run,
        anchor=run.anchor + timedelta(days=late),
        done=step.id,
        done_day=step.day,
        last_heard_on=on if heard else run.last_heard_on,
    )


def assigned_place(run: Run, workflow: Workflow, as_of: date) -> int:
    """How many steps have come due in this run: those done, and the next one from its day on."""
    done = workflow.place_of(run.done, run.done_day)
    step = next_step(run, workflow)
    return done + 1 if step is not None and due_on(run, step) <= as_of else done


def reassessed(run: Run, workflow: Workflow, driver: OpenInvoice, rules: Rules, as_of: date) -> Moved:
    """The run as it follows from today's driver. Never forward.

    While nothing was performed in the run the anchor simply follows the driver. After that only a driver with a later
    due date moves anything, and only with `reassess_on_payment`.
    """
    before = assigned_place(run, workflow, as_of)
    after = _along_the_driver(run, workflow, driver, rules, as_of)
    place = assigned_place(after, workflow, as_of)
    undone = workflow.place_of(after.done, after.done_day) < workflow.place_of(run.done, run.done_day)
    # Whatever may have to be sent again gets a new cycle, and with it a new key.
    moved = undone or (before > place and run.driver_due_on < driver.due_on)
    return Moved(
        run=replace(after, driver=driver.id, driver_due_on=driver.due_on, cycle=run.cycle + 1 if moved else run.cycle),
        before=_step_at(workflow, before),
        after=_step_at(workflow, place),
        moved=moved,
    )


def _along_the_driver(run: Run, workflow: Workflow, driver: OpenInvoice, rules: Rules, as_of: date) -> Run:
    if run.done is None and run.last_heard_on is None:
        return replace(run, anchor=driver.due_on)
    if not rules.reassess_on_payment:
        return run
    if driver.due_on > run.driver_due_on and run.done is not None:
        return _gone_back(run, workflow, driver, as_of)
    return replace(run, anchor=driver.due_on) if run.anchor < driver.due_on else run


def _gone_back(run: Run, workflow: Workflow, driver: OpenInvoice, as_of: date) -> Run:
    anchor = max(run.anchor, driver.due_on)
    fitting = min(workflow.fitting((as_of - anchor).days), assigned_place(run, workflow, as_of))
    # A debtor who was reminded while the new driver was overdue has seen it on that statement: the fitting step
    # counts as done. One who was not is reminded at that step once (decision D2 of the semantics).
    heard = run.last_heard_on is not None and run.last_heard_on > driver.due_on
    place = max(0, min(workflow.place_of(run.done, run.done_day), fitting if heard else fitting - 1))
    step = _step_at(workflow, place)
    return replace(run, anchor=anchor, done=step.id if step else None, done_day=step.day if step else 0)


def _step_at(workflow: Workflow, place: int) -> Step | None:
    return workflow.sequence[place - 1] if place > 0 else None
