"""What time it is in the sandbox, and what is going to happen.

A practice firm needs a calendar that can be turned: move it a month ahead and a month of invoices is raised and a
month of payments comes in, each stamped with its own day and hour, in the order in which they would have happened.
Without a given time the clock is the real one.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime


class Clock:
    """Real time, or a time that stands still until moved. While an event happens, it shows the time of that event."""

    def __init__(self, standing: datetime | None = None) -> None:
        self._standing = _whole(standing) if standing is not None else None
        self._happening: datetime | None = None

    @property
    def stands_still(self) -> bool:
        return self._standing is not None

    def now(self) -> datetime:
        if self._happening is not None:
            return self._happening
        # Ledgers stamp to the millisecond; a finer clock would lose the tail on the wire and look like a change.
        return self._standing or _whole(datetime.now(UTC))

    def set(self, to: datetime) -> None:
        self._standing = _whole(to)

    @contextmanager
    def showing(self, at: datetime) -> Iterator[None]:
        before, self._happening = self._happening, at
        try:
            yield
        finally:
            self._happening = before


@dataclass(order=True, frozen=True, slots=True)
class Event:
    at: datetime
    turn: int
    says: str = field(compare=False)
    happen: Callable[[], object] = field(compare=False)


class Timetable:
    """Everything that is still to happen, soonest first; events of one instant keep the order they were added in."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._turns = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, at: datetime, says: str, happen: Callable[[], object]) -> None:
        self._turns += 1
        heapq.heappush(self._events, Event(_whole(at), self._turns, says, happen))

    def due(self, until: datetime) -> Event | None:
        if self._events and self._events[0].at <= until:
            return heapq.heappop(self._events)
        return None

    def coming(self, count: int) -> list[Event]:
        return heapq.nsmallest(count, self._events)


def _whole(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(
            f"The time {at.isoformat()} has no time zone; give it one, for example {at.isoformat()}+00:00."
        )
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
