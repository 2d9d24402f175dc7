"""What the sandbox's own tests share: a world to practise on, and an app that was let into its ledger."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

import sandbox

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
RETURN_TO = "http://127.0.0.1:9/callback"
SCOPES = "offline_access accounting.contacts accounting.invoices accounting.payments.read accounting.settings.read"


@dataclass
class App:
    """An app outside the sandbox that speaks plain HTTP to it, as any program would."""

    world: sandbox.Sandbox
    tokens: dict[str, Any] = field(default_factory=dict)
    tenant: str = ""
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def ask_consent(self, decision: str = "allow", **changes: str) -> dict[str, str]:
        asked = {
            "response_type": "code",
            "client_id": "sandbox-app",
            "redirect_uri": RETURN_TO,
            "scope": SCOPES,
            "state": "s1",
        } | changes
        tenant = {"tenant": self.world.control.organisations()[0]["id"]} | {
            k: asked.pop(k) for k in ("tenant",) if k in asked
        }
        answer = self.http.request(
            "POST",
            self.world.authorize_url,
            body=urlencode(asked | tenant | {"decision": decision}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )
        assert answer.status == 302, answer.data
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def ask_token(self, basic: bool = True, **form: str) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic:
            headers["Authorization"] = "Basic " + base64.b64encode(b"sandbox-app:sandbox-secret").decode()
        answer = self.http.request("POST", self.world.token_url, body=urlencode(form), headers=headers)
        return answer.status, json.loads(answer.data)

    def refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        return self.ask_token(grant_type="refresh_token", refresh_token=token)

    def connect(self, **changes: str) -> "App":
        code = self.ask_consent(**changes)["code"]
        status, self.tokens = self.ask_token(grant_type="authorization_code", code=code, redirect_uri=RETURN_TO)
        assert status == 200, self.tokens
        self.tenant = self.world.control.organisations()[0]["id"]
        return self

    def call(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> urllib3.BaseHTTPResponse:
        sent = {
            "Authorization": f"Bearer {self.tokens.get('access_token', '')}",
            "xero-tenant-id": self.tenant,
            "Accept": "application/json",
        } | (headers or {})
        url = f"{self.world.api_url}/{path}" + (f"?{urlencode(query)}" if query else "")
        return self.http.request(method, url, body=None if body is None else json.dumps(body), headers=sent)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
        answer = self.call("GET", path, headers=headers, **query)
        assert answer.status == 200, (answer.status, answer.data)
        return json.loads(answer.data)

    def note(self, document: str, text: str, key: str | None = None) -> urllib3.BaseHTTPResponse:
        headers = {"Idempotency-Key": key} if key else {}
        return self.call("PUT", f"{document}/History", body={"HistoryRecords": [{"Details": text}]}, headers=headers)


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    """One firm with empty books on a Monday morning; the clock stands."""
    with sandbox.start(clock=MONDAY, company=False) as world:
        yield world


@pytest.fixture
def company() -> Iterator[sandbox.Sandbox]:
    """The generated firm on the same Monday."""
    with sandbox.start(clock=MONDAY) as world:
        yield world


@pytest.fixture
def app(world: sandbox.Sandbox) -> App:
    return App(world).connect()


@pytest.fixture
def company_app(company: sandbox.Sandbox) -> App:
    return App(company).connect()


@pytest.fixture
def new_app():
    return App
