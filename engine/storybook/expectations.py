"""What a story file expects: which steps were performed on which day, and where the account stood in the evening."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from engine.storybook.entries import Entry, Shape, Table
from engine.storybook.shapes import DAY, one_of
from engine.storybook.tables import Names


class Mode(StrEnum):
    """The two behaviours of an account when its oldest invoice is paid: `SMART` reassesses it, `LEGACY` does not."""

    LEGACY = "legacy"
    SMART = "smart"


STATES = ("clear", "waiting", "pending", "idle")


class ExpectedPosition(NamedTuple):
    """Where the account is expected to stand at the end of a day. `given` holds only the keys that the file gives.

    As in the file, "" stands for no step, no next step, no driver and no day.
    """

    on: date
    given: Mapping[str, str | date]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is to come of one mode. `sends` are all steps performed, in order; None where the file does not say."""

    sends: tuple[tuple[date, str], ...] | None = None
    positions: tuple[ExpectedPosition, ...] = ()


def read_expectations(story: Table, names: Names, modes: tuple[Mode, ...], day: Shape[date]) -> dict[Mode, Expectation]:
    if "expect" not in story.fields:
        return {}
    given = story.fields["expect"].table("[expect]", tuple(str(mode) for mode in Mode))
    for mode in Mode:
        if mode in given.fields and modes and mode not in modes:
            accepted = f"accepted is what the key 'modes' names: {', '.join(modes)}"
            given.fields[mode].refuse(accepted, f"the story is not told in the mode {str(mode)!r}")
    return {mode: _expectation(given.fields[mode], names, day) for mode in Mode if mode in given.fields}


def _expectation(entry: Entry, names: Names, day: Shape[date]) -> Expectation:
    given = entry.table(f"[expect.{entry.key}]", ("sends", "position"))
    sends = None
    if "sends" in given.fields:
        read = [_send(one, names, day) for one in given.entries("sends", 'pairs like ["2025-05-26", "R1"]')]
        sends = tuple(send for send in read if send is not None)
    positions = given.entries("position", "positions, each under a table of its own")
    return Expectation(sends, tuple(_position(one, names, day) for one in positions))


def _send(entry: Entry, names: Names, day: Shape[date]) -> tuple[date, str] | None:
    pair = entry.value
    if not isinstance(pair, list) or len(pair) != 2:
        entry.refuse('accepted is a day and a step, like ["2025-05-26", "R1"]')
        return None
    on = entry.inner(0, pair[0]).one(_quoted(day))
    step = entry.inner(1, pair[1]).one(one_of(names.steps, none="a step of the file, and it has none"))
    return (on, step) if on is not None and step is not None else None


def _quoted(day: Shape[date]) -> Shape[date]:
    """A day in quotation marks, as it stands in a list of sends; without them is as good."""

    def read(value: object) -> date | None:
        if not isinstance(value, str):
            return day.read(value)
        try:
            return day.read(date.fromisoformat(value)) if len(value) == len("2025-06-30") else None
        except ValueError:
            return None

    return Shape(day.words.replace("without", "in"), read)


def _position(entry: Entry, names: Names, day: Shape[date]) -> ExpectedPosition:
    step = one_of(("", *names.steps))
    shapes: dict[str, Shape[str]] = {
        "workflow": one_of(names.workflows, none="a workflow of the file, and it has none"),
        "step": step,
        "state": one_of(STATES),
        "next_step": step,
        "driver": one_of(("", *names.invoices)),
    }
    given = entry.table("a position", ("on", *shapes, "next_due_on"))
    found: dict[str, str | date] = {}
    for key, shape in shapes.items():
        if key in given.fields and (name := given.fields[key].one(shape)) is not None:
            found[key] = name
    if "next_due_on" in given.fields and (due := given.fields["next_due_on"].one(_DAY_OR_NONE)) is not None:
        found["next_due_on"] = due
    return ExpectedPosition(given.need("on", day, date.min), found)


_DAY_OR_NONE: Shape[str | date] = Shape(
    f'{DAY.words}; or "" for none', lambda value: "" if value == "" else DAY.read(value)
)
