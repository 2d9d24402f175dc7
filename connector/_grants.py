"""A person's consent, and how it is kept alive: authorise, exchange, refresh.

Consent comes as a pair of keys. The access key opens the ledger for half an hour; the refresh key fetches the next
pair, and can be used once. If two processes fetch at the same time, or a pair gets lost on its way, the connection may
be dead and a person has to consent again. So one process at a time fetches, the new pair is stored before it is used,
and after a lost answer the same stored refresh key is tried again.
"""

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import quote_plus, urlencode

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from connector import Clock, ConsentNeeded, Grant, GrantKeeper, RateLimited, Refused, Unreachable
from connector._line import as_timeout, new_pool, no_answer, until_after

ENOUGH = timedelta(minutes=10)
"""A third of Xero's half hour. Less than this is left: time to fetch the next pair, well before the ledger says no."""

BARELY = timedelta(minutes=1)
"""While another process fetches, the old access key still serves if it lives at least this long."""

MARK = timedelta(minutes=1)
"""How long a refresh may be under way before others take it for dead. Longer than two tries with their timeouts."""

PATIENCE = 10.0
"""Real seconds to wait for another process that is fetching."""

TIMEOUT = (5.0, 20.0)


@dataclass(frozen=True, slots=True)
class App:
    """Our app as it is registered with one provider. Without a secret only PKCE proves who we are.

    `headers` go with every request for a key.
    """

    provider: str
    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str
    token_url: str
    scopes: str
    access_lasts: timedelta
    refresh_lasts: timedelta
    pkce: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


class _GrantRefused(Exception):
    """The provider's `invalid_grant`: this code or this refresh key is not, or no longer, good."""


def authorise_url(app: App, *, state: str, challenge: str, redirect_uri: str) -> str:
    """Where to send the browser. `challenge` is the S256 challenge of a verifier kept for `exchange` (RFC 7636)."""
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": app.scopes,
        "state": state,
    }
    if app.pkce:
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{app.authorize_url}{'&' if '?' in app.authorize_url else '?'}{urlencode(query)}"


