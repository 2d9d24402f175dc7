"""The moves an account can make: it begins, a step is performed, it goes back when the oldest invoice is paid, and it
moves on to a linked workflow when its own has come to an end.

The anchor carries the schedule. Going back takes the later of the present anchor and the new driver's due date, so
a payment can never bring a sterner reminder nearer, whatever happened before.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.facts import AfterMoveBack, Begin, Facts, FirstContact
from engine.position import Passed, Run, due_at, lateness, place_done
from engine.receivables import Ref
from engine.workflow import Step, Workflow


class Moved(NamedTuple):
    """A run after a reassessment, and the assigned steps before and after it.

    `moved` also when the assigned step is the same but is now to be sent once more, for the new driver. `left` is the
    workflow that was left when the account went back over a link.
    """

    run: Run
    before: Step | None = None
    after: Step | None = None
    moved: bool = False
    left: Ref | None = None


def begun(facts: Facts, driver: OpenInvoice, as_of: date, begin: Begin | None = None) -> Run:
    """The start of a run: the first counted invoice, or a person's word, puts the account on its workflow."""
    chosen = begin.workflow if begin is not None and begin.workflow is not None else facts.default_workflow
    by_hand = begin is not None and begin.by_hand
    run = Run(
        workflow=chosen,
        cycle=facts.cycle + 1,
        anchor=driver.due_on,
        driver=driver.id,
        driver_due_on=driver.due_on,
        by_hand=by_hand,
    )
    workflow = facts.workflows[chosen]
    if begin is not None and begin.step is not None:
        done = max(0, workflow.place_of(begin.step, 0) - 1)
        # The steps before the one chosen count as performed: when the driver is paid, the account moves back from here.
        return replace(_at(run, workflow, done), performed=done > 0)
    return _at(run, workflow, _first_place(run, workflow, driver, facts, as_of))


def performed(run: Run, workflow: Workflow, step: Step, on: date, sending: SendingDays, *, heard: bool) -> Run:
    """A step was sent, called or skipped: it is done, and the rest of the schedule keeps its gaps."""
    following = place_done(run, workflow) + 1
    place = following if workflow.step_at(following) == step else workflow.place_of(step.id, step.day)
    late = lateness(due_at(run, workflow, place), on, sending)
    after = _at(run, workflow, place)
    return replace(
        after,
        anchor=run.anchor + timedelta(days=late),
        # A repetition is the same step of the same run: only a new cycle gives it a key of its own.
        cycle=run.cycle + 1 if place >= workflow.length and workflow.repeat_every else run.cycle,
        last_heard_on=on if heard else run.last_heard_on,
        performed=True,
    )


def assigned_place(run: Run, workflow: Workflow, as_of: date) -> int:
    """How many places have come due in this run: those done, and the next one from its day on."""
    done = place_done(run, workflow)
    if run.ended or workflow.step_at(done + 1) is None:
        return done
    return done + 1 if due_at(run, workflow, done + 1) <= as_of else done


def reassessed(run: Run, driver: OpenInvoice, facts: Facts, as_of: date) -> Moved:
    """The run as it follows from today's driver. Never forward.

    While nothing was performed on the workflow the anchor simply follows the driver. After that only a driver with a
    later due date moves anything, and only with `reassess_on_payment`.
    """
    if run.driver_due_on == driver.due_on and _stands(run, facts):
        return Moved(run if run.driver == driver.id else replace(run, driver=driver.id))
    workflow = facts.workflows[run.workflow]
    back = _back_over_link(run, driver, facts, as_of)
    if back is not None:
        return back
    before = assigned_place(run, workflow, as_of)
    after = _along_the_driver(run, workflow, driver, facts, as_of)
    place = assigned_place(after, workflow, as_of)
    undone = place_done(after, workflow) < place_done(run, workflow)
    # Whatever may have to be sent again gets a new cycle, and with it a new key.
    moved = undone or (before > place and run.driver_due_on < driver.due_on)
    cycle = run.cycle + 1 if moved else run.cycle
    return Moved(
        run=replace(after, driver=driver.id, driver_due_on=driver.due_on, cycle=cycle),
        before=workflow.step_at(before),
        after=workflow.step_at(place),
        moved=moved,
    )


def _stands(run: Run, facts: Facts) -> bool:
    """With the same driver nothing moves, but for an anchor that lags behind it and a first contact by age."""
    if run.anchor < run.driver_due_on:
        return False
    by_age = facts.rules.first_contact is FirstContact.BY_AGE
    return run.performed or (run.anchor == run.driver_due_on and (run.by_hand or (run.done is None and not by_age)))


def _along_the_driver(run: Run, workflow: Workflow, driver: OpenInvoice, facts: Facts, as_of: date) -> Run:
    if not run.performed:
        after = replace(run, anchor=driver.due_on)
        return after if run.by_hand else _at(after, workflow, _first_place(run, workflow, driver, facts, as_of))
    if not facts.rules.reassess_on_payment:
        return run
    if driver.due_on > run.driver_due_on and run.done is not None:
        return _gone_back(run, workflow, driver, facts, as_of)
    return replace(run, anchor=driver.due_on) if run.anchor < driver.due_on else run


