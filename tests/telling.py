"""A few words with which a test can tell a debtor's story and ask what came of it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from engine.ageing import OpenInvoice
from engine.facts import Rules
from engine.position import Clear, Idle, Pending, Position
from engine.story import Event, Story, Telling, When, tell
from engine.workflow import Channel, Step, Workflow

W1 = Workflow(
    "W1",
    "W1",
    tuple(Step(f"R{place}", f"R{place}", day) for place, day in enumerate((7, 21, 35, 42, 56), start=1)),
)


def day(text: str | date) -> date:
    return date.fromisoformat(text) if isinstance(text, str) else text


def invoice(name: str, *, due: str | date, amount: str = "100", currency: str = "GBP") -> OpenInvoice:
    return OpenInvoice(name, name, day(due), Decimal(amount), currency)


class ToldStory:
    """A story under way: each verb answers a new one, longer by one event."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._told: Telling | None = None

    def happens(self, what: str, value: Any = True, *, on: str | date, when: When = When.AFTER_SEND) -> "ToldStory":
        event = Event(day(on), what, value, when)
        return ToldStory(replace(self.story, events=(*self.story.events, event)))

    def pay(self, *names: str, on: str | date, when: When = When.AFTER_SEND) -> "ToldStory":
        return self.happens("pay", list(names), on=on, when=when)

    @property
    def told(self) -> Telling:
        if self._told is None:
            self._told = tell(self.story)
        return self._told

    @property
    def sends(self) -> list[tuple[str, str]]:
        return [(str(send.on), send.step) for send in self.told.sends]

    def position_on(self, on: str | date) -> "Standing":
        return Standing(self.told.positions[day(on)])

    def notes_of(self, on: str | date) -> list[str]:
        return [note.text for written, note in self.told.notes if written == day(on)]


class Standing:
    """A position in the words of a story file."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.step = position.assigned.name if position.assigned else ""
        self.next_step = position.next_step.name if position.next_step else ""
        self.next_due_on = str(position.next_due_on) if position.next_due_on else ""
        self.driver = str(position.driver.id) if position.driver else ""
        self.because = position.because
        names = {Clear: "clear", Pending: "pending", Idle: "idle"}
        self.state = names.get(type(position.state), "waiting")


def a_story(
    workflow: Workflow,
    *invoices: OpenInvoice,
    start: str | date = "2025-05-01",
    until: str | date = "2025-08-31",
    smart: bool = True,
    **rules: Any,
) -> ToldStory:
    story = Story(
        start=day(start),
        until=day(until),
        workflows={workflow.id: workflow},
        default_workflow=workflow.id,
        invoices=invoices,
        rules=Rules(reassess_on_payment=smart, **rules),
    )
    return ToldStory(story)


__all__ = ["W1", "Channel", "Standing", "ToldStory", "a_story", "day", "invoice"]
