"""What would change if this workflow were saved? The answer before the act, account by account.

Every account is looked at twice by the engine that decides in earnest: with the workflows as they stand, and with the
draft in the place of the one that is edited. Whoever would stand differently is listed, before and after in words.
Nothing is written.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from engine.decide import decide
from engine.facts import Decision, Facts
from engine.moves import rearranged
from engine.position import Idle, Leaving, Position, Run, due_at, place_done
from engine.receivables import Ref
from engine.soundness import Flaw
from engine.words import in_words
from engine.workflow import Channel, Step, Workflow, WorkflowKind
from jobs.drafts import Draft, looked_over
from jobs.office import Office
from store.facts import facts_in_chunks, ground_of
from store.tables import AccountRow

Workflows = Mapping[Ref, Workflow]


class Effect(StrEnum):
    """What an edit would do to one account: the first of these that is true."""

    BECOMES_DUE = "becomes due"
    TAKEN_BACK = "taken back"
    ENDS = "ends"
    SOONER = "sooner"
    LATER = "later"
    DIFFERENT = "different"


class Change(NamedTuple):
    """One account that would stand differently; `before` and `after` are its position in words."""

    account_id: int
    name: str
    effect: Effect
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What saving a draft would change on the day `as_of`. `on_it` of the accounts looked at are on this workflow."""

    as_of: date
    looked_at: int
    on_it: int
    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[Effect, int]:
        """How many accounts of each effect, in the order of `Effect`."""
        counted = Counter(change.effect for change in self.changes)
        return {effect: counted[effect] for effect in Effect if counted[effect]}


def impact_of(office: Office, organisation_id: int, draft: Draft) -> Impact | tuple[Flaw, ...]:
    """The accounts that would stand differently, the most urgent first; or what is wrong with the draft.

    Raises LookupError when the draft is of a workflow that the organisation does not have.
    """
    with office.database.reading() as session:
        draft, flaws = looked_over(session, organisation_id, draft)
        if flaws:
            return flaws
        ground = ground_of(session, organisation_id, now=office.clock())
        as_of = office.as_of(ground.organisation)
        before = ground.workflows
        if draft.id is None or ground.organisation.default_workflow_id is None:
            return Impact(as_of, 0, 0, ())
        after = {**before, draft.id: draft.workflow}
        # What is gathered about an account depends on what its workflows have; here it has to serve for both.
        both = replace(ground, workflows={**before, "draft": draft.workflow})
        looked_at = on_it = 0
        found: list[tuple[int, Effect, str, str]] = []
        for chunk in facts_in_chunks(session, both, as_of=as_of):
            looked_at += len(chunk)
            for account, known in chunk.items():
                facts = known.facts._replace(workflows=before)
                on_it += _is_on(facts, draft.id)
                if told := _compared(facts, after, as_of):
                    found.append((account, *told))
        names = _names(session, [account for account, *_ in found])
    changes = [Change(account, names.get(account, ""), *told) for account, *told in found]
    order = {effect: place for place, effect in enumerate(Effect)}
    changes.sort(key=lambda change: (order[change.effect], change.name.casefold(), change.account_id))
    return Impact(as_of, looked_at, on_it, tuple(changes))


def _is_on(facts: Facts, workflow: Ref) -> bool:
    runs = (facts.run, *facts.invoice_runs.values())
    return any(run is not None and run.workflow == workflow for run in runs)


def _compared(facts: Facts, workflows: Workflows, as_of: date) -> tuple[Effect, str, str] | None:
    edited = _carried_over(facts, workflows)
    now, then = decide(facts, as_of), decide(edited, as_of)
    before, after = _lines(facts, now), _lines(edited, then)
    different = [key for key in {**before, **after} if _seen(before.get(key)) != _seen(after.get(key))]
    if not different:
        return None
    return _effect(now, then), *_told_apart(before, after, different[0])


def _carried_over(facts: Facts, workflows: Workflows) -> Facts:
    """The facts as saving the draft would leave them; the keys of reminders stay, for we compare by them."""

    def carried(run: Run) -> Run:
        before, after = facts.workflows[run.workflow], workflows[run.workflow]
        return run if before is after else replace(rearranged(run, before, after), cycle=run.cycle)

    return facts._replace(
        workflows=workflows,
        run=carried(facts.run) if facts.run is not None else None,
        invoice_runs={invoice: carried(run) for invoice, run in facts.invoice_runs.items()},
    )


