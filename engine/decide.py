"""The engine's door: facts about one account and a date go in, a decision with its reasons comes out.

This is the page to read to know what the product does. An account with nothing overdue is clear. Otherwise its oldest
overdue invoice, the driver, says how far along the workflow it stands; the next step is due on its day, and it leaves
unless something holds it.
"""

from dataclasses import replace
from datetime import date

from engine.ageing import OpenInvoice
from engine.courtesy import courtesy_orders
from engine.each_invoice import decide_each_invoice
from engine.facts import Begin, Decision, Facts
from engine.gates import account_holds, at_the_gates, held_because, taken_back, told_before
from engine.holds import Hold, HoldKind, sentence
from engine.looking import Look, look
from engine.moves import Moved, assigned_place, begun, leaves_on, moved_on, performed, reassessed
from engine.notes import Note, NoteKind
from engine.position import (
    AT_A_STEP,
    Clear,
    Held,
    Idle,
    Leaving,
    Position,
    Run,
    State,
    Waiting,
    due_at,
    oldest,
    place_done,
)
from engine.reminders import COURTESY_CYCLE, Order, Outcome, ReminderKey
from engine.telling import capital, departure, ended, moved_back, moved_back_note, stays
from engine.workflow import Step, Workflow, WorkflowKind


def decide(facts: Facts, as_of: date) -> Decision:
    """The one decision that follows from these facts on this date (in the organisation's time zone).

    Deciding twice is deciding once: the second decision finds nothing to change.
    """
    just_performed = bool(facts.outcomes)
    if just_performed:
        facts = with_outcomes(facts)
    seen = look(facts, as_of)
    if facts.begin is not None and facts.begin.by_hand and seen.paused:
        facts = facts._replace(begin=None)  # a paused account cannot change its workflow
    if kind_of(facts) is WorkflowKind.INVOICE and not seen.muted:
        return decide_each_invoice(facts, seen)
    if seen.muted or not seen.overdue:
        return _clear(facts, seen)
    if seen.driver is None:
        return _all_disputed(facts, seen)
    return _placed(facts, seen, seen.driver, just_performed=just_performed)


def kind_of(facts: Facts) -> WorkflowKind:
    """Whether the account walks as a whole, or each of its invoices alone."""
    if facts.begin is not None:
        chosen = facts.begin.workflow if facts.begin.workflow is not None else facts.default_workflow
    else:
        chosen = facts.run.workflow if facts.run is not None else facts.default_workflow
    return facts.workflows[chosen].kind


def with_outcomes(facts: Facts) -> Facts:
    """The facts after what was performed since the last look has been taken in."""
    run, reminded, stepped = facts.run, facts.last_reminded_on, facts.last_step_on
    invoice_runs, courtesies = dict(facts.invoice_runs), set(facts.courtesies)
    for outcome in sorted(facts.outcomes, key=lambda outcome: outcome.on):
        stepped = max(stepped or outcome.on, outcome.on)
        if outcome.heard:
            reminded = max(reminded or outcome.on, outcome.on)
        invoice = outcome.key.invoice
        if invoice is None:
            run = _walked(facts, run, outcome, heard=outcome.heard or outcome.tried_out) if run is not None else None
        elif outcome.key.cycle == COURTESY_CYCLE:
            courtesies.add((invoice, outcome.key.step))
        elif invoice in invoice_runs:
            invoice_runs[invoice] = _walked(facts, invoice_runs[invoice], outcome, heard=outcome.heard)
    facts = facts._replace(run=run, last_reminded_on=reminded, last_step_on=stepped, outcomes=())
    return facts._replace(courtesies=frozenset(courtesies), invoice_runs=invoice_runs)


def _walked(facts: Facts, run: Run, outcome: Outcome, *, heard: bool) -> Run:
    """The run after one outcome; one of another cycle, or of a step that is gone, moves it nowhere."""
    if run.cycle != outcome.key.cycle:
        return run
    workflow = facts.workflows[run.workflow]
    step = next((step for step in workflow.sequence if step.id == outcome.key.step), None)
    if step is None:
        return run
    return performed(run, workflow, step, outcome.on, facts.rules.sending, heard=heard)


def left_behind(facts: Facts, decision: Decision) -> Facts:
    """The facts as this decision leaves them for the next look: what it took in is taken in."""
    facts = with_outcomes(facts) if facts.outcomes else facts
    return facts._replace(
        run=decision.position.run,
        cycle=decision.cycle,
        last_reminded_on=decision.last_reminded_on,
        last_step_on=decision.last_step_on,
        invoice_runs=decision.invoice_runs,
        begin=None,
    )


