"""Accounts that are alike stand alike: where nothing came of looking at one of them, nothing comes of its likes.

After a change of rules everybody has to be looked at, and with nearly everybody nothing is different. Most accounts
wait in silence: nothing is held, queued, promised or said by anybody. Two such accounts that are at the same place of
the same workflow, since the same days, and whose oldest invoices fell due on the same day, can differ only in names and
amounts, and a position knows neither. So one of them is decided, and its likes are left as they are.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from engine.facts import Decision
from engine.workflow import WorkflowKind
from store.ground import Ground
from store.positions import POSITION_COLUMNS
from store.rows import Row, days, scaled

Likeness = tuple[Any, ...]

_DRIVER, _RUN_DRIVER = POSITION_COLUMNS.index("driver_id"), POSITION_COLUMNS.index("run_driver_id")
_CYCLE = POSITION_COLUMNS.index("cycle")
_LOOK_AGAIN = POSITION_COLUMNS.index("look_again_on")
_OWN = 2
"""Where a position begins to speak of more than whose it is."""


class Likes:
    """What one look has learnt of the accounts decided so far. `asked`: those that are decided in any case."""

    def __init__(self, session: Session, ground: Ground, as_of: date, asked: Collection[int] = ()) -> None:
        self.asked = asked
        self._today, self._tomorrow = days(session)(as_of), days(session)(as_of + timedelta(days=1))
        self._least = scaled(ground.rules.ignore_below)
        self._unmoved: set[Likeness] = set()

    def likeness(self, row: Row, owed: Sequence[Row], gone: Mapping[int, Row], *others: Any) -> Likeness | None:
        """What an account has in common with its likes; None for one whose driver is not the one it had.

        `row`: its position as it was read; `owed`: its open invoices as they were read; `gone`: number, due date,
        status and name of invoices that drove and are not owed any more. Only for an account about which nothing else
        is known than `others`.
        """
        driver, coming = self._driver(owed)
        known = row[_DRIVER]
        if driver is None:
            if known is not None:
                return None
        elif driver[1] != known or known != row[_RUN_DRIVER]:
            return None
        left: Row = ()
        due_on = coming
        if driver is not None:
            due_on = driver[3]
        elif row[_RUN_DRIVER] is not None:
            if row[_RUN_DRIVER] not in gone:
                return None
            left = gone[row[_RUN_DRIVER]][1:3]
        shared = row[_OWN:_DRIVER] + row[_DRIVER + 1 : _CYCLE] + row[_CYCLE + 1 : _RUN_DRIVER] + row[_RUN_DRIVER + 1 :]
        return due_on, left, others, shared

    def unmoved(self, likeness: Likeness | None) -> bool:
        """Whether nothing came of looking at another account of this likeness."""
        return likeness in self._unmoved

    def learn(self, likeness: Likeness, decision: Decision, row: Row) -> None:
        """Nothing came of this decision (and of its position's `row`), so nothing comes of any other of this likeness.

        Unless more than the oldest invoice counts: where each of them walks alone, and where nothing is overdue and the
        day of a courtesy step may have come for one of them. Before that of the first one, none of the others can be.
        """
        position = decision.position
        workflow = position.workflow
        quiet = position.driver is not None or not workflow.courtesies or row[_LOOK_AGAIN] > self._tomorrow
        if workflow.kind is WorkflowKind.ACCOUNT and quiet:
            self._unmoved.add(likeness)

    def _driver(self, owed: Sequence[Row]) -> tuple[Row | None, Any]:
        """The oldest overdue invoice that counts, by the rule of `engine.looking`, and the first due date to come."""
        today, least = self._today, self._least
        driver = coming = None
        for invoice in owed:
            due_on = invoice[3]
            if due_on >= today:
                if coming is None or due_on < coming:
                    coming = due_on
            elif invoice[4] >= least and (
                driver is None or due_on < driver[3] or (due_on == driver[3] and _named_before(invoice, driver))
            ):
                driver = invoice
        return driver, coming


def _named_before(invoice: Row, other: Row) -> bool:
    return (-invoice[4], invoice[2]) < (-other[4], other[2])
