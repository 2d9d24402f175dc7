"""The inbox: a post from outside is stored raw, and only then does anybody try to understand it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Column, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from store.tables import AccountRow, BookmarkRow, ContactRow, InvoiceRow, MessageRow, PostRow


def keep_post(session: Session, *, channel: str, event_id: str, raw: bytes, at: datetime) -> bool:
    """Stores a post once, whatever the provider repeats. False when we have it already."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    kept = session.execute(
        insert(PostRow)
        .values(channel=channel, event_id=event_id, raw=raw, received_at=at, problem="")
        .on_conflict_do_nothing(index_elements=["channel", "event_id"])
    )
    return bool(kept.rowcount == 1)


def bookmark(session: Session, name: str) -> str | None:
    """How far this mailbox has been collected."""
    row = session.get(BookmarkRow, name)
    return row.value if row else None


def set_bookmark(session: Session, name: str, value: str) -> None:
    """From here on the next collection goes on."""
    session.merge(BookmarkRow(name=name, value=value))


def not_understood(session: Session) -> Sequence[int]:
    """Posts that nobody has tried to understand yet, oldest first."""
    return session.scalars(
        select(PostRow.id)
        .where(col(PostRow.processed_at).is_(None), col(PostRow.problem) == "")
        .order_by(col(PostRow.id))
    ).all()


def messages_by_id(session: Session, message_ids: Iterable[str]) -> Sequence[MessageRow]:
    """Our own messages that carry one of these Message-IDs."""
    wanted = [name for name in message_ids if name]
    if not wanted:
        return []
    return session.scalars(select(MessageRow).where(col(MessageRow.message_id).in_(wanted))).all()


def accounts_of_numbers(session: Session, numbers: Iterable[str]) -> set[int]:
    """The accounts that own an invoice with one of these numbers."""
    wanted = sorted(set(numbers))[:500]
    query = select(InvoiceRow.account_id).where(col(InvoiceRow.number).in_(wanted), col(InvoiceRow.number) != "")
    return set(session.scalars(query))


def accounts_of_address(session: Session, address: str) -> set[int]:
    """The accounts that this email address belongs to."""
    if not address:
        return set()
    lower = address.lower()
    query = (
        select(AccountRow.id)
        .outerjoin(ContactRow, and_(col(ContactRow.account_id) == col(AccountRow.id)))
        .where(or_(_lower(col(AccountRow.email)) == lower, _lower(col(ContactRow.email)) == lower))
    )
    return set(session.scalars(query))


def _lower(column: Column) -> object:
    return func.lower(column)
