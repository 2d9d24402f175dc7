"""The form in which a workflow is written: what somebody typed, kept as it was typed until it makes sense.

A form is not a draft yet. A day may be no number and a name may be missing, and the page has to show it all again
beside what is wrong with it. Which steps there are is known from the form alone: its fields are named `step-1-day` and
so on, as the flaws are (see `engine.soundness`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from engine.soundness import Flaw
from engine.workflow import Channel, WorkflowKind
from jobs.drafts import Draft, DraftStep
from wording import LAYOUTS

UNREADABLE = 1_000_000
"""Stands for a number that is none. It lies outside every range, so that it is told beside its field."""

FOLLOWS = ("nothing", "repeat", "link")
_STEP = re.compile(r"step-([0-9]{1,3})-(?:id|name|day|channel|manual|subject|body|layout|attach|papers|cc)")


async def _typed(request: Request) -> dict[str, str]:
    """Every field of the form that was sent, by its name."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Typed = Annotated[dict[str, str], Depends(_typed)]


class Row(NamedTuple):
    """One step as it was typed."""

    id: str = ""
    name: str = ""
    day: str = ""
    channel: str = Channel.EMAIL
    manual: bool = False
    subject: str = ""
    body: str = ""
    layout: str = "email"
    attach: bool = False
    papers: bool = False
    cc: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The whole form as it was typed. `follows` says what comes after the last step: nothing, repeat or link."""

    name: str = ""
    description: str = ""
    kind: str = WorkflowKind.ACCOUNT
    follows: str = "nothing"
    repeat_every: str = ""
    link: str = ""
    after_days: str = ""
    version: str = "0"
    rows: tuple[Row, ...] = ()

    def with_another_step(self) -> "Form":
        """One row more, a week after the last one, under a name that no other has."""
        days = [day for row in self.rows if (day := _whole(row.day)) != UNREADABLE]
        day = max(days) + 7 if days else 7
        taken = {row.name for row in self.rows}
        name = next(name for number in count(len(self.rows) + 1) if (name := f"Reminder {number}") not in taken)
        return replace(self, rows=(*self.rows, Row(name=name, day=str(day))))

    @property
    def unknown(self) -> tuple[Flaw, ...]:
        """What was chosen of a list that does not have it, or not chosen at all. A browser that shows the page sends no
        such form; one that lost half of it on the way must not save the other half.
        """
        chosen = [
            ("kind", self.kind, tuple(WorkflowKind), "Choose what kind of workflow this is."),
            *(choice for place, row in enumerate(self.rows, 1) for choice in _choices(f"step-{place}", row)),
            ("follows", self.follows, FOLLOWS, "Choose what follows after the last step."),
        ]
        return tuple(Flaw(field, text) for field, one, ones, text in chosen if one not in ones)

    def draft(self, workflow_id: int | None) -> Draft:
        """The draft that this form asks for, sound or not."""
        linked, repeated = self.follows == "link", self.follows == "repeat"
        return Draft(
            name=self.name,
            steps=tuple(_step(row) for row in self.rows),
            description=self.description,
            kind=WorkflowKind(self.kind) if self.kind in set(WorkflowKind) else WorkflowKind.ACCOUNT,
            link=(_whole(self.link) if self.link else 0) if linked else None,
            after_days=_whole(self.after_days) if linked else 0,
            repeat_every=(_whole(self.repeat_every) or UNREADABLE) if repeated else 0,
            id=workflow_id,
            version=_whole(self.version),
        )


def form_of(draft: Draft) -> Form:
    """The form in which this draft is shown."""
    follows = "link" if draft.link is not None else "repeat" if draft.repeat_every else "nothing"
    return Form(
        name=draft.name,
        description=draft.description,
        kind=draft.kind,
        follows=follows,
        repeat_every=str(draft.repeat_every or ""),
        link=str(draft.link or ""),
        after_days=str(draft.after_days or ""),
        version=str(draft.version),
        rows=tuple(
            Row(
                *(step.id, step.name, str(step.day), step.channel, step.manual, step.subject, step.body),
                *(step.layout, step.attach_statement, step.attach_invoices, ", ".join(step.cc)),
            )
            for step in draft.steps
        ),
    )


def read(typed: Mapping[str, str]) -> Form:
    """The form as it was sent, without the steps that were marked to be removed."""
    places = sorted({int(found[1]) for name in typed if (found := _STEP.fullmatch(name))})

    def field(place: int, part: str) -> str:
        return typed.get(f"step-{place}-{part}", "")

    return Form(
        **{name: typed.get(name, "") for name in _FIELDS},
        version=typed.get("version", "0"),
        rows=tuple(
            Row(
                *(field(place, part) for part in ("id", "name", "day", "channel")),
                manual=bool(field(place, "manual")),
                subject=field(place, "subject"),
                body=field(place, "body"),
                layout=field(place, "layout"),
                attach=bool(field(place, "attach")),
                papers=bool(field(place, "papers")),
                cc=field(place, "cc"),
            )
            for place in places
            if not field(place, "remove")
        ),
    )


_FIELDS = ("name", "description", "kind", "follows", "repeat_every", "link", "after_days")


def _choices(field: str, row: Row) -> list[tuple[str, str, tuple[str, ...], str]]:
    """Each choice of a step: its field, what was chosen, of what, and what to say when that is not among them."""
    channel = (f"{field}-channel", row.channel, tuple(Channel), "Choose how this step goes: email, SMS or call.")
    layout = (f"{field}-layout", row.layout, LAYOUTS, "There is no such layout. Choose one that there is.")
    return [channel, layout]


def _step(row: Row) -> DraftStep:
    channel = Channel(row.channel) if row.channel in set(Channel) else Channel.EMAIL
    copies = tuple(filter(None, re.split(r"[\s,;]+", row.cc)))
    return DraftStep(
        *(row.name, _whole(row.day), channel, row.manual, row.subject, row.body, row.id),
        *(row.layout if row.layout in LAYOUTS else "email", row.attach, copies, row.papers),
    )


def _whole(text: str) -> int:
    """A whole number as people write it, with any kind of minus sign."""
    text = text.strip().replace("−", "-").replace("–", "-")
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,6}", text) else UNREADABLE
