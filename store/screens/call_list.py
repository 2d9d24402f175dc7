"""The calls that wait to be made, and what was said before to whom: what the list of calls and a call's page read.

A call waits from the moment its step has come due until somebody has made it or the account has paid. How each account
stands the engine says anew; here are only the rows.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine.holds import HoldKind
from engine.reminders import ReminderState
from engine.workflow import Channel
from store.tables import AccountRow, ContactRow, HistoryNoteRow, HoldRow, PhoneCallRow, ReminderRow


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of these accounts from before, by account: the newest call, conversation and promise."""

    calls: dict[int, PhoneCallRow] = field(default_factory=dict)
    conversations: dict[int, PhoneCallRow] = field(default_factory=dict)
    promises: dict[int, HoldRow] = field(default_factory=dict)
    contacts: dict[int, tuple[ContactRow, ...]] = field(default_factory=dict)


def waiting_calls(
    session: Session, organisation_id: int, reminder_id: int | None = None
) -> tuple[tuple[ReminderRow, AccountRow], ...]:
    """The calls that wait to be made by a person, each with its account; or the one of this number."""
    which = [] if reminder_id is None else [col(ReminderRow.id) == reminder_id]
    query: Any = (
        select(ReminderRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
        .where(
            col(ReminderRow.organisation_id) == organisation_id,
            col(ReminderRow.channel) == Channel.CALL,
            col(ReminderRow.state) == ReminderState.QUEUED,
            col(ReminderRow.approved_at).is_(None),
            *which,
        )
    )
    return tuple((reminder, account) for reminder, account in session.execute(query))


def count_calls(session: Session, organisation_id: int) -> int:
    """How many calls wait to be made."""
    return len(waiting_calls(session, organisation_id))


def before(session: Session, account_ids: Sequence[int]) -> Before:
    """Four questions, however many accounts."""

    def newest(table: Any, *where: Any) -> dict[int, Any]:
        numbers = select(func.max(table.id)).where(col(table.account_id).in_(account_ids), *where)
        rows = session.scalars(select(table).where(col(table.id).in_(numbers.group_by(table.account_id))))
        return {row.account_id: row for row in rows}

    people: dict[int, list[ContactRow]] = defaultdict(list)
    contacts = select(ContactRow).where(col(ContactRow.account_id).in_(account_ids)).order_by(col(ContactRow.place))
    for contact in session.scalars(contacts):
        people[contact.account_id].append(contact)
    return Before(
        calls=newest(PhoneCallRow),
        conversations=newest(PhoneCallRow, col(PhoneCallRow.conversation).is_(True)),
        promises=newest(HoldRow, col(HoldRow.kind) == HoldKind.PROMISE),
        contacts={number: tuple(theirs) for number, theirs in people.items()},
    )


def calls_of(session: Session, organisation_id: int, account_id: int, limit: int = 10) -> tuple[PhoneCallRow, ...]:
    """The newest calls to one account."""
    query = select(PhoneCallRow).where(
        col(PhoneCallRow.organisation_id) == organisation_id, col(PhoneCallRow.account_id) == account_id
    )
    return tuple(session.scalars(query.order_by(col(PhoneCallRow.id).desc()).limit(limit)))


def notes_of(session: Session, organisation_id: int, account_id: int, limit: int = 8) -> tuple[HistoryNoteRow, ...]:
    """The newest lines of one account's history."""
    query = select(HistoryNoteRow).where(
        col(HistoryNoteRow.organisation_id) == organisation_id, col(HistoryNoteRow.account_id) == account_id
    )
    newest_first = query.order_by(col(HistoryNoteRow.at).desc(), col(HistoryNoteRow.id).desc())
    return tuple(session.scalars(newest_first.limit(limit)))
