"""The consent dance with Intuit: into which company a person let us, and how we leave again.

Intuit names the company in the address with which the browser comes back, and nowhere else. A browser can be made to
say anything, so the company is asked who it is with the new key: the key opens its own company and no other.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from connector import Clock, ConsentNeeded, Grant, Refused, Tenant, _grants
from connector import _quickbooks_pages as pages
from connector._quickbooks_line import Line
from connector._quickbooks_query import Question

if TYPE_CHECKING:
    from connector.quickbooks import Settings

ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(days=100)
"""Unused for so long, a grant dies.
https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq"""

HARD_EXPIRY_TOO = {"x-include-refresh-token-hard-expires-in": "true"}
"""Asks Intuit to say when the grant dies however much it is used: five years at most, since November 2025."""


class QuickBooksAuthoriser:
    """The `Authoriser` for QuickBooks Online."""

    def __init__(self, settings: "Settings", *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._app = _grants.App(
            provider="QuickBooks",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            authorize_url=settings.authorize_url,
            token_url=settings.token_url,
            scopes=settings.scopes,
            access_lasts=ACCESS_LASTS,
            refresh_lasts=REFRESH_LASTS,
            pkce=False,
            headers=HARD_EXPIRY_TOO,
        )

    def direct(self) -> Grant | None:
        """None: Intuit gives no key without a person in a browser."""
        return None

    def authorise_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Where to send the browser. Intuit knows no PKCE, so the challenge stays here."""
        return _grants.authorise_url(self._app, state=state, challenge=challenge, redirect_uri=redirect_uri)

    def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> Grant:
        return _grants.exchange(self._app, code=code, verifier=verifier, redirect_uri=redirect_uri, clock=self._clock)

    def refresh(self, grant: Grant) -> Grant:
        return _grants.refresh(self._app, grant, clock=self._clock)

    def tenants(self, grant: Grant, callback: Mapping[str, str]) -> tuple[Tenant, ...]:
        """The one company that the browser came back with, if this grant opens it. Raises any LedgerFailure."""
        realm = callback.get("realmId", "")
        if not realm.isdigit():
            raise Refused("QuickBooks did not say which company it is. Connect again, and choose a company there.")
        line = Line(api_url=self._settings.api_url, realm=realm, tokens=_OneKey(grant), clock=self._clock)
        company = line.call(
            "asking which company it is", line.client.query(str(Question("CompanyInfo"))), read=pages.COMPANIES.read
        )
        name = company.rows[0].company_name if company.rows else None
        return (Tenant(id=realm, name=name or ""),)

    def disconnect(self, grant: Grant, connection_id: str) -> None:  # noqa: ARG002 - one grant is one company
        """Ends the grant at Intuit."""
        _grants.revoke(self._app, self._settings.revoke_url, grant, clock=self._clock, as_json=True)


class _OneKey:
    """The key of a grant that is not kept yet, and so cannot be renewed."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant

    def access_token(self, *, refused: str = "") -> str:
        if refused:
            raise ConsentNeeded(
                "QuickBooks does not accept the key that it has just given, not for the company that the browser "
                "named. Connect again, and choose the company there."
            )
        return self._grant.access_token
