"""The list of accounts: who owes what, the largest overdue first, under tabs that say what each account waits for.

Amounts of different currencies are never added up. An account stands under one tab only, so that the tabs can be
worked through one after another.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true
from sqlmodel import Session, col

from engine.holds import Hold, HoldKind, sentence
from engine.reminders import ReminderState
from store.screens._owing import OPEN, sum_where
from store.screens.every_page import PAGE
from store.tables import AccountRow, ContactRow, HoldRow, InvoiceRow, PositionRow, ReminderRow, TaskRow

TABS = ("all", "pending", "snoozed", "idle", "paused")
_WAITS_FOR_A_PERSON = (HoldKind.QUESTION, HoldKind.REPLY, HoldKind.NO_ADDRESS)
_DISPUTED = sentence(Hold(HoldKind.DISPUTE, date.min))


class Debt(NamedTuple):
    """What one account owes in one currency. `oldest` is the earliest due date that has passed."""

    currency: str
    open: Decimal
    overdue: Decimal
    oldest: date | None


class ListedAccount(NamedTuple):
    """`paused`: nothing is sent until somebody says so; `muted`: that is because it is never to be reminded."""

    id: int
    name: str
    number: str
    position: PositionRow | None
    paused: bool
    muted: bool
    debts: tuple[Debt, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of accounts, and how many there are under each tab."""

    accounts: tuple[ListedAccount, ...]
    counts: dict[str, int]
    total: int


def accounts(session: Session, organisation_id: int, as_of: date, *, tab: str, find: str, page: int) -> Listing:
    """The accounts under one tab, the largest overdue first: three questions.

    Without a search, accounts that owe nothing are left out; a search finds any account by its name or email, or by
    an invoice's number, so that support staff also find one that has paid.
    """
    debts = _debts(organisation_id, as_of)
    base, largest = _found(organisation_id, debts, find)
    under, muted = _under_each_tab(), _holds((HoldKind.MUTED,))
    columns = (AccountRow.id, AccountRow.name, AccountRow.number, PositionRow, _paused(), muted)
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


def accounts_under(session: Session, organisation_id: int, as_of: date, *, tab: str, find: str) -> tuple[int, ...]:
    """The numbers of all accounts under one tab that the search finds, on however many pages they would stand."""
    base, _ = _found(organisation_id, _debts(organisation_id, as_of), find)
    return tuple(session.scalars(base.where(_under_each_tab()[tab])))


def own_accounts(session: Session, organisation_id: int, numbers: Sequence[int]) -> frozenset[int]:
    """Those of these numbers that are the organisation's own accounts."""
    mine = select(AccountRow.id).where(col(AccountRow.organisation_id) == organisation_id)
    return frozenset(session.scalars(mine.where(col(AccountRow.id).in_(numbers))))


def _found(organisation_id: int, debts: Any, find: str) -> tuple[Any, Any]:
    """The question for the accounts that the search finds, and what each of them owes in its largest currency."""
    owed = select(debts.c.account_id, func.max(debts.c.overdue).label("overdue"), func.max(debts.c.open).label("open"))
    largest = owed.group_by(debts.c.account_id).subquery()
    found = found_by(find) if find else [largest.c.account_id.is_not(None)]
    base: Any = (
        select(col(AccountRow.id))
        .outerjoin(PositionRow, col(PositionRow.account_id) == AccountRow.id)
        .outerjoin(largest, largest.c.account_id == AccountRow.id)
        .where(col(AccountRow.organisation_id) == organisation_id, col(AccountRow.merged_into).is_(None), *found)
    )
    return base, largest


def _debts(organisation_id: int, as_of: date) -> Any:
    overdue, columns = col(InvoiceRow.due_on) < as_of, (col(InvoiceRow.account_id), col(InvoiceRow.currency))
    sums = (
        func.sum(InvoiceRow.balance).label("open"),
        sum_where(overdue).label("overdue"),
        func.min(case((overdue, col(InvoiceRow.due_on)))).label("oldest"),
    )
    mine = col(InvoiceRow.organisation_id) == organisation_id
    return select(*columns, *sums).where(mine, *OPEN).group_by(*columns).subquery()


def found_by(find: str) -> list[ColumnElement[bool]]:
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
    disputed = col(PositionRow.held_because) == _DISPUTED
    person = or_(_holds(_WAITS_FOR_A_PERSON), unsettled, task, disputed)
    going = ~_paused()
    return {
        "all": true(),
        "pending": and_(going, or_(state == "pending", and_(state == "held", person))),
        "snoozed": and_(going, or_(state.in_(("waiting", "due", "leaving")), and_(state == "held", ~person))),
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
