"""An app outside the sandbox that speaks QuickBooks' language to it over plain HTTP, as any program would."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

import sandbox

RETURN_TO = "http://127.0.0.1:9/callback"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass
class QuickBooksApp:
    world: sandbox.Sandbox
    tokens: dict[str, Any] = field(default_factory=dict)
    realm: str = ""
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def ask_consent(self, decision: str = "allow", **changes: str) -> dict[str, str]:
        asked = {
            "response_type": "code",
            "client_id": "sandbox-app",
            "redirect_uri": RETURN_TO,
            "scope": "com.intuit.quickbooks.accounting",
            "state": "s1",
            "realmId": self.world.control.organisations()[0]["realm_id"],
            "decision": decision,
        } | changes
        url = self.world.quickbooks.authorize_url
        answer = self.http.request("POST", url, body=urlencode(asked), headers=FORM, redirect=False)
        assert answer.status == 302, answer.data
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def ask_token(self, headers: dict[str, str] | None = None, **form: str) -> tuple[int, dict[str, Any]]:
        basic = {"Authorization": "Basic " + base64.b64encode(b"sandbox-app:sandbox-secret").decode()}
        sent = FORM | basic | (headers or {})
        answer = self.http.request("POST", self.world.quickbooks.token_url, body=urlencode(form), headers=sent)
        return answer.status, json.loads(answer.data)

    def refresh(self, token: str | None = None) -> tuple[int, dict[str, Any]]:
        return self.ask_token(grant_type="refresh_token", refresh_token=token or self.tokens["refresh_token"])

    def refresh_now(self) -> None:
        status, self.tokens = self.refresh()
        assert status == 200, self.tokens

    def connect(self, **changes: str) -> "QuickBooksApp":
        back = self.ask_consent(**changes)
        self.realm = back["realmId"]
        status, self.tokens = self.ask_token(grant_type="authorization_code", code=back["code"], redirect_uri=RETURN_TO)
        assert status == 200, self.tokens
        return self

    def call(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> urllib3.BaseHTTPResponse:
        sent = {
            "Authorization": f"Bearer {self.tokens.get('access_token', '')}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        } | (headers or {})
        url = f"{self.world.quickbooks.api_url}/v3/company/{self.realm}/{path}"
        asked = urlencode({"minorversion": 75} | query)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        return self.http.request(method, f"{url}?{asked}", body=content, headers=sent)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.call("GET", path, **query)
        assert answer.status == 200, (answer.status, answer.data)
        return json.loads(answer.data)

    def query(self, text: str) -> dict[str, Any]:
        return self.get("query", query=text)["QueryResponse"]

    def changes(self, since: str, entities: str = "Customer,Invoice,Payment,CreditMemo") -> dict[str, list[Any]]:
        groups = self.get("cdc", entities=entities, changedSince=since)["CDCResponse"][0]["QueryResponse"]
        return {name: rows for group in groups for name, rows in group.items() if isinstance(rows, list)}

    def post(self, path: str, body: Any, **query: Any) -> dict[str, Any]:
        answer = self.call("POST", path, body=body, **query)
        assert answer.status == 200, (answer.status, answer.data)
        return json.loads(answer.data)

    def refusal(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The first error of the fault that this is answered with."""
        answer = self.call(method, path, **more)
        assert answer.status == 400, (answer.status, answer.data)
        return json.loads(answer.data)["Fault"]["Error"][0]
