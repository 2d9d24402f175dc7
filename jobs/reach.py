"""On which days of a story a debtor can be reached: from the next sending time on, within the hours of contact."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.calendars import SENDING_WINDOW, civil_date, moment_of
from engine.limits import Contacted, first_open
from engine.story import Open
from engine.workflow import Channel
from store.ground import Ground


def first_day(ground: Ground, now: datetime) -> date:
    """Today, while its sending time is ahead; else tomorrow. A late first look of a day may still send that day."""
    organisation = ground.organisation
    zone = ZoneInfo(organisation.time_zone)
    today = civil_date(now, zone)
    window = SENDING_WINDOW if organisation.recalculated_on != today else timedelta(0)
    passed = now > moment_of(today, organisation.sending_time, zone) + window
    return today + timedelta(days=1) if passed else today


def hours_of(ground: Ground, account: int) -> Open | None:
    """Whether this debtor may be reached on a day, at the sending time or later; None where any hour is open."""
    limits, organisation = ground.rules.limits, ground.organisation
    if limits is None or not limits.windows:
        return None
    ours, theirs = ZoneInfo(organisation.time_zone), ZoneInfo(ground.time_zone_of(account))
    holidays = ground.rules.sending.holidays

    def may_reach(channel: Channel, day: date, contacted: tuple[Contacted, ...]) -> bool:
        moment = moment_of(day, organisation.sending_time, ours)
        opening = first_open(
            limits, channel, moment, zones=(theirs,), contacted=contacted, holidays=holidays, counted_in=ours
        )
        return civil_date(opening.at, ours) == day

    return may_reach


def from_its_turn(may_reach: Open | None, turn: date | None) -> Open | None:
    """The same, for an account whose first contact has its turn on that day (see `jobs.first_contacts`)."""
    if turn is None:
        return may_reach

    def may_reach_then(channel: Channel, day: date, contacted: tuple[Contacted, ...]) -> bool:
        waits = channel is not Channel.CALL and day < turn
        return not waits and (may_reach is None or may_reach(channel, day, contacted))

    return may_reach_then
