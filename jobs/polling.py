"""When a ledger that does not ring by itself is read next.

While people work they pay, raise invoices and look at our pages; then a ledger is read every quarter of an hour. At
night hardly anything changes, and every call counts: Xero allows so many a day, and QuickBooks meters what is read.
Then once an hour is enough. No reminder goes by such an old copy: before one leaves, its invoices are looked at again.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.calendars import civil_date, moment_of
from jobs.thresholds import Webhooks
from store.tables import ConnectionRow, OrganisationRow

OPENS, CLOSES = time(7), time(19)
"""The hours in which people work, by the organisation's own clock, on every day of the week."""

AROUND_SENDING = timedelta(hours=1)
"""Before the sending time and after it people work too, or the reminders would go by a copy of the night."""

AT_NIGHT = timedelta(hours=1)


def next_reading(
    organisation: OrganisationRow, connection: ConnectionRow, webhooks: Webhooks, now: datetime
) -> datetime:
    """The instant (UTC) of the next reading after one that has come to its end now."""
    usual = timedelta(minutes=organisation.sync_every_minutes)
    heard = connection.last_rung_at
    if heard is not None and now - heard < webhooks.silence:
        return now + max(usual, timedelta(minutes=webhooks.poll_minutes))
    zone = ZoneInfo(organisation.time_zone)
    today = civil_date(now, zone)
    mornings = []
    for day in (today, today + timedelta(days=1)):
        opens, closes = _working_hours(organisation, day, zone)
        if opens <= now < closes:
            return now + usual
        mornings.append(opens)
    morning = min(opens for opens in mornings if opens > now)
    return max(now + usual, min(now + AT_NIGHT, morning))


def _working_hours(organisation: OrganisationRow, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    sending = moment_of(day, organisation.sending_time, zone)
    return (
        min(moment_of(day, OPENS, zone), sending - AROUND_SENDING),
        max(moment_of(day, CLOSES, zone), sending + AROUND_SENDING),
    )
