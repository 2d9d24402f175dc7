"""The people who use the product: their logins and what they may do for which organisation."""

from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlmodel import Session, col

from store.tables import MembershipRow, UserRow

SHORTEST_PASSWORD = 10


def add_user(session: Session, *, email: str, name: str, password: str, now: datetime) -> UserRow:
    """A new login. Raises ValueError with a sentence when the address is taken or the password too short."""
    email = email.strip().lower()
    if "@" not in email:
        raise ValueError(f"'{email}' is not an email address")
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"the password needs at least {SHORTEST_PASSWORD} characters")
    if session.scalars(select(UserRow).where(col(UserRow.email) == email)).one_or_none() is not None:
        raise ValueError(f"there is already a login for {email}")
    user = UserRow(
        email=email, name=name.strip() or email, password_hash=PasswordHasher().hash(password), created_at=now
    )
    session.add(user)
    session.flush()
    return user


def add_member(session: Session, *, user_id: int, organisation_id: int, role: str = "owner") -> None:
    """Lets a user work for an organisation."""
    session.merge(MembershipRow(user_id=user_id, organisation_id=organisation_id, role=role))
