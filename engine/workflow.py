"""Workflows: which reminder comes after which, and how many days after the due date each one belongs.

A step is tracked by its id, never by its place in the list, so that somebody who edits a workflow does not move the
accounts that are walking through it. Places are counted from 1; where the last step repeats, the places after it are
its repetitions.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from engine.receivables import Ref


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    CALL = "call"


class WorkflowKind(StrEnum):
    """`ACCOUNT` walks the whole account along its oldest invoice (on screen: Smart); `INVOICE` each invoice alone."""

    ACCOUNT = "account"
    INVOICE = "invoice"


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder. `day` counts whole days after the due date; a day of 0 or less is a courtesy step."""

    id: str
    name: str
    day: int
    channel: Channel = Channel.EMAIL
    manual: bool = False
    template: str = ""

    @property
    def courtesy(self) -> bool:
        return self.day <= 0

    @property
    def by_person(self) -> bool:
        """It waits for somebody: a call is made by a person, a manual step approved by one."""
        return self.manual or self.channel is Channel.CALL


@dataclass(frozen=True, slots=True)
class Link:
    """The move to a linked workflow, so many days after the last step."""

    workflow: Ref
    after_days: int


@dataclass(frozen=True)
class Workflow:
    """An ordered list of steps. `version` changes with every saved edit.

    After the last step the account moves on over the `link`, or the last step is repeated every `repeat_every` days
    (0: it is not), or nothing follows.
    """

    id: Ref
    name: str
    steps: tuple[Step, ...]
    kind: WorkflowKind = WorkflowKind.ACCOUNT
    version: int = 1
    link: Link | None = None
    repeat_every: int = 0

    @cached_property
    def sequence(self) -> tuple[Step, ...]:
        """The escalation steps, in the order of their days. Courtesy steps stand outside the sequence."""
        return tuple(sorted((step for step in self.steps if not step.courtesy), key=lambda step: step.day))

    @cached_property
    def courtesies(self) -> tuple[Step, ...]:
        """The steps before and on the due date, the latest first."""
        return tuple(sorted((step for step in self.steps if step.courtesy), key=lambda step: -step.day))

    @cached_property
    def length(self) -> int:
        return len(self.sequence)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {step.id: place for place, step in enumerate(self.sequence, start=1)}

    def fitting(self, age: int) -> int:
        """How many places of the sequence an account of this age has behind it; 0 is the start.

        The fitting step is the one with the greatest day not above the age (decision D1 of the semantics).
        """
        count = 0
        for step in self.sequence:
            if step.day > age:
                return count
            count += 1
        if count and self.repeat_every:
            count += (age - self.sequence[-1].day) // self.repeat_every
        return count

    def step_at(self, place: int) -> Step | None:
        """The step of this place; None for the start, and beyond the end."""
        if place < 1 or not self.sequence:
            return None
        if place <= self.length:
            return self.sequence[place - 1]
        return self.sequence[-1] if self.repeat_every else None

    def day_of(self, place: int) -> int:
        """How many days after the due date this place belongs. Meaningful for places that `step_at` knows."""
        if place <= self.length:
            return self.sequence[place - 1].day
        return self.sequence[-1].day + (place - self.length) * self.repeat_every

    def place_of(self, step_id: str | None, day: int, repeats: int = 0) -> int:
        """How many places are done when this step was the last. One that was removed counts as the one before it."""
        if step_id is None:
            return 0
        place = self._places.get(step_id)
        if place is None:
            return sum(1 for step in self.sequence if step.day <= day)
        return place + repeats if place == self.length and self.repeat_every else place
