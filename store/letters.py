"""Letters in the store: who has something open, who has just paid all that was overdue, what was queued before, and in
which words they go.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from engine.letters import LETTER_CYCLE, LetterKind
from engine.receivables import InvoiceStatus
from engine.reminders import ReminderState
from store.tables import AccountRow, InvoiceRow, LetterRow, ReminderRow


def own_words(session: Session, organisation_id: int, kind: LetterKind) -> LetterRow | None:
    """What the firm has written itself; None where the pre-written words stand."""
    return session.get(LetterRow, (organisation_id, kind.value))


def accounts_to_be_told(session: Session, organisation_id: int, *, least: Decimal) -> list[int]:
    """The accounts with an open invoice of at least this much, but for those that are to get no statement."""
    query = (
        select(col(InvoiceRow.account_id))
        .join(AccountRow, col(AccountRow.id) == InvoiceRow.account_id)
        .where(
            col(InvoiceRow.organisation_id) == organisation_id,
            col(InvoiceRow.status) == InvoiceStatus.OPEN,
            col(InvoiceRow.balance) > 0,
            col(InvoiceRow.balance) >= least,
            col(AccountRow.no_statements_since).is_(None),
        )
    )
    return sorted(session.scalars(query.distinct()))


def without_statements(session: Session, organisation_id: int) -> tuple[AccountRow, ...]:
    """The accounts that somebody wants to get no statement, by name."""
    query = select(AccountRow).where(
        col(AccountRow.organisation_id) == organisation_id, col(AccountRow.no_statements_since).is_not(None)
    )
    return tuple(session.scalars(query.order_by(col(AccountRow.name), col(AccountRow.id))))


def letter_keys(session: Session, organisation_id: int, key: str) -> set[int]:
    """The accounts that a letter of this key was queued for, whatever became of it."""
    query = select(col(ReminderRow.account_id)).where(
        col(ReminderRow.organisation_id) == organisation_id,
        col(ReminderRow.cycle) == LETTER_CYCLE,
        col(ReminderRow.step_id) == key,
    )
    return set(session.scalars(query))


def queued_letters(session: Session, account_id: int) -> tuple[ReminderRow, ...]:
    """The letters that wait to go to this account."""
    query = select(ReminderRow).where(
        col(ReminderRow.account_id) == account_id,
        col(ReminderRow.cycle) == LETTER_CYCLE,
        col(ReminderRow.state) == ReminderState.QUEUED,
    )
    return tuple(session.scalars(query.order_by(col(ReminderRow.id))))


def to_be_thanked(
    session: Session, organisation_id: int, *, since: datetime, as_of: date, least: Decimal
) -> list[tuple[int, int]]:
    """Accounts that were reminded of an overdue invoice, were seen to have paid it since then and owe nothing overdue,
    each with the invoice that was paid last. One letter thanks for all that was paid before it went.
    """
    still, earlier = aliased(InvoiceRow), aliased(ReminderRow)
    reminded = select(ReminderRow.id).where(
        col(ReminderRow.account_id) == InvoiceRow.account_id,
        col(ReminderRow.cycle) > 0,
        col(ReminderRow.state) == ReminderState.SENT,
        col(ReminderRow.heard).is_(True),
        col(ReminderRow.settled_at) < InvoiceRow.settled_seen_at,
        col(ReminderRow.performed_on) > InvoiceRow.due_on,
        or_(col(ReminderRow.invoice_id) == 0, col(ReminderRow.invoice_id) == InvoiceRow.id),
    )
    overdue = select(still.id).where(
        col(still.account_id) == InvoiceRow.account_id,
        col(still.status) == InvoiceStatus.OPEN,
        col(still.due_on) < as_of,
        col(still.balance) > 0,
        col(still.balance) >= least,
    )
    thanked = select(earlier.id).where(
        col(earlier.account_id) == InvoiceRow.account_id,
        col(earlier.cycle) == LETTER_CYCLE,
        col(earlier.step_id) == LetterKind.THANKS,
        or_(
            col(earlier.invoice_id) == InvoiceRow.id,
            col(earlier.settled_at) >= InvoiceRow.settled_seen_at,
            col(earlier.settled_at).is_(None),  # one is under way, or in doubt
        ),
    )
    query = (
        select(InvoiceRow.account_id, InvoiceRow.id)  # type: ignore[call-overload]
        .where(
            col(InvoiceRow.organisation_id) == organisation_id,
            col(InvoiceRow.status) == InvoiceStatus.PAID,
            col(InvoiceRow.settled_seen_at) >= since,
            reminded.exists(),
            ~overdue.exists(),
            ~thanked.exists(),
        )
        .order_by(col(InvoiceRow.settled_seen_at), col(InvoiceRow.id))
    )
    return list({account: int(invoice) for account, invoice in session.execute(query)}.items())
