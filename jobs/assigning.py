"""Workflows of accounts: which one an account is on now, and on which one it begins the next time.

To change the workflow of accounts is to begin anew: at the first step, or at the step that a person chooses. The
default of an account is another matter; it counts from its next beginning and moves nobody today.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlmodel import Session, col

from engine.holds import HoldKind
from engine.notes import Note, NoteKind
from engine.workflow import Workflow, WorkflowKind
from jobs.acting import NotAllowed, account_in, note, organisation_in
from jobs.office import Office
from jobs.recalculate import Recalculated, recalculate_in
from store.ground import workflows_of
from store.history import write_note
from store.tables import AccountRow, AssignmentRow, HoldRow, OrganisationRow, PositionRow, WorkflowRow

_CHUNK = 500

_HELD = {
    HoldKind.PAUSED: "it is paused; resume it first",
    HoldKind.MUTED: "it is muted; unmute it first",
}
_CLEAR = "nothing is overdue, so there is nothing to begin; choose its default workflow instead"


class Refusal(NamedTuple):
    """An account whose workflow cannot be changed now, and why not, in words that follow its name and a colon."""

    account_id: int
    name: str
    why: str


class Assigned(NamedTuple):
    """How many accounts have begun anew, and which were left as they are."""

    moved: int
    refused: tuple[Refusal, ...]


def assign_workflow(
    office: Office, account_ids: Iterable[int], workflow_id: int, *, by: str, step_id: str | None = None
) -> Assigned:
    """Puts these accounts on this workflow now, at its first step or at the one given. What was queued is taken back.

    An account that is paused or has nothing overdue is left as it is. When that is so for all of them, nothing is done:
    raises NotAllowed with the reason.
    """
    wanted = sorted(set(account_ids))
    with office.database.unit_of_work() as unit:
        workflow, organisation = _workflow(unit, workflow_id)
        if step_id is not None:
            _may_stand_at(workflow, step_id)
        _all_of(unit, organisation, wanted)
        refused = refusals(unit, int(organisation.id or 0), wanted)
        left = {refusal.account_id for refusal in refused}
        going = [number for number in wanted if number not in left]
        if not going:
            raise NotAllowed(_nobody(refused))
        words = {
            "organisation_id": organisation.id,
            "workflow_id": workflow_id,
            "step_id": step_id,
            "by_hand": True,
            "by": by,
            "at": office.clock(),
        }
        unit.execute(insert(AssignmentRow), [{**words, "account_id": number} for number in going])
        looked = recalculate_in(unit, office, int(organisation.id or 0), going)
        _tell_the_untold(unit, office, looked, workflow, by)
        moved = sum(decision.position.run is not None for _, decision in looked.decided.values())
        return Assigned(moved, refused)


def refusals(session: Session, organisation_id: int, account_ids: Sequence[int]) -> tuple[Refusal, ...]:
    """Those of these accounts whose workflow cannot be changed as things are, the paused ones first."""
    found: dict[int, Refusal] = {}
    for start in range(0, len(account_ids), _CHUNK):
        chunk = account_ids[start : start + _CHUNK]
        held = select(HoldRow.account_id, HoldRow.kind).where(
            col(HoldRow.account_id).in_(chunk),
            col(HoldRow.invoice_id).is_(None),
            col(HoldRow.lifted_at).is_(None),
            col(HoldRow.kind).in_(list(_HELD)),
        )
        why = {account: _HELD[HoldKind(kind)] for account, kind in session.execute(held)}
        names = (
            select(AccountRow.id, AccountRow.name, PositionRow.anchor)
            .outerjoin(PositionRow, col(PositionRow.account_id) == AccountRow.id)
            .where(col(AccountRow.id).in_(chunk), col(AccountRow.organisation_id) == organisation_id)
        )
        for account, name, anchor in session.execute(names):
            if account in why or anchor is None:  # without a run there is no anchor
                found[account] = Refusal(account, name, why.get(account, _CLEAR))
    return tuple(sorted(found.values(), key=lambda one: (one.why == _CLEAR, one.name)))


def set_account_default(office: Office, account_id: int, workflow_id: int | None, *, by: str) -> None:
    """The workflow on which this account begins the next time; None: that of the organisation. Nobody moves today."""
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        if account.default_workflow_id == workflow_id:
            return
        text = f"The default workflow of the organisation applies again, says {by}."
        if workflow_id is not None:
            workflow, owner = _workflow(unit, workflow_id)
            if owner.id != organisation.id:
                raise NotAllowed("There is no such workflow.")
            text = f"Default workflow set to {workflow.name} by {by}."
        account.default_workflow_id = workflow_id
        note(unit, office, account, f"{text} It counts from the next beginning.", by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def _workflow(unit: Session, workflow_id: int) -> tuple[Workflow, OrganisationRow]:
    row = unit.get(WorkflowRow, workflow_id)
    if row is None:
        raise NotAllowed("There is no such workflow.")
    organisation = organisation_in(unit, row.organisation_id)
    return workflows_of(unit, row.organisation_id)[workflow_id], organisation


def _may_stand_at(workflow: Workflow, step_id: str) -> None:
    if workflow.kind is WorkflowKind.INVOICE:
        raise NotAllowed(f"On {workflow.name} every invoice walks alone, so no step can be chosen for them all.")
    if step_id not in {step.id for step in workflow.sequence}:
        raise NotAllowed(f"{workflow.name} has no such step after the due date.")


def _all_of(unit: Session, organisation: OrganisationRow, account_ids: Sequence[int]) -> None:
    """Raises NotAllowed when one of these accounts is not this organisation's."""
    known = 0
    for start in range(0, len(account_ids), _CHUNK):
        query = select(AccountRow.id).where(
            col(AccountRow.organisation_id) == organisation.id,
            col(AccountRow.id).in_(account_ids[start : start + _CHUNK]),
        )
        known += len(unit.scalars(query).all())
    if known < len(account_ids):
        raise NotAllowed("There is no such account.")


def _nobody(refused: Sequence[Refusal]) -> str:
    if not refused:
        return "No account was chosen. Tick one first."
    if len(refused) == 1:
        return f"{refused[0].name} was not moved: {refused[0].why}."
    return "No account was moved: each of them is paused, muted, or has nothing overdue."


def _tell_the_untold(unit: Session, office: Office, looked: Recalculated, workflow: Workflow, by: str) -> None:
    """The look writes a note wherever an account begins; where everything is disputed it has nothing to tell yet."""
    for number, (_, decision) in looked.decided.items():
        if decision.position.run is not None and not any(_is_told(one) for one in decision.notes):
            account, _ = account_in(unit, number)
            write_note(
                unit,
                organisation_id=account.organisation_id,
                account_id=number,
                kind=NoteKind.ASSIGNED,
                text=f"Moved to {workflow.name} by {by}.",
                at=office.clock(),
                by=by,
            )


def _is_told(one: Note) -> bool:
    return one.kind is NoteKind.ASSIGNED
