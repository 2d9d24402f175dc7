"""The nightly check: once a day, in a quiet hour, every open invoice is compared with the ledger.

Some changes are in no ledger's list of changes: a new due date on a part-paid invoice, for one. Each organisation is
checked at a night hour of its own place, not all of them at the same minute. A daemon that was off that night does it
when it is back; and before the first reminder of a day the check must not be older than a day and a half.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import col

from connector import WHOLE_CHECK_DUE
from engine.calendars import civil_date, moment_of
from jobs.containing import contained
from jobs.office import Office
from jobs.sync import check
from store.tables import ConnectionRow, OrganisationRow

QUIET = time(2, 0)
SPREAD = 120
"""Minutes after the quiet hour over which organisations are spread."""

TRY_AGAIN = timedelta(hours=1)
TOO_OLD = timedelta(hours=36)


def check_due(office: Office) -> None:
    """Checks every organisation whose quiet hour has come, or whose ledger asks for it."""
    now = office.clock()
    for organisation, connection in _connected(office):
        asked = WHOLE_CHECK_DUE in (connection.cursor or {})
        if asked or _since(connection) < last_quiet_hour(organisation, now):
            _check(office, organisation)


def check_before_sending(office: Office, organisation_ids: set[int]) -> None:
    """Checks those of these organisations that were not checked lately: nothing is sent on books left to themselves."""
    now = office.clock()
    for organisation, connection in _connected(office):
        if organisation.id in organisation_ids and now - _since(connection) > TOO_OLD:
            _check(office, organisation)


def last_quiet_hour(organisation: OrganisationRow, now: datetime) -> datetime:
    """The organisation's own quiet minute that has passed last."""
    zone, spread = ZoneInfo(organisation.time_zone), timedelta(minutes=int(organisation.id or 0) * 37 % SPREAD)
    today = civil_date(now, zone)
    quiet = moment_of(today, QUIET, zone) + spread
    return quiet if quiet <= now else moment_of(today - timedelta(days=1), QUIET, zone) + spread


def _since(connection: ConnectionRow) -> datetime:
    """When the open ledger was last read whole: a first reading does it too."""
    known: datetime = connection.checked_at or connection.connected_at
    return max(known, connection.connected_at).astimezone(UTC)


def _connected(office: Office) -> list[tuple[OrganisationRow, ConnectionRow]]:
    """Those whose ledger can be asked now and has been read before."""
    now = office.clock()
    query = (
        select(OrganisationRow, ConnectionRow)
        .join(ConnectionRow, col(ConnectionRow.organisation_id) == col(OrganisationRow.id))
        .where(col(ConnectionRow.state) == "active", col(OrganisationRow.ledger_as_of).is_not(None))
    )
    with office.database.reading() as session:
        pairs = [(organisation, connection) for organisation, connection in session.execute(query)]
    return [pair for pair in pairs if (pair[1].not_before or now) <= now and _may_try(pair[1], now)]


def _may_try(connection: ConnectionRow, now: datetime) -> bool:
    return connection.check_tried_at is None or now - connection.check_tried_at >= TRY_AGAIN


def _check(office: Office, organisation: OrganisationRow) -> None:
    with contained("the ledger was not checked", organisation=organisation.id):
        check(office, int(organisation.id or 0))
