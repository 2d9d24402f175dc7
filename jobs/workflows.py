"""What people may do with workflows: save one, copy it, make it the default, delete it.

Accounts walk along a workflow by the ids of its steps, so an edit never loses them: a step that was taken out counts as
the one before it, one that was put in earlier is not sent any more, one that was put in later lies ahead, and one that
they have had does not come next for having changed its place. Each act is one commit, leaves its mark in the audit log,
and is followed by a new look at every account. What cannot be done is answered with its reason, and nothing is changed
then.
"""

from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from engine.reminders import ReminderState
from engine.soundness import Flaw
from jobs.drafts import Draft, DraftStep, draft_of, free_name, looked_over, with_ids
from jobs.office import Office
from jobs.rearranging import rearrange
from jobs.recalculate import recalculate_in
from store import audit
from store.leases import one_at_a_time
from store.tables import OrganisationRow, ReminderRow, StepRow, WorkflowRow
from store.workflows import why_kept


class Saved(NamedTuple):
    """The workflow's number and its version, and how many accounts stand differently since."""

    workflow_id: int
    version: int
    changed: int = 0


def save_workflow(office: Office, organisation_id: int, draft: Draft, *, by: str) -> Saved | tuple[Flaw, ...]:
    """Saves a draft, new or edited, or answers with all that is wrong with it.

    Raises LookupError when the draft is of a workflow that the organisation does not have.
    """
    with office.database.unit_of_work() as unit:
        one_at_a_time(unit, organisation_id)
        draft, flaws = looked_over(unit, organisation_id, draft)
        if flaws:
            return flaws
        before = draft_of(unit, organisation_id, draft.id) if draft.id is not None else None
        if before is not None and _by_day(draft) == _by_day(before):
            return Saved(before.id or 0, before.version)
        number, version = _put(unit, organisation_id, draft)
        _reword_queued(unit, number, before, draft)
        about = {"workflow": number, "name": draft.name, "version": version, **_differences(before, draft)}
        what = "workflow saved" if before is not None else "workflow made"
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, **about)
        unit.flush()
        carried = rearrange(unit, number, before.workflow, draft.workflow) if before is not None else []
        if carried:
            return Saved(number, version, recalculate_in(unit, office, organisation_id, carried, answer=()).changed)
        return Saved(number, version, recalculate_in(unit, office, organisation_id).changed)


def duplicate_workflow(office: Office, organisation_id: int, workflow_id: int, *, by: str) -> Saved:
    """A copy of its own, under a name that is free, on which nobody is yet. Raises LookupError."""
    with office.database.unit_of_work() as unit:
        one_at_a_time(unit, organisation_id)
        original = draft_of(unit, organisation_id, workflow_id)
        taken = unit.scalars(select(WorkflowRow.name).where(col(WorkflowRow.organisation_id) == organisation_id))
        copy = with_ids(replace(original, name=free_name(original.name, taken), id=None, version=0), ())
        number, version = _put(unit, organisation_id, copy)
        about = {"workflow": number, "name": copy.name, "copy_of": workflow_id}
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="workflow copied", **about)
        unit.flush()
        recalculate_in(unit, office, organisation_id)
        return Saved(number, version)


def make_default(office: Office, organisation_id: int, workflow_id: int, *, by: str) -> Flaw | None:
    """From now on accounts begin on this workflow; those that have begun stay where they are.

    Answers what is in the way, or None. Raises LookupError.
    """
    with office.database.unit_of_work() as unit:
        one_at_a_time(unit, organisation_id)
        chosen = draft_of(unit, organisation_id, workflow_id)
        if not chosen.workflow.sequence:
            told = f"{chosen.name} has no step after the due date, so nobody would be reminded of what is overdue."
            return Flaw("steps", told)
        organisation = unit.get(OrganisationRow, organisation_id)
        assert organisation is not None
        if organisation.default_workflow_id == workflow_id:
            return None
        about = {"workflow": workflow_id, "name": chosen.name, "before": organisation.default_workflow_id}
        organisation.default_workflow_id = workflow_id
        what = "default workflow chosen"
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, **about)
        unit.flush()
        recalculate_in(unit, office, organisation_id)
    return None


