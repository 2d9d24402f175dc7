"""What a story file declares: its settings, its workflows and the invoices on the ledger."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.calendars import WEEKDAYS, SendingDays
from engine.facts import AfterMoveBack, FirstContact, Rules
from engine.receivables import Ref
from engine.storybook.entries import Entry, Table
from engine.storybook.shapes import AMOUNT, COUNT, CURRENCY, DAY, NAME, TEN_YEARS, YES_OR_NO, choice, one_of, whole
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind


class Names(NamedTuple):
    """All names that a file gives, so that whatever else it names can be held against them."""

    workflows: tuple[str, ...]
    steps: tuple[str, ...]
    invoices: tuple[str, ...]


def names_of(content: object) -> Names:
    """The names of the file, whatever else may be wrong with it."""
    workflows = _tables(content, "workflow")
    added = [one for event in _tables(content, "event") for one in _tables(event, "add")]
    return Names(
        workflows=_texts(workflows, "name"),
        steps=_texts([step for workflow in workflows for step in _tables(workflow, "steps")], "name"),
        invoices=_texts([*_tables(content, "invoice"), *added], "id"),
    )


def _tables(content: object, key: str) -> list[object]:
    found = content.get(key) if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def _texts(tables: list[object], key: str) -> tuple[str, ...]:
    found = [table.get(key) for table in tables if isinstance(table, dict)]
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


SETTINGS = (
    *("send_weekdays", "min_days_between_reminders", "after_move_back", "first_contact", "return_over_link"),
    *("disputed_invoices_drive", "pause_when_in_credit", "ignore_below", "stale_after_days"),
)


def read_rules(story: Table) -> Rules:
    if "settings" not in story.fields:
        return Rules()
    given = story.fields["settings"].table("[settings]", SETTINGS, noun="setting")
    return Rules(
        sending=SendingDays(_weekdays(given)),
        min_days_between_reminders=given.may("min_days_between_reminders", COUNT, 1),
        stale_after_days=given.may("stale_after_days", COUNT, 1),
        ignore_below=given.may("ignore_below", AMOUNT, Decimal(0)),
        disputed_invoices_drive=given.may("disputed_invoices_drive", YES_OR_NO, False),
        after_move_back=given.may("after_move_back", choice(AfterMoveBack), AfterMoveBack.WAIT),
        first_contact=given.may("first_contact", choice(FirstContact), FirstContact.BEGINNING),
        return_over_link=given.may("return_over_link", YES_OR_NO, True),
        pause_when_in_credit=given.may("pause_when_in_credit", YES_OR_NO, False),
    )


def _weekdays(given: Table) -> frozenset[int]:
    if "send_weekdays" not in given.fields:
        return frozenset(range(7))
    entry = given.fields["send_weekdays"]
    if entry.value == []:
        entry.refuse(f"accepted is at least one of {', '.join(WEEKDAYS)}")
    return frozenset(WEEKDAYS.index(day) for day in entry.each(one_of(WEEKDAYS), "weekdays"))


def read_workflows(story: Table, names: Names) -> dict[Ref, Workflow]:
    if "workflow" not in story.fields:
        story.lacks("workflow", "accepted is at least one [[workflow]] with a name and its steps")
    entries = story.entries("workflow", "workflows, each under a [[workflow]] of its own")
    workflows = [_workflow(entry, names) for entry in entries]
    each_of_its_own(entries, [workflow.name for workflow in workflows], "name", "a workflow")
    alone = {workflow.id for workflow in workflows if workflow.kind is WorkflowKind.INVOICE}
    for entry, workflow in zip(entries, workflows, strict=True):
        if workflow.link is not None and workflow.link.workflow in alone:
            found = f"{workflow.link.workflow!r} is of kind 'invoice'"
            entry.inner("move_to", None).refuse("accepted is a workflow of kind 'account'", found)
    return {workflow.id: workflow for workflow in workflows}


def _workflow(entry: Entry, names: Names) -> Workflow:
    given = entry.table("a workflow", ("name", "steps", "move_to", "kind", "repeat_every"))
    name = given.need("name", NAME, "")
    if "steps" not in given.fields:
        given.lacks("steps", 'accepted is a list like [{ name = "R1", day = 7, channel = "email" }]')
    entries = given.entries("steps", "steps")
    steps = tuple(_step(step) for step in entries)
    each_of_its_own(entries, [step.name for step in steps], "name", "a step")
    workflow = Workflow(
        id=name,
        name=name,
        steps=steps,
        kind=given.may("kind", choice(WorkflowKind), WorkflowKind.ACCOUNT),
        link=_link(given.fields["move_to"], names) if "move_to" in given.fields else None,
        repeat_every=given.may("repeat_every", COUNT, 0),
    )
    if workflow.link is not None and workflow.repeat_every:
        given.fields["repeat_every"].refuse("accepted is one of the two", "there is a 'move_to' and a 'repeat_every'")
    if workflow.kind is WorkflowKind.INVOICE:
        _alone(given, entries, steps)
    return workflow


def _step(entry: Entry) -> Step:
    given = entry.table("a step", ("name", "day", "channel", "manual"))
    name = given.need("name", NAME, "")
    return Step(
        id=name,
        name=name,
        day=given.need("day", whole(-TEN_YEARS, TEN_YEARS), 1),
        channel=given.may("channel", choice(Channel), Channel.EMAIL),
        manual=given.may("manual", YES_OR_NO, False),
    )


def _link(entry: Entry, names: Names) -> Link:
    given = entry.table("'move_to'", ("workflow", "after_days"))
    return Link(given.need("workflow", one_of(names.workflows), ""), given.need("after_days", COUNT, 0))


def _alone(given: Table, entries: Sequence[Entry], steps: Sequence[Step]) -> None:
    """A workflow of kind invoice writes emails and leads nowhere: no account walks on it that could move on."""
    for entry, step in zip(entries, steps, strict=True):
        if step.channel is not Channel.EMAIL:
            found = f"the step {step.name!r} of a workflow of kind 'invoice' goes by {step.channel}"
            entry.inner("channel", None).refuse("accepted is email", found)
    if "move_to" in given.fields:
        given.fields["move_to"].refuse(
            "accepted are name, steps, kind, repeat_every", "a workflow of kind 'invoice' moves nowhere"
        )


def read_invoices(story: Table, currency: str) -> tuple[OpenInvoice, ...]:
    """Those that are on the ledger from the first day."""
    entries = story.entries("invoice", "invoices, each under an [[invoice]] of its own")
    return tuple(read_invoice(entry, currency) for entry in entries)


def read_invoice(entry: Entry, currency: str) -> OpenInvoice:
    given = entry.table("an invoice", ("id", "due", "amount", "currency"))
    name = given.need("id", NAME, "")
    return OpenInvoice(
        id=name,
        number=name,
        due_on=given.need("due", DAY, date.min),
        balance=given.may("amount", AMOUNT, Decimal(100)),
        currency=given.may("currency", CURRENCY, currency),
    )


def each_of_its_own(entries: Sequence[Entry], names: Sequence[str], key: str, what: str) -> None:
    """Refuses a name that was given before. `key` holds it, `what` it names: "a step"."""
    first: dict[str, Entry] = {}
    for entry, name in zip(entries, names, strict=True):
        if not name:
            continue
        if name in first:
            before = first[name].inner(key, name)
            again = f"{what} is called {name!r} already, on line {before.sheet.line(before.place)}"
            entry.inner(key, name).refuse(f"accepted is another {key!r}", again)
        first.setdefault(name, entry)
