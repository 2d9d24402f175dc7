"""One governor for each connection: every call of ours takes its turn here, whichever thread or process makes it.

What was spent is kept in the store, call by call, so a restart or a second process goes on counting where we were. How
many calls are under way at once is watched within this process. Nobody waits here for longer than a moment: a budget
that is used up is an answer, with the time at which it goes on.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from connector import Budget, Purpose, RateLimited, budget_of
from jobs import budgets
from jobs.office import Office
from store.leases import one_at_a_time
from store.tables import CallsRow, ConnectionRow

A_MOMENT = 2.0
"""Seconds that a call may wait for another one of ours to come back."""


class OutOfTurns(RateLimited):
    """Our own count says that this call has to wait. The ledger itself has not asked us for silence."""


@dataclass(slots=True)
class Turns:
    """The `Governor` of one connection, for calls of one purpose. `waits` grows with whatever had to be waited for."""

    office: Office
    connection_id: int
    organisation_id: int
    purpose: Purpose
    budget: Budget
    at_once: threading.BoundedSemaphore
    waits: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises RateLimited, with the moment when it may be tried again."""
        if not self.at_once.acquire(timeout=A_MOMENT):
            now = self.office.clock()
            raise self._later(f"{self.budget.at_once} calls are under way already", now + timedelta(seconds=10))
        try:
            self._count()
            yield
        finally:
            self.at_once.release()

    def heard(self, *, minute_left: int | None = None, day_left: int | None = None) -> None:
        if minute_left is None and day_left is None:
            return
        now = self.office.clock()
        with self.office.database.unit_of_work() as unit:
            row = self._row(unit)
            spent = budgets.remembered(row.spent)
            row.spent = budgets.kept(budgets.heard(spent, now, minute_left=minute_left, day_left=day_left))

    def wait_until(self, moment: datetime) -> None:
        """The provider asked for silence: it is kept with the connection, where everybody looks before calling."""
        with self.office.database.unit_of_work() as unit:
            connection = unit.get(ConnectionRow, self.connection_id)
            if connection is not None and (connection.not_before is None or connection.not_before < moment):
                connection.not_before = moment
        self._waited("the ledger asks us to wait", moment)

    def _count(self) -> None:
        now = self.office.clock()
        with self.office.database.unit_of_work() as unit:
            row = self._row(unit)
            connection = unit.get(ConnectionRow, self.connection_id)
            if connection is not None and connection.not_before is not None and connection.not_before > now:
                raise self._later("the ledger asks us to wait", connection.not_before)
            outcome = budgets.turn(self.budget, budgets.remembered(row.spent), self.purpose, now)
            if isinstance(outcome, budgets.NotNow):
                raise self._later(outcome.why, outcome.until)
            row.spent = budgets.kept(outcome)

    def _row(self, unit: Session) -> CallsRow:
        query = select(CallsRow).where(CallsRow.connection_id == self.connection_id).with_for_update()
        row = unit.exec(query).one_or_none()
        if row is None:
            one_at_a_time(unit, self.organisation_id)  # two first calls at once must not both begin the count
            row = unit.exec(query).one_or_none() or CallsRow(connection_id=self.connection_id)
            unit.add(row)
            unit.flush()
        return row

    def _later(self, why: str, until: datetime) -> OutOfTurns:
        self._waited(why, until)
        return OutOfTurns(f"No call is made now: {why}. It goes on by itself at {until:%H:%M:%S} UTC.", until)

    def _waited(self, why: str, until: datetime) -> None:
        self.waits.append({"why": why, "from": self.office.clock().isoformat(), "until": until.isoformat()})


def governor_of(
    office: Office, connection: ConnectionRow, purpose: Purpose, *, waits: list[dict[str, Any]] | None = None
) -> Turns:
    """The governor through which calls of this purpose go. All those of one connection share one count.

    Whatever has to be waited for is added to `waits`. Raises LookupError when this kind of ledger has no settings.
    """
    assert connection.id is not None
    if connection.kind not in office.ledgers:
        raise LookupError(f"no app keys for '{connection.kind}' in the configuration; add a [{connection.kind}] block")
    budget = budget_of(connection.kind, office.ledgers[connection.kind])
    at_once = office.at_once(connection.id, budget.at_once)
    waits = waits if waits is not None else []
    return Turns(office, connection.id, connection.organisation_id, purpose, budget, at_once, waits)
