"""The floor's tables and rows: the product's own columns, whatever columns those are today.

The floor names the columns it knows. What else a table insists on gets an empty value by its type, so that a column
which the product gains tomorrow costs the floor the same room and needs no line here.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from json import dumps
from operator import itemgetter
from typing import Any, NamedTuple

from bench.floor import Decided, Position, Step

ORGANISATION = 1

POSITION = (
    "organisation_id",
    "workflow_id",
    "state",
    "because",
    "as_of",
    "assigned_step",
    "next_step",
    "next_due_on",
    "driver_id",
    "cycle",
    "anchor",
    "run_driver_id",
    "driver_due_on",
    "done",
    "done_day",
    "decided_at",
    "account_id",
)
REMINDER = (
    "organisation_id",
    "account_id",
    "cycle",
    "step_id",
    "step_name",
    "workflow_id",
    "channel",
    "state",
    "due_on",
    "send_after",
    "queued_at",
)
DECISION = ("organisation_id", "account_id", "ground_id", "as_of", "at", "facts", "outcome")
NOTE = ("organisation_id", "account_id", "at", "kind", "text", "by")
PAYMENT = ("invoice_id", "ledger_id", "paid_on", "amount")
GROUND = f"({ORGANISATION}, 'floor', '{{}}', '2026-11-03')"
"""What kept decisions point to: the rules they were made by, which the floor does not have."""
TABLES = ("positions", "reminders", "decisions", "history_notes")
"""Of these the floor has its own, under names that begin with floor_."""

Shown = Callable[[date | None], Any]
"""How a date is handed to the driver."""


class Known(NamedTuple):
    """A column as the database tells of it. `required`: it takes no NULL and has no value of its own."""

    name: str
    type: str
    required: bool


class Shape(NamedTuple):
    """The columns of one table that are written: those named here that exist, then those that have to be filled."""

    named: tuple[str, ...]
    columns: tuple[str, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    tail: tuple[Any, ...]

    def row(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return self.pick(values) + self.tail


def shape(named: Sequence[str], actual: Sequence[Known]) -> Shape:
    there = {column.name for column in actual}
    kept = [name for name in named if name in there]
    filled = [column for column in actual if column.required and column.name not in named and column.name != "id"]
    pick = itemgetter(*(named.index(name) for name in kept))
    return Shape(
        tuple(kept), (*kept, *(column.name for column in filled)), pick, tuple(_empty(column.type) for column in filled)
    )


def position_values(
    decided: Sequence[Decided], today: date, steps: Sequence[Step], workflow: int, shown: Shown
) -> Iterator[tuple[Any, ...]]:
    """A row for each position, in the order of `POSITION`."""
    on, at = shown(today), moment(today)
    for account, _, position, _ in decided:
        step = steps[position.done] if position.next_due_on else None
        done = steps[position.done - 1] if position.done else None
        yield (
            ORGANISATION,
            workflow,
            position.state,
            _because(position, today, step),
            on,
            steps[position.assigned - 1].name if position.assigned else None,
            step.name if step else None,
            shown(position.next_due_on),
            position.driver,
            position.cycle,
            shown(position.anchor),
            position.driver,
            shown(position.driver_due_on),
            done.id if done else None,
            done.day if done else 0,
            at,
            account,
        )


def reminder_values(
    decided: Sequence[Decided], today: date, steps: Sequence[Step], workflow: int, shown: Shown
) -> Iterator[tuple[Any, ...]]:
    """A row for each reminder to be queued, in the order of `REMINDER`."""
    after, at = moment(today, time(9)), moment(today)
    for account, before, position, _ in decided:
        if position.state == "due" and not _stands(before, position):
            step, on = steps[position.done], shown(position.next_due_on)
            yield (
                ORGANISATION,
                account,
                position.cycle,
                step.id,
                step.name,
                workflow,
                step.channel,
                "queued",
                on,
                after,
                at,
            )


def decision_values(
    decided: Sequence[Decided], today: date, steps: Sequence[Step], ground: int, shown: Shown
) -> Iterator[tuple[Any, ...]]:
    """A row for each decision, in the order of `DECISION`: what it was made from, and what followed, as JSON."""
    on, at = shown(today), moment(today)
    for account, before, position, owed in decided:
        step = steps[position.done] if position.next_due_on else None
        invoices = [(invoice.id, invoice.due_on.isoformat(), invoice.balance) for invoice in owed]
        known = (invoices, before and (before.cycle, before.done, _written(before.anchor), before.driver))
        outcome = (position.state, _written(position.next_due_on), position.driver, _because(position, today, step))
        yield ORGANISATION, account, ground, on, at, dumps(known), dumps(outcome)


def note_values(decided: Sequence[Decided], today: date, steps: Sequence[Step]) -> Iterator[tuple[Any, ...]]:
    """A row for each account that begins, in the order of `NOTE`."""
    at = moment(today)
    for account, before, position, _ in decided:
        if position.driver is not None and (before is None or before.driver is None):
            step = steps[position.done] if position.next_due_on else None
            yield ORGANISATION, account, at, "began", _because(position, today, step), "floor"


def withdrawn(decided: Sequence[Decided]) -> list[tuple[int, int]]:
    """The account and cycle of each queued reminder that no longer holds."""
    return [
        (account, before.cycle)
        for account, before, position, _ in decided
        if before is not None and before.state == "due" and not _stands(before, position)
    ]


def moment(day: date, at: time = time(6)) -> str:
    """An instant in UTC, written as both databases read it."""
    return datetime.combine(day, at).isoformat(" ", "microseconds")


def _stands(before: Position | None, position: Position) -> bool:
    """Was the reminder that is due now due before, under the same key?"""
    return (
        before is not None
        and before.state == position.state
        and before.cycle == position.cycle
        and before.done == position.done
    )


def _because(position: Position, today: date, step: Step | None) -> str:
    if position.driver is None or position.driver_due_on is None:
        return "nothing is overdue"
    age = (today - position.driver_due_on).days
    name = step.name if step else "nothing"
    return f"invoice {position.driver} is the oldest overdue at {age} days overdue; {name} is {position.state}"


def _written(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _empty(type_name: str) -> Any:
    kind = type_name.lower()
    if "bool" in kind:
        return False
    if "int" in kind or "num" in kind or "real" in kind or "double" in kind:
        return 0
    if "json" in kind:
        return "[]"
    return "2026-01-01" if "date" in kind or "time" in kind else ""
