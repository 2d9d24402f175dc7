"""Reading a story file entry by entry, strictly, and saying of each mistake where it is and what would be accepted.

A story that is half understood is worse than none: a setting with a typing error would quietly fall back to its
default, and the story would prove something else than it says. So nothing is overlooked, and everything that is wrong
is told at once.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Generic, TypeVar

from engine.storybook.lines import Place

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoryProblem:
    """Something that no story file can say: the line, the key, what is there, and what would be accepted."""

    line: int
    key: str
    found: str
    accepted: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.found}; {self.accepted}"


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """What a value may be, in words, and how it is read: None where it is something else.

    `choices` are the accepted values where they can be listed; `words` then only serve while the list is empty.
    """

    words: str
    read: Callable[[object], T | None]
    choices: tuple[str, ...] = ()

    def accepted(self, given: object = None) -> str:
        return offer(given, self.choices) if self.choices else f"accepted is {self.words}"


@dataclass(slots=True)
class Sheet:
    """The file under examination: the line of everything in it, and the problems found so far."""

    lines: Mapping[Place, int]
    problems: list[StoryProblem] = field(default_factory=list)

    def line(self, place: Place) -> int:
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def add(self, place: Place, key: str, found: str, accepted: str) -> None:
        self.problems.append(StoryProblem(self.line(place), key, found, accepted))


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the file, and the place where it stands."""

    value: object
    place: Place
    sheet: Sheet

    @property
    def key(self) -> str:
        return next((part for part in reversed(self.place) if isinstance(part, str)), "")

    def refuse(self, accepted: str, found: str = "") -> None:
        in_a_list = bool(self.place) and isinstance(self.place[-1], int)
        found = found or f"{self.key!r} {'holds' if in_a_list else 'is'} {shown(self.value)}"
        self.sheet.add(self.place, self.key, found, accepted)

    def inner(self, part: str | int, value: object) -> "Entry":
        return Entry(value, (*self.place, part), self.sheet)

    def one(self, shape: Shape[T]) -> T | None:
        value = shape.read(self.value)
        if value is None:
            self.refuse(shape.accepted(self.value))
        return value

    def entries(self, of: str) -> tuple["Entry", ...]:
        """What stands in the list. `of` says what belongs into it: "steps"."""
        if not isinstance(self.value, list):
            self.refuse(f"accepted is a list of {of}")
            return ()
        return tuple(self.inner(number, value) for number, value in enumerate(self.value))

    def each(self, shape: Shape[T], of: str) -> tuple[T, ...]:
        read = [entry.one(shape) for entry in self.entries(of)]
        return tuple(value for value in read if value is not None)

    def pairs(self, name: Shape[str], shape: Shape[T], like: str) -> dict[str, T]:
        """A table of names and values. `like` is an example of one."""
        if not isinstance(self.value, dict):
            self.refuse(f"accepted is a table like {like}")
            return {}
        read: dict[str, T] = {}
        for key, value in self.value.items():
            inner = self.inner(key, value)
            if name.read(key) is None:
                inner.refuse(name.accepted(key), f"{self.key!r} names {key!r}")
            elif (accepted := shape.read(value)) is None:
                inner.refuse(shape.accepted(value), f"{self.key!r} gives {key!r} {shown(value)}")
            else:
                read[key] = accepted
        return read

    def table(self, what: str, known: Collection[str], noun: str = "") -> "Table":
        """The entry as a table with these keys and no others. `what` it describes, in words: "an invoice"."""
        if not isinstance(self.value, dict):
            self.refuse(f"accepted is a table with {', '.join(known)}")
            return Table({}, self, what, broken=True)
        for key in self.value:
            if key not in known:
                found = f"the {noun} {key!r} is not known" if noun else f"{what} has no key {key!r}"
                self.sheet.add((*self.place, key), key, found, offer(key, tuple(known)))
        fields = {key: self.inner(key, value) for key, value in self.value.items() if key in known}
        return Table(fields, self, what)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of which only the known keys are left."""

    fields: Mapping[str, Entry]
    entry: Entry
    what: str
    broken: bool = False

    def need(self, key: str, shape: Shape[T], instead: T) -> T:
        """The value of a key that must be there. `instead` stands in for what is missing or refused."""
        if key not in self.fields:
            self.lacks(key, shape.accepted())
        return self.may(key, shape, instead)

    def may(self, key: str, shape: Shape[T], default: T) -> T:
        value = self.fields[key].one(shape) if key in self.fields else default
        return default if value is None else value

    def lacks(self, key: str, accepted: str) -> None:
        if not self.broken:
            self.entry.sheet.add(self.entry.place, key, f"{self.what} needs the key {key!r}", accepted)

    def entries(self, key: str, of: str) -> tuple[Entry, ...]:
        return self.fields[key].entries(of) if key in self.fields else ()


_MOST_NAMED = 30


def offer(given: object, choices: tuple[str, ...]) -> str:
    """What would be accepted, with a guess first where one is close."""
    more = ", …" if len(choices) > _MOST_NAMED else ""
    named = ", ".join(choice or '""' for choice in choices[:_MOST_NAMED]) + more
    accepted = f"accepted {'is' if len(choices) == 1 else 'are'} {named}"
    close = get_close_matches(given, choices, 1) if isinstance(given, str) else []
    return f"did you mean {close[0]!r}? {accepted[0].upper()}{accepted[1:]}" if close else accepted


def shown(value: object) -> str:
    """A value as a complaint shows it; long ones are cut."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value[:60] + '…' if len(value) > 60 else value!r}"
        case dict():
            return "a table"
        case list():
            return "a list" if value else "an empty list"
        case int() | Decimal():
            digits = str(value)
            return f"the number {digits[:40] + '…' if len(digits) > 40 else digits}"
        case datetime() | time():
            return f"the time {value}"
        case _:
            return f"the date {value}"
