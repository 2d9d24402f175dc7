"""What the pages read: a fixed number of questions a page, however many accounts there are.

Every question names the organisation that asks, so nobody is ever shown another's books. Amounts of different
currencies are never added up. Nothing here writes.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from engine.holds import Hold, HoldKind, sentence
from engine.receivables import InvoiceStatus
from engine.reminders import ReminderState
from engine.replies import ReplyKind
from store.tables import (
    AccountRow,
    ConnectionRow,
    ContactRow,
    CreditRow,
    HistoryNoteRow,
    HoldRow,
    InvoiceRow,
    MessageRow,
    PositionRow,
    ReminderRow,
    ReplyRow,
    SetAsideRow,
    StepRow,
    SyncRunRow,
    TaskRow,
    WorkflowRow,
)

PAGE = 25
TABS = ("all", "pending", "snoozed", "idle", "paused")
_OPEN = (col(InvoiceRow.status) == InvoiceStatus.OPEN, col(InvoiceRow.balance) > 0)
_PAUSE = sentence(Hold(HoldKind.ORGANISATION_PAUSED, date.min))
_WAITS_FOR_A_PERSON = (HoldKind.QUESTION, HoldKind.REPLY, HoldKind.DISPUTE, HoldKind.NO_ADDRESS)


class Ageing(NamedTuple):
    """What is open in one currency, by age: not yet due, 1 to 30 days, 31 to 60, 61 to 90, and over 90."""

    currency: str
    buckets: tuple[Decimal, ...]
    open: Decimal
    overdue: Decimal
    invoices: int


class Debt(NamedTuple):
    """What one account owes in one currency. `oldest` is the earliest due date that has passed."""

    currency: str
    open: Decimal
    overdue: Decimal
    oldest: date | None


class ListedAccount(NamedTuple):
    id: int
    name: str
    number: str
    position: PositionRow | None
    paused: bool
    debts: tuple[Debt, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of accounts, and how many there are under each tab."""

    accounts: tuple[ListedAccount, ...]
    counts: dict[str, int]
    total: int


def ageing(session: Session, organisation_id: int, as_of: date) -> tuple[Ageing, ...]:
    """One line a currency, the largest first."""
    today, *edges = [as_of - timedelta(days=days) for days in (0, 30, 60, 90)]
    due = col(InvoiceRow.due_on)
    spans = [and_(due < upper, due >= lower) for upper, lower in pairwise((today, *edges))]
    columns = [_sum_where(span) for span in (due >= today, *spans, due < edges[-1])]
    query: Any = select(col(InvoiceRow.currency), func.count(), *columns)
    query = query.where(col(InvoiceRow.organisation_id) == organisation_id, *_OPEN).group_by(InvoiceRow.currency)
    lines = [
        Ageing(currency, tuple(buckets), sum(buckets, Decimal(0)), sum(buckets[1:], Decimal(0)), count)
        for currency, count, *buckets in session.execute(query)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.open, line.currency)))


def _sum_where(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, col(InvoiceRow.balance)), else_=0))


