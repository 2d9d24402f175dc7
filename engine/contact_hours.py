"""The hours at which a debtor may be reached, on the clock that hangs on the debtor's own wall.

A window says for which media it stands open, on which weekdays, from when until when. Clocks that are put forward or
back move the moment, never the hour on the wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from engine.calendars import civil_date, moment_of
from engine.words import in_words
from engine.workflow import Channel

MIDNIGHT = time(0)
NEVER = datetime.max.replace(tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """When these media may reach the debtor, in the debtor's local time. `weekdays` are 0 (Monday) to 6 (Sunday).

    It is open from `opens` until just before `closes`; a window that closes at midnight lasts to the end of the day.
    """

    channels: frozenset[Channel]
    weekdays: frozenset[int]
    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes != MIDNIGHT:
            raise ValueError("a window closes after it opens, on the same day")

    @classmethod
    def always(cls, channel: Channel) -> "Window":
        return cls(frozenset({channel}), frozenset(range(7)), MIDNIGHT, MIDNIGHT)

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """The moments between which it is open on this day. They are the same when the clocks skip it all."""
        last = day + DAY if self.closes == MIDNIGHT else day
        return moment_of(day, self.opens, zone), moment_of(last, self.closes, zone)


@dataclass(frozen=True, slots=True)
class Hours:
    """The windows of one medium, and the holidays on which none of them opens."""

    windows: tuple[Window, ...]
    holidays: frozenset[date] = frozenset()

    def next_open(self, moment: datetime, zone: tzinfo) -> datetime:
        """This moment when it is open, else the next that is; NEVER when a whole year has none."""
        today = civil_date(moment, zone)
        for ahead in range(368):
            if (day := today + ahead * DAY) in self.holidays:
                continue
            if later := [max(opens, moment) for opens, closes in self._of_the_week(day, zone) if moment < closes]:
                return min(later)
        return NEVER

    def open_until(self, moment: datetime, zone: tzinfo) -> datetime:
        """When it closes, for a moment at which it is open; that very moment when it is closed.

        Windows that touch or overlap are one, over midnight too, but never further than a week.
        """
        until, horizon = moment, moment + 7 * DAY
        while until < horizon:
            day = civil_date(until, zone)
            stretches = () if day in self.holidays else self._of_the_week(day, zone)
            later = [closes for opens, closes in stretches if opens <= until < closes]
            if not later:
                break
            until = max(later)
        return until

    def why_closed(self, moment: datetime, zone: tzinfo) -> str:
        """`8 pm to 8 am is closed`, `Friday 6 pm to Monday 9 am is closed`, or the holiday that it is."""
        today = civil_date(moment, zone)
        if today in self.holidays:
            return f"{in_words(today)} is a holiday, closed"
        # Two weeks either way: the clocks may have skipped the only window of one week.
        near = [stretch for offset in range(-14, 15) for stretch in self._of_the_week(today + offset * DAY, zone)]
        closed = max(closes for _, closes in near if closes <= moment).astimezone(zone)
        opens = min(opens for opens, _ in near if opens > moment).astimezone(zone)
        if opens - closed >= DAY:
            return f"{closed:%A} {_hour(closed)} to {opens:%A} {_hour(opens)} is closed"
        return f"{_hour(closed)} to {_hour(opens)} is closed"

    def _of_the_week(self, day: date, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        """What is open on such a weekday, holiday or not."""
        for window in self.windows:
            if day.weekday() in window.weekdays:
                opens, closes = window.on(day, zone)
                if opens < closes:
                    yield opens, closes


def _hour(local: datetime) -> str:
    """`8 pm`, `7:30 am`."""
    minutes = f":{local:%M}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes} {'am' if local.hour < 12 else 'pm'}"
