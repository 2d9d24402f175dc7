"""The ladder: the steps of a workflow from first to last, and on which of them an account stands."""

from datetime import date, timedelta
from typing import NamedTuple

from engine.facts import Decision
from engine.position import place_done
from engine.reminders import ReminderState
from engine.workflow import Step, WorkflowKind
from store.tables import ReminderRow


class Rung(NamedTuple):
    """One step. `place` is done, now, next or later; `on` is the day it was done or is due, as far as one is known."""

    step: Step
    place: str
    on: date | None


def ladder(decision: Decision, reminders: tuple[ReminderRow, ...]) -> tuple[Rung, ...]:
    """Where the account stands, or the one of its invoices that it shows where each walks alone. `reminders` may hold
    earlier runs as well; those of this one date its steps.
    """
    position, run, cycle = decision.position, decision.position.run, decision.cycle
    if position.workflow.kind is WorkflowKind.INVOICE:
        invoice = position.driver.id if position.driver is not None else None
        run = decision.invoice_runs.get(invoice) if invoice is not None else None
        reminders = tuple(reminder for reminder in reminders if reminder.invoice_id == invoice)
    sequence = position.workflow.sequence
    done = min(place_done(run, position.workflow), len(sequence)) if run else 0
    went = _went(reminders, cycle)
    rungs = []
    for place, step in enumerate(sequence, start=1):
        if place <= done:
            rungs.append(Rung(step, "done", went.get(step.id)))
        elif place == done + 1 and run is not None:
            now = position.assigned is not None and position.assigned.id == step.id
            rungs.append(Rung(step, "now" if now else "next", position.next_due_on))
        else:
            rungs.append(Rung(step, "later", run.anchor + timedelta(days=step.day) if run else None))
    return tuple(rungs)


def _went(reminders: tuple[ReminderRow, ...], cycle: int) -> dict[str, date]:
    """When each step was last performed. A move back begins a new cycle, so earlier ones of the run count as well."""
    went: dict[str, date] = {}
    for reminder in reminders:
        if reminder.state == ReminderState.SENT and reminder.performed_on and reminder.cycle <= cycle:
            went.setdefault(reminder.step_id, reminder.performed_on)
    return went
