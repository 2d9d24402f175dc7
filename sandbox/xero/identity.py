"""Who may read which firm's ledger: consent, tokens and connections, by Xero's rules.

A person consents once; the app then holds a short-lived access token (30 minutes) and a refresh token that changes at
each use. If the answer to a refresh is lost on its way, the old refresh token answers for 30 more minutes, but not
once its successor has been used: that proves the answer arrived. Unused for 60 days, a grant is gone.
(https://developer.xero.com/documentation/guides/oauth2/token-types/)
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.oauth import Refused

ACCESS_LASTS = timedelta(minutes=30)
REFRESH_LASTS = timedelta(days=60)
GRACE = timedelta(minutes=30)
CODE_LASTS = timedelta(minutes=5)
CUSTOM_APP = "sandbox-custom"
"""A Custom Connection: an app made for one firm, which fetches its keys by itself and asks nobody."""

_BOTH = ("invoices", "payments", "banktransactions", "manualjournals", "contacts", "settings", "attachments", "budgets")
_REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "taxreports",
    "trialbalance",
)
SCOPES = frozenset(
    ["openid", "profile", "email", "offline_access"]
    + [f"accounting.{name}{ending}" for name in _BOTH for ending in ("", ".read")]
    + [f"accounting.reports.{name}.read" for name in _REPORTS]
)


@dataclass(slots=True, eq=False)
class Grant:
    id: str
    client_id: str
    scopes: tuple[str, ...]
    event: str
    ended: bool = False
    custom: bool = False


@dataclass(slots=True, eq=False)
class Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    issued: datetime
    used: bool = False


@dataclass(slots=True, eq=False)
class Access:
    grant: Grant
    expires: datetime


@dataclass(slots=True, eq=False)
class Refresh:
    grant: Grant
    issued: datetime
    rotated: datetime | None = None
    successors: list["Refresh"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Connection:
    id: str
    tenant: str
    event: str
    created: datetime
    updated: datetime


class Identity:
    def __init__(self, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now, self._new_id = now, new_id
        self.apps = {"sandbox-app": "sandbox-secret", CUSTOM_APP: "sandbox-secret"}
        self.connections: dict[str, Connection] = {}
        self._codes: dict[str, Code] = {}
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Refresh] = {}

    # --- consent

    def scopes_of(self, asked: str) -> tuple[str, ...]:
        scopes = tuple(dict.fromkeys(asked.split()))
        if not scopes:
            raise Refused("invalid_scope", "No scope was asked for.")
        for scope in scopes:
            if scope not in SCOPES:
                raise Refused(
                    "invalid_scope", f"The scope “{scope}” is not available to apps created after 2 March 2026."
                )
        return scopes

    def consent(
        self, *, client_id: str, scopes: tuple[str, ...], redirect_uri: str, challenge: str, tenant: str
    ) -> str:
        if client_id == CUSTOM_APP:
            raise Refused("unauthorized_client", "A Custom Connection does not ask for consent in the browser.")
        grant = Grant(self._new_id(), client_id, scopes, event=self._new_id())
        self._connect(tenant, grant.event)
        code = self._secret("code")
        self._codes[code] = Code(grant, redirect_uri, challenge, self._now())
        return code

    def _connect(self, tenant: str, event: str) -> None:
        now = self._now()
        for connection in self.connections.values():
            if connection.tenant == tenant:
                connection.event, connection.updated = event, now
                return
        connection = Connection(self._new_id(), tenant, event, now, now)
        self.connections[connection.id] = connection

    # --- tokens

    def exchange(self, form: dict[str, str], client_id: str, proven: bool) -> dict[str, object]:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.used or code.grant.client_id != client_id or self._now() > code.issued + CODE_LASTS:
            raise Refused("invalid_grant", "The authorisation code is unknown, used or expired.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise Refused("invalid_grant", "The redirect_uri is not the one the code was issued for.")
        if code.challenge:
            if challenge_of(form.get("code_verifier", "")) != code.challenge:
                raise Refused("invalid_grant", "The code_verifier does not match the code_challenge.")
        elif not proven:
            raise Refused("invalid_client", "A client without a secret must use PKCE.", 401)
        code.used = True
        return self._tokens(code.grant, self._new_refresh(code.grant))

    def refresh(self, token: str, client_id: str) -> dict[str, object]:
        held = self._refresh.get(token)
        now = self._now()
        if held is None or held.grant.ended or held.grant.client_id != client_id:
            raise Refused("invalid_grant", "The refresh token is unknown or its grant has ended.")
        if now >= held.issued + REFRESH_LASTS:
            raise Refused("invalid_grant", "The refresh token was not used for 60 days.")
        if held.rotated is not None:
            arrived = any(successor.rotated for successor in held.successors)
            if arrived or now >= held.rotated + GRACE:
                raise Refused("invalid_grant", "The refresh token has been used before.")
        held.rotated = held.rotated or now
        new = self._new_refresh(held.grant)
        if new is not None:
            held.successors.append(self._refresh[new])
        return self._tokens(held.grant, new)

    def client_credentials(self, client_id: str, asked: str, tenant: str) -> dict[str, object]:
        """A Custom Connection: one firm, no person, no refresh token."""
        if client_id != CUSTOM_APP:
            raise Refused("unauthorized_client", "Only a Custom Connection is given keys without a person's consent.")
        if "offline_access" in asked.split():
            raise Refused("invalid_scope", "A Custom Connection has no refresh token, so offline_access is not for it.")
        scopes = self.scopes_of(asked) if asked else tuple(sorted(s for s in SCOPES if s.startswith("accounting")))
        grant = Grant(self._new_id(), client_id, scopes, event=self._new_id(), custom=True)
        self._connect(tenant, grant.event)
        return self._tokens(grant, None)

    def revoke(self, token: str) -> None:
        held = self._refresh.get(token) or self._access.get(token)
        if held is not None:
            held.grant.ended = True
            self._drop_connections(held.grant.event)

    def end_grants(self) -> None:
        """As when the person changes their password or presses "disconnect" in the ledger."""
        for held in self._refresh.values():
            held.grant.ended = True
        for access in self._access.values():
            access.grant.ended = True

    def access(self, token: str) -> Grant:
        held = self._access.get(token)
        if held is None or held.grant.ended:
            raise Refused("invalid_token", "TokenInvalidSignature: the access token is not known here", 401)
        if self._now() >= held.expires:
            raise Refused("invalid_token", f"TokenExpired: token expired at {held.expires:%m/%d/%Y %H:%M:%S}", 401)
        return held.grant

    def connected(self, tenant: str) -> bool:
        return any(connection.tenant == tenant for connection in self.connections.values())

    def _drop_connections(self, event: str) -> None:
        for id_, connection in list(self.connections.items()):
            if connection.event == event:
                del self.connections[id_]

    def _new_refresh(self, grant: Grant) -> str | None:
        if "offline_access" not in grant.scopes:
            return None
        token = self._secret("refresh")
        self._refresh[token] = Refresh(grant, self._now())
        return token

    def _tokens(self, grant: Grant, refresh: str | None) -> dict[str, object]:
        now = self._now()
        access = self._jwt(grant, now)
        self._access[access] = Access(grant, now + ACCESS_LASTS)
        answer: dict[str, object] = {
            "access_token": access,
            "expires_in": int(ACCESS_LASTS.total_seconds()),
            "token_type": "Bearer",
            "scope": " ".join(grant.scopes),
        }
        if refresh:
            answer["refresh_token"] = refresh
        if "openid" in grant.scopes:
            answer["id_token"] = self._jwt(grant, now)
        return answer

    def _jwt(self, grant: Grant, now: datetime) -> str:
        claims = {
            "nbf": int(now.timestamp()),
            "exp": int((now + ACCESS_LASTS).timestamp()),
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": grant.client_id,
            "jti": self._new_id().replace("-", ""),
            "authentication_event_id": grant.event,
            "scope": list(grant.scopes),
        }
        signed = f"{_b64({'alg': 'HS256', 'typ': 'JWT'})}.{_b64(claims)}"
        seal = hmac.digest(b"sandbox", signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"

    def _secret(self, word: str) -> str:
        return hashlib.sha256(f"{word} {self._new_id()}".encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _b64(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).rstrip(b"=").decode()
