"""Workflows: which reminder comes after which, and how many days after the due date each one belongs.

A step is tracked by its id, never by its place in the list, so that somebody who edits a workflow does not move the
accounts that are walking through it.
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


@dataclass(frozen=True)
class Workflow:
    """An ordered list of steps. `version` changes with every saved edit and is part of each reminder's key."""

    id: Ref
    name: str
    steps: tuple[Step, ...]
    kind: WorkflowKind = WorkflowKind.ACCOUNT
    version: int = 1

    @cached_property
    def sequence(self) -> tuple[Step, ...]:
        """The escalation steps, in the order of their days. Courtesy steps stand outside the sequence."""
        return tuple(sorted((step for step in self.steps if not step.courtesy), key=lambda step: step.day))

    def fitting(self, age: int) -> int:
        """How many steps of the sequence an account of this age has behind it; 0 is the start.

        The fitting step is the one with the greatest day not above the age (decision D1 of the semantics).
        """
        return sum(1 for step in self.sequence if step.day <= age)

    def place_of(self, step_id: str | None, day: int) -> int:
        """How many steps are done when this one was the last. One that was removed counts as the one before it."""
        if step_id is None:
            return 0
        for place, step in enumerate(self.sequence, start=1):
            if step.id == step_id:
                return place
        return self.fitting(day)
