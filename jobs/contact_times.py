"""At what moment a reminder may reach its debtor: the organisation's sending time, and the hours and caps on contacts.

What was planned in the morning may be wrong by the evening. So the limits are asked when a reminder is queued, again
when a setting or a time zone changes, and a last time in the second before it leaves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlmodel import Session, col

from engine.facts import Facts
from engine.limits import Opening, closes_at, first_open
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs.office import Office
from store.decisions import sending_moment
from store.facts import facts_of, ground_of
from store.tables import AccountRow, OrganisationRow, ReminderRow


def opening(facts: Facts, organisation: OrganisationRow, time_zone: str, channel: Channel, at: datetime) -> Opening:
    """The first moment at or after `at` at which this debtor may be reached by this channel, and why not sooner.

    `time_zone` is the account's own; empty: where the organisation is.
    """
    limits = facts.rules.limits
    if limits is None:
        return Opening(at, "")
    ours = ZoneInfo(organisation.time_zone)
    return first_open(
        limits,
        channel,
        at,
        zones=(ZoneInfo(time_zone) if time_zone else ours,),
        contacted=facts.contacted,
        holidays=facts.rules.sending.holidays,
        counted_in=ours,
    )


def closing(
    facts: Facts, organisation: OrganisationRow, time_zone: str, channel: Channel, at: datetime
) -> datetime | None:
    """Until when this debtor may be reached by this channel, when they may be at `at`; None: at any hour.

    A message that its provider keeps waiting must not arrive after that.
    """
    limits = facts.rules.limits
    if limits is None:
        return None
    zone = ZoneInfo(time_zone or organisation.time_zone)
    return closes_at(limits, channel, at, zone=zone)


def time_left(now: datetime, until: datetime | None) -> timedelta | None:
    """From now until then; None where there is no end."""
    return max(until - now, timedelta(0)) if until is not None else None


def plan_anew(unit: Session, office: Office, organisation_id: int, account_ids: Sequence[int] | None = None) -> None:
    """Gives the queued reminders of these accounts (or of all) the next moment at which each may leave."""
    ground = ground_of(unit, organisation_id, now=office.clock())
    organisation = ground.organisation
    moment = sending_moment(ground, office.as_of(organisation), office.clock())
    theirs = [col(ReminderRow.organisation_id) == organisation_id, col(ReminderRow.state) == ReminderState.QUEUED]
    if account_ids is not None:
        theirs.append(col(ReminderRow.account_id).in_(account_ids))
    if ground.rules.limits is None:
        unit.execute(update(ReminderRow).where(*theirs).values(send_after=moment, next_attempt_at=None))
        return
    zone_of = select(ReminderRow, AccountRow.time_zone).join(AccountRow, col(AccountRow.id) == ReminderRow.account_id)
    queued = unit.execute(zone_of.where(*theirs)).all()
    facts = facts_of(unit, ground, sorted({reminder.account_id for reminder, _ in queued}))
    for reminder, time_zone in queued:
        known = facts[reminder.account_id]
        reminder.send_after = opening(known, organisation, time_zone, Channel(reminder.channel), moment).at
        reminder.next_attempt_at = None
    unit.flush()
