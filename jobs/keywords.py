"""STOP and START by text message: whoever sends the agreed word is taken at that word, before anybody has read it.

The word concerns the number that sent it, wherever it is known here, because the networks block it for all of us alike.
"""

from sqlalchemy import select
from sqlmodel import Session, col

from channels import medium_of
from engine.replies import Keyword, Reply, keyword_of
from engine.workflow import Channel
from jobs.office import Office
from jobs.stops import lift_in, stop_address
from store import stops
from store.callers import accounts_of
from store.tables import AccountRow, MessageRow, OrganisationRow, ReplyRow


def keyword_in(kind: str, reply: Reply) -> Keyword | None:
    """By the provider's word, else by ours. Only text messages have keywords."""
    if medium_of(kind) != Channel.SMS:
        return None
    return reply.keyword or keyword_of(reply.text)


def heed(unit: Session, office: Office, row: ReplyRow, keyword: Keyword) -> None:
    """Stops or lifts at once. Help is for a person to give."""
    if keyword is Keyword.HELP:
        return
    for organisation_id in who_knows(unit, row.sender):
        if keyword is Keyword.STOP:
            stop_address(
                unit,
                office,
                organisation_id=organisation_id,
                account_id=row.account_id if row.organisation_id == organisation_id else None,
                medium=Channel.SMS,
                address=row.sender,
                kind=stops.OPT_OUT,
                source="keyword",
                said=row.text.strip()[:100],
                by=row.sender,
                reply_id=row.id,
            )
        else:
            lift_in(
                unit,
                office,
                organisation_id=organisation_id,
                medium=Channel.SMS,
                address=row.sender,
                by=row.sender,
                why=f"they sent {row.text.strip()[:40]}",
                kinds=(stops.OPT_OUT,),
            )


def who_knows(unit: Session, number: str) -> list[int]:
    """The organisations that have this number or have sent something to it; all of them when none has."""
    accounts = accounts_of(unit, Channel.SMS, number)
    known = set(unit.scalars(select(AccountRow.organisation_id).where(col(AccountRow.id).in_(accounts))))
    known |= set(unit.scalars(select(MessageRow.organisation_id).where(col(MessageRow.to) == number)))
    if known:
        return sorted(known)
    return [int(number or 0) for number in unit.scalars(select(OrganisationRow.id).order_by(col(OrganisationRow.id)))]
