"""One worker at a time for one organisation, alike on both databases.

A lease runs out by itself, so a worker that died holds nobody up. Its generation is a fence: a worker that was only
asleep finds, when it wants to write, that another has taken over.
"""

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from store.rows import Question, is_sqlite, together
from store.tables import OrganisationRow


def one_at_a_time(session: Session, organisation_id: int) -> None:
    """Waits until no other unit of work is writing about this organisation; ours then goes first until it ends.

    Called before anything else is written, so that two units can never wait for each other. On SQLite there is one
    writer anyway; on PostgreSQL this is the row lock that keeps two looks at one account from crossing.
    """
    together(session, in_line(session, organisation_id))


def in_line(session: Session, organisation_id: int) -> list[Question]:
    """The same as a question to be asked before others in one trip; none where there is one writer anyway."""
    if is_sqlite(session):
        return []
    return [Question("SELECT id FROM organisations WHERE id = ? FOR NO KEY UPDATE", [organisation_id])]


def take_lease(session: Session, organisation_id: int, *, now: datetime, until: datetime) -> int | None:
    """The generation of the lease, or None when somebody else has it."""
    taken = session.execute(
        update(OrganisationRow)
        .where(
            col(OrganisationRow.id) == organisation_id,
            or_(col(OrganisationRow.lease_until).is_(None), col(OrganisationRow.lease_until) < now),
        )
        .values(lease_until=until, lease_generation=col(OrganisationRow.lease_generation) + 1)
    )
    if taken.rowcount != 1:
        return None
    return session.scalars(
        select(OrganisationRow.lease_generation).where(col(OrganisationRow.id) == organisation_id)
    ).one()


def renew_lease(session: Session, organisation_id: int, generation: int, *, until: datetime) -> bool:
    """Keeps the lease for longer. False when another has taken over."""
    renewed = session.execute(
        update(OrganisationRow)
        .where(col(OrganisationRow.id) == organisation_id, col(OrganisationRow.lease_generation) == generation)
        .values(lease_until=until)
    )
    return bool(renewed.rowcount == 1)


def end_lease(session: Session, organisation_id: int, generation: int) -> bool:
    """Gives the lease back. False when another has taken over meanwhile: then nothing may be written."""
    ended = session.execute(
        update(OrganisationRow)
        .where(col(OrganisationRow.id) == organisation_id, col(OrganisationRow.lease_generation) == generation)
        .values(lease_until=None)
    )
    return bool(ended.rowcount == 1)
