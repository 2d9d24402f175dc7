"""The consent dance with Xero: which organisations a person let us into, and how we leave again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from urllib3.exceptions import HTTPError

from connector import Clock, Grant, Tenant, Unreachable, _grants
from connector._line import TIMEOUT, as_timeout, new_pool, no_answer
from connector._xero_failures import failure_of

if TYPE_CHECKING:
    from connector.xero import Settings

ACCESS_LASTS = timedelta(minutes=30)
REFRESH_LASTS = timedelta(days=60)
"""Unused for so long, a grant dies. https://developer.xero.com/documentation/guides/oauth2/token-types/"""


class XeroAuthoriser:
    """The `Authoriser` for Xero."""

    def __init__(self, settings: "Settings", *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._app = _grants.App(
            provider="Xero",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            authorize_url=settings.authorize_url,
            token_url=settings.token_url,
            scopes=settings.scopes,
            access_lasts=ACCESS_LASTS,
            refresh_lasts=REFRESH_LASTS,
        )

    def authorise_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        return _grants.authorise_url(self._app, state=state, challenge=challenge, redirect_uri=redirect_uri)

    def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> Grant:
        return _grants.exchange(self._app, code=code, verifier=verifier, redirect_uri=redirect_uri, clock=self._clock)

    def refresh(self, grant: Grant) -> Grant:
        """The next pair of keys; for a Custom Connection, which has no refresh key, just the next access key."""
        return self.direct() or _grants.refresh(self._app, grant, clock=self._clock)

    def direct(self) -> Grant | None:
        """A key for the one organisation of a Custom Connection; None where a person has to consent in the browser.

        https://developer.xero.com/documentation/guides/oauth2/custom-connections/
        """
        return _grants.by_client_credentials(self._app, clock=self._clock) if self._settings.custom_connection else None

    def tenants(self, grant: Grant, callback: Mapping[str, str]) -> tuple[Tenant, ...]:  # noqa: ARG002 - Xero lists them
        """The organisations of this grant; an accountant's practice is not one. Raises any LedgerFailure."""
        if self._settings.custom_connection:
            return (self._only_one(grant),)
        body = self._ask("GET", self._settings.connections_url, grant)
        try:
            rows = msgspec.json.decode(body, type=list[_Connection])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable(
                "Xero's list of connections came cut short or is not Xero's at all. Try again."
            ) from error
        return tuple(
            Tenant(id=row.tenant_id, name=row.tenant_name or "", connection_id=row.id)
            for row in rows
            if row.tenant_type == "ORGANISATION"
        )

    def disconnect(self, grant: Grant, connection_id: str) -> None:
        """Ends one connection; with the last of them the whole grant. A connection already gone is no failure.

        A Custom Connection can only be ended in Xero itself, where the organisation pays for it.
        """
        if self._settings.custom_connection:
            return
        self._ask("DELETE", f"{self._settings.connections_url}/{connection_id}", grant)
        if not self.tenants(grant, {}):
            _grants.revoke(self._app, self._settings.revoke_url, grant, clock=self._clock)

    def _only_one(self, grant: Grant) -> Tenant:
        """The organisation that the key opens, by its own record: here Xero wants no tenant named."""
        body = self._ask("GET", f"{self._settings.api_url}/Organisation", grant)
        try:
            organisation = msgspec.json.decode(body, type=_Organisations).organisations[0]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable("Xero's answer about the organisation came cut short. Try again.") from error
        return Tenant(id=organisation.id, name=organisation.name)

    def _ask(self, method: str, url: str, grant: Grant) -> bytes:
        headers = {"Authorization": f"Bearer {grant.access_token}", "Accept": "application/json"}
        try:
            with new_pool() as pool:
                answer = pool.request(method, url, headers=headers, timeout=as_timeout(TIMEOUT), redirect=False)
        except HTTPError as error:
            raise Unreachable(f"Xero {no_answer(error)} when asked about our connections. Try again later.") from error
        if 200 <= answer.status <= 299 or (method == "DELETE" and answer.status == 404):
            return answer.data
        raise failure_of(answer, "looking at our connections", self._clock)


class _Connection(msgspec.Struct, rename="camel"):
    id: str
    tenant_id: str
    tenant_name: str | None = None
    tenant_type: str | None = None


class _Organisation(msgspec.Struct):
    id: str = msgspec.field(name="OrganisationID")
    name: str = msgspec.field(name="Name", default="")


class _Organisations(msgspec.Struct):
    organisations: tuple[_Organisation] = msgspec.field(name="Organisations")