def exchange(app: App, *, code: str, verifier: str, redirect_uri: str, clock: Clock) -> Grant:
    """A grant for the code that the browser brought back. Raises Refused, RateLimited or Unreachable."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if app.pkce:
        fields["code_verifier"] = verifier
    try:
        return _grant(app, fields, clock)
    except _GrantRefused as refused:
        raise Refused(
            f"{app.provider} did not accept the code that came back with the browser: it is wrong, was used before, or "
            "is older than a few minutes. Start connecting again from the settings page."
        ) from refused


def refresh(app: App, grant: Grant, *, clock: Clock) -> Grant:
    """The next pair of keys. Raises ConsentNeeded when the grant is dead, Unreachable when no answer came."""
    fields = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    try:
        return _grant(app, fields, clock, before=grant)
    except _GrantRefused as refused:
        raise ConsentNeeded(
            f"{app.provider} has ended the grant (invalid_grant): somebody disconnected arrears there or changed a "
            "password, or it was unused for too long. Connect the organisation again."
        ) from refused


def by_client_credentials(app: App, *, clock: Clock) -> Grant:
    """A key for an app that was made for one organisation: it proves itself, and nobody is asked (RFC 6749, 4.4).

    There is no refresh key, and nothing that dies unused. Raises Refused, RateLimited or Unreachable.
    """
    scopes = " ".join(scope for scope in app.scopes.split() if scope != "offline_access")
    try:
        grant = _grant(app, {"grant_type": "client_credentials", "scope": scopes}, clock)
    except _GrantRefused as refused:
        raise ConsentNeeded(
            f"{app.provider} gives this app no key any more (invalid_grant): its connection was ended there. "
            "Authorise it again on the app's page, then connect the organisation again."
        ) from refused
    return replace(grant, refresh_token="", refresh_expires_at=None)


class Tokens:
    """The access key of one connection, always fresh. Safe to use from many threads and processes at once."""

    def __init__(self, *, refresh: Callable[[Grant], Grant], keeper: GrantKeeper, clock: Clock) -> None:
        self._refresh = refresh
        self._keeper = keeper
        self._clock = clock
        self._held: Grant | None = None

    def access_token(self, *, refused: str = "") -> str:
        """A key that serves. `refused` is one that the ledger has just turned down, whatever its date says.

        Raises ConsentNeeded when the grant is dead, Unreachable when no new key could be had for now.
        """
        held, now = self._held, self._clock()
        if held is not None and held.access_token != refused and held.access_expires_at - now >= ENOUGH:
            return held.access_token  # a key once opened serves its whole life; a successor does not end it
        give_up = time.monotonic() + PATIENCE
        while True:
            grant, generation = self._keeper.load()
            self._held = grant
            now = self._clock()
            usable = grant.access_token != refused
            if usable and grant.access_expires_at - now >= ENOUGH:
                return grant.access_token
            if self._keeper.begin_refresh(generation, now, now + MARK):
                fresh = self._next(grant, generation)
                if fresh is not None:
                    return fresh.access_token
            elif usable and grant.access_expires_at - now >= BARELY:
                return grant.access_token
            elif time.monotonic() > give_up:
                raise Unreachable(
                    "The key to the ledger is being renewed by another process and did not come in time. "
                    "It will be tried again; if this goes on, restart arrears."
                )
            else:
                time.sleep(0.05)

    def _next(self, grant: Grant, generation: int) -> Grant | None:
        """Fetches and stores the successor. None when another process has stored one meanwhile: look again."""
        try:
            fresh = self._tried_twice(grant)
        except ConsentNeeded as dead:
            if self._keeper.load()[1] != generation:
                return None
            self._keeper.lost(str(dead))
            self._keeper.end_refresh(generation)
            raise
        except BaseException:
            self._keeper.end_refresh(generation)
            raise
        return fresh if self._keeper.keep(generation, fresh) else None

    def _tried_twice(self, grant: Grant) -> Grant:
        # When the answer was lost, Xero takes the same refresh key again for thirty minutes
        # (https://developer.xero.com/documentation/guides/oauth2/token-types/). Later calls will try it again as well,
        # because nothing was stored.
        try:
            return self._refresh(grant)
        except Unreachable:
            return self._refresh(grant)


def revoke(app: App, url: str, grant: Grant, *, clock: Clock, as_json: bool = False) -> None:
    """Ends the whole grant at the provider (RFC 7009). Raises Refused, RateLimited or Unreachable."""
    with contextlib.suppress(_GrantRefused):  # it was dead already
        _post(app, url, {"token": grant.refresh_token}, clock, as_json=as_json)


class _TokenAnswer(msgspec.Struct):
    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None
    scope: str | None = None
    x_refresh_token_expires_in: int | None = None
    x_refresh_token_hard_expires_in: int | None = None


class _Error(msgspec.Struct):
    error: str = ""


def _grant(app: App, fields: Mapping[str, str], clock: Clock, before: Grant | None = None) -> Grant:
    asked_at = clock()
    body = _post(app, app.token_url, fields, clock)
    try:
        said = msgspec.json.decode(body, type=_TokenAnswer, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not chained: the decoder's error must not carry any of the keys along.
        raise Unreachable(
            f"{app.provider} answered the request for a key with something that is not a key. It will be asked again; "
            "if this goes on, check the network between here and there."
        ) from None
    return Grant(
        access_token=said.access_token,
        refresh_token=said.refresh_token or (before.refresh_token if before else ""),
        access_expires_at=asked_at + (timedelta(seconds=said.expires_in) if said.expires_in else app.access_lasts),
        refresh_expires_at=_after(asked_at, said.x_refresh_token_expires_in) or asked_at + app.refresh_lasts,
        hard_expires_at=_after(asked_at, said.x_refresh_token_hard_expires_in)
        or (before.hard_expires_at if before else None),
        scopes=tuple(said.scope.split()) if said.scope else before.scopes if before else (),
    )


def _after(moment: datetime, seconds: int | None) -> datetime | None:
    return moment + timedelta(seconds=seconds) if seconds else None


def _post(app: App, url: str, fields: Mapping[str, str], clock: Clock, *, as_json: bool = False) -> bytes:
    content_type = "application/json" if as_json else "application/x-www-form-urlencoded"
    headers = {"Accept": "application/json", "Content-Type": content_type, **app.headers}
    if app.client_secret:
        pair = f"{quote_plus(app.client_id)}:{quote_plus(app.client_secret)}"
        headers |= urllib3.make_headers(basic_auth=pair)
    else:
        fields = {**fields, "client_id": app.client_id}
    try:
        with new_pool() as pool:
            body = json.dumps(fields) if as_json else urlencode(fields)
            answer = pool.request("POST", url, body=body, headers=headers, timeout=as_timeout(TIMEOUT), redirect=False)
    except HTTPError as error:
        raise Unreachable(
            f"{app.provider} {no_answer(error)} when asked for a key. It will be asked again; "
            "if this goes on, check the network between here and there."
        ) from error
    if not 200 <= answer.status <= 299:
        raise _refusal(app, answer, clock)
    return answer.data


def _refusal(app: App, answer: urllib3.BaseHTTPResponse, clock: Clock) -> Exception:
    try:
        error = msgspec.json.decode(answer.data, type=_Error).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = ""
    if error == "invalid_grant":
        return _GrantRefused(error)
    if answer.status == 429:
        return RateLimited(
            f"{app.provider} gives out no key for now: too many were asked for.", until_after(answer, clock)
        )
    if re.fullmatch(r"[a-z_]{1,40}", error) and answer.status < 500:
        return Refused(
            f"{app.provider} refused to give a key ({error}). Check the client id, the client secret and the redirect "
            "address in the settings against the app's own page there."
        )
    return Unreachable(
        f"{app.provider} answered the request for a key with an error of its own ({answer.status}). "
        "It will be asked again; if this goes on, check the provider's status page."
    )
