"""Facts about many accounts at once: a fixed number of queries, whatever the number of accounts.

The engine decides about one account; the store gathers what it needs for a whole organisation in one sweep. No
table's objects are made on the way: plain rows go straight into the engine's own small records.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlmodel import Session, col

from engine.ageing import OpenInvoice
from engine.calendars import SendingDays, civil_date
from engine.facts import Departed, Facts, Rules
from engine.holds import Hold, HoldKind
from engine.position import Run
from engine.receivables import InvoiceStatus
from engine.reminders import Outcome, ReminderKey, ReminderState, Standing
from engine.workflow import Channel, Step, Workflow, WorkflowKind
from store.tables import (
    AccountRow,
    ContactRow,
    HoldRow,
    InvoiceRow,
    OrganisationRow,
    PositionRow,
    ReminderRow,
    StepRow,
    WorkflowRow,
)

UNSETTLED = (ReminderState.QUEUED, ReminderState.SENDING, ReminderState.UNSURE, ReminderState.REFUSED)
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Ground:
    """What holds for every account of an organisation: its rules, workflows and the age of its data."""

    organisation: OrganisationRow
    rules: Rules
    workflows: Mapping[int | str, Workflow]
    ledger_as_of: date | None
    pause: tuple[Hold, ...]


def ground_of(session: Session, organisation_id: int) -> Ground:
    """The organisation's common ground. Raises LookupError when there is no such organisation."""
    organisation = session.get(OrganisationRow, organisation_id)
    if organisation is None:
        raise LookupError(f"there is no organisation number {organisation_id}")
    zone = ZoneInfo(organisation.time_zone)
    pause: tuple[Hold, ...] = ()
    if organisation.paused_at is not None:
        since = civil_date(organisation.paused_at, zone)
        pause = (Hold(HoldKind.ORGANISATION_PAUSED, since, organisation.paused_why, organisation.paused_by),)
    return Ground(
        organisation=organisation,
        rules=Rules(
            reassess_on_payment=organisation.reassess_on_payment,
            sending=SendingDays(frozenset(organisation.sending_weekdays)),
            min_days_between_reminders=organisation.min_days_between_reminders,
            stale_after_days=organisation.stale_after_days,
            ignore_below=organisation.ignore_below,
            disputed_invoices_drive=organisation.disputed_invoices_drive,
        ),
        workflows=workflows_of(session, organisation_id),
        ledger_as_of=civil_date(organisation.ledger_as_of, zone) if organisation.ledger_as_of else None,
        pause=pause,
    )


def workflows_of(session: Session, organisation_id: int) -> dict[int | str, Workflow]:
    """Every workflow of the organisation with its steps, by its number."""
    steps: dict[int, list[Step]] = defaultdict(list)
    query = select(StepRow).join(WorkflowRow, col(WorkflowRow.id) == StepRow.workflow_id)
    for row in session.scalars(query.where(col(WorkflowRow.organisation_id) == organisation_id)):
        steps[row.workflow_id].append(Step(row.step_id, row.name, row.day, Channel(row.channel), row.manual))
    workflows: dict[int | str, Workflow] = {}
    for workflow in session.scalars(select(WorkflowRow).where(col(WorkflowRow.organisation_id) == organisation_id)):
        if workflow.id is not None:
            ordered = tuple(sorted(steps[workflow.id], key=lambda step: step.day))
            kind = WorkflowKind(workflow.kind)
            workflows[workflow.id] = Workflow(workflow.id, workflow.name, ordered, kind, workflow.version)
    return workflows


def facts_of(session: Session, ground: Ground, account_ids: Sequence[int] | None = None) -> dict[int, Facts]:
    """The facts about these accounts, or about all of the organisation, by account number.

    Seven queries for each ten thousand accounts.
    """
    if account_ids is None:
        return _gathered(session, ground, None)
    facts: dict[int, Facts] = {}
    for start in range(0, len(account_ids), _CHUNK):
        facts |= _gathered(session, ground, account_ids[start : start + _CHUNK])
    return facts


def _gathered(session: Session, ground: Ground, ids: Sequence[int] | None) -> dict[int, Facts]:
    invoices = _open_invoices(session, ground, ids)
    holds = _holds(session, ground, ids)
    positions = _positions(session, ground, ids)
    departed = _departed(session, ground, ids)
    outcomes, standing = _reminders(session, ground, ids)
    mailable = _mailable(session, ground, ids)
    facts = {}
    for account_id, default_workflow, email, mobile in session.execute(
        select(AccountRow.id, AccountRow.default_workflow_id, AccountRow.email, AccountRow.mobile).where(
            *_scope(AccountRow.organisation_id, AccountRow.id, ground, ids)
        )
    ):
        position = positions.get(account_id)
        facts[account_id] = Facts(
            rules=ground.rules,
            workflows=ground.workflows,
            default_workflow=default_workflow or ground.organisation.default_workflow_id or 0,
            invoices=tuple(invoices.get(account_id, ())),
            ledger_as_of=ground.ledger_as_of,
            holds=ground.pause + tuple(holds.get(account_id, ())),
            run=_run(position),
            cycle=position.cycle if position else 0,
            last_reminded_on=position.last_reminded_on if position else None,
            departed=departed.get(account_id),
            outcomes=tuple(outcomes.get(account_id, ())),
            standing=tuple(standing.get(account_id, ())),
            reachable=_reachable(bool(email) or account_id in mailable, bool(mobile)),
        )
    return facts


