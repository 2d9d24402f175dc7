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
        .values(channel=channel, event_id=event_id, raw=raw, received_at=at, problem="", attempts=0)
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


def forget_bookmark(session: Session, name: str) -> None:
    """The matter of this bookmark is over."""
    row = session.get(BookmarkRow, name)
    if row is not None:
        session.delete(row)


def not_understood(session: Session) -> Sequence[int]:
    """Posts that nobody has understood and nobody has given up on, oldest first."""
    return session.scalars(
        select(PostRow.id)
        .where(col(PostRow.processed_at).is_(None), col(PostRow.problem) == "")
        .order_by(col(PostRow.id))
    ).all()


def try_post(session: Session, post_id: int) -> PostRow | None:
    """Counts one more try, before the try: a post that kills us is counted too. None when it is settled already."""
    post = post_alone(session, post_id)
    if post is not None:
        post.attempts += 1
    return post


def post_alone(session: Session, post_id: int) -> PostRow | None:
    """The post, if it is still to be understood; other workers wait until this unit is over."""
    return session.scalars(
        select(PostRow)
        .where(col(PostRow.id) == post_id, col(PostRow.processed_at).is_(None), col(PostRow.problem) == "")
        .with_for_update(key_share=True)
    ).one_or_none()


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
