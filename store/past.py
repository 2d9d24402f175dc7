"""What our copy of the ledger knows of the past: how late invoices were settled, and how each of them came and went.

For looking ahead and back over many accounts at once, so each question is asked for a chunk of accounts, or once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine.calendars import civil_date
from engine.ledger_past import PastInvoice, Reduced
from engine.receivables import InvoiceStatus
from engine.reminders import ReminderKey, ReminderState
from store.rows import DAYS, rows
from store.tables import AccountRow, AllocationRow, InvoiceRow, MembershipRow, OrganisationRow, PaymentRow, ReminderRow

_AT_ONCE = 500
_WORKERS = ("owner", "manager", "agent")


def lateness_of(session: Session, organisation_id: int) -> dict[int, list[int]]:
    """For each account, by how many days after their due dates its paid invoices were settled."""
    query = (
        "SELECT account_id, due_on, settled_on FROM invoices "
        "WHERE organisation_id = ? AND status = 'paid' AND settled_on IS NOT NULL"
    )
    found: dict[int, list[int]] = defaultdict(list)
    for account, due_on, settled_on in rows(session, query, [organisation_id]):
        found[account].append((DAYS[settled_on] - DAYS[due_on]).days)
    return dict(found)


def accounts_named(session: Session, account_ids: Sequence[int]) -> dict[int, AccountRow]:
    """These accounts by their numbers."""
    found: dict[int, AccountRow] = {}
    for start in range(0, len(account_ids), _AT_ONCE):
        some = account_ids[start : start + _AT_ONCE]
        found |= {row.id: row for row in session.scalars(select(AccountRow).where(col(AccountRow.id).in_(some)))}
    return found


def calls_put_off(
    session: Session, organisation: OrganisationRow, *, now: datetime
) -> dict[int, dict[ReminderKey, date]]:
    """The calls that people have snoozed, by account, and on which day of the organisation each comes back."""
    query = select(ReminderRow).where(
        col(ReminderRow.organisation_id) == organisation.id,
        col(ReminderRow.state) == ReminderState.QUEUED,
        col(ReminderRow.snoozed_until) > now,
    )
    found: dict[int, dict[ReminderKey, date]] = defaultdict(dict)
    for row in session.scalars(query):
        assert row.snoozed_until is not None
        key = ReminderKey(row.cycle, row.step_id, row.invoice_id or None)
        found[row.account_id][key] = civil_date(row.snoozed_until, ZoneInfo(organisation.time_zone))
    return found


def workers(session: Session, organisation_id: int) -> int:
    """How many people may work on its accounts: owners, managers and agents."""
    query = select(func.count()).where(
        col(MembershipRow.organisation_id) == organisation_id, col(MembershipRow.role).in_(_WORKERS)
    )
    return session.scalars(query).one()


def accounts_that_owe(session: Session, organisation_id: int) -> int:
    """How many accounts have an open invoice."""
    query = select(func.count(func.distinct(InvoiceRow.account_id))).where(
        col(InvoiceRow.organisation_id) == organisation_id, col(InvoiceRow.status) == InvoiceStatus.OPEN
    )
    return session.scalars(query).one()


def first_issue(session: Session, organisation_id: int) -> date | None:
    """The day of the oldest invoice that the copy has ever seen."""
    day = func.min(func.coalesce(InvoiceRow.issued_on, InvoiceRow.due_on))
    return session.scalars(select(day).where(col(InvoiceRow.organisation_id) == organisation_id)).one()


def past_of(
    session: Session, organisation: OrganisationRow, account_ids: Sequence[int]
) -> dict[int, list[PastInvoice]]:
    """Every invoice of these accounts that the copy has ever seen, by account. `account_ids` in rising order."""
    zone = ZoneInfo(organisation.time_zone)
    within = (
        col(InvoiceRow.organisation_id) == organisation.id,
        col(InvoiceRow.account_id).between(account_ids[0], account_ids[-1]),
    )
    reduced = _reduced(session, within)
    columns = InvoiceRow.__table__.columns  # type: ignore[attr-defined]
    found: dict[int, list[PastInvoice]] = defaultdict(list)
    for row in session.execute(select(*columns).where(*within).order_by(col(InvoiceRow.id))).mappings():
        found[row["account_id"]].append(_past_invoice(row, tuple(reduced.get(row["id"], ())), zone))
    return dict(found)


def _reduced(session: Session, within: tuple[Any, ...]) -> Mapping[int, list[Reduced]]:
    """What was paid and credited on each invoice, as far as it has a date."""
    found: dict[int, list[Reduced]] = defaultdict(list)
    paid: Any = select(PaymentRow.invoice_id, PaymentRow.paid_on, PaymentRow.amount)
    used: Any = select(AllocationRow.invoice_id, AllocationRow.on, AllocationRow.amount)
    for query, table, with_money in ((paid, PaymentRow, True), (used, AllocationRow, False)):
        joined = query.join(InvoiceRow, col(InvoiceRow.id) == table.invoice_id).where(*within)
        for invoice, on, amount in session.execute(joined):
            if on is not None:
                found[invoice].append(Reduced(on, amount, with_money))
    return found


def _past_invoice(row: Mapping[Any, Any], reduced: tuple[Reduced, ...], zone: ZoneInfo) -> PastInvoice:
    status = InvoiceStatus(row["status"])
    return PastInvoice(
        id=row["id"],
        number=row["number"],
        issued_on=row["issued_on"] or row["due_on"],
        due_on=row["due_on"],
        total=row["total"],
        balance=row["balance"],
        currency=row["currency"],
        status=status,
        gone_on=_gone_on(row, status, reduced, zone) if status is not InvoiceStatus.OPEN else None,
        reduced=reduced,
    )


def _gone_on(row: Mapping[Any, Any], status: InvoiceStatus, reduced: tuple[Reduced, ...], zone: ZoneInfo) -> date:
    """The day it was settled. A ledger dates payments and credits; a void is dated by when we learnt of it."""
    if row["settled_on"] is not None:
        settled: date = row["settled_on"]
        return settled
    if reduced and status in (InvoiceStatus.PAID, InvoiceStatus.CREDITED):
        return max(one.on for one in reduced)
    learnt = row["settled_seen_at"] or row["changed_at"]
    return civil_date(learnt, zone) if learnt is not None else row["due_on"]
