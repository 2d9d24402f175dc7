"""The settings' list of workflows, each with its steps, so that an owner sees what would be said on which day."""

from sqlalchemy import select
from sqlmodel import Session, col

from store.tables import StepRow, WorkflowRow


def workflows(session: Session, organisation_id: int) -> tuple[tuple[WorkflowRow, tuple[StepRow, ...]], ...]:
    """Every workflow with its steps in the order of their days."""
    mine = col(WorkflowRow.organisation_id) == organisation_id
    query = select(StepRow).join(WorkflowRow, col(WorkflowRow.id) == StepRow.workflow_id).where(mine)
    steps = list(session.scalars(query.order_by(col(StepRow.day), col(StepRow.step_id))))
    rows = session.scalars(select(WorkflowRow).where(mine).order_by(col(WorkflowRow.id)))
    return tuple((row, tuple(step for step in steps if step.workflow_id == row.id)) for row in rows)
