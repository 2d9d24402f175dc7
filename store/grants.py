"""Where the grant to a ledger is kept: sealed, one row a connection, renewed by compare-and-set.

Two workers that renew a grant at once can lose it for good, so one marks the row first and the others wait. The new
pair is committed before anybody uses it. Each function is a transaction of its own.
"""

from datetime import datetime

from sqlalchemy import or_, update
from sqlmodel import Session, col

from store.database import Database
from store.secrets import Vault
from store.tables import ConnectionRow


def place_of(kind: str, tenant: str) -> str:
    """The place that a sealed grant is bound to."""
    return f"grant of {kind} {tenant}"


def load_grant(database: Database, vault: Vault, connection_id: int) -> tuple[str, int]:
    """The opened grant and its generation. Raises LookupError when the connection is gone."""
    with database.reading() as session:
        connection = session.get(ConnectionRow, connection_id)
        if connection is None or not connection.sealed_grant:
            raise LookupError(f"the connection number {connection_id} has no grant; connect again")
        return vault.open(connection.sealed_grant, place_of(connection.kind, connection.tenant)), connection.generation


def begin_refresh(database: Database, connection_id: int, *, generation: int, now: datetime, until: datetime) -> bool:
    """Marks that this worker renews this generation."""
    with database.unit_of_work() as session:
        marked = session.execute(
            update(ConnectionRow)
            .where(
                col(ConnectionRow.id) == connection_id,
                col(ConnectionRow.generation) == generation,
                or_(col(ConnectionRow.refreshing_until).is_(None), col(ConnectionRow.refreshing_until) < now),
            )
            .values(refreshing_until=until)
        )
        return bool(marked.rowcount == 1)


def keep_grant(
    database: Database,
    vault: Vault,
    connection_id: int,
    *,
    generation: int,
    grant: str,
    access_expires_at: datetime,
    refresh_expires_at: datetime | None,
) -> bool:
    """Stores the successor of this generation. False when another was stored before."""
    with database.unit_of_work() as session:
        connection = session.get(ConnectionRow, connection_id)
        if connection is None:
            return False
        kept = session.execute(
            update(ConnectionRow)
            .where(col(ConnectionRow.id) == connection_id, col(ConnectionRow.generation) == generation)
            .values(
                sealed_grant=vault.seal(grant, place_of(connection.kind, connection.tenant)),
                generation=generation + 1,
                refreshing_until=None,
                access_expires_at=access_expires_at,
                refresh_expires_at=refresh_expires_at,
            )
        )
        return bool(kept.rowcount == 1)


def end_refresh(database: Database, connection_id: int, *, generation: int) -> None:
    """Takes the mark away after a refresh that failed."""
    with database.unit_of_work() as session:
        session.execute(
            update(ConnectionRow)
            .where(col(ConnectionRow.id) == connection_id, col(ConnectionRow.generation) == generation)
            .values(refreshing_until=None)
        )


def mark_lost(session: Session, connection_id: int, why: str) -> None:
    """A person has to connect again. The grant itself is kept: it may yet prove to be the provider's mistake."""
    session.execute(
        update(ConnectionRow)
        .where(col(ConnectionRow.id) == connection_id)
        .values(state="needs consent", why=why, refreshing_until=None)
    )
