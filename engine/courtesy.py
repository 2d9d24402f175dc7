"""Courtesy steps: a friendly word before an invoice falls due, or on the day.

They stand outside the sequence. Each concerns one invoice, goes only while the account has nothing overdue, one a day,
the earliest due date first and then the larger balance; only the latest step reached; never twice, and never after the
due date.
"""

from datetime import date, timedelta
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.facts import Facts
from engine.gates import at_the_gates, held_because, rested
from engine.looking import Look
from engine.position import Due, Held
from engine.reminders import COURTESY_CYCLE, Order, ReminderKey
from engine.workflow import Step, Workflow


class Courtesy(NamedTuple):
    """One courtesy step whose day has come for one invoice."""

    invoice: OpenInvoice
    step: Step

    @property
    def key(self) -> ReminderKey:
        return ReminderKey(COURTESY_CYCLE, self.step.id, self.invoice.id)

    @property
    def due_on(self) -> date:
        return self.invoice.due_on + timedelta(days=self.step.day)


def courtesies_due(facts: Facts, seen: Look, workflow: Workflow) -> list[Courtesy]:
    """Those whose day has come and that were not performed yet, in the order in which they go."""
    if not workflow.courtesies:
        return []
    due = []
    for invoice in seen.listed:
        if invoice.due_on < seen.as_of or invoice.id in seen.disputed:
            continue
        age = (seen.as_of - invoice.due_on).days
        latest = next((step for step in workflow.courtesies if step.day <= age), None)
        if latest is not None and (invoice.id, latest.id) not in facts.courtesies:
            due.append(Courtesy(invoice, latest))
    return sorted(due, key=lambda one: (one.invoice.due_on, -one.invoice.balance, one.invoice.number))


def courtesy_orders(facts: Facts, seen: Look, workflow: Workflow, *, one_a_day: bool = True) -> tuple[Order, ...]:
    """What is to be queued of them today: at most one that may leave, and those that wait for a person or are held."""
    orders = []
    room = True
    for one in courtesies_due(facts, seen, workflow):
        # On a workflow of kind invoice every invoice walks alone, and no gap lies between two of them.
        state = at_the_gates(facts, seen, one.step, one.due_on, key=one.key, spaced=one_a_day)
        if (isinstance(state, Due) and not room) or (isinstance(state, Held) and not rested(facts, seen.as_of)):
            continue
        room = room and not (isinstance(state, Due) and one_a_day)
        held = held_because(facts, one.key, state, seen.as_of)
        if held is not None:
            orders.append(_order(one, held))
    return tuple(orders)


def _order(one: Courtesy, held_because: str = "") -> Order:
    return Order(one.key, one.step, one.due_on, (one.invoice.id,), held_because)