def _clear(facts: Facts, seen: Look) -> Decision:
    workflow = facts.workflows[facts.default_workflow]
    orders: tuple[Order, ...] = ()
    if seen.muted:
        told = "the account is muted"
    elif facts.run is None:
        told = ""
        orders = courtesy_orders(facts, seen, workflow) if workflow.courtesies else ()
    else:
        left = departure(facts, seen.as_of)
        told = f"{left}nothing is overdue any more; the account is back at the start of {workflow.name}"
        orders = courtesy_orders(facts, seen, workflow) if workflow.courtesies else ()
    position = Position(workflow, Clear(), seen.as_of, told=told)
    return Decision(
        position=position,
        cycle=facts.cycle,
        last_reminded_on=facts.last_reminded_on,
        last_step_on=facts.last_step_on,
        orders=orders,
        withdrawals=taken_back(facts, position, orders) if facts.standing else (),
        notes=(Note(NoteKind.CLEARED, f"{capital(told)}."),) if facts.run is not None else (),
        lifts=seen.over,
    )


def _all_disputed(facts: Facts, seen: Look) -> Decision:
    """Everything overdue is disputed: the account keeps its position, names no driver and sends nothing."""
    hold = Hold(HoldKind.DISPUTE, seen.as_of)
    run, notes = facts.run, ()
    if facts.begin is not None and run is not None:
        run = begun(facts, min(seen.overdue, key=lambda invoice: invoice.due_on), seen.as_of, facts.begin)
    if run is None:
        position = Position(
            facts.workflows[facts.default_workflow], Clear(), seen.as_of, told="everything overdue is disputed"
        )
    else:
        workflow = facts.workflows[run.workflow]
        step = _next_step(run, workflow)
        if step is not None:
            state: State = Held(step, due_at(run, workflow, place_done(run, workflow) + 1), (hold,))
        else:
            state = _at_the_end(facts, run, workflow)
        assigned = workflow.step_at(assigned_place(run, workflow, seen.as_of))
        position = Position(workflow, state, seen.as_of, run, None, assigned, told=sentence(hold))
    return Decision(
        position=position,
        cycle=run.cycle if run is not None else facts.cycle,
        last_reminded_on=facts.last_reminded_on,
        last_step_on=facts.last_step_on,
        withdrawals=taken_back(facts, position, (), sentence(hold)),
        notes=notes,
    )


def _placed(facts: Facts, seen: Look, driver: OpenInvoice, *, just_performed: bool) -> Decision:
    begin = facts.begin
    if facts.run is None or begin is not None:
        moved = Moved(begun(facts, driver, seen.as_of, begin))
    else:
        moved = reassessed(facts.run, driver, facts, seen.as_of)
    run, onward = _onward(facts, seen, moved.run, driver)
    workflow = facts.workflows[run.workflow]
    run, state = _state(facts, seen, run, workflow)
    assigned = _assigned(run, workflow, state, seen.as_of)
    told = moved_back(facts, moved, driver, seen.as_of) if moved.moved and onward is None else ""
    position = Position(workflow, state, seen.as_of, run, driver, assigned, told)
    orders = _orders(facts, seen, run, state)
    return Decision(
        position=position,
        cycle=run.cycle,
        last_reminded_on=facts.last_reminded_on,
        last_step_on=facts.last_step_on,
        orders=orders,
        withdrawals=taken_back(facts, position, orders) if facts.standing else (),
        notes=_notes(facts, moved, position, begin, onward, orders, just_performed=just_performed),
    )


def _onward(facts: Facts, seen: Look, run: Run, driver: OpenInvoice) -> tuple[Run, Workflow | None]:
    """Over the link, when its day has come: on a sending day, before the sending time, and with no hold."""
    workflow = facts.workflows[run.workflow]
    if workflow.link is None:
        return run, None
    on = leaves_on(run, workflow, facts.last_step_on)
    to = facts.workflows.get(workflow.link.workflow)
    if on is None or on > seen.as_of or to is None or not facts.sending_ahead or facts.last_step_on == seen.as_of:
        return run, None
    if not facts.rules.sending.allows(seen.as_of) or account_holds(facts, seen):
        return run, None
    return moved_on(run, workflow, to, driver), workflow


