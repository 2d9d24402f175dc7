"""Mirrors web/_ladder.py: on which step of its workflow an account, or one invoice of it, stands."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from engine.ageing import OpenInvoice
from engine.decide import decide, left_behind
from engine.facts import Facts, Rules
from engine.reminders import Outcome, ReminderState
from engine.workflow import Step, Workflow, WorkflowKind
from store.tables import ReminderRow
from web._ladder import ladder

TODAY = date(2026, 3, 20)
STEPS = (Step("c", "Soon due", -3), Step("g1", "First", 4), Step("g2", "Second", 11), Step("g3", "Last", 30))
REGULAR = Workflow("regular", "Regular", STEPS, WorkflowKind.INVOICE)
SMART = Workflow("smart", "Smart", STEPS)


def stood(flow: Workflow) -> list[tuple[str, str, date | None]]:
    """Two invoices, of 20 and of 11 days, each reminded once on its day: the younger one comes next where each walks
    alone.
    """
    old, young = (
        OpenInvoice(number, f"INV-{number}", TODAY - timedelta(days=age), Decimal(100), "GBP")
        for number, age in ((1, 20), (2, 11))
    )
    known = Facts(Rules(), {flow.id: flow}, flow.id, (old, young), TODAY)
    went = []
    for day in (16, 9, 7):
        on = TODAY - timedelta(days=day)
        decision = decide(known._replace(ledger_as_of=on), on)
        known = left_behind(known, decision)._replace(outcomes=tuple(Outcome(one.key, on) for one in decision.orders))
        went += [
            ReminderRow(
                organisation_id=1,
                account_id=1,
                workflow_id=1,
                cycle=one.key.cycle,
                step_id=one.step.id,
                step_name=one.step.name,
                channel="email",
                invoice_id=one.key.invoice,  # type: ignore[arg-type]
                due_on=on,
                queued_at=datetime.combine(on, time(7), UTC),
                send_after=datetime.combine(on, time(9), UTC),
                state=ReminderState.SENT,
                performed_on=on,
            )
            for one in decision.orders
        ]
    rungs = ladder(decide(known, TODAY), tuple(reversed(went)))
    return [(rung.step.name, rung.place, rung.on) for rung in rungs]


def test_a_smart_workflow_shows_the_walk_of_the_account() -> None:
    assert stood(SMART) == [
        ("First", "done", date(2026, 3, 4)),
        ("Second", "done", date(2026, 3, 11)),
        ("Last", "next", date(2026, 3, 30)),
    ]


def test_a_regular_workflow_shows_the_walk_of_the_invoice_that_comes_next() -> None:
    assert stood(REGULAR) == [
        ("First", "done", date(2026, 3, 13)),
        ("Second", "now", TODAY),
        ("Last", "later", date(2026, 4, 8)),
    ]