def _scope(
    organisation: object, account: object, ground: Ground, ids: Sequence[int] | None
) -> list[ColumnElement[bool]]:
    scope: list[ColumnElement[bool]] = [col(organisation) == ground.organisation.id]
    if ids is not None:
        scope.append(col(account).in_(ids))
    return scope


def _open_invoices(session: Session, ground: Ground, ids: Sequence[int] | None) -> dict[int, list[OpenInvoice]]:
    found: dict[int, list[OpenInvoice]] = defaultdict(list)
    columns = (
        InvoiceRow.account_id,
        InvoiceRow.id,
        InvoiceRow.number,
        InvoiceRow.due_on,
        InvoiceRow.balance,
        InvoiceRow.currency,
    )
    query = select(*columns).where(
        *_scope(InvoiceRow.organisation_id, InvoiceRow.account_id, ground, ids),
        col(InvoiceRow.status) == InvoiceStatus.OPEN,
    )
    for account_id, *invoice in session.execute(query):
        found[account_id].append(OpenInvoice(*invoice))
    return found


def _holds(session: Session, ground: Ground, ids: Sequence[int] | None) -> dict[int, list[Hold]]:
    found: dict[int, list[Hold]] = defaultdict(list)
    query = (
        select(HoldRow)
        .where(*_scope(HoldRow.organisation_id, HoldRow.account_id, ground, ids), col(HoldRow.lifted_at).is_(None))
        .order_by(col(HoldRow.id))
    )  # the oldest is the one that is named
    for row in session.scalars(query):
        hold = Hold(HoldKind(row.kind), row.since, row.why, row.by, row.until, row.invoice_id)
        found[row.account_id].append(hold)
    return found


def _positions(session: Session, ground: Ground, ids: Sequence[int] | None) -> dict[int, Row]:
    columns = (
        PositionRow.account_id,
        PositionRow.workflow_id,
        PositionRow.cycle,
        PositionRow.last_reminded_on,
        PositionRow.anchor,
        PositionRow.run_driver_id,
        PositionRow.driver_due_on,
        PositionRow.done,
        PositionRow.done_day,
        PositionRow.last_heard_on,
    )
    query = select(*columns).where(*_scope(PositionRow.organisation_id, PositionRow.account_id, ground, ids))
    return {row.account_id: row for row in session.execute(query)}


def _run(position: Row | None) -> Run | None:
    if position is None or position.anchor is None:
        return None
    return Run(
        workflow=position.workflow_id,
        cycle=position.cycle,
        anchor=position.anchor,
        driver=position.run_driver_id,
        driver_due_on=position.driver_due_on,
        done=position.done,
        done_day=position.done_day,
        last_heard_on=position.last_heard_on,
    )


def _departed(session: Session, ground: Ground, ids: Sequence[int] | None) -> dict[int, Departed]:
    """What the ledger now says of the invoices that drove at the last look."""
    query = (
        select(PositionRow.account_id, InvoiceRow.number, InvoiceRow.due_on, InvoiceRow.status)
        .join(InvoiceRow, col(InvoiceRow.id) == PositionRow.run_driver_id)
        .where(*_scope(PositionRow.organisation_id, PositionRow.account_id, ground, ids))
    )
    return {
        account: Departed(number, due, InvoiceStatus(status)) for account, number, due, status in session.execute(query)
    }


def _reminders(
    session: Session, ground: Ground, ids: Sequence[int] | None
) -> tuple[dict[int, list[Outcome]], dict[int, list[Standing]]]:
    outcomes: dict[int, list[Outcome]] = defaultdict(list)
    standing: dict[int, list[Standing]] = defaultdict(list)
    uncounted = and_(col(ReminderRow.state) == ReminderState.SENT, col(ReminderRow.counted).is_(False))
    query = select(ReminderRow).where(
        *_scope(ReminderRow.organisation_id, ReminderRow.account_id, ground, ids),
        or_(col(ReminderRow.state).in_(UNSETTLED), uncounted),
    )
    for row in session.scalars(query):
        key, state = ReminderKey(row.cycle, row.step_id), ReminderState(row.state)
        if state is ReminderState.SENT and row.performed_on is not None:
            outcomes[row.account_id].append(Outcome(key, row.performed_on, row.heard))
        else:
            approved = row.approved_at is not None
            standing[row.account_id].append(Standing(key, state, approved, row.held_because, row.why))
    return outcomes, standing


def _mailable(session: Session, ground: Ground, ids: Sequence[int] | None) -> frozenset[int]:
    """Accounts without an address of their own that have a contact with one."""
    query = (
        select(ContactRow.account_id)
        .join(AccountRow, col(AccountRow.id) == ContactRow.account_id)
        .where(
            *_scope(AccountRow.organisation_id, AccountRow.id, ground, ids),
            col(ContactRow.email) != "",
            col(ContactRow.receives_reminders).is_(True),
        )
    )
    return frozenset(session.scalars(query))


def _reachable(by_email: bool, by_mobile: bool) -> frozenset[Channel]:
    channels: Iterable[Channel] = (
        channel
        for channel in Channel
        if (channel is not Channel.EMAIL or by_email) and (channel is not Channel.SMS or by_mobile)
    )
    return frozenset(channels)
