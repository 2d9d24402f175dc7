"""Who may read which company's books, by Intuit's rules.

A person consents once; the app then holds an access token for an hour and a refresh token for a hundred days. The
refresh token is the same for about a day, then changes its value, and the old value soon dies: whoever comes with a
dead one, or twice at the same time, is told invalid_grant. Five years after the consent the grant ends whatever
happens. (https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0)
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.oauth import Refused

ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(days=100)
CODE_LASTS = timedelta(minutes=10)
GRANT_LASTS = timedelta(days=5 * 365)
SCOPES = frozenset({"com.intuit.quickbooks.accounting", "com.intuit.quickbooks.payment", "openid", "profile", "email"})


@dataclass(slots=True, eq=False)
class Grant:
    client_id: str
    realm: str
    scopes: tuple[str, ...]
    consented: datetime
    ended: bool = False


@dataclass(slots=True, eq=False)
class Code:
    grant: Grant
    redirect_uri: str
    issued: datetime
    used: bool = False


@dataclass(slots=True, eq=False)
class Token:
    """An access or a refresh token. `dies` is when a refresh token that has a successor stops to answer."""

    grant: Grant
    issued: datetime
    expires: datetime
    dies: datetime | None = None
    successor: str = ""


class Identity:
    def __init__(self, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now, self._new_id = now, new_id
        self.apps = {"sandbox-app": "sandbox-secret"}
        self.changes_after = timedelta(hours=24)
        self.old_lasts = timedelta(hours=1)
        self.replay_ends_grant = False
        self._codes: dict[str, Code] = {}
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._in_flight: set[str] = set()
        self._gate = threading.Lock()

    def scopes_of(self, asked: str) -> tuple[str, ...]:
        scopes = tuple(dict.fromkeys(asked.split()))
        if not scopes or not set(scopes) <= SCOPES:
            raise Refused("invalid_scope", f"“{asked}” is not a list of scopes; there are {', '.join(sorted(SCOPES))}.")
        return scopes

    def consent(self, *, client_id: str, realm: str, scopes: tuple[str, ...], redirect_uri: str) -> str:
        code = self._secret("AB")
        self._codes[code] = Code(Grant(client_id, realm, scopes, self._now()), redirect_uri, self._now())
        return code

    def exchange(self, form: dict[str, str], client_id: str) -> tuple[Grant, dict[str, object]]:
        code = self._codes.get(form.get("code", ""))
        if code is not None and code.used:
            code.grant.ended = True  # a code that comes twice may have been stolen
        if code is None or code.used or code.grant.client_id != client_id or self._now() > code.issued + CODE_LASTS:
            raise Refused("invalid_grant", "The authorisation code is unknown, used or expired.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise Refused("invalid_grant", "The redirect_uri is not the one the code was issued for.")
        code.used = True
        return code.grant, self._tokens(code.grant, self._new_refresh(code.grant))

    def refresh(self, token: str, client_id: str) -> tuple[Grant, dict[str, object]]:
        held, now = self._refresh.get(token), self._now()
        if held is None or held.grant.ended or held.grant.client_id != client_id:
            raise Refused("invalid_grant", "Incorrect Token type or clientID")
        if now >= min(held.expires, held.grant.consented + GRANT_LASTS):
            raise Refused("invalid_grant", "Token invalid: it has expired.")
        if held.dies is not None and now >= held.dies:
            held.grant.ended = held.grant.ended or self.replay_ends_grant
            raise Refused("invalid_grant", "Token invalid: it was replaced by a newer one.")
        if held.successor:
            token = held.successor
        elif now >= held.issued + self.changes_after:
            token = held.successor = self._new_refresh(held.grant)
            held.dies = now + self.old_lasts
        return held.grant, self._tokens(held.grant, token)

    @contextmanager
    def refreshing(self, token: str) -> Iterator[None]:
        """While one caller is being answered, another with the same token looks like a thief."""
        with self._gate:
            if token and token in self._in_flight:
                held = self._refresh.get(token)
                if held is not None and self.replay_ends_grant:
                    held.grant.ended = True
                raise Refused("invalid_grant", "The refresh token is being used by somebody else at this moment.")
            self._in_flight.add(token)
        try:
            yield
        finally:
            self._in_flight.discard(token)

    def hard_expiry(self, grant: Grant) -> int:
        """Seconds until the grant ends whatever happens."""
        return int((grant.consented + GRANT_LASTS - self._now()).total_seconds())

    def revoke(self, token: str) -> bool:
        held = self._refresh.get(token) or self._access.get(token)
        if held is None or held.grant.ended:
            return False
        held.grant.ended = True
        return True

    def end_grants(self) -> None:
        """As when the person disconnects the app inside QuickBooks."""
        for held in (*self._refresh.values(), *self._access.values()):
            held.grant.ended = True

    def access(self, token: str) -> Grant:
        held = self._access.get(token)
        if held is None or held.grant.ended or self._now() >= held.expires:
            raise Refused("invalid_token", f"Token expired: {token[:24]}", 401)
        return held.grant

    def _tokens(self, grant: Grant, refresh: str) -> dict[str, object]:
        now, access = self._now(), self._secret("eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..")
        self._access[access] = Token(grant, now, now + ACCESS_LASTS)
        return {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": int(ACCESS_LASTS.total_seconds()),
            "refresh_token": refresh,
            "x_refresh_token_expires_in": int((self._refresh[refresh].expires - now).total_seconds()),
        }

    def _new_refresh(self, grant: Grant) -> str:
        token, now = self._secret("RT1-"), self._now()
        self._refresh[token] = Token(grant, now, now + REFRESH_LASTS)
        return token

    def _secret(self, opening: str) -> str:
        return opening + hashlib.sha256(self._new_id().encode()).hexdigest()
