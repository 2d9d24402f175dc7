"""The few figures of an organisation's books by which a reading of the ledger is judged: see `jobs.brakes`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import Session, col

from engine.holds import Hold, HoldKind, sentence
from engine.reminders import ReminderState
from store.rows import all_rows, amount_of, text_of
from store.tables import ReminderRow

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Before:
    """How the books stood: the newest invoice, how many were open, how many accounts were overdue, and what was.

    `overdue` has the total and the number of invoices of each currency.
    """

    organisation_id: int
    newest: int
    open: int
    owing: int
    overdue: dict[str, tuple[Decimal, int]]


def figures(session: Session, organisation_id: int, as_of: date) -> Before:
    """As they stand now."""
    ((newest,),) = all_rows(session, "SELECT COALESCE(MAX(id), 0) FROM invoices")
    asked = "SELECT COUNT(*) FROM invoices WHERE organisation_id = ? AND status = 'open' AND balance > 0"
    ((open_,),) = all_rows(session, asked, [organisation_id])
    asked = "SELECT COUNT(*) FROM positions WHERE organisation_id = ? AND driver_due_on IS NOT NULL"
    ((owing,),) = all_rows(session, asked, [organisation_id])
    return Before(organisation_id, newest, open_, owing, overdue(session, organisation_id, as_of))


def overdue(session: Session, organisation_id: int, as_of: date) -> dict[str, tuple[Decimal, int]]:
    """What is overdue, and in how many invoices, by currency."""
    asked = (
        "SELECT currency, SUM(balance), COUNT(*) FROM invoices "
        "WHERE organisation_id = ? AND status = 'open' AND balance > 0 AND due_on < ? GROUP BY currency"
    )
    rows = all_rows(session, asked, [organisation_id, text_of(session, as_of)])
    return {currency: (amount_of(int(total)), count) for currency, total, count in rows}


def closed_since(session: Session, before: Before, run: int) -> int:
    """How many of the invoices that were there before were settled by this sync run."""
    asked = "SELECT COUNT(*) FROM invoices WHERE organisation_id = ? AND settled_by_run = ? AND id <= ?"
    ((count,),) = all_rows(session, asked, [before.organisation_id, run, before.newest])
    return int(count)


def drivers(session: Session, accounts: Collection[int]) -> dict[int, object]:
    """The due date of the oldest overdue invoice of each of these accounts that has one."""
    found: dict[int, object] = {}
    wanted = sorted(accounts)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        asked = "SELECT account_id, run_driver_id FROM positions WHERE account_id IN (??) AND driver_due_on IS NOT NULL"
        found.update(all_rows(session, asked, [some]))
    return found


def open_ids(session: Session, organisation_id: int) -> list[str]:
    """The ledger's ids of the invoices that are open here."""
    asked = "SELECT ledger_id FROM invoices WHERE organisation_id = ? AND status = 'open' AND balance > 0"
    return [row[0] for row in all_rows(session, asked, [organisation_id])]


def open_credit_ids(session: Session, organisation_id: int) -> list[str]:
    """The ledger's ids of the credits with something left here."""
    asked = "SELECT ledger_id FROM credits WHERE organisation_id = ? AND status = 'open' AND remaining > 0"
    return [row[0] for row in all_rows(session, asked, [organisation_id])]


def half_known(session: Session, organisation_id: int) -> list[str]:
    """Accounts of which we know no more than what an invoice said: a reading was cut short before they came."""
    asked = "SELECT ledger_id FROM accounts WHERE organisation_id = ? AND changed_at IS NULL ORDER BY id"
    return [row[0] for row in all_rows(session, asked, [organisation_id])]


def held_by_the_brake(session: Session, organisation_id: int) -> dict[int, list[str]]:
    """The names of the steps that are queued and that the brake alone or first of all holds, by account."""
    query = (
        select(ReminderRow.account_id, ReminderRow.step_name)
        .where(
            col(ReminderRow.organisation_id) == organisation_id,
            col(ReminderRow.state) == ReminderState.QUEUED,
            col(ReminderRow.held_because).startswith(sentence(Hold(HoldKind.BRAKE, date.min)), autoescape=True),
        )
        .distinct()
        .order_by(ReminderRow.account_id, ReminderRow.step_name)
    )
    steps: dict[int, list[str]] = {}
    for account, step in session.execute(query):
        steps.setdefault(account, []).append(step)
    return steps
