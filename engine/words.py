"""How the engine says a date, a count and a name, so that every reason reads alike."""

from datetime import date


def in_words(day: date | None) -> str:
    """`3 July 2026`; "a day not given" when there is none."""
    return f"{day.day} {day:%B %Y}" if day else "a day not given"


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
