"""First contacts in a simulation: who would hear for the first time on which of the days to come.

Each account's story can be told alone, apart from this: with only so many first contacts a day, one account waits
because others go before it. So those that were never written to are told together, day by day, the oldest debt first,
as the plan of each coming morning would have it (see `jobs.first_contacts`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

from engine.story import Telling
from engine.workflow import Channel


class HasTelling(Protocol):
    """Whatever the caller keeps of one account beside its story."""

    @property
    def telling(self) -> Telling: ...


T = TypeVar("T", bound=HasTelling)


class Turns(NamedTuple):
    """How many may hear for the first time on one day, and how many have today already."""

    a_day: int
    taken: int


class Outlook(NamedTuple):
    """How many hear for the first time on which day, and which accounts still wait for their turn afterwards.
    `late`: how many had to wait at all.
    """

    days: Mapping[date, int]
    waiting: frozenset[int]
    late: int = 0


@dataclass(slots=True)
class Queue(Generic[T]):
    """Those never written to, as they would be told if each could be written to at once; `again` tells an account anew
    that may not be written to before a day.
    """

    told: dict[int, T]
    again: Callable[[T, date], T]

    def by_turns(self, turns: Turns, start: date, until: date) -> Outlook:
        """Gives each its day, and tells those anew that have to wait."""
        ready = {account: on for account, one in self.told.items() if (on := first_word(one.telling)) is not None}
        at_once, days, late = dict(ready), dict[date, int](), len(ready)
        for offset in range((until - start).days + 1):
            day = start + timedelta(days=offset)
            room = turns.a_day - (turns.taken if day == start else 0)
            heard = list(self._on(day, ready, max(room, 0)))
            late -= sum(at_once[account] == day for account in heard)
            if heard:
                days[day] = len(heard)
        for account in ready:
            self.told[account] = self.again(self.told[account], until + timedelta(days=1))
        return Outlook(days, frozenset(ready), late)

    def _on(self, day: date, ready: dict[int, date], room: int) -> Iterator[int]:
        """The accounts that hear on this day. They, and those that have nothing to hear any more, wait no longer."""
        due = [account for account, on in ready.items() if on <= day]
        for account in sorted(due, key=lambda account: (_oldest(self.told[account].telling, day), account)):
            if not room:
                return
            if ready[account] < day:
                self.told[account] = self.again(self.told[account], day)
            on = first_word(self.told[account].telling)
            if on is None:
                del ready[account]
                continue
            ready[account] = on
            if on == day:
                del ready[account]
                room -= 1
                yield account


def first_word(telling: Telling) -> date | None:
    """The day on which something first arrives that is written. A call has no turn."""
    written = (send.on for send in telling.sends if send.channel is not Channel.CALL and not send.skipped)
    return next(written, None)


def _oldest(telling: Telling, day: date) -> date:
    """The due date of the oldest debt on that day."""
    stands = [position for on, position in telling.positions.items() if on <= day]
    run = stands[-1].run if stands else None
    return run.driver_due_on if run is not None else date.max
