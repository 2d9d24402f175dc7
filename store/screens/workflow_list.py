"""The settings' list of workflows, each with its steps, so that an owner sees what would be said on which day."""

from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from store.tables import StepRow, WorkflowRow
from store.workflows import accounts_on


class ListedWorkflow(NamedTuple):
    """One workflow with its steps in the order of their days, and how many accounts are on it."""

    row: WorkflowRow
    steps: tuple[StepRow, ...]
    accounts: int


def workflows(session: Session, organisation_id: int) -> tuple[ListedWorkflow, ...]:
    """Every workflow of the organisation, the oldest first."""
    mine = col(WorkflowRow.organisation_id) == organisation_id
    query = select(StepRow).join(WorkflowRow, col(WorkflowRow.id) == StepRow.workflow_id).where(mine)
    steps = list(session.scalars(query.order_by(col(StepRow.day), col(StepRow.step_id))))
    accounts = accounts_on(session, organisation_id)
    return tuple(
        ListedWorkflow(row, tuple(step for step in steps if step.workflow_id == row.id), accounts.get(row.id or 0, 0))
        for row in session.scalars(select(WorkflowRow).where(mine).order_by(col(WorkflowRow.id)))
    )
