"""A firm as its ledger introduces it: name, short code, currency, time zone, and its books."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from random import Random
from zoneinfo import ZoneInfo

from sandbox.books import Books

# Xero's own spelling of time zones, and what the rest of the world calls them.
ZONES = {
    "GMTSTANDARDTIME": "Europe/London",
    "WEUROPESTANDARDTIME": "Europe/Berlin",
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "EASTERNSTANDARDTIME": "America/New_York",
    "PACIFICSTANDARDTIME": "America/Los_Angeles",
    "UTC": "UTC",
}
RAISED_AT = time(8)
BOOKED_AT = time(10)


@dataclass(slots=True, eq=False)
class Organisation:
    id: str
    name: str
    short_code: str
    currency: str
    country: str
    timezone: str
    mail_domain: str
    created: datetime
    zone: ZoneInfo = field(init=False)
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        if self.timezone not in ZONES:
            raise ValueError(f"The time zone “{self.timezone}” is not known here; known are {', '.join(ZONES)}.")
        self.zone = ZoneInfo(ZONES[self.timezone])

    def open_books(self, *, chance: Random, now: Callable[[], datetime]) -> None:
        self.books = Books(
            chance=chance, now=now, today=lambda: now().astimezone(self.zone).date(), currency=self.currency
        )

    def at(self, day: date, hour: time) -> datetime:
        """That hour of that day on the firm's own clock."""
        return datetime.combine(day, hour, self.zone)