class _Line(NamedTuple):
    """One thing that a person would say of where an account stands: in words, with its next step and that step's day,
    and whatever else makes a difference.
    """

    told: str
    step: Step | None
    on: date | None
    more: tuple[object, ...] = ()


Lines = dict[object, _Line]


def _lines(facts: Facts, decision: Decision) -> Lines:
    """First the account itself, then each invoice that walks alone, then what is queued."""
    position = decision.position
    assigned = position.assigned.id if position.assigned is not None else ""
    more = (position.workflow.id, type(position.state), assigned)
    lines: Lines = {"account": _Line(_told(position), position.next_step, _next_day(position), more)}
    if not decision.orders and not decision.invoice_runs:
        return lines
    numbers = {invoice.id: invoice.number for invoice in facts.invoices}
    for invoice, run in decision.invoice_runs.items():
        workflow = facts.workflows[run.workflow]
        place = place_done(run, workflow) + 1
        step = None if run.ended else workflow.step_at(place)
        on = due_at(run, workflow, place) if step is not None else None
        follows = f"{step.name} on {in_words(on)}" if step is not None else "every step is done"
        lines[invoice] = _Line(f"{numbers.get(invoice, '')}: {follows}", step, on)
    for order in decision.orders:
        what = (
            f"{order.step.name} for {numbers[order.key.invoice]}" if order.key.invoice is not None else order.step.name
        )
        lines[order.key] = _Line(f"{what} is due", order.step, order.due_on, (order.held_because,))
    return lines


def _seen(line: _Line | None) -> tuple[object, ...]:
    """What makes a difference to an account. The name of a step does not."""
    if line is None:
        return ()
    step = line.step
    return (step.id, step.channel, step.manual, line.on, line.more) if step is not None else (line.on, line.more)


def _next_day(position: Position) -> date | None:
    return position.state.on if isinstance(position.state, Leaving) else position.next_due_on


def _effect(now: Decision, then: Decision) -> Effect:
    due_now, due_then = ({order.key for order in decision.orders} for decision in (now, then))
    if due_then - due_now:
        return Effect.BECOMES_DUE
    if due_now - due_then:
        return Effect.TAKEN_BACK
    if isinstance(then.position.state, Idle) and not isinstance(now.position.state, Idle):
        return Effect.ENDS
    before, after = _next_day(now.position), _next_day(then.position)
    if before is None or after is None or before == after:
        return Effect.DIFFERENT
    return Effect.SOONER if after < before else Effect.LATER


def _told_apart(before: Lines, after: Lines, key: object) -> tuple[str, str]:
    """Before and after in words: of the account, and of what else it is that differs."""
    old, new = (lines["account"].told for lines in (before, after))
    if key == "account" and old != new:
        return old, new
    one, other = before.get(key), after.get(key)
    if key != "account":
        old, new = (f"{told}; {line.told}" if line is not None else told for told, line in ((old, one), (new, other)))
    if one is None or other is None or old != new:
        return old, new
    return f"{_how(one, other)}: {old}", f"{_how(other, one)}: {new}"


def _how(line: _Line, other: _Line) -> str:
    """What tells a line from one of the same words."""
    step, than = line.step, other.step
    if line.on != other.on:
        return f"since {in_words(line.on)}"
    if step is not None and than is not None and step.channel is not than.channel:
        return _BY[step.channel]
    if step is not None and than is not None and step.manual is not than.manual:
        return "when a person says so" if step.manual else "by itself"
    return "by another step of this name"


def _told(position: Position) -> str:
    """`at Reminder 2; Reminder 3 follows on 25 July 2026`."""
    told = position._replace(driver=None, told="").because
    if position.run is None:
        return told
    if position.assigned is None:
        told = f"at the start; {told}"
    elif position.assigned != position.next_step:
        told = f"at {position.assigned.name}; {told}"
    alone = position.workflow.kind is WorkflowKind.INVOICE and position.driver is not None
    return f"{position.driver.number}: {told}" if alone else told


_BY = {Channel.EMAIL: "by email", Channel.SMS: "by SMS", Channel.CALL: "by telephone"}


def _names(session: Session, accounts: list[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for start in range(0, len(accounts), _MANY):
        some = col(AccountRow.id).in_(accounts[start : start + _MANY])
        names.update((row[0], row[1]) for row in session.execute(select(AccountRow.id, AccountRow.name).where(some)))
    return names


_MANY = 2_000
