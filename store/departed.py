"""What has left: how many reminders of an organisation went out since a moment, and which accounts heard then first.

Counted over all channels, and whoever has sent them. An attempt that certainly did not leave is not counted; one that
nobody knows about is. What was only tried out is counted apart (`diverted`), because nobody got it.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from store.tables import MessageRow


def since(session: Session, organisation_id: int, moment: datetime, *, diverted: bool) -> int:
    """How many reminders have left since then, each counted once however often it was tried."""
    query = select(func.count(func.distinct(col(MessageRow.reminder_id)))).where(
        *_left(organisation_id, moment, diverted=diverted)
    )
    return int(session.scalar(query) or 0)


def first_heard_since(session: Session, organisation_id: int, moment: datetime, *, diverted: bool) -> int:
    """How many accounts have been written to since then for the first time ever, as `written_to` counts it."""
    earlier = aliased(MessageRow)
    before = select(earlier.id).where(
        col(earlier.account_id) == MessageRow.account_id,
        col(earlier.created_at) < moment,
        col(earlier.sent_at).is_not(None),
        *(() if diverted else (col(earlier.diverted_to) == "",)),
    )
    query = select(func.count(func.distinct(col(MessageRow.account_id)))).where(
        *_left(organisation_id, moment, diverted=diverted), ~before.exists()
    )
    return int(session.scalar(query) or 0)


def written_to(session: Session, account_ids: Collection[int], *, diverted: bool) -> set[int]:
    """Those of these accounts that were sent something before; with `diverted` also what was only tried out."""
    found: set[int] = set()
    wanted = sorted(account_ids)
    for start in range(0, len(wanted), 500):
        query = select(col(MessageRow.account_id)).where(
            col(MessageRow.account_id).in_(wanted[start : start + 500]), col(MessageRow.sent_at).is_not(None)
        )
        if not diverted:
            query = query.where(col(MessageRow.diverted_to) == "")
        found.update(session.scalars(query.distinct()))
    return found


def _left(organisation_id: int, moment: datetime, *, diverted: bool) -> tuple[ColumnElement[bool], ...]:
    return (
        col(MessageRow.organisation_id) == organisation_id,
        col(MessageRow.created_at) >= moment,
        col(MessageRow.outcome).not_like("did not leave%"),
        col(MessageRow.diverted_to) != "" if diverted else col(MessageRow.diverted_to) == "",
    )
