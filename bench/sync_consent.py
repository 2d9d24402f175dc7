"""The one thing in a sync that a person does: opening the ledger's consent page and pressing Allow.

It is done on the sandbox's real page, for the product and for every other reader alike.
"""

import json
import re
from base64 import b64encode
from html import unescape
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

CALLBACK = "http://127.0.0.1:8000/connections/{}/callback"
SCOPES = {
    "xero": "offline_access accounting.contacts accounting.invoices accounting.payments.read accounting.settings.read",
    "quickbooks": "com.intuit.quickbooks.accounting",
}


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def allow(url: str) -> dict[str, str]:
    """Opens this consent page, presses Allow, and gives what the browser would bring back."""
    opener = build_opener(_Stay)
    with opener.open(url) as page:
        html = page.read().decode()
    fields = {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html)
    }
    fields |= {name: unescape(value) for name, value in re.findall(r'<button[^>]*name="([^"]+)" value="(allow)"', html)}
    if chosen := re.search(r'<select name="([^"]+)">\s*<option value="([^"]*)"', html):
        fields[chosen[1]] = unescape(chosen[2])
    action = re.search(r'<form[^>]*action="([^"]*)"', html)
    target = urljoin(url, unescape(action[1])) if action else url.partition("?")[0]
    try:
        with opener.open(Request(target, data=urlencode(fields).encode())) as answer:
            location = answer.headers["Location"]
    except HTTPError as redirect:
        location = redirect.headers["Location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def tokens(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """A fresh grant as the token door gives it, with what the browser brought back beside it."""
    callback = CALLBACK.format(kind)
    asked = {
        "response_type": "code",
        "client_id": settings["client_id"],
        "redirect_uri": callback,
        "scope": SCOPES[kind],
        "state": "bench",
    }
    brought = allow(f"{settings['authorize_url']}?{urlencode(asked)}")
    form = {"grant_type": "authorization_code", "code": brought["code"], "redirect_uri": callback}
    basic = b64encode(f"{settings['client_id']}:{settings['client_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Accept": "application/json"}
    with urlopen(Request(settings["token_url"], data=urlencode(form).encode(), headers=headers)) as answer:
        return {**brought, **json.load(answer)}
