"""Stopped addresses: nothing is sent where mails came back, somebody complained, or people have asked us to stop.

A stop is about one address and one medium of one organisation. It is set by evidence and lifted by a person, or by the
debtor's own START; it is never deleted, so that anybody can see later why something was not sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from engine.calendars import civil_date
from engine.words import in_words
from store.leases import one_at_a_time
from store.tables import AddressStopRow

OPT_OUT, BOUNCE, COMPLAINT, WRONG_NUMBER = "opt-out", "bounce", "complaint", "wrong number"

_BECAUSE = {
    OPT_OUT: "they asked us to stop on {}",
    BOUNCE: "it bounced on {}",
    COMPLAINT: "a message was reported as unwanted on {}",
    WRONG_NUMBER: "it turned out to be a wrong number on {}",
}


def stopped(session: Session, organisation_id: int, medium: str, address: str) -> AddressStopRow | None:
    """The stop that is in force for this address (`email`: any case; else a number in the form of E.164), if any."""
    return stopped_among(session, organisation_id, medium, [address]).get(plainly(address))


def stopped_among(
    session: Session, organisation_id: int, medium: str, addresses: Iterable[str]
) -> Mapping[str, AddressStopRow]:
    """The stops in force for these addresses, by the address in lower case. One query."""
    wanted = sorted({plainly(address) for address in addresses if address})
    if not wanted:
        return {}
    query = select(AddressStopRow).where(*_in_force(organisation_id, medium), col(AddressStopRow.address).in_(wanted))
    return {row.address: row for row in session.scalars(query.order_by(col(AddressStopRow.id).desc()))}


def stopped_numbers(session: Session, organisation_id: int, medium: str) -> Mapping[str, AddressStopRow]:
    """Every stop in force for this medium, by its address."""
    query = select(AddressStopRow).where(*_in_force(organisation_id, medium))
    return {row.address: row for row in session.scalars(query)}


def stop(
    session: Session,
    *,
    organisation_id: int,
    medium: str,
    address: str,
    kind: str,
    source: str,
    at: datetime,
    said: str = "",
    by: str = "",
    reply_id: int | None = None,
    message_id: int | None = None,
) -> bool:
    """Stops an address; the same reason given twice stops it once. False when nothing was left to do.

    What is told of one message stops an address once: after a person has lifted that stop, it is old news.
    """
    one_at_a_time(session, organisation_id)
    in_force = col(AddressStopRow.lifted_at).is_(None)
    query = select(AddressStopRow.id).where(
        col(AddressStopRow.organisation_id) == organisation_id,
        col(AddressStopRow.medium) == medium,
        col(AddressStopRow.address) == plainly(address),
        col(AddressStopRow.kind) == kind,
        in_force if message_id is None else or_(in_force, col(AddressStopRow.message_id) == message_id),
    )
    if not address or session.scalars(query).first() is not None:
        return False
    session.add(
        AddressStopRow(
            organisation_id=organisation_id,
            medium=medium,
            address=plainly(address),
            kind=kind,
            source=source,
            said=said[:500],
            since=at,
            by=by,
            reply_id=reply_id,
            message_id=message_id,
        )
    )
    session.flush()
    return True


def lift(
    session: Session,
    *,
    organisation_id: int,
    medium: str,
    address: str,
    at: datetime,
    by: str,
    why: str,
    kinds: Sequence[str] = (OPT_OUT, BOUNCE, COMPLAINT, WRONG_NUMBER),
) -> int:
    """Lifts the stops of these kinds on an address. Returns how many there were."""
    lifted = session.execute(
        update(AddressStopRow)
        .where(
            *_in_force(organisation_id, medium),
            col(AddressStopRow.address) == plainly(address),
            col(AddressStopRow.kind).in_(kinds),
        )
        .values(lifted_at=at, lifted_by=by, lifted_why=why[:500])
    )
    return int(lifted.rowcount)


def in_a_sentence(address: str, kind: str, on: date) -> str:
    """`the address mia@cafe.example is stopped: it bounced on 3 March 2026`, without a full stop."""
    what = "number" if address.startswith("+") else "address"
    return f"the {what} {address} is stopped: {_BECAUSE.get(kind, f'{kind} on {{}}').format(in_words(on))}"


def why_stopped(row: AddressStopRow, time_zone: str) -> str:
    """The same of one row, on the organisation's own calendar."""
    return in_a_sentence(row.address, row.kind, civil_date(row.since, ZoneInfo(time_zone)))


def why_left_out(row: AddressStopRow, time_zone: str) -> str:
    """`Nothing went to mia@cafe.example: it bounced on 3 March 2026.`"""
    on = in_words(civil_date(row.since, ZoneInfo(time_zone)))
    return f"Nothing went to {row.address}: {_BECAUSE.get(row.kind, f'{row.kind} on {{}}').format(on)}."


def plainly(address: str) -> str:
    """The form in which addresses are compared: upper and lower case are alike everywhere."""
    return address.strip().lower()


def _in_force(organisation_id: int, medium: str) -> tuple[object, ...]:
    return (
        col(AddressStopRow.organisation_id) == organisation_id,
        col(AddressStopRow.medium) == medium,
        col(AddressStopRow.lifted_at).is_(None),
    )
