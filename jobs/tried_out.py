"""What trying out has shown: what would have gone to whom, and what would have been kept back in the last second.

The second list is the reason to look again before sending: a process that decides in the morning and sends whatever it
has decided would have chased these people for what they had paid.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from engine.reminders import ReminderState
from jobs.trying_out import SHADOW
from store.tables import AccountRow, MessageRow, OrganisationRow, ReminderRow


class WouldHaveGone(NamedTuple):
    """One message. `instead`: where it went; empty when nothing left."""

    at: datetime
    account: int
    name: str
    step: str
    medium: str
    to: str
    instead: str


class KeptBack(NamedTuple):
    """One reminder whose time had come and that the last look at the ledger withdrew, and why."""

    at: datetime
    account: int
    name: str
    step: str
    due_on: date
    why: str


@dataclass(frozen=True, slots=True)
class TriedOutReport:
    """Since when, and the newest of each first. `gone` and `kept_back` may be cut short; the numbers are whole."""

    since: datetime
    gone: tuple[WouldHaveGone, ...]
    kept_back: tuple[KeptBack, ...]


def report(session: Session, organisation: OrganisationRow) -> TriedOutReport | None:
    """The report of the time since sending is only tried out; None while it is live."""
    since = organisation.tried_out_since
    if since is None:
        return None
    return TriedOutReport(since, _gone(session, organisation, since), _kept_back(session, organisation, since))


def _gone(session: Session, organisation: OrganisationRow, since: datetime) -> tuple[WouldHaveGone, ...]:
    query = (
        select(MessageRow, ReminderRow.step_name, ReminderRow.channel, AccountRow.name)  # type: ignore[call-overload]
        .join(ReminderRow, col(ReminderRow.id) == col(MessageRow.reminder_id))
        .join(AccountRow, col(AccountRow.id) == col(MessageRow.account_id))
        .where(
            col(MessageRow.organisation_id) == organisation.id,
            col(MessageRow.diverted_to) != "",
            col(MessageRow.sent_at) >= since,
        )
        .order_by(col(MessageRow.id).desc())
    )
    return tuple(
        WouldHaveGone(
            row.sent_at,
            row.account_id,
            name,
            step,
            medium,
            row.to,
            "" if row.diverted_to == SHADOW else row.diverted_to,
        )
        for row, step, medium, name in session.execute(query)
    )


def _kept_back(session: Session, organisation: OrganisationRow, since: datetime) -> tuple[KeptBack, ...]:
    """A reminder that is withdrawn while a worker has claimed it was withdrawn by the look before the send."""
    query = (
        select(ReminderRow, AccountRow.name)  # type: ignore[call-overload]
        .join(AccountRow, col(AccountRow.id) == col(ReminderRow.account_id))
        .where(
            col(ReminderRow.organisation_id) == organisation.id,
            col(ReminderRow.state) == ReminderState.WITHDRAWN,
            col(ReminderRow.claim) != "",
            col(ReminderRow.settled_at) >= since,
        )
        .order_by(col(ReminderRow.settled_at).desc())
    )
    return tuple(
        KeptBack(row.settled_at, row.account_id, name, row.step_name, row.due_on, row.why)
        for row, name in session.execute(query)
    )
