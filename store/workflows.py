"""Who needs a workflow: the accounts that walk along it, and all that has to stay readable afterwards."""

from typing import Any

from sqlalchemy import func, select, union
from sqlmodel import Session, col

from store.tables import (
    AccountRow,
    AssignmentRow,
    InvoiceWalkRow,
    OrganisationRow,
    PositionRow,
    ReminderRow,
    WorkflowRow,
)


def accounts_on(session: Session, organisation_id: int) -> dict[int, int]:
    """How many accounts are on each workflow: those with something overdue, as a whole or with a single invoice."""
    whole = select(PositionRow.workflow_id, PositionRow.account_id).where(
        col(PositionRow.organisation_id) == organisation_id, col(PositionRow.anchor).is_not(None)
    )
    single = select(InvoiceWalkRow.workflow_id, InvoiceWalkRow.account_id).where(
        col(InvoiceWalkRow.organisation_id) == organisation_id
    )
    both = union(whole, single).subquery()
    query = select(both.c.workflow_id, func.count()).group_by(both.c.workflow_id)
    return {row[0]: row[1] for row in session.execute(query)}


def begun_on(session: Session, organisation_id: int, workflow_id: int) -> bool:
    """Whether accounts begin on this workflow: it is the default of the organisation, or one account's own."""
    organisation = session.get(OrganisationRow, organisation_id)
    if organisation is not None and organisation.default_workflow_id == workflow_id:
        return True
    mine = col(AccountRow.organisation_id) == organisation_id, col(AccountRow.default_workflow_id) == workflow_id
    return session.execute(select(AccountRow.id).where(*mine).limit(1)).first() is not None  # type: ignore[call-overload]


def why_kept(session: Session, organisation_id: int, workflow_id: int) -> str:
    """Why this workflow cannot be deleted, in a sentence; empty when nothing needs it."""
    organisation = session.get(OrganisationRow, organisation_id)
    if organisation is not None and organisation.default_workflow_id == workflow_id:
        return "It is the default workflow. Make another one the default first."
    linked = session.scalars(
        select(WorkflowRow.name).where(
            col(WorkflowRow.organisation_id) == organisation_id,
            col(WorkflowRow.link_workflow_id) == workflow_id,
            col(WorkflowRow.id) != workflow_id,
        )
    ).first()
    if linked is not None:
        return f"{linked} moves accounts on to it. Change what follows there first."
    mine = col(AccountRow.organisation_id) == organisation_id, col(AccountRow.default_workflow_id) == workflow_id
    if own := session.execute(select(func.count()).select_from(AccountRow).where(*mine)).scalar_one():
        return f"It is the own default of {_accounts(own)}. Give {_them(own)} another one first."
    if on_it := accounts_on(session, organisation_id).get(workflow_id, 0):
        verb = "is" if on_it == 1 else "are"
        return f"{_accounts(on_it).capitalize()} {verb} on it. Move {_them(on_it)} to another workflow first."
    if any(_named_in(session, table, organisation_id, workflow_id) for table in (AssignmentRow, PositionRow)):
        return "Accounts have been put on it, and their history has to name it. Rename it if it is not used any more."
    if _named_in(session, ReminderRow, organisation_id, workflow_id):
        return "Reminders have been queued by it, and they have to stay readable. Rename it if it is not used any more."
    return ""


def _named_in(session: Session, table: Any, organisation_id: int, workflow_id: int) -> bool:
    query = select(table.workflow_id).where(table.organisation_id == organisation_id, table.workflow_id == workflow_id)
    return session.execute(query.limit(1)).first() is not None


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count} accounts"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"
