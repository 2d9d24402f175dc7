"""On which days reminders may leave, and at what moment of the day.

A small firm does not want its customers written to on a Sunday or a bank holiday. Which days are holidays is handed
in; so is the time zone. Due dates and ages are counted in civil dates, never in hours.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


SENDING_WINDOW = timedelta(hours=8)
"""How long after the sending time a reminder may still leave. Nobody wants to be written to at night."""


@dataclass(frozen=True, slots=True)
class SendingDays:
    """The days on which reminders may leave. `weekdays` are 0 (Monday) to 6 (Sunday)."""

    weekdays: frozenset[int] = frozenset(range(7))
    holidays: frozenset[date] = frozenset()

    def allows(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in self.holidays

    def first_from(self, day: date) -> date:
        """The first sending day on or after this one. Raises ValueError when a whole year has none."""
        for offset in range(366):
            if self.allows(candidate := day + timedelta(days=offset)):
                return candidate
        raise ValueError("no day of the year is a sending day; choose at least one weekday")


def moment_of(day: date, at: time, zone: tzinfo) -> datetime:
    """The instant (UTC) of a wall-clock time on a civil day.

    A time that the clocks skip that day becomes the first valid moment after it; one that comes twice, the first.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    while (instant := local.astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        local += timedelta(minutes=1)
    return instant


def civil_date(moment: datetime, zone: tzinfo) -> date:
    """The date on the organisation's own wall calendar at this instant."""
    return moment.astimezone(zone).date()
