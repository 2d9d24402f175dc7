"""Rings: a provider's word that something changed, kept until a reading of that ledger has answered it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from store.tables import ConnectionRow, RingRow


def keep_rings(session: Session, rings: Iterable[RingRow]) -> None:
    """Stores each ring once, whatever the provider repeats."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for ring in rings:
        session.execute(
            insert(RingRow)
            .values(**ring.model_dump(exclude={"id"}))
            .on_conflict_do_nothing(index_elements=["kind", "event_id"])
        )


def unanswered(session: Session, connection_id: int) -> Sequence[RingRow]:
    """The rings that no reading has answered yet, oldest first."""
    waiting = select(RingRow).where(col(RingRow.connection_id) == connection_id, col(RingRow.taken_at).is_(None))
    return session.scalars(waiting.order_by(col(RingRow.id))).all()


def tried(session: Session, rings: Sequence[RingRow], now: datetime) -> None:
    _set(session, [ring.id for ring in rings], tried_at=now)


def answered(session: Session, rings: Sequence[int], now: datetime) -> None:
    """A good reading began after these had rung."""
    _set(session, rings, taken_at=now)


def rung(session: Session) -> Sequence[tuple[int, str, datetime, datetime | None]]:
    """Every organisation whose ledger rang: its kind of ledger, since when it waits, and when it was last tried."""
    query = (
        select(
            ConnectionRow.organisation_id, ConnectionRow.kind, func.min(RingRow.received_at), func.max(RingRow.tried_at)
        )
        .join(ConnectionRow, col(ConnectionRow.id) == RingRow.connection_id)
        .where(col(RingRow.taken_at).is_(None), col(ConnectionRow.state) == "active")
        .group_by(col(ConnectionRow.organisation_id), col(ConnectionRow.kind))
    )
    return [tuple(row) for row in session.execute(query)]


def forget_rings(session: Session, before: datetime) -> None:
    """Old rings serve nobody: a provider repeats one for some days at most."""
    session.execute(delete(RingRow).where(col(RingRow.received_at) < before))


KEPT = timedelta(days=40)


def _set(session: Session, numbers: Iterable[int | None], **values: object) -> None:
    wanted = [number for number in numbers if number is not None]
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        session.execute(update(RingRow).where(col(RingRow.id).in_(some)).values(**values))