def _state(facts: Facts, seen: Look, run: Run, workflow: Workflow) -> tuple[Run, State]:
    """The state of an account with a driver, and its run, which is over for good once it has come to rest."""
    step = _next_step(run, workflow)
    if step is not None:
        on = due_at(run, workflow, place_done(run, workflow) + 1)
        if on > seen.as_of:
            return run, Waiting(step, on)
        return run, at_the_gates(facts, seen, step, on, key=ReminderKey(run.cycle, step.id))
    state = _at_the_end(facts, run, workflow)
    return (run if run.ended or isinstance(state, Leaving) else replace(run, ended=True)), state


def _at_the_end(facts: Facts, run: Run, workflow: Workflow) -> Leaving | Idle:
    """Every step is done: the account waits for the link of its workflow, or nothing follows."""
    on = leaves_on(run, workflow, facts.last_step_on)
    if on is not None and workflow.link is not None and workflow.link.workflow in facts.workflows:
        return Leaving(workflow.link.workflow, on)
    return Idle()


def _assigned(run: Run, workflow: Workflow, state: State, as_of: date) -> Step | None:
    """The latest step that has come due in this run: the next one from its day on, before that the last one done."""
    if isinstance(state, AT_A_STEP) and state.due_on <= as_of:
        return state.step
    return workflow.step_at(place_done(run, workflow))


def _next_step(run: Run, workflow: Workflow) -> Step | None:
    return None if run.ended else workflow.step_at(place_done(run, workflow) + 1)


def _orders(facts: Facts, seen: Look, run: Run, state: State) -> tuple[Order, ...]:
    if not isinstance(state, AT_A_STEP):
        return ()
    key = ReminderKey(run.cycle, state.step.id)
    held = held_because(facts, key, state, seen.as_of)
    if held is None:
        return ()
    return (Order(key, state.step, state.due_on, tuple([invoice.id for invoice in seen.listed]), held),)


def _notes(
    facts: Facts,
    moved: Moved,
    position: Position,
    begin: Begin | None,
    onward: Workflow | None,
    orders: tuple[Order, ...],
    *,
    just_performed: bool,
) -> tuple[Note, ...]:
    eventful = moved.moved or begin is not None or onward is not None or orders or just_performed
    if facts.run is not None and not eventful and moved.run.driver_due_on == facts.run.driver_due_on:
        return ()
    notes = _of_the_move(facts, moved, position, begin)
    if onward is not None:
        notes.append(Note(NoteKind.MOVED_ON, _moved_on(position, onward)))
    if isinstance(position.state, Idle) and just_performed:
        notes.append(Note(NoteKind.IDLE, f"{capital(position.because)}."))
    if isinstance(position.state, Held):
        notes += held_notes(facts, position.state, orders)
    return tuple(notes)


def _of_the_move(facts: Facts, moved: Moved, position: Position, begin: Begin | None) -> list[Note]:
    """What history says of a beginning, a move back, or another driver."""
    if begin is not None and (facts.run is not None or begin.by_hand):
        return [_begun_anew(position, begin)]
    if facts.run is None:
        return [Note(NoteKind.BEGAN, f"{capital(position.because)}.")]
    if moved.moved:
        return [Note(NoteKind.MOVED_BACK, moved_back_note(facts, moved, position))]
    another = moved.run.driver_due_on != facts.run.driver_due_on
    if another and facts.run.performed and position.driver is not None:
        return [Note(NoteKind.DRIVER_CHANGED, stays(facts, position, position.driver))]
    return []


def _begun_anew(position: Position, begin: Begin) -> Note:
    step = position.next_step
    first = f"at {step.name}" if step is not None else "and has no steps, so nothing is sent"
    if not begin.by_hand:
        return Note(NoteKind.RESTARTED, f"The account begins again on {position.workflow.name} {first}.")
    who = f" by {begin.by}" if begin.by else ""
    return Note(NoteKind.ASSIGNED, f"Moved to {position.workflow.name}{who}: it begins {first}.")


def _moved_on(position: Position, left: Workflow) -> str:
    step = position.next_step
    follows = f"; {step.name} is its first step" if step is not None else ""
    where = f"{oldest(position.driver, position.as_of)}, and " if position.driver is not None else ""
    return f"Moved on from {left.name} to {position.workflow.name}: {where}every step of {left.name} is done{follows}."


def held_notes(facts: Facts, state: Held, orders: tuple[Order, ...]) -> list[Note]:
    """A step that would have gone and was held back is told once, with the reason."""
    if told_before(facts, orders[0]):
        return []
    return [Note(NoteKind.HELD, ended(f"{state.step.name} was not sent: {orders[0].held_because}"))]
