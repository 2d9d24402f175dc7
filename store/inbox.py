"""The inbox: a post from outside is stored raw, and only then does anybody try to understand it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from store.tables import BookmarkRow, InvoiceRow, MessageRow, PostRow, ReplyRow

_ASIDE = (col(PostRow.processed_at).is_(None), col(PostRow.problem) != "")

TRIPPED = "It tripped us each time it was tried."
"""The problem of a post that may be a sound one: whatever else went wrong may be over an hour later."""


def keep_post(session: Session, *, channel: str, event_id: str, raw: bytes, at: datetime, problem: str = "") -> bool:
    """Stores a post once, whatever the provider repeats. False when we have it already.

    With a `problem` it is kept for a person, and read by nobody.
    """
    return keep_posts(session, channel, [(event_id, raw, problem)], at) == 1


def keep_posts(session: Session, channel: str, posts: Sequence[tuple[str, bytes, str]], at: datetime) -> int:
    """Stores several, each as its event's id, its bytes and its problem. Returns how many were new.

    Strangers write the Message-ID that a name is made of, and PostgreSQL takes no text with a zero byte: without one
    that mail comes in, where it would otherwise be turned away until its provider gives up. Its bytes stay as they are.
    """
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    kept = 0
    for event_id, raw, problem in posts:
        row = {"event_id": event_id.replace("\0", "\ufffd"), "raw": raw, "problem": problem.replace("\0", "\ufffd")}
        statement = insert(PostRow).values(channel=channel, received_at=at, attempts=0, **row)
        once = statement.on_conflict_do_nothing(index_elements=["channel", "event_id"]).returning(col(PostRow.id))
        kept += session.execute(once).first() is not None
    return kept


class Aside(NamedTuple):
    """The posts of one channel that wait for a person, because nobody could read or would believe them."""

    posts: int
    bytes: int


def set_aside(session: Session, channel: str) -> Aside:
    query = select(func.count(), func.coalesce(func.sum(func.length(PostRow.raw)), 0)).where(
        col(PostRow.channel) == channel, *_ASIDE
    )
    return Aside(*session.execute(query).one())


def count_aside(session: Session) -> int:
    """How many posts of all channels wait for a person."""
    return int(session.scalar(select(func.count()).select_from(PostRow).where(*_ASIDE)) or 0)


def all_aside(session: Session, limit: int = 50) -> Sequence[Any]:
    """Those of every channel without their content, the newest first: id, channel, moment, problem and size."""
    query = select(
        PostRow.id, PostRow.channel, PostRow.received_at, PostRow.problem, func.length(PostRow.raw).label("size")
    )
    return session.execute(query.where(*_ASIDE).order_by(col(PostRow.id).desc()).limit(limit)).all()


def post_aside(session: Session, post_id: int) -> PostRow | None:
    """One of those, with its content."""
    return session.scalars(select(PostRow).where(col(PostRow.id) == post_id, *_ASIDE)).one_or_none()


def forget_events(session: Session, before: datetime, *, at_once: int = 500) -> int:
    """Lets go of what providers told of deliveries, once it is understood and old. Replies are kept, files and all."""
    old: Any = (
        select(PostRow.id)
        .outerjoin(ReplyRow, col(ReplyRow.post_id) == PostRow.id)
        .where(col(PostRow.processed_at) < before, col(PostRow.problem) == "", col(ReplyRow.id).is_(None))
        .limit(at_once)
    )
    chosen = list(session.scalars(old))
    return int(session.execute(delete(PostRow).where(col(PostRow.id).in_(chosen))).rowcount) if chosen else 0


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


def tripped(session: Session) -> Sequence[PostRow]:
    """Posts that tripped us each time, oldest first: a person is asked to read them, and we may try them again."""
    query = select(PostRow).where(col(PostRow.processed_at).is_(None), col(PostRow.problem) == TRIPPED)
    return session.scalars(query.options(defer(col(PostRow.raw))).order_by(col(PostRow.id))).all()


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
        .where(col(PostRow.id) == post_id, col(PostRow.processed_at).is_(None), col(PostRow.problem).in_(("", TRIPPED)))
        .with_for_update(key_share=True)
    ).one_or_none()


def messages_by_id(session: Session, message_ids: Iterable[str]) -> Sequence[MessageRow]:
    """Our own messages that carry one of these Message-IDs, ours or the one that their provider gave them."""
    wanted = [name for name in message_ids if name][:200]
    if not wanted:
        return []
    ours = or_(col(MessageRow.message_id).in_(wanted), col(MessageRow.seen_as).in_(wanted))
    return session.scalars(select(MessageRow).where(ours).order_by(col(MessageRow.id).desc())).all()


def accounts_of_numbers(session: Session, numbers: Iterable[str]) -> set[int]:
    """The accounts that own an invoice with one of these numbers."""
    wanted = sorted(set(numbers))[:500]
    query = select(InvoiceRow.account_id).where(col(InvoiceRow.number).in_(wanted), col(InvoiceRow.number) != "")
    return set(session.scalars(query))