def _gone_back(run: Run, workflow: Workflow, driver: OpenInvoice, facts: Facts, as_of: date) -> Run:
    anchor = max(run.anchor, driver.due_on)
    assigned = assigned_place(run, workflow, as_of)
    fitting = min(workflow.fitting((as_of - anchor).days), assigned)
    done = place_done(run, workflow)
    place = min(done, _done_when(run, driver, facts, fitting, real=fitting < assigned))
    return replace(_at(run, workflow, place), anchor=anchor, ended=run.ended and place == done)


def _done_when(run: Run, driver: OpenInvoice, facts: Facts, fitting: int, *, real: bool) -> int:
    """Whether the fitting step counts as done (decision D2 of the semantics).

    A debtor who was reminded while the new driver was overdue has seen it on that statement: it does. One who was not
    is reminded at that step once. With `resend` a real move back sends the step once more in any case.
    """
    heard = run.last_heard_on is not None and run.last_heard_on > driver.due_on
    if heard and not (real and facts.rules.after_move_back is AfterMoveBack.RESEND):
        return fitting
    return max(0, fitting - 1)


def _back_over_link(run: Run, driver: OpenInvoice, facts: Facts, as_of: date) -> Moved | None:
    """Back to the workflow that the account came from, when the new driver is too young for the link that led on."""
    rules = facts.rules
    if not run.path or driver.due_on <= run.driver_due_on:
        return None
    if not (rules.reassess_on_payment and rules.return_over_link):
        return None
    path = _path_left(run, driver, as_of)
    if len(path) == len(run.path) or run.path[len(path)].workflow not in facts.workflows:
        return None
    workflow, left = facts.workflows[run.path[len(path)].workflow], facts.workflows[run.workflow]
    anchor = max(run.anchor, driver.due_on)
    fitting = min(workflow.fitting((as_of - anchor).days), workflow.length)
    place = _done_when(run, driver, facts, fitting, real=True)
    after = replace(
        _at(run, workflow, place),
        workflow=workflow.id,
        cycle=run.cycle + 1,
        anchor=anchor,
        driver=driver.id,
        driver_due_on=driver.due_on,
        performed=True,
        path=path,
        ended=False,
    )
    before = left.step_at(assigned_place(run, left, as_of))
    return Moved(after, before, workflow.step_at(assigned_place(after, workflow, as_of)), moved=True, left=left.id)


def _path_left(run: Run, driver: OpenInvoice, as_of: date) -> tuple[Passed, ...]:
    """The links that the new driver is old enough for; the others are gone back over, as many as there are."""
    path = run.path
    while path and driver.age(as_of) < path[-1].threshold:
        path = path[:-1]
    return path


def leaves_on(run: Run, workflow: Workflow, last_step_on: date | None) -> date | None:
    """The day on which the link of this workflow leads on; None while it has steps to go, or leads nowhere.

    So many days after the last step was performed, and not before the schedule itself has got there: after a move
    back that is when the new driver is old enough.
    """
    if workflow.link is None or run.ended or not workflow.length or place_done(run, workflow) < workflow.length:
        return None
    since = due_at(run, workflow, workflow.length)
    return max(since, last_step_on or since) + timedelta(days=workflow.link.after_days)


def moved_on(run: Run, workflow: Workflow, to: Workflow, driver: OpenInvoice) -> Run:
    """Over the link, to the beginning of the linked workflow: its steps count by the driver's real age."""
    assert workflow.link is not None
    threshold = workflow.day_of(workflow.length) + workflow.link.after_days
    return replace(
        _at(run, to, 0),
        workflow=to.id,
        cycle=run.cycle + 1,
        anchor=driver.due_on,
        performed=False,
        by_hand=False,
        path=(*run.path, Passed(workflow.id, threshold)),
    )


def rearranged(run: Run, before: Workflow, after: Workflow) -> Run:
    """The run after its workflow was edited. Steps that it has behind it do not come next for having changed places,
    and those still to come are not passed over because the last one done now stands behind them.

    A step that was done and now follows one still to come lies ahead like any other; a new cycle gives it a new key.
    """
    had = {step.id for step in before.sequence[: place_done(run, before)]}
    to_come = {step.id for step in before.sequence if step.id not in had}
    done = place_done(run, after)
    passed_over = (i for i, step in enumerate(after.sequence[:done]) if step.id in to_come and step.day > run.done_day)
    place = next(passed_over, done)
    while place < after.length and after.sequence[place].id in had:
        place += 1
    edited = _at(run, after, place) if place != done else run
    again = any(step.id in had for step in after.sequence[place:])
    return replace(edited, cycle=run.cycle + 1) if again else edited


def _first_place(run: Run, workflow: Workflow, driver: OpenInvoice, facts: Facts, as_of: date) -> int:
    """How many places count as done before the first contact: none, or all before the one that fits the age."""
    by_age = facts.rules.first_contact is FirstContact.BY_AGE
    if not by_age or run.by_hand or run.path or facts.last_reminded_on is not None:
        return 0
    return max(0, min(workflow.fitting(driver.age(as_of)), workflow.length) - 1)


def _at(run: Run, workflow: Workflow, place: int) -> Run:
    """The run with this many places done."""
    step = workflow.step_at(place)
    if step is None:
        return run if run.done is None else replace(run, done=None, done_day=0, repeats=0)
    repeats = max(0, place - workflow.length)
    return replace(run, done=step.id, done_day=step.day, repeats=repeats)
