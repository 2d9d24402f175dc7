"""Does a workflow make sense? It is asked before one is saved, because from then on reminders leave by it.

What is wrong is told as flaws, each with the field of the form beside which it belongs and a sentence for the person
who filled it in. A workflow without a flaw can be walked by any account, whatever happens to it.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from engine.receivables import Ref
from engine.workflow import Channel, Step, Workflow, WorkflowKind

FIRST_DAY, LAST_DAY = -60, 720
LONGEST_WAIT = 365
LONGEST_NAME, LONGEST_DESCRIPTION = 80, 300
LONGEST_SUBJECT, LONGEST_BODY = 500, 20_000
MOST_STEPS = 40

Others = Mapping[Ref, Workflow]


class Flaw(NamedTuple):
    """What is wrong, and where: `name`, `description`, `kind`, `steps`, `follows`, `link`, `after_days`,
    `repeat_every`, or a field of the step in a place of the list, counted from 1, such as `step-3-day`. An empty field:
    the workflow as a whole.
    """

    field: str
    text: str


class Words(NamedTuple):
    """What a step says. A problem is a sentence that tells why that part cannot be filled in with facts, or why no
    copy can go where it should.
    """

    subject: str = ""
    body: str = ""
    subject_problem: str = ""
    body_problem: str = ""
    copies_problem: str = ""


def flaws_of(
    workflow: Workflow,
    others: Others,
    words: Mapping[str, Words] | None = None,
    *,
    description: str = "",
    before: Workflow | None = None,
    accounts: int = 0,
    begun_on: bool = False,
) -> tuple[Flaw, ...]:
    """Everything that is wrong with it, in the order of the form.

    `others` are the workflows of the organisation as they stand, `words` those of each step by its id (None: not looked
    at), `before` the workflow that is edited, `accounts` how many are on that one now, `begun_on` whether it is a
    default, so that accounts begin on it.
    """
    others = {ref: other for ref, other in others.items() if ref != workflow.id}
    return (
        *_in_the_name(workflow, others),
        *_in_the_description(description),
        *_in_the_kind(workflow, others, before, accounts),
        *_in_the_steps(workflow, others, accounts, begun_on),
        *(flaw for place, step in enumerate(workflow.steps, 1) for flaw in _in_a_step(workflow, place, step, words)),
        *_in_what_follows(workflow, others),
    )


def _in_the_name(workflow: Workflow, others: Others) -> Iterator[Flaw]:
    if problem := _not_a_name(workflow.name, "the workflow"):
        yield Flaw("name", problem)
    elif any(_alike(other.name, workflow.name) for other in others.values()):
        yield Flaw("name", "Another workflow has this name. Choose one that tells them apart.")


def _in_the_description(text: str) -> Iterator[Flaw]:
    if problem := _not_written(text, LONGEST_DESCRIPTION):
        yield Flaw("description", problem)


def _in_the_kind(workflow: Workflow, others: Others, before: Workflow | None, accounts: int) -> Iterator[Flaw]:
    if before is not None and accounts and before.kind is not workflow.kind:
        yield Flaw("kind", f"{_on_it(accounts)}, so its kind cannot change. Make a new workflow of the other kind.")
    if workflow.kind is WorkflowKind.INVOICE:
        for other in others.values():
            if other.link is not None and other.link.workflow == workflow.id:
                yield Flaw("kind", f"{other.name} moves accounts on to this workflow, so it has to be a Smart one.")


def _in_the_steps(workflow: Workflow, others: Others, accounts: int, begun_on: bool) -> Iterator[Flaw]:
    if not workflow.sequence and (who := _who_needs_a_step(workflow, others, accounts, begun_on)):
        yield Flaw("steps", f"{who}. Keep at least one step after the due date for them.")
    elif not workflow.steps:
        yield Flaw("steps", "A workflow needs at least one step.")
    elif not workflow.sequence and (workflow.link is not None or workflow.repeat_every):
        yield Flaw("steps", "Nothing can follow the last step while every step is on or before the due date.")
    if len(workflow.steps) > MOST_STEPS:
        yield Flaw("steps", f"A workflow has {MOST_STEPS} steps at most; this one has {len(workflow.steps)}.")


def _who_needs_a_step(workflow: Workflow, others: Others, accounts: int, begun_on: bool) -> str:
    """Why somebody would be left without a reminder if there were none after the due date; empty if nobody would."""
    if accounts:
        return _on_it(accounts)
    if begun_on:
        return "Accounts begin on this workflow, because it is a default"
    to_it = (other for other in others.values() if other.link is not None and other.link.workflow == workflow.id)
    leading = next(to_it, None)
    return f"{leading.name} moves accounts on to this workflow" if leading is not None else ""


def _in_a_step(workflow: Workflow, place: int, step: Step, words: Mapping[str, Words] | None) -> Iterator[Flaw]:
    field = f"step-{place}"
    earlier = workflow.steps[: place - 1]
    if problem := _not_a_name(step.name, "the step"):
        yield Flaw(f"{field}-name", problem)
    elif any(_alike(other.name, step.name) for other in earlier):
        yield Flaw(f"{field}-name", "Another step has this name. History could not tell the two apart.")
    if not FIRST_DAY <= step.day <= LAST_DAY:
        yield Flaw(f"{field}-day", f"Write a whole number of days, from {FIRST_DAY} to {LAST_DAY}.")
    elif twin := next((other for other in earlier if other.day == step.day), None):
        yield Flaw(f"{field}-day", f"{twin.name or 'Another step'} is on day {step.day} already. Choose another day.")
    if workflow.kind is WorkflowKind.INVOICE and not _fits_an_invoice(workflow, step):
        yield Flaw(f"{field}-channel", "A Regular workflow sends emails only. A call may stand last.")
    if words is not None:
        yield from _in_the_words(field, step, words.get(step.id, Words()))


def _fits_an_invoice(workflow: Workflow, step: Step) -> bool:
    """An email; or the call at the end, by which the invoice is put on the Calls list."""
    last = bool(workflow.sequence) and step.id == workflow.sequence[-1].id
    return step.channel is Channel.EMAIL or (step.channel is Channel.CALL and last)


def _in_the_words(field: str, step: Step, words: Words) -> Iterator[Flaw]:
    if step.channel is Channel.CALL:
        return
    if step.channel is Channel.EMAIL:
        if not words.subject.strip():
            yield Flaw(f"{field}-subject", "An email needs a subject.")
        elif problem := _not_written(words.subject, LONGEST_SUBJECT) or words.subject_problem:
            yield Flaw(f"{field}-subject", problem)
    if not words.body.strip():
        what = "An email" if step.channel is Channel.EMAIL else "An SMS"
        yield Flaw(f"{field}-body", f"{what} needs words. Write what it says.")
    elif problem := _not_written(words.body, LONGEST_BODY) or words.body_problem:
        yield Flaw(f"{field}-body", problem)
    if words.copies_problem and step.channel is Channel.EMAIL:
        yield Flaw(f"{field}-cc", words.copies_problem)


def _in_what_follows(workflow: Workflow, others: Others) -> Iterator[Flaw]:
    link, every = workflow.link, workflow.repeat_every
    days = f"Write a whole number of days, from 1 to {LONGEST_WAIT}."
    if every and link is not None:
        yield Flaw("repeat_every", "Either the last step is repeated, or the account moves on. Choose one of the two.")
    if every and not 1 <= every <= LONGEST_WAIT:
        yield Flaw("repeat_every", days)
    if link is None:
        return
    if problem := _in_the_link(workflow, link.workflow, others):
        yield Flaw("link", problem)
    if not 1 <= link.after_days <= LONGEST_WAIT:
        yield Flaw("after_days", days)


def _in_the_link(workflow: Workflow, target: Ref, others: Others) -> str:
    if workflow.kind is WorkflowKind.INVOICE:
        return "A Regular workflow reminds of single invoices, so no account can move on from it."
    if not target:
        return "Choose the workflow that accounts move on to."
    if target == workflow.id:
        return "A workflow cannot move on to itself. To go on with its last step, let that be repeated."
    if target not in others:
        return "There is no such workflow. Choose one that there is."
    if others[target].kind is WorkflowKind.INVOICE:
        return f"{others[target].name} is a Regular workflow. An account can move on to a Smart workflow only."
    if not others[target].sequence:
        return f"{others[target].name} has no step after the due date, so accounts would not be reminded there."
    if circle := _circle(workflow, others):
        return f"Accounts would go round in a circle: {' → '.join(circle)}. Choose a workflow that does not lead back."
    return ""


def _circle(workflow: Workflow, others: Others) -> tuple[str, ...]:
    """The names along the links, up to the first that comes round again; empty when none does."""
    passed, here = [workflow], workflow
    while here.link is not None:
        to = workflow if here.link.workflow == workflow.id else others.get(here.link.workflow)
        if to is None:
            return ()
        if any(to.id == one.id for one in passed):
            return tuple(one.name or "this workflow" for one in (*passed, to))
        passed.append(to)
        here = to
    return ()


def _not_a_name(name: str, whose: str) -> str:
    if not name.strip():
        return f"Give {whose} a name."
    if len(name) > LONGEST_NAME:
        return f"The name is longer than {LONGEST_NAME} characters."
    return "" if name.isprintable() else "A name has one line, and letters that can be printed."


def _not_written(text: str, longest: int) -> str:
    """Why this cannot be kept as it is. Line breaks and tabs are all right, other control characters are not."""
    if len(text) > longest:
        return f"This is longer than {longest:,} characters."
    at = next((at for at, one in enumerate(text) if one in _CONTROLS), None)
    if at is None:
        return ""
    after = f' after "{text[:at][-20:].strip()}"' if text[:at].strip() else ""
    return f"There is a character{after} that cannot be printed. Take it out."


_CONTROLS = frozenset(chr(code) for code in (*range(32), 127)) - {"\n", "\t"}


def _alike(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _on_it(accounts: int) -> str:
    return "1 account is on this workflow" if accounts == 1 else f"{accounts} accounts are on this workflow"
