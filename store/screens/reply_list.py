"""The replies: those to read, those that nobody could match to an account, and the accounts they may belong to."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlmodel import Session, col

from engine.replies import ReplyKind
from store.screens._owing import OPEN
from store.screens.account_list import found_by
from store.tables import AccountRow, InvoiceRow, ReplyRow


class Heard(NamedTuple):
    """A reply, with the name of its account ("" while nobody knows whose it is)."""

    reply: ReplyRow
    account: str

    @property
    def seems(self) -> list[str]:
        """What it seems to say, as far as nobody has decided about it."""
        return [one["kind"] for one in self.reply.suggestions if one["state"] == "open"]


def replies(
    session: Session, organisation_id: int, which: str = "all", *, adrift: bool = False, limit: int = 50
) -> tuple[Heard, ...]:
    """Replies, the newest first: `all`, or those that are `unread`, `unmatched` or `done`.

    What a machine wrote needs no reading once its account is known. `adrift` adds the replies that could not even be
    given to an organisation.
    """
    known, unseen = col(ReplyRow.account_id).is_not(None), col(ReplyRow.read_at).is_(None)
    unread = and_(known, unseen, col(ReplyRow.kind) == ReplyKind.HUMAN)
    unmatched = and_(~known, unseen)
    where = {"all": true(), "unread": unread, "unmatched": unmatched, "done": and_(~unread, ~unmatched)}[which]
    query: Any = select(ReplyRow, func.coalesce(AccountRow.name, ""))
    query = query.outerjoin(AccountRow, col(AccountRow.id) == ReplyRow.account_id)
    query = query.where(_ours(organisation_id, adrift=adrift), where)
    newest = query.order_by(col(ReplyRow.received_at).desc(), col(ReplyRow.id).desc()).limit(limit)
    return tuple(Heard(*row) for row in session.execute(newest))


def reply(session: Session, organisation_id: int, reply_id: int, *, adrift: bool) -> ReplyRow | None:
    query = select(ReplyRow).where(col(ReplyRow.id) == reply_id, _ours(organisation_id, adrift=adrift))
    return session.scalars(query).one_or_none()


def _ours(organisation_id: int, *, adrift: bool) -> ColumnElement[bool]:
    mine = col(ReplyRow.organisation_id) == organisation_id
    return or_(mine, col(ReplyRow.organisation_id).is_(None)) if adrift else mine


def open_invoices(session: Session, organisation_id: int, account_id: int) -> list[InvoiceRow]:
    """What this account owes, the oldest first: what a dispute can be about."""
    query = select(InvoiceRow).where(
        col(InvoiceRow.organisation_id) == organisation_id, col(InvoiceRow.account_id) == account_id, *OPEN
    )
    return list(session.scalars(query.order_by(col(InvoiceRow.due_on), col(InvoiceRow.id)).limit(200)))


def accounts_like(session: Session, organisation_id: int, find: str, *, ids: Iterable[int] = ()) -> list[AccountRow]:
    """Accounts to choose from: those named by their numbers, and up to twenty that a search finds."""
    wanted = [col(AccountRow.id).in_(list(ids)), *(found_by(find) if find else [])]
    query = select(AccountRow).where(
        col(AccountRow.organisation_id) == organisation_id, col(AccountRow.merged_into).is_(None), or_(*wanted)
    )
    return list(session.scalars(query.order_by(AccountRow.name).limit(20)))
