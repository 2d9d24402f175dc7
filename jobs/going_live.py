"""Going live: from trying out to the first message that somebody really gets.

A step that was only tried out has moved its account along, heard by nobody. Whoever begins anew takes that back: each
account stands before the first step that it was never really sent, on the workflow on which that was, so that nobody
gets a second reminder without a first and nobody gets twice what they have had. Who has paid meanwhile gets nothing.
"""

from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlmodel import Session, col

from channels import Receipt
from engine.reminders import COURTESY_CYCLE, ReminderState
from engine.workflow import WorkflowKind
from jobs.office import Office
from jobs.settle import settle_in
from store.facts import ground_of
from store.tables import AssignmentRow, MessageRow, OrganisationRow, PositionRow, ReminderRow


class TriedOut(NamedTuple):
    """The first step of an account that nobody has heard, in its run of this day."""

    account: int
    workflow: int
    step: str


def tried_out(session: Session, organisation_id: int) -> tuple[TriedOut, ...]:
    """For each account that is being walked: the first step since its last real message that was only tried out.

    Only what was tried out this time: what a person has let stand at an earlier time of going live stays done.
    """
    since = select(OrganisationRow.tried_out_since).where(col(OrganisationRow.id) == organisation_id).scalar_subquery()
    real = (
        select(func.max(col(ReminderRow.settled_at)))
        .join(MessageRow, col(MessageRow.reminder_id) == col(ReminderRow.id))
        .where(
            col(ReminderRow.account_id) == PositionRow.account_id,
            col(ReminderRow.state) == ReminderState.SENT,
            col(MessageRow.sent_at).is_not(None),
            col(MessageRow.diverted_to) == "",
        )
        .correlate(PositionRow)
        .scalar_subquery()
    )
    query = (
        select(ReminderRow.account_id, ReminderRow.workflow_id, ReminderRow.step_id)  # type: ignore[call-overload]
        .join(MessageRow, col(MessageRow.reminder_id) == col(ReminderRow.id))
        .join(PositionRow, col(PositionRow.account_id) == col(ReminderRow.account_id))
        .where(
            col(ReminderRow.organisation_id) == organisation_id,
            col(ReminderRow.state) == ReminderState.SENT,
            col(ReminderRow.cycle) > COURTESY_CYCLE,
            col(MessageRow.sent_at) >= since,
            col(MessageRow.diverted_to) != "",
            col(PositionRow.anchor).is_not(None),
            (real.is_(None)) | (col(ReminderRow.settled_at) > real),
        )
        .order_by(col(ReminderRow.id))
    )
    found: dict[int, TriedOut] = {}
    for account, workflow, step in session.execute(query):
        found.setdefault(account, TriedOut(account, workflow, step))
    return tuple(found.values())


def settle_under_way(unit: Session, office: Office, organisation_id: int) -> None:
    """What is being tried out at this very moment, or is in doubt, counts as tried out like the rest; letters and
    answers too.

    Else it would be settled after the word about the rest was given: done for ever, or sent for real by the way.
    """
    newest = select(func.max(col(MessageRow.id))).where(col(MessageRow.reminder_id) == ReminderRow.id)
    query = (
        select(col(ReminderRow.id), col(MessageRow.id))
        .join(MessageRow, col(MessageRow.reminder_id) == col(ReminderRow.id))
        .where(
            col(ReminderRow.organisation_id) == organisation_id,
            col(ReminderRow.state).in_((ReminderState.SENDING, ReminderState.UNSURE)),
            col(MessageRow.id) == newest.correlate(ReminderRow).scalar_subquery(),
            col(MessageRow.diverted_to) != "",
        )
        .order_by(col(ReminderRow.id))
    )
    for reminder, attempt in unit.execute(query).all():
        settle_in(unit, office, reminder, attempt, Receipt("", office.clock()))


def begin_anew(unit: Session, office: Office, organisation: OrganisationRow, *, by: str) -> list[int]:
    """Puts each of these accounts before its first unheard step. Returns them: the caller looks at them again."""
    number = int(organisation.id or 0)
    found, workflows = tried_out(unit, number), ground_of(unit, number).workflows
    rows = []
    for one in found:
        workflow = workflows[one.workflow]
        known = workflow.kind is WorkflowKind.ACCOUNT and one.step in {step.id for step in workflow.sequence}
        rows.append(
            {
                "organisation_id": number,
                "account_id": one.account,
                "workflow_id": one.workflow,
                "step_id": one.step if known else None,
                "by_hand": True,
                "by": by,
                "at": office.clock(),
            }
        )
    if rows:
        unit.execute(insert(AssignmentRow), rows)
    _courtesies_again(unit, organisation)
    return [one.account for one in found]


def _courtesies_again(unit: Session, organisation: OrganisationRow) -> None:
    """A courtesy note is sent once for an invoice; one that nobody got may be sent after all, if its day is ahead."""
    only_tried = select(MessageRow.reminder_id).where(
        col(MessageRow.organisation_id) == organisation.id,
        col(MessageRow.diverted_to) != "",
        col(MessageRow.sent_at) >= organisation.tried_out_since,
    )
    unit.execute(
        update(ReminderRow)
        .where(
            col(ReminderRow.organisation_id) == organisation.id,
            col(ReminderRow.cycle) == COURTESY_CYCLE,
            col(ReminderRow.state) == ReminderState.SENT,
            col(ReminderRow.id).in_(only_tried),
        )
        .values(state=ReminderState.WITHDRAWN, why="it was only tried out")
    )
