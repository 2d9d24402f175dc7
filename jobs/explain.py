"""Explain: why does this account stand where it stands, today or on any day before?

The stored position says what was decided at the last look. For today the engine is asked again, with the facts of this
very moment. For a past day it is asked with the facts that were kept on that day. Nothing is written.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine.calendars import civil_date, moment_of
from engine.decide import decide, left_behind
from engine.reasons import Explanation
from engine.reasons import explain as explained
from engine.reminders import ReminderState
from engine.words import in_words
from jobs.office import Office
from jobs.sync import NIGHTLY
from store.facts import facts_of, ground_of
from store.kept_decisions import Kept, kept_on
from store.tables import AccountRow, OrganisationRow, ReminderRow, SyncRunRow


class Explained(NamedTuple):
    """Why an account stands where it stands on the day `as_of`; `kept` is the decision that a past day rests on.

    `waits`: what is due is queued, and waits at the door: for the hours of contact, for its turn, for a provider.
    """

    as_of: date
    explanation: Explanation
    kept: Kept | None = None
    waits: str = ""


def explain(office: Office, account_id: int, at: date | None = None) -> Explained:
    """The decision for this account, with every rule that was asked. Raises LookupError when it, or anything that was
    decided about it by that day, is unknown.
    """
    with office.database.reading() as session:
        account = session.get(AccountRow, account_id)
        if account is None:
            raise LookupError(f"there is no account number {account_id}")
        ground = ground_of(session, account.organisation_id, now=office.clock())
        today = office.as_of(ground.organisation)
        if at is not None and at > today:
            raise LookupError(f"{in_words(at)} has not come yet. To look ahead, use 'arrears simulate'.")
        if at is None or at == today:
            explanation = explained(facts_of(session, ground, [account_id])[account_id], today)
            return Explained(today, explanation, waits=_at_the_door(session, account_id, explanation))
        return _on(session, ground.organisation, account, at)


def _at_the_door(session: Session, account_id: int, explanation: Explanation) -> str:
    steps = [order.step.id for order in explanation.decision.orders]
    query = select(ReminderRow).where(
        col(ReminderRow.account_id) == account_id,
        col(ReminderRow.state) == ReminderState.QUEUED,
        col(ReminderRow.held_because) == "",
        col(ReminderRow.step_id).in_(steps),
        col(ReminderRow.why) != "",
    )
    row = session.scalars(query.order_by(col(ReminderRow.id)).limit(1)).first() if steps else None
    return f"{row.step_name} waits: {row.why}" if row is not None else ""


def _on(session: Session, organisation: OrganisationRow, account: AccountRow, at: date) -> Explained:
    assert account.id is not None
    end = moment_of(at + timedelta(days=1), time(0), ZoneInfo(organisation.time_zone))
    kept = kept_on(session, account.id, at, until=end)
    if kept is None:
        raise LookupError(f"Nothing had been decided about {account.name} by {in_words(at)}.")
    facts = kept.facts
    if kept.as_of < at:  # nothing has happened since; only the date is another, and perhaps the ledger was read anew
        facts = left_behind(facts, decide(facts, kept.as_of))
        reading = _read_by(session, organisation, end)
        if reading is not None and reading > (facts.ledger_as_of or date.min):
            facts = facts._replace(ledger_as_of=reading)  # where no reading is kept any more, the last one known holds
    return Explained(at, explained(facts, at), kept)


def _read_by(session: Session, organisation: OrganisationRow, moment: datetime) -> date | None:
    """The date of the last good reading of the ledger before that moment."""
    ended = session.scalars(
        select(func.max(SyncRunRow.ended_at)).where(
            col(SyncRunRow.organisation_id) == organisation.id,
            col(SyncRunRow.state) == "done",
            col(SyncRunRow.trigger) != NIGHTLY,  # a check makes our copy no younger
            col(SyncRunRow.ended_at) <= moment,
        )
    ).one_or_none()
    return civil_date(ended, ZoneInfo(organisation.time_zone)) if ended is not None else None
