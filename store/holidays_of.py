"""Public holidays, from a well-kept list, as the engine wants them: a set of days on which nothing leaves."""

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

import holidays


class NoSuchCalendar(ValueError):
    """The message names the calendar, and what would be accepted."""


@lru_cache(maxsize=256)
def _of_years(calendar: str, first: int, last: int) -> frozenset[date]:
    country, _, part = calendar.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=range(first, last + 1)))
    except (NotImplementedError, KeyError) as problem:
        raise NoSuchCalendar(
            f"There are no public holidays for '{calendar}'. Write a country like GB, or a country and its part like "
            "AU-NSW."
        ) from problem


def holidays_of(calendar: str, around: date) -> frozenset[date]:
    """The public holidays of `GB` or `AU-NSW` from the year before that day to two years after. Empty: none.

    Raises NoSuchCalendar for a country or a part of one that the list does not know.
    """
    return _of_years(calendar, around.year - 1, around.year + 2) if calendar else frozenset()


@cache
def calendars() -> Mapping[str, tuple[str, ...]]:
    """The countries whose holidays are known (`GB`), each with those of its parts that have their own (`SCT`)."""
    known = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(parts) for country, parts in sorted(known.items())}
