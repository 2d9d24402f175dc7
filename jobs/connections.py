"""Connections: what can be seen of them without asking a ledger, looked at in every round of checks.

A consent that ends soon needs a person in good time, also where nobody has renewed a key for weeks because nothing was
read. And a key file that was the wrong one for a while has put connections aside that are as good as before: once the
right one is back they are taken up again, and nobody has to consent anew.
"""

import structlog
from sqlalchemy import select
from sqlmodel import col

from connector import ConsentNeeded
from jobs.containing import contained
from jobs.ledgers import CANNOT_OPEN, KeptGrant, heed_the_end
from jobs.office import Office
from store import audit
from store.leases import one_at_a_time
from store.tables import ConnectionRow
from store.tasks import close_task

log = structlog.get_logger()


def look_at_connections(office: Office) -> None:
    """Warns of consents that end soon, and takes up connections whose grant can be opened again."""
    with office.database.reading() as session:
        connections = session.scalars(select(ConnectionRow).order_by(col(ConnectionRow.id))).all()
    for connection in connections:
        with contained("connection not looked at", connection=connection.id):
            _look_at(office, connection)


def _look_at(office: Office, connection: ConnectionRow) -> None:
    shut = connection.state != "active"
    if shut and not _only_shut(connection):
        return
    try:
        grant, _ = KeptGrant(office, int(connection.id or 0), connection.organisation_id).load()
    except ConsentNeeded:
        return  # whoever wants to use it is told, and tells a person
    if shut:
        _take_up_again(office, connection)
    heed_the_end(office, connection.organisation_id, grant)


def _only_shut(connection: ConnectionRow) -> bool:
    """It was put aside because its grant could not be opened, and for no other reason."""
    return connection.state == "needs consent" and connection.why.startswith(CANNOT_OPEN)


def _take_up_again(office: Office, connection: ConnectionRow) -> None:
    now, name = office.clock(), connection.tenant_name or connection.kind
    with office.database.unit_of_work() as unit:
        one_at_a_time(unit, connection.organisation_id)
        row = unit.get(ConnectionRow, connection.id, populate_existing=True)
        if row is None or not _only_shut(row):
            return  # somebody has connected anew, or left, in the meantime
        row.state, row.why = "active", ""
        close_task(unit, organisation_id=row.organisation_id, key="connection", at=now, by="arrears")
        what = "connection taken up again: its grant can be opened with the key file that is there now"
        audit.record(unit, organisation_id=row.organisation_id, at=now, by="arrears", what=what, ledger=name)
    log.warning(
        "the key file opens the grant again; the connection is taken up, and nobody has to connect anew",
        organisation=connection.organisation_id,
        ledger=name,
    )
