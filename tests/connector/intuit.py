"""QuickBooks to order: what its answers look like, and a ledger connected to whoever gives them."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3

from connector import Governor, Grant, open_authoriser, open_ledger, settings_of
from tests.connector.surroundings import (
    MONDAY,
    VERIFIER,
    Asked,
    Connected,
    KeeperInMemory,
    MovableClock,
    Say,
    ScriptedXero,
    a_grant,
    challenge,
)

if TYPE_CHECKING:
    import sandbox

REALM = "9130347957983546"
QUICKBOOKS_REDIRECT = "http://127.0.0.1:9999/connect/quickbooks/callback"


def connect_quickbooks(
    server: ScriptedXero,
    clock: MovableClock,
    *,
    grant: Grant | None = None,
    governor: Governor | None = None,
    **settings: Any,
) -> Connected:
    """A ledger at this server, which plays QuickBooks as well as it plays Xero: it says what it is told to."""
    doors = {name: f"{server.url}/{name}" for name in ("authorize_url", "token_url", "revoke_url")}
    used = settings_of("quickbooks")(
        **{"client_id": "app", "client_secret": "s3cret", **doors, "api_url": server.url, **settings}
    )
    keeper = KeeperInMemory(grant or a_grant(clock))
    ledger = open_ledger("quickbooks", used, tenant=REALM, keeper=keeper, clock=clock, governor=governor)
    return Connected(ledger, keeper, clock, open_authoriser("quickbooks", used, clock=clock))


def found(entity: str, *rows: Any, at: datetime = MONDAY, **more: Any) -> dict[str, Any]:
    """An answer to a query."""
    return {"QueryResponse": ({entity: list(rows)} if rows else {}) | more, "time": at.isoformat()}


def changed(at: datetime = MONDAY, **lists: list[Any]) -> dict[str, Any]:
    """An answer of the change feed; lists that nothing happened to are empty."""
    groups = [{entity: lists[entity]} if lists.get(entity) else {} for entity in FOLLOWED]
    return {"CDCResponse": [{"QueryResponse": groups}], "time": at.isoformat()}


def fault(code: int, message: str = "No", detail: str = "", kind: str = "ValidationFault") -> dict[str, Any]:
    return {
        "Fault": {"Error": [{"Message": message, "Detail": detail, "code": str(code)}], "type": kind},
        "time": MONDAY.isoformat(),
    }


def times(at: datetime = MONDAY, created: datetime | None = None) -> dict[str, str]:
    return {"CreateTime": (created or at).isoformat(), "LastUpdatedTime": at.isoformat()}


def customer(number: str = "1", at: datetime = MONDAY, **fields: Any) -> dict[str, Any]:
    return {
        "Id": number,
        "SyncToken": "3",
        "DisplayName": "Fern & Fig Café",
        "GivenName": "Joan",
        "FamilyName": "Fern",
        "PrimaryEmailAddr": {"Address": "joan@fern.example"},
        "PrimaryPhone": {"FreeFormNumber": "(555) 010-0199"},
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "Active": True,
        "Balance": 120.00,
        "MetaData": times(at),
    } | fields


def invoice(number: str = "10", at: datetime = MONDAY, **fields: Any) -> dict[str, Any]:
    return {
        "Id": number,
        "SyncToken": "0",
        "DocNumber": f"INV-{number}",
        "TxnDate": "2025-12-01",
        "DueDate": "2025-12-31",
        "CustomerRef": {"value": "1", "name": "Fern & Fig Café"},
        "CurrencyRef": {"value": "USD"},
        "TotalAmt": 120.00,
        "Balance": 120.00,
        "LinkedTxn": [],
        "MetaData": times(at),
    } | fields


def payment(number: str = "20", *lines: tuple[str, str, float], at: datetime = MONDAY, **fields: Any) -> dict[str, Any]:
    """A payment; each line is what it is for: ("Invoice", its id, how much)."""
    return {
        "Id": number,
        "SyncToken": "0",
        "TxnDate": "2026-01-04",
        "CustomerRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "TotalAmt": sum(amount for kind, _, amount in lines if kind == "Invoice"),
        "UnappliedAmt": 0,
        "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": to, "TxnType": kind}]} for kind, to, amount in lines],
        "MetaData": times(at),
    } | fields


def credit_memo(number: str = "30", at: datetime = MONDAY, **fields: Any) -> dict[str, Any]:
    return {
        "Id": number,
        "DocNumber": f"CM-{number}",
        "TxnDate": "2026-01-02",
        "CustomerRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "TotalAmt": 50.00,
        "Balance": 50.00,
        "RemainingCredit": 50.00,
        "MetaData": times(at),
    } | fields


def deleted(number: str, at: datetime = MONDAY) -> dict[str, Any]:
    """A tombstone."""
    return {"status": "Deleted", "domain": "QBO", "Id": number, "MetaData": {"LastUpdatedTime": at.isoformat()}}


def statements(server: ScriptedXero) -> list[str]:
    return [asked.body.decode() for asked in server.asked if asked.path.endswith("/query")]


def by_question(answers: dict[str, Any], otherwise: Callable[[Asked], Say] | None = None) -> Callable[[Asked], Say]:
    """Answers each question by the first of these words that is in its statement or address."""

    def answer(asked: Asked) -> Say:
        said = f"{asked.path} {asked.body.decode()}"
        for words, body in answers.items():
            if words in said:
                return body if isinstance(body, Say) else Say(body)
        return otherwise(asked) if otherwise else Say(fault(4001, f"nobody has an answer to {said}"), status=400)

    return answer


def later(**by: float) -> datetime:
    return MONDAY + timedelta(**by)


def sent(asked: Asked) -> Any:
    return json.loads(asked.body)


FOLLOWED = ("Customer", "Invoice", "Payment", "CreditMemo")


def consent_at_the_company(world: "sandbox.Sandbox", clock: MovableClock, **settings: Any) -> Connected:
    """A person presses "Connect" at the practice QuickBooks; the ledger that comes of it."""
    doors = {name: getattr(world.quickbooks, name) for name in ("authorize_url", "token_url", "revoke_url", "api_url")}
    app = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
    used = settings_of("quickbooks")(**(app | doors | settings))
    authoriser = open_authoriser("quickbooks", used, clock=clock)
    callback = press_connect(
        authoriser.authorise_url(state="s1", challenge=challenge(), redirect_uri=QUICKBOOKS_REDIRECT)
    )
    assert callback["state"] == "s1"
    grant = authoriser.exchange(code=callback["code"], verifier=VERIFIER, redirect_uri=QUICKBOOKS_REDIRECT)
    (tenant,) = authoriser.tenants(grant, callback)
    keeper = KeeperInMemory(grant)
    ledger = open_ledger("quickbooks", used, tenant=tenant.id, keeper=keeper, clock=clock)
    return Connected(ledger, keeper, clock, authoriser)


def press_connect(url: str) -> dict[str, str]:
    """Sends the page's form with its first company, as a browser would, and gives the query that comes back."""
    page = urllib3.request("GET", url).data.decode()
    realm = re.search(r'<option value="(\d+)"', page)
    assert realm is not None, page
    form = {**dict(parse_qsl(urlsplit(url).query)), "realmId": realm[1], "decision": "allow"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = urllib3.request("POST", url.split("?")[0], body=urlencode(form), headers=headers, redirect=False)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