def accounts(session: Session, organisation_id: int, as_of: date, *, tab: str, find: str, page: int) -> Listing:
    """The accounts under one tab, the largest overdue first: three questions.

    Without a search, accounts that owe nothing are left out; a search finds any account by its name or email, or by
    an invoice's number, so that support staff also find one that has paid.
    """
    debts = _debts(organisation_id, as_of)
    owed = select(debts.c.account_id, func.max(debts.c.overdue).label("overdue"), func.max(debts.c.open).label("open"))
    largest = owed.group_by(debts.c.account_id).subquery()
    found = _found(find) if find else [largest.c.account_id.is_not(None)]
    base: Any = (
        select(col(AccountRow.id))
        .outerjoin(PositionRow, col(PositionRow.account_id) == AccountRow.id)
        .outerjoin(largest, largest.c.account_id == AccountRow.id)
        .where(col(AccountRow.organisation_id) == organisation_id, col(AccountRow.merged_into).is_(None), *found)
    )
    under, columns = _under_each_tab(), (AccountRow.id, AccountRow.name, AccountRow.number, PositionRow, _paused())
    by_size = [func.coalesce(size, 0).desc() for size in (largest.c.overdue, largest.c.open)]
    rows: Any = session.execute(
        base.with_only_columns(*columns, maintain_column_froms=True)
        .where(under[tab])
        .order_by(*by_size, AccountRow.name, AccountRow.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    tallies = [func.count(case((under[name], 1))) for name in TABS]
    counts = session.execute(base.with_only_columns(*tallies, maintain_column_froms=True)).one()
    counted = dict(zip(TABS, counts, strict=True))
    of_each = _owed_by(session, debts, [row[0] for row in rows])
    listed = tuple(ListedAccount(*row, debts=tuple(of_each.get(row[0], ()))) for row in rows)
    return Listing(listed, counted, counted[tab])


def _debts(organisation_id: int, as_of: date) -> Any:
    overdue, columns = col(InvoiceRow.due_on) < as_of, (col(InvoiceRow.account_id), col(InvoiceRow.currency))
    sums = (
        func.sum(InvoiceRow.balance).label("open"),
        _sum_where(overdue).label("overdue"),
        func.min(case((overdue, col(InvoiceRow.due_on)))).label("oldest"),
    )
    mine = col(InvoiceRow.organisation_id) == organisation_id
    return select(*columns, *sums).where(mine, *_OPEN).group_by(*columns).subquery()


def _found(find: str) -> list[ColumnElement[bool]]:
    def has(text: Any) -> ColumnElement[bool]:
        return col(text).icontains(find, autoescape=True)

    by_number = exists().where(col(InvoiceRow.account_id) == AccountRow.id, has(InvoiceRow.number))
    by_contact = exists().where(col(ContactRow.account_id) == AccountRow.id, has(ContactRow.email))
    return [or_(has(AccountRow.name), has(AccountRow.email), by_number, by_contact)]


def _under_each_tab() -> dict[str, ColumnElement[bool]]:
    """Which accounts stand under which tab. Paused comes first: a paused account waits for nothing else.

    Pending waits for a person, Snoozed for a day. An account that is held is Pending when a person can lift it (a
    reply to read, a doubt to settle, a task to do), and Snoozed when time or the next sync will.
    """
    state = col(PositionRow.state)
    unsettled = exists().where(
        col(ReminderRow.account_id) == AccountRow.id,
        col(ReminderRow.state).in_((ReminderState.UNSURE, ReminderState.REFUSED)),
    )
    task = exists().where(col(TaskRow.account_id) == AccountRow.id, col(TaskRow.closed_at).is_(None))
    person = or_(_holds(_WAITS_FOR_A_PERSON), unsettled, task)
    going = ~_paused()
    return {
        "all": true(),
        "pending": and_(going, or_(state == "pending", and_(state == "held", person))),
        "snoozed": and_(going, or_(state.in_(("waiting", "due")), and_(state == "held", ~person))),
        "idle": and_(going, state == "idle"),
        "paused": _paused(),
    }


def _paused() -> ColumnElement[bool]:
    return _holds((HoldKind.PAUSED, HoldKind.MUTED))


def _holds(kinds: Iterable[HoldKind]) -> ColumnElement[bool]:
    return exists().where(
        col(HoldRow.account_id) == AccountRow.id,
        col(HoldRow.invoice_id).is_(None),
        col(HoldRow.lifted_at).is_(None),
        col(HoldRow.kind).in_(list(kinds)),
    )


def _owed_by(session: Session, debts: Any, ids: list[int]) -> dict[int, list[Debt]]:
    owed: dict[int, list[Debt]] = defaultdict(list)
    query = select(debts).where(debts.c.account_id.in_(ids)).order_by(debts.c.overdue.desc(), debts.c.currency)
    for account_id, currency, open_, overdue, oldest in session.execute(query):
        owed[account_id].append(Debt(currency, open_, overdue, oldest))
    return owed


@dataclass(frozen=True, slots=True)
class AccountFile:
    """Everything that the page of one account shows, apart from the decision, which the engine makes anew."""

    account: AccountRow
    invoices: tuple[InvoiceRow, ...]
    credits: tuple[CreditRow, ...]
    contacts: tuple[ContactRow, ...]
    holds: tuple[HoldRow, ...]
    tasks: tuple[TaskRow, ...]
    reminders: tuple[ReminderRow, ...]
    messages: tuple[MessageRow, ...]
    replies: tuple[ReplyRow, ...]
    notes: tuple[HistoryNoteRow, ...]


def account(session: Session, organisation_id: int, account_id: int, *, history: int) -> AccountFile | None:
    """One account with the newest `history` entries of each kind; None when the organisation has no such account."""
    row = session.scalars(_own(AccountRow, organisation_id, account_id)).one_or_none()
    if row is None:
        return None

    def own(table: Any, *where: Any, by: Any, limit: int | None = None) -> tuple[Any, ...]:
        query = select(table).where(table.organisation_id == organisation_id, table.account_id == account_id, *where)
        return tuple(session.scalars(query.order_by(by, table.id.desc()).limit(limit)))

    contacts = select(ContactRow).where(col(ContactRow.account_id) == account_id).order_by(col(ContactRow.place))
    return AccountFile(
        account=row,
        invoices=own(InvoiceRow, *_OPEN, by=InvoiceRow.due_on),
        credits=own(CreditRow, col(CreditRow.remaining) > 0, by=CreditRow.issued_on),
        contacts=tuple(session.scalars(contacts)),
        holds=own(HoldRow, col(HoldRow.lifted_at).is_(None), by=HoldRow.since),
        tasks=own(TaskRow, col(TaskRow.closed_at).is_(None), by=TaskRow.opened_at),
        reminders=own(ReminderRow, by=col(ReminderRow.queued_at).desc(), limit=history),
        messages=own(MessageRow, by=col(MessageRow.created_at).desc(), limit=history),
        replies=own(ReplyRow, by=col(ReplyRow.received_at).desc(), limit=history),
        notes=own(HistoryNoteRow, by=col(HistoryNoteRow.at).desc(), limit=history),
    )


def _own(table: Any, organisation_id: int, number: int) -> Select[Any]:
    return select(table).where(table.id == number, table.organisation_id == organisation_id)


def one(session: Session, table: Any, organisation_id: int, number: int) -> Any | None:
    """The row of this number if it is the organisation's own, else None."""
    return session.scalars(_own(table, organisation_id, number)).one_or_none()


class Needs(NamedTuple):
    """How much waits for a person."""

    tasks: int
    unread: int
    unmatched: int
    unsure: int
    refused: int


def needs(session: Session, organisation_id: int) -> Needs:
    def count(table: Any, *where: Any) -> Any:
        query = select(func.count()).select_from(table).where(table.organisation_id == organisation_id, *where)
        return query.scalar_subquery()

    unread, known = col(ReplyRow.read_at).is_(None), col(ReplyRow.account_id).is_not(None)
    counts: Any = select(
        count(TaskRow, col(TaskRow.closed_at).is_(None)),
        count(ReplyRow, unread, known, col(ReplyRow.kind) == ReplyKind.HUMAN),
        count(ReplyRow, unread, ~known),
        count(ReminderRow, col(ReminderRow.state) == ReminderState.UNSURE),
        count(ReminderRow, col(ReminderRow.state) == ReminderState.REFUSED),
    )
    return Needs(*session.execute(counts).one())


class Planned(NamedTuple):
    """A reminder, with the name of its account, and whether more than a pause of the organisation holds it."""

    reminder: ReminderRow
    account: str
    held: bool

    @property
    def because(self) -> str:
        """What holds it. Of the reasons behind a pause of the whole organisation only the account itself can tell."""
        paused = self.reminder.held_because.startswith(_PAUSE)
        return "something besides the pause holds it" if paused else self.reminder.held_because


class Coming(NamedTuple):
    """How many accounts reach a step on a day to come."""

    day: date
    step: str
    accounts: int


def tasks(session: Session, organisation_id: int, limit: int = 12) -> tuple[tuple[TaskRow, str], ...]:
    """The open tasks, oldest first, each with the name of its account."""
    query: Any = (
        select(TaskRow, func.coalesce(AccountRow.name, ""))
        .outerjoin(AccountRow, col(AccountRow.id) == TaskRow.account_id)
        .where(col(TaskRow.organisation_id) == organisation_id, col(TaskRow.closed_at).is_(None))
        .order_by(col(TaskRow.opened_at), col(TaskRow.id))
        .limit(limit)
    )
    return tuple((task, name) for task, name in session.execute(query))


def reminders(session: Session, organisation_id: int, *states: ReminderState, limit: int = 60) -> tuple[Planned, ...]:
    """Reminders in these states, in the order in which they may leave."""
    query: Any = (
        select(ReminderRow, AccountRow.name, _held_anyway())
        .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
        .where(col(ReminderRow.organisation_id) == organisation_id, col(ReminderRow.state).in_(states))
        .order_by(col(ReminderRow.send_after), AccountRow.name)
        .limit(limit)
    )
    return tuple(Planned(*row) for row in session.execute(query))


def queued(session: Session, organisation_id: int) -> tuple[int, int]:
    """How many reminders are queued to go (were the organisation not paused), and how many something else holds."""
    held = _held_anyway()
    query: Any = (
        select(func.count(case((~held, 1))), func.count(case((held, 1))))
        .select_from(ReminderRow)
        .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
        .where(col(ReminderRow.organisation_id) == organisation_id, col(ReminderRow.state) == ReminderState.QUEUED)
    )
    going, others = session.execute(query).one()
    return going, others


def _held_anyway() -> ColumnElement[bool]:
    """A queued reminder names its first hold only. Behind a pause of the whole organisation there may be others."""
    because = col(ReminderRow.held_because)
    paused = because.startswith(_PAUSE, autoescape=True)
    hold = exists().where(
        col(HoldRow.account_id) == AccountRow.id, col(HoldRow.invoice_id).is_(None), col(HoldRow.lifted_at).is_(None)
    )
    address = exists().where(
        col(TaskRow.account_id) == AccountRow.id, col(TaskRow.kind) == "no address", col(TaskRow.closed_at).is_(None)
    )
    other = aliased(ReminderRow)
    doubt = exists().where(
        col(other.account_id) == AccountRow.id, col(other.state).in_((ReminderState.UNSURE, ReminderState.SENDING))
    )
    return and_(because != "", or_(~paused, hold, address, doubt))


def coming(session: Session, organisation_id: int, *, after: date, until: date) -> tuple[Coming, ...]:
    """What the schedule reaches in the days to come, if nobody pays."""
    day, step = col(PositionRow.next_due_on), col(PositionRow.next_step)
    query: Any = select(day, step, func.count()).where(
        col(PositionRow.organisation_id) == organisation_id,
        col(PositionRow.state) == "waiting",
        day > after,
        day <= until,
    )
    return tuple(Coming(*row) for row in session.execute(query.group_by(day, step).order_by(day, step)))


def settled(
    session: Session, organisation_id: int, *, since: datetime, limit: int = 6
) -> tuple[tuple[InvoiceRow, str], ...]:
    """The invoices that we lately learnt to be settled, the newest first, each with the name of its account."""
    query: Any = select(InvoiceRow, AccountRow.name).join(AccountRow, col(AccountRow.id) == InvoiceRow.account_id)
    query = query.where(col(InvoiceRow.organisation_id) == organisation_id, col(InvoiceRow.settled_seen_at) >= since)
    newest = query.order_by(col(InvoiceRow.settled_seen_at).desc(), col(InvoiceRow.id).desc()).limit(limit)
    return tuple((row, name) for row, name in session.execute(newest))


class Heard(NamedTuple):
    """A reply, with the name of its account ("" while nobody knows whose it is)."""

    reply: ReplyRow
    account: str


def replies(
    session: Session, organisation_id: int, which: str = "all", *, adrift: bool = False, limit: int = 50
) -> tuple[Heard, ...]:
    """Replies, the newest first: `all`, or those that are `unread`, `unmatched` or `done`.

    What a machine wrote needs no reading once its account is known. `adrift` adds the replies that could not even be
    given to an organisation.
    """
    known, unseen = col(ReplyRow.account_id).is_not(None), col(ReplyRow.read_at).is_(None)
    unread = and_(known, unseen, col(ReplyRow.kind) == ReplyKind.HUMAN)
    unmatched = and_(~known, unseen)
    where = {"all": true(), "unread": unread, "unmatched": unmatched, "done": and_(~unread, ~unmatched)}[which]
    query: Any = select(ReplyRow, func.coalesce(AccountRow.name, ""))
    query = query.outerjoin(AccountRow, col(AccountRow.id) == ReplyRow.account_id)
    query = query.where(_ours(organisation_id, adrift=adrift), where)
    newest = query.order_by(col(ReplyRow.received_at).desc(), col(ReplyRow.id).desc()).limit(limit)
    return tuple(Heard(*row) for row in session.execute(newest))


def reply(session: Session, organisation_id: int, reply_id: int, *, adrift: bool) -> ReplyRow | None:
    query = select(ReplyRow).where(col(ReplyRow.id) == reply_id, _ours(organisation_id, adrift=adrift))
    return session.scalars(query).one_or_none()


def _ours(organisation_id: int, *, adrift: bool) -> ColumnElement[bool]:
    mine = col(ReplyRow.organisation_id) == organisation_id
    return or_(mine, col(ReplyRow.organisation_id).is_(None)) if adrift else mine


def accounts_like(session: Session, organisation_id: int, find: str, *, ids: Iterable[int] = ()) -> list[AccountRow]:
    """Accounts to choose from: those named by their numbers, and up to twenty that a search finds."""
    wanted = [col(AccountRow.id).in_(list(ids)), *(_found(find) if find else [])]
    query = select(AccountRow).where(
        col(AccountRow.organisation_id) == organisation_id, col(AccountRow.merged_into).is_(None), or_(*wanted)
    )
    return list(session.scalars(query.order_by(AccountRow.name).limit(20)))


def messages_of(session: Session, organisation_id: int, reminder_id: int) -> tuple[MessageRow, ...]:
    """Every attempt to put this reminder into words, the newest first."""
    query = select(MessageRow).where(
        col(MessageRow.organisation_id) == organisation_id, col(MessageRow.reminder_id) == reminder_id
    )
    return tuple(session.scalars(query.order_by(col(MessageRow.id).desc())))


def sync_runs(session: Session, organisation_id: int, *, page: int) -> tuple[SyncRunRow, ...]:
    """One page of the sync log, the newest first, and one run more when there is a next page."""
    query = select(SyncRunRow).where(col(SyncRunRow.organisation_id) == organisation_id)
    query = query.order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc())
    return tuple(session.scalars(query.limit(PAGE + 1).offset((page - 1) * PAGE)))


def set_aside(session: Session, organisation_id: int, run_id: int) -> tuple[SetAsideRow, ...]:
    query = select(SetAsideRow).join(SyncRunRow, col(SyncRunRow.id) == SetAsideRow.sync_run_id)
    query = query.where(col(SyncRunRow.organisation_id) == organisation_id, col(SetAsideRow.sync_run_id) == run_id)
    return tuple(session.scalars(query.order_by(col(SetAsideRow.id)).limit(200)))


def connection(session: Session, organisation_id: int) -> ConnectionRow | None:
    query = select(ConnectionRow).where(col(ConnectionRow.organisation_id) == organisation_id)
    return session.scalars(query).one_or_none()


def workflows(session: Session, organisation_id: int) -> tuple[tuple[WorkflowRow, tuple[StepRow, ...]], ...]:
    """Every workflow with its steps in the order of their days."""
    mine = col(WorkflowRow.organisation_id) == organisation_id
    query = select(StepRow).join(WorkflowRow, col(WorkflowRow.id) == StepRow.workflow_id).where(mine)
    steps = list(session.scalars(query.order_by(col(StepRow.day), col(StepRow.step_id))))
    rows = session.scalars(select(WorkflowRow).where(mine).order_by(col(WorkflowRow.id)))
    return tuple((row, tuple(step for step in steps if step.workflow_id == row.id)) for row in rows)