def delete_workflow(office: Office, organisation_id: int, workflow_id: int, *, by: str) -> Flaw | None:
    """Deletes a workflow that nothing needs. Answers what needs it, or None. Raises LookupError."""
    with office.database.unit_of_work() as unit:
        one_at_a_time(unit, organisation_id)
        gone = draft_of(unit, organisation_id, workflow_id)
        if needed := why_kept(unit, organisation_id, workflow_id):
            return Flaw("", needed)
        unit.execute(delete(StepRow).where(col(StepRow.workflow_id) == workflow_id))
        unit.execute(delete(WorkflowRow).where(col(WorkflowRow.id) == workflow_id))
        about = {"workflow": workflow_id, "name": gone.name, "version": gone.version}
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what="workflow deleted", **about)
        unit.flush()
        recalculate_in(unit, office, organisation_id)
    return None


def _by_day(draft: Draft) -> Draft:
    return replace(draft, steps=tuple(sorted(draft.steps, key=lambda step: (step.day, step.id))))


def _put(unit: Session, organisation_id: int, draft: Draft) -> tuple[int, int]:
    """Writes the rows. Returns the workflow's number and its new version."""
    row = unit.get(WorkflowRow, draft.id) if draft.id is not None else None
    if row is None:
        row = WorkflowRow(organisation_id=organisation_id, name=draft.name, version=0)
        unit.add(row)
    row.name, row.description, row.kind = draft.name, draft.description, draft.kind.value
    row.link_workflow_id, row.link_after_days = draft.link, draft.after_days
    row.repeat_every = draft.repeat_every
    row.version += 1
    unit.flush()
    assert row.id is not None
    unit.execute(delete(StepRow).where(col(StepRow.workflow_id) == row.id))
    unit.add_all(_step_row(row.id, step) for step in draft.steps)
    unit.flush()
    return row.id, row.version


def _step_row(workflow_id: int, step: DraftStep) -> StepRow:
    return StepRow(
        workflow_id=workflow_id,
        step_id=step.id,
        name=step.name,
        day=step.day,
        channel=step.channel.value,
        manual=step.manual,
        subject=step.subject,
        body=step.body,
        layout=step.layout,
        attach_statement=step.attach_statement,
        attach_invoices=step.attach_invoices,
        cc=list(step.cc),
    )


def _reword_queued(unit: Session, workflow_id: int, before: Draft | None, draft: Draft) -> None:
    """What has not left goes by the step's new name and channel; also what was taken back and may be queued again."""
    known = {step.id: step for step in before.steps} if before is not None else {}
    for step in draft.steps:
        old = known.get(step.id)
        if old is not None and (old.name, old.channel) != (step.name, step.channel):
            unit.execute(
                update(ReminderRow)
                .where(
                    col(ReminderRow.workflow_id) == workflow_id,
                    col(ReminderRow.step_id) == step.id,
                    col(ReminderRow.state).in_((ReminderState.QUEUED, ReminderState.WITHDRAWN)),
                )
                .values(step_name=step.name, channel=step.channel.value)
            )


def _differences(before: Draft | None, draft: Draft) -> dict[str, object]:
    """Which steps came, went and changed, and what else did, for the audit log."""
    old = {step.id: step for step in before.steps} if before is not None else {}
    new = {step.id: step for step in draft.steps}
    steps: dict[str, object] = {
        "added": [step.name for step in draft.steps if step.id not in old],
        "removed": [step.name for step in old.values() if step.id not in new],
        "changed": [step.name for step in draft.steps if step.id in old and old[step.id] != step],
    }
    for field in ("name", "description", "kind", "link", "after_days", "repeat_every"):
        was = getattr(before, field, None)
        if before is not None and was != getattr(draft, field):
            steps[f"{field}_before"] = was
    return steps
