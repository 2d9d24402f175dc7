"""The lock on the door: the right password opens it, and guessing gets slower with every wrong one.

Two clocks run. Each network address that keeps guessing waits longer and longer, up to a quarter of an hour. Each
login waits too, but a minute at most: nobody can lock its owner out, and an attacker with one address is stopped by
the first clock long before. A login that does not exist costs the same time and gets the same answer as a wrong
password.
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlmodel import Session, col

from store.tables import UserRow

_FREE_TRIES = 5
_LOGIN_WAITS = timedelta(minutes=1)
_ADDRESS_WAITS = timedelta(minutes=15)
_REMEMBERED = 20_000
_PATIENCE = 3.0
_AT_ONCE = 2
"""Checking a password takes 64 MiB of memory on purpose; a flood of guesses must not take it all."""


def wait_after(failures: int, most: timedelta) -> timedelta:
    """Nothing for the first tries, then 1, 2, 4 … seconds."""
    over = failures - _FREE_TRIES
    return timedelta() if over < 0 else min(most, timedelta(seconds=2 ** min(over, 12)))


@dataclass(slots=True)
class _Failures:
    """Wrong passwords by a key, in memory. The longest untouched are forgotten first."""

    most: timedelta
    seen: OrderedDict[str, tuple[int, datetime]] = field(default_factory=OrderedDict)

    def wait(self, key: str, now: datetime) -> timedelta:
        count, last = self.seen.get(key, (0, now))
        return max(timedelta(), last + wait_after(count, self.most) - now)

    def add(self, key: str, now: datetime) -> None:
        count, last = self.seen.pop(key, (0, now))
        # Whoever has stayed away for an hour begins anew.
        self.seen[key] = (1 if now - last > timedelta(hours=1) else count + 1, now)
        while len(self.seen) > _REMEMBERED:
            self.seen.popitem(last=False)


class Busy(Exception):
    """More people are signing in at once than this machine checks. They may try again in a moment."""


class Guard:
    """One installation's memory of wrong passwords. Logins that do not exist are remembered like those that do."""

    def __init__(self) -> None:
        self._addresses = _Failures(_ADDRESS_WAITS)
        self._logins = _Failures(_LOGIN_WAITS)
        self._lock = threading.Lock()
        self._checking = threading.BoundedSemaphore(_AT_ONCE)
        # A hash that no password fits, so that a login that does not exist takes as long to check as a real one.
        self._nobodys = PasswordHasher().hash(secrets.token_urlsafe(32))

    def wait(self, session: Session, email: str, address: str, now: datetime) -> timedelta:
        """How long this address, or anybody who tries this login, has to wait."""
        until = session.scalars(
            select(UserRow.locked_until).where(col(UserRow.email) == tidy(email))  # type: ignore[call-overload]
        ).one_or_none()
        kept = max(timedelta(), until - now) if until else timedelta()
        with self._lock:
            return max(kept, self._addresses.wait(address, now), self._logins.wait(_short(email), now))

    def sign_in(self, session: Session, email: str, password: str) -> UserRow | None:
        """The user whose password this is, else None, in the same time. Reads only. Raises Busy."""
        user = session.scalars(select(UserRow).where(col(UserRow.email) == tidy(email))).one_or_none()
        if not self._checking.acquire(timeout=_PATIENCE):
            raise Busy
        try:
            right = _verified(user.password_hash if user else self._nobodys, password)
        finally:
            self._checking.release()
        return user if right else None

    def failed(self, session: Session, email: str, address: str, now: datetime) -> None:
        """Remembers a wrong password. Called after the answer has gone, so that its time says nothing."""
        with self._lock:
            self._addresses.add(address, now)
            self._logins.add(_short(email), now)
            count = self._logins.seen[_short(email)][0]
        session.execute(
            update(UserRow)
            .where(col(UserRow.email) == tidy(email))
            .values(failed_sign_ins=count, locked_until=now + wait_after(count, _LOGIN_WAITS))
        )

    def succeeded(self, session: Session, email: str) -> None:
        """The right password wipes the login's slate, not the address's: it may be guessing at others."""
        with self._lock:
            self._logins.seen.pop(_short(email), None)
        session.execute(
            update(UserRow).where(col(UserRow.email) == tidy(email)).values(failed_sign_ins=0, locked_until=None)
        )


def tidy(email: str) -> str:
    return email.strip().lower()


def _short(email: str) -> str:
    return hashlib.sha256(tidy(email).encode()).hexdigest()


def _verified(kept: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
