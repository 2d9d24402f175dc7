"""What the values of a story file may be: days, amounts, names, and words from a list."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from engine.storybook.entries import Shape

E = TypeVar("E", bound=StrEnum)

TEN_YEARS = 3660
"""Days: the longest story, and the largest distance between two things in it."""


def _day(value: object) -> date | None:
    return value if type(value) is date and 1900 <= value.year < 2200 else None


def _amount(value: object) -> Decimal | None:
    if type(value) is not int and not isinstance(value, Decimal):
        return None
    amount = Decimal(value)
    return amount if amount.is_finite() and 0 <= amount < 10**15 else None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() and value.isprintable() else None


def _currency(value: object) -> str | None:
    three = isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()
    return str(value) if three else None


DAY = Shape("a date without quotation marks, like 2025-06-30", _day)
AMOUNT = Shape("an amount of 0 or more without quotation marks, like 1250.00", _amount)
NAME = Shape("a name in quotation marks, on one line", _name)
CURRENCY = Shape('three capital letters in quotation marks, like "EUR"', _currency)
YES_OR_NO = Shape("true or false, without quotation marks", lambda value: value if isinstance(value, bool) else None)


def whole(least: int, most: int) -> Shape[int]:
    """A whole number of this range."""

    def read(value: object) -> int | None:
        return value if type(value) is int and least <= value <= most else None

    return Shape(f"a whole number from {least} to {most}", read)


COUNT = whole(0, TEN_YEARS)


def choice(kind: type[E]) -> Shape[E]:
    """One of the words of this kind."""
    words = {str(word): word for word in kind}
    return Shape("", lambda value: words.get(value) if isinstance(value, str) else None, tuple(words))


def one_of(names: Iterable[str], none: str = "") -> Shape[str]:
    """One of these names. `none` says what would be accepted while there are none at all."""
    choices = tuple(dict.fromkeys(names))
    known = frozenset(choices)
    return Shape(none, lambda value: value if isinstance(value, str) and value in known else None, choices)


def inside(start: date, until: date) -> Shape[date]:
    """A day of the story that runs from the one day to the other."""

    def read(value: object) -> date | None:
        day = _day(value)
        return day if day is not None and start <= day <= until else None

    return Shape(f"a day of the story, from {start} to {until}, without quotation marks", read)
