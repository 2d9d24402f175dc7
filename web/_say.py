"""How a page says an amount, a day and a time: in the organisation's own manner and on its own wall clock."""

from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup, escape

from engine.words import days


class Say:
    """The words of one organisation. An unknown locale falls back to British English rather than to an error."""

    def __init__(self, locale: str, time_zone: str, as_of: date) -> None:
        try:
            self.locale = Locale.parse(locale)
        except (UnknownLocaleError, ValueError):
            self.locale = Locale.parse("en_GB")
        self.zone = ZoneInfo(time_zone)
        self.as_of = as_of

    def money(self, amount: Decimal, currency: str) -> str:
        if not currency:
            return format_decimal(amount, format="#,##0.00", locale=self.locale)
        return format_currency(amount, currency, locale=self.locale)

    def day(self, day: date | None, width: str = "medium") -> Markup:
        """`3 Jul 2026`, as a `<time>`."""
        if day is None:
            return Markup('<span class="quiet">not given</span>')
        return _time(day.isoformat(), format_date(day, format=width, locale=self.locale))

    def weekday(self, day: date) -> Markup:
        """`Friday, 3 July`, and "today" or "tomorrow" where that is what a person would say."""
        near = {0: "Today", 1: "Tomorrow"}.get((day - self.as_of).days)
        return _time(day.isoformat(), near or format_date(day, format="EEEE, d MMMM", locale=self.locale))

    def short_day(self, day: date) -> Markup:
        """`Fri 3 Jul`, for a column of days."""
        return _time(day.isoformat(), format_date(day, format="EEE d MMM", locale=self.locale))

    def moment(self, instant: datetime | None, width: str = "medium") -> Markup:
        """`3 Jul 2026, 09:00` on the organisation's wall clock."""
        if instant is None:
            return Markup('<span class="quiet">never</span>')
        local = instant.astimezone(self.zone)
        words = (
            f"{format_date(local, format=width, locale=self.locale)}, "
            f"{format_time(local, format='short', locale=self.locale)}"
        )
        return _time(instant.isoformat(), words)

    def second(self, instant: datetime) -> Markup:
        """To the second, for the sync log."""
        words = format_datetime(instant.astimezone(self.zone), format="medium", locale=self.locale)
        return _time(instant.isoformat(), words)

    def clock(self, at: time) -> str:
        return format_time(at, format="short", locale=self.locale)

    def age(self, due_on: date | None) -> str:
        """`42 days`; how many days are left when it is not overdue."""
        if due_on is None:
            return ""
        age = (self.as_of - due_on).days
        if age > 0:
            return days(age)
        return "due today" if age == 0 else f"due in {days(-age)}"

    def number(self, count: int) -> str:
        return format_decimal(count, locale=self.locale)

    def size(self, count: int) -> str:
        """Bytes as people read them."""
        if count < 1000:
            return f"{count} B"
        if count < 1_000_000:
            return f"{count / 1000:.0f} kB"
        return f"{count / 1_000_000:.1f} MB"

    def took(self, begun: datetime, ended: datetime | None) -> str:
        if ended is None:
            return "still running"
        seconds = (ended - begun).total_seconds()
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 reply`, `3 replies`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Begins with a capital letter and ends with a full stop."""
    text = capital(text.strip())
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _time(machine: str, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, escape(words))
