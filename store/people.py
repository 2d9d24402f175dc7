"""The people who use the product: their logins and what they may do for which organisation."""

from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import delete, select
from sqlmodel import Session, col

from store.tables import MembershipRow, SessionRow, UserRow

SHORTEST_PASSWORD = 10


def add_user(session: Session, *, email: str, name: str, password: str, now: datetime) -> UserRow:
    """A new login. Raises ValueError with a sentence when the address is taken or the password too short."""
    email = email.strip().lower()
    if "@" not in email:
        raise ValueError(f"'{email}' is not an email address")
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"the password needs at least {SHORTEST_PASSWORD} characters")
    if user_of(session, email) is not None:
        raise ValueError(f"there is already a login for {email}")
    user = UserRow(
        email=email, name=name.strip() or email, password_hash=PasswordHasher().hash(password), created_at=now
    )
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, user: UserRow, password: str) -> None:
    """A new password; whoever is signed in with the old one has to sign in again. Raises ValueError with a sentence."""
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"the password needs at least {SHORTEST_PASSWORD} characters")
    user.password_hash = PasswordHasher().hash(password)
    user.failed_sign_ins, user.locked_until = 0, None
    session.execute(delete(SessionRow).where(col(SessionRow.user_id) == user.id))


def user_of(session: Session, email: str) -> UserRow | None:
    """The login of this address, if there is one."""
    return session.scalars(select(UserRow).where(col(UserRow.email) == email.strip().lower())).one_or_none()


def add_member(session: Session, *, user_id: int, organisation_id: int, role: str = "owner") -> None:
    """Lets a user work for an organisation."""
    session.merge(MembershipRow(user_id=user_id, organisation_id=organisation_id, role=role))
