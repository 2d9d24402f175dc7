"""Doorbell: a ledger's provider rings to say that something changed, and the next reading finds out what.

Nothing of what rings is believed but that it rang: it is checked to be the provider's, put down, and answered at once.
Rings are collected for a little while, and then one reading answers them all. Without a doorbell everything works the
same, only later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from sqlalchemy import select, update
from sqlmodel import Session, col

from connector import Forged, Refused, Ring, open_doorbell
from jobs.containing import contained
from jobs.office import Office
from jobs.sync import sync
from store import rings
from store.tables import ConnectionRow, RingRow

log = structlog.get_logger()

TRY_AGAIN = timedelta(minutes=5)
"""A reading that answers rings and fails is tried again after this long, besides the usual readings."""


class Heard(Enum):
    """What to tell whoever rang."""

    KEPT = auto()
    FORGED = auto()
    NO_SUCH_DOOR = auto()


def hear(office: Office, kind: str, body: bytes, headers: Mapping[str, str]) -> Heard:
    """One post to the door of this kind of ledger, on its raw bytes; header names in lower case.

    What it says is kept before this returns. Organisations that we do not know are passed over.
    """
    if kind not in office.ledgers or (doorbell := open_doorbell(kind, office.ledgers[kind])) is None:
        return Heard.NO_SUCH_DOOR
    try:
        told = doorbell.rings(body, headers)
    except Forged:
        return Heard.FORGED
    except Refused as refused:
        # Rightly signed, so the provider must not send it again and again; what changed is read anyway, in time.
        log.warning("a post of the ledger was not understood", kind=kind, why=str(refused))
        return Heard.KEPT
    if told:
        with office.database.unit_of_work() as unit:
            _keep(unit, kind, told, office.clock())
    return Heard.KEPT


def answer(office: Office) -> None:
    """Reads every ledger that rang long enough ago for its neighbours to have rung too."""
    now = office.clock()
    with office.database.reading() as session:
        waiting = rings.rung(session)
    for organisation_id, kind, since, tried_at in waiting:
        due = since + office.webhooks.collects(kind) if tried_at is None else tried_at + TRY_AGAIN
        if due <= now and not office.stopping.is_set():
            with contained("the doorbell was not answered", organisation=organisation_id):
                sync(office, organisation_id, trigger="webhook")


def tidy(office: Office) -> None:
    """Forgets rings that are so old that no provider repeats them."""
    with office.database.unit_of_work() as unit:
        rings.forget_rings(unit, office.clock() - rings.KEPT)


def _keep(unit: Session, kind: str, told: tuple[Ring, ...], now: datetime) -> None:
    tenants = {ring.tenant for ring in told}
    query = select(ConnectionRow.tenant, ConnectionRow.id).where(
        col(ConnectionRow.kind) == kind, col(ConnectionRow.tenant).in_(tenants)
    )
    ours: dict[str, int] = dict(unit.execute(query).all())
    kept = [
        RingRow(
            kind=kind,
            event_id=ring.event_id,
            connection_id=ours[ring.tenant],
            list=ring.list,
            ledger_id=ring.ledger_id,
            rung_at=ring.at,
            received_at=now,
        )
        for ring in told
        if ring.tenant in ours and ring.list
    ]
    rings.keep_rings(unit, kept)
    unit.execute(update(ConnectionRow).where(col(ConnectionRow.id).in_(ours.values())).values(last_rung_at=now))
