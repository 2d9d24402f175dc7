"""Who is at the desk: a signed-in browser is known by a random key, of which only a hash is kept.

The key is renewed at every sign-in, is forgotten after half an hour without a visit and after twelve hours at the
latest, and opens nothing in a stolen copy of the database.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from jobs.office import Office
from store.tables import MembershipRow, OrganisationRow, SessionRow, UserRow

IDLE = timedelta(minutes=30)
AT_THE_LATEST = timedelta(hours=12)
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Signed:
    """A browser whose session holds: whose it is, and the organisations that this user may look at, with the role."""

    user_id: int
    name: str
    session: str
    csrf: str
    organisation: OrganisationRow | None
    role: str
    organisations: tuple[tuple[int, str], ...]
    roles: tuple[str, ...]
    sees_every_organisation: bool


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def begin(session: Session, user_id: int, *, now: datetime, replaces: str | None) -> str:
    """Signs this user in and returns the new key. A key that the browser had before is worth nothing from now on."""
    if replaces:
        end(session, replaces)
    session.execute(delete(SessionRow).where(col(SessionRow.seen_at) < now - AT_THE_LATEST))
    key = secrets.token_urlsafe(32)
    session.add(
        SessionRow(key_hash=hashed(key), user_id=user_id, csrf=secrets.token_urlsafe(32), created_at=now, seen_at=now)
    )
    return key


def end(session: Session, key: str) -> None:
    """Signs out: the key is forgotten, wherever a copy of it may be."""
    session.execute(delete(SessionRow).where(col(SessionRow.key_hash) == hashed(key)))


def signed_in(office: Office, key: str) -> Signed | None:
    """Whose key this is, if its time is not up; and notes that it was used."""
    now = office.clock()
    with office.database.reading() as reading:
        found = reading.execute(
            select(SessionRow, UserRow)  # type: ignore[call-overload]
            .join(UserRow, col(UserRow.id) == SessionRow.user_id)
            .where(col(SessionRow.key_hash) == hashed(key))
        ).one_or_none()
        if found is None or _is_over(found[0], now):
            return None
        row, user = found
        books = reading.execute(
            select(OrganisationRow, MembershipRow.role)  # type: ignore[call-overload]
            .join(MembershipRow, col(MembershipRow.organisation_id) == OrganisationRow.id)
            .where(col(MembershipRow.user_id) == user.id)
            .order_by(OrganisationRow.name, OrganisationRow.id)
        ).all()
        everything = reading.scalars(select(func.count()).select_from(OrganisationRow)).one()
    if now - row.seen_at > _NOTED_EVERY:
        with office.database.unit_of_work() as unit:
            unit.execute(update(SessionRow).where(col(SessionRow.key_hash) == row.key_hash).values(seen_at=now))
    current = next((book for book in books if book[0].id == row.organisation_id), books[0] if books else None)
    return Signed(
        user_id=user.id,
        name=user.name or user.email,
        session=row.key_hash,
        csrf=row.csrf,
        organisation=current[0] if current else None,
        role=current[1] if current else "",
        organisations=tuple((book[0].id, book[0].name) for book in books),
        roles=tuple(book[1] for book in books),
        sees_every_organisation=len(books) == everything,
    )


def _is_over(row: SessionRow, now: datetime) -> bool:
    return now - row.seen_at > IDLE or now - row.created_at > AT_THE_LATEST


def show(session: Session, key_hash: str, organisation_id: int) -> None:
    """Shows this organisation from now on. One that the user has no business with is not shown all the same."""
    session.execute(
        update(SessionRow).where(col(SessionRow.key_hash) == key_hash).values(organisation_id=organisation_id)
    )


def cookie_name(office: Office) -> str:
    """Over https the name itself makes the browser refuse a cookie that another host has planted."""
    return "__Host-arrears" if office.public_url.startswith("https://") else "arrears"


def key_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request.app.state.office))


def hand_out(response: Response, office: Office, name: str, value: str) -> None:
    """A cookie for this visit only, out of reach of scripts and of other sites' forms."""
    https = office.public_url.startswith("https://")
    response.set_cookie(name, value, path="/", secure=https, httponly=True, samesite="lax")


def take_back(response: Response, office: Office, name: str) -> None:
    https = office.public_url.startswith("https://")
    response.delete_cookie(name, path="/", secure=https, httponly=True, samesite="lax")


def same(said: str, known: str) -> bool:
    """Whether two secrets are alike, in a time that does not tell how much of them is."""
    return bool(known) and hmac.compare_digest(said.encode(), known.encode())
