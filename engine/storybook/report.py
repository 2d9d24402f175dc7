"""What came of a story, and whether it is what the file expects.

The report is made for two readers: a person who wonders what a workflow would do, and a program that asks for JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import NamedTuple

from engine.position import Clear, Idle, Pending, Position
from engine.story import Send, Story, tell
from engine.storybook.expectations import Expectation, ExpectedPosition, Mode
from engine.storybook.file import StoryFile
from engine.words import in_words


class Stand(NamedTuple):
    """Where the account stood at the end of a day, in the words of a story file: "" stands for none."""

    on: date
    workflow: str
    step: str
    state: str
    next_step: str
    next_due_on: date | None
    driver: str
    driver_age: int | None
    because: str


@dataclass(frozen=True, slots=True)
class Report:
    """One story, told in one mode. `stands` are the days worth looking at; `mismatches` are sentences."""

    title: str
    mode: Mode
    sends: tuple[Send, ...]
    stands: tuple[Stand, ...]
    mismatches: tuple[str, ...]
    expected: bool

    @property
    def ok(self) -> bool:
        return not self.mismatches


def reports(file: StoryFile) -> Iterator[Report]:
    """Tells the story in each of its modes."""
    for mode in file.modes:
        expectation = file.expectations.get(mode)
        yield _report(file.title, mode, file.stories[mode], expectation)


def _report(title: str, mode: Mode, story: Story, expectation: Expectation | None) -> Report:
    telling = tell(story)
    stands = {day: stand_of(position) for day, position in telling.positions.items()}
    return Report(
        title=title,
        mode=mode,
        sends=tuple(telling.sends),
        stands=tuple(_worth_a_look(story, stands, expectation or Expectation())),
        mismatches=tuple(mismatches(expectation, telling.sends, stands)) if expectation is not None else (),
        expected=expectation is not None,
    )


_WORDS = {Clear: "clear", Pending: "pending", Idle: "idle"}


def stand_of(position: Position) -> Stand:
    """A position in the words of a story file. What is neither clear, pending nor idle is waiting."""
    driver = position.driver
    return Stand(
        on=position.as_of,
        workflow=position.workflow.name,
        step=position.assigned.name if position.assigned else "",
        state=_WORDS.get(type(position.state), "waiting"),
        next_step=position.next_step.name if position.next_step else "",
        next_due_on=position.next_due_on,
        driver=str(driver.id) if driver else "",
        driver_age=driver.age(position.as_of) if driver else None,
        because=position.because,
    )


def _worth_a_look(story: Story, stands: Mapping[date, Stand], expectation: Expectation) -> Iterator[Stand]:
    """The days with an event, those an expectation names, and those on which the account changed its place."""
    named = {event.on for event in story.events} | {expected.on for expected in expectation.positions}
    default = story.account_default if story.account_default is not None else story.default_workflow
    before = (str(default), "", "clear")
    for day, stand in stands.items():
        place = (stand.workflow, stand.step, stand.state)
        if place != before or day in named:
            yield stand
        before = place


def mismatches(expectation: Expectation, sends: Sequence[Send], stands: Mapping[date, Stand]) -> Iterator[str]:
    """A sentence for everything that was expected and did not come, or came and was not expected."""
    if expectation.sends is not None:
        yield from _other_sends(list(expectation.sends), [(send.on, send.step) for send in sends])
    for expected in expectation.positions:
        yield from _other_place(expected, stands[expected.on])


_Sends = list[tuple[date, str]]


def _other_sends(expected: _Sends, came: _Sends) -> Iterator[str]:
    for kind, start, end, first, last in SequenceMatcher(None, expected, came, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        missing, extra = expected[start:end], came[first:last]
        for on, step in missing:
            other = next((when for when, name in extra if name == step), None)
            if other is None:
                yield f"{step} was expected on {in_words(on)}, but was not sent"
            else:
                extra.remove((other, step))
                yield f"{step} was expected on {in_words(on)}, but was sent on {in_words(other)}"
        for on, step in extra:
            yield f"{step} was sent on {in_words(on)}, which was not expected"


_NAMES = {
    "workflow": "the workflow",
    "step": "the assigned step",
    "state": "the state",
    "next_step": "the next step",
    "next_due_on": "the next step's day",
    "driver": "the driver",
}


def _other_place(expected: ExpectedPosition, stand: Stand) -> Iterator[str]:
    for key, value in expected.given.items():
        came = getattr(stand, key) or ""
        if came != value:
            yield f"on {in_words(expected.on)} {_NAMES[key]} was expected to be {_said(value)}, but it is {_said(came)}"


def _said(value: str | date) -> str:
    return (in_words(value) if isinstance(value, date) else value) or "none"


def as_json(report: Report, file: str) -> dict[str, object]:
    """The report as the JSON object that `arrears replay --json` prints. `file` is what the reader calls it."""
    return {
        "file": file,
        "mode": str(report.mode),
        "ok": report.ok,
        "sends": [_send(send) for send in report.sends],
        "positions": [
            stand._asdict()
            | {"on": str(stand.on), "next_due_on": str(stand.next_due_on) if stand.next_due_on else None}
            for stand in report.stands
        ],
        "mismatches": list(report.mismatches),
    }


def _send(send: Send) -> dict[str, object]:
    line: dict[str, object] = {
        "on": str(send.on),
        "workflow": send.workflow,
        "step": send.step,
        "channel": str(send.channel),
        "invoices": [str(invoice) for invoice in send.invoices],
    }
    return line | {"skipped": True} if send.skipped else line
