"""Regular workflows: every invoice walks through the steps alone, by its own due date.

A payment, a credit or a mute ends the walk of that invoice and touches no other. Two invoices due on one day give two
emails. There is no shared driver, so "Smart workflows" has no effect here.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.courtesy import courtesy_orders
from engine.facts import Begin, Decision, Facts
from engine.gates import at_the_gates, held_because, last_reminder, taken_back, told_before
from engine.looking import Look, driver_of
from engine.moves import assigned_place
from engine.notes import Note, NoteKind
from engine.position import (
    AT_A_STEP,
    Clear,
    Due,
    Held,
    Idle,
    Pending,
    Position,
    Run,
    State,
    Waiting,
    due_at,
    place_done,
)
from engine.reminders import COURTESY_CYCLE, Order, ReminderKey
from engine.telling import capital, ended
from engine.words import days
from engine.workflow import WorkflowKind


class _Walk(NamedTuple):
    """One invoice on its way, and what becomes of its next step today."""

    invoice: OpenInvoice
    run: Run
    state: State


def decide_each_invoice(facts: Facts, seen: Look) -> Decision:
    """The decision for an account whose invoices are reminded one by one."""
    begin = facts.begin
    if not seen.overdue:
        return _nothing_overdue(facts, seen)
    run = _run_of_the_account(facts, seen, begin)
    workflow = facts.workflows[run.workflow]
    walks = _walks(facts, seen, run, begin)
    orders = (
        *(order for walk in walks if (order := _order(facts, seen, walk)) is not None),
        *courtesy_orders(facts, seen, workflow, one_a_day=False),
    )
    position = _position(facts, seen, run, walks)
    return Decision(
        position=position,
        cycle=run.cycle,
        last_reminded_on=facts.last_reminded_on,
        last_step_on=facts.last_step_on,
        orders=orders,
        withdrawals=taken_back(facts, position, orders),
        notes=_notes(facts, seen, position, walks, begin),
        invoice_runs={walk.invoice.id: walk.run for walk in walks},
    )


def _nothing_overdue(facts: Facts, seen: Look) -> Decision:
    workflow = facts.workflows[facts.default_workflow]
    told = f"nothing is overdue any more; the account is back at the start of {workflow.name}" if facts.run else ""
    position = Position(workflow, Clear(), seen.as_of, told=told)
    alone = workflow.kind is WorkflowKind.INVOICE
    orders = courtesy_orders(facts, seen, workflow, one_a_day=not alone)
    return Decision(
        position=position,
        cycle=facts.cycle,
        last_reminded_on=facts.last_reminded_on,
        last_step_on=facts.last_step_on,
        orders=orders,
        withdrawals=taken_back(facts, position, orders),
        notes=(Note(NoteKind.CLEARED, f"{capital(told)}."),) if told else (),
        lifts=seen.over,
    )


def _run_of_the_account(facts: Facts, seen: Look, begin: Begin | None) -> Run:
    """What the account itself remembers: its workflow, and a cycle that no earlier key has used."""
    oldest = seen.driver or driver_of(seen.overdue)
    assert oldest is not None
    known = facts.run if begin is None else None
    used = max([facts.cycle, *(walk.cycle for walk in facts.invoice_runs.values())])  # each repetition has used one
    if known is not None:
        fresh = any(invoice.id not in facts.invoice_runs for invoice in _counted(seen))
        cycle = used + 1 if fresh else used
        return replace(known, cycle=cycle, anchor=oldest.due_on, driver=oldest.id, driver_due_on=oldest.due_on)
    chosen = begin.workflow if begin is not None and begin.workflow is not None else facts.default_workflow
    by_hand = begin is not None and begin.by_hand
    return Run(chosen, used + 1, oldest.due_on, oldest.id, oldest.due_on, by_hand=by_hand)


def _counted(seen: Look) -> tuple[OpenInvoice, ...]:
    return tuple(invoice for invoice in seen.overdue if invoice.id not in seen.disputed)


def _walks(facts: Facts, seen: Look, run: Run, begin: Begin | None) -> list[_Walk]:
    """Each overdue invoice with its run. A disputed one keeps its place and gets nothing."""
    walks = []
    for invoice in sorted(seen.overdue, key=lambda one: (one.due_on, -one.balance, one.number)):
        known = facts.invoice_runs.get(invoice.id) if begin is None else None
        if known is None and invoice.id in seen.disputed:
            continue
        own = _along(known, invoice) if known is not None else _started(facts, invoice, run, begin)
        own, state = _state(facts, seen, own, invoice)
        walks.append(_Walk(invoice, own, state))
    return walks


def _started(facts: Facts, invoice: OpenInvoice, run: Run, begin: Begin | None) -> Run:
    """A new invoice follows the present default, where that is of this kind; the others keep what they have."""
    default = facts.workflows[facts.default_workflow]
    chosen = default.id if begin is None and not run.by_hand and default.kind is WorkflowKind.INVOICE else run.workflow
    return Run(chosen, run.cycle, invoice.due_on, invoice.id, invoice.due_on)


def _along(run: Run, invoice: OpenInvoice) -> Run:
    """The schedule goes along with a due date that was changed; steps that were done stay done."""
    shift = invoice.due_on - run.driver_due_on
    return replace(run, anchor=run.anchor + shift, driver_due_on=invoice.due_on) if shift else run


def _state(facts: Facts, seen: Look, run: Run, invoice: OpenInvoice) -> tuple[Run, State]:
    workflow = facts.workflows[run.workflow]
    place = place_done(run, workflow) + 1
    step = None if run.ended else workflow.step_at(place)
    if step is None:
        return (run if run.ended else replace(run, ended=True)), Idle()
    on = due_at(run, workflow, place)
    if on > seen.as_of or invoice.id in seen.disputed or not _rested(facts, run, seen.as_of):
        return run, Waiting(step, on)
    return run, at_the_gates(facts, seen, step, on, key=ReminderKey(run.cycle, step.id, invoice.id), spaced=False)


def _rested(facts: Facts, run: Run, as_of: date) -> bool:
    """The gap lies between two reminders of the same invoice."""
    last = last_word(facts, run)
    return last is None or last + timedelta(days=max(1, facts.rules.min_days_between_reminders)) <= as_of


def last_word(facts: Facts, run: Run) -> date | None:
    """The day from which the gap of this one invoice counts."""
    steps = [one for one in facts.tried_out if one.key.invoice == run.driver and one.key.cycle != COURTESY_CYCLE]
    return last_reminder(run.last_heard_on, steps)


def _order(facts: Facts, seen: Look, walk: _Walk) -> Order | None:
    state = walk.state
    if not isinstance(state, AT_A_STEP) or walk.invoice.id in seen.disputed:
        return None
    key = ReminderKey(walk.run.cycle, state.step.id, walk.invoice.id)
    held = held_because(facts, key, state, seen.as_of)
    return Order(key, state.step, state.due_on, (walk.invoice.id,), held) if held is not None else None


_URGENCY = (Due, Held, Pending, Waiting, Idle)


def _position(facts: Facts, seen: Look, run: Run, walks: list[_Walk]) -> Position:
    """What the account shows: the most urgent of its invoices, the earliest first.

    An invoice that is newer than the account's run may walk on another workflow, that of the present default.
    """
    workflow = facts.workflows[run.workflow]
    if not walks:
        return Position(workflow, Idle(), seen.as_of, run, None, told="everything overdue is disputed")
    counted = [walk for walk in walks if walk.invoice.id not in seen.disputed] or walks
    urgent = min(counted, key=lambda walk: (_URGENCY.index(type(walk.state)), _when(walk), walk.invoice.due_on))
    told = f"{urgent.invoice.number} is {days(urgent.invoice.age(seen.as_of))} overdue"
    if isinstance(urgent.state, Idle):
        told += " and has had every step"
    elif len(counted) > 1:
        told += f"; {len(counted)} invoices are reminded one by one"
    its_own = facts.workflows[urgent.run.workflow]
    assigned = its_own.step_at(assigned_place(urgent.run, its_own, seen.as_of))
    return Position(workflow, urgent.state, seen.as_of, run, urgent.invoice, assigned, told)


def _when(walk: _Walk) -> date:
    return walk.state.due_on if isinstance(walk.state, AT_A_STEP) else date.max


def _notes(facts: Facts, seen: Look, position: Position, walks: list[_Walk], begin: Begin | None) -> tuple[Note, ...]:
    notes: list[Note] = []
    if begin is not None and begin.by_hand:
        who = f" by {begin.by}" if begin.by else ""
        notes.append(Note(NoteKind.ASSIGNED, f"Moved to {position.workflow.name}{who}: each invoice begins anew."))
    for walk in walks:
        if walk.invoice.id not in facts.invoice_runs:
            text = f"{walk.invoice.number} is overdue and begins on {facts.workflows[walk.run.workflow].name}."
            notes.append(Note(NoteKind.BEGAN, text, walk.invoice.id))
        order = _order(facts, seen, walk) if isinstance(walk.state, Held) else None
        if order is not None and not told_before(facts, order):
            text = f"{order.step.name} for {walk.invoice.number} was not sent: {order.held_because}"
            notes.append(Note(NoteKind.HELD, ended(text), walk.invoice.id))
    return tuple(notes)
