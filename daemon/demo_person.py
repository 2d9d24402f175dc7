"""The person of the demo: signs in, presses "Connect to Xero", says yes on the ledger's page, and comes back.

It may as well be another ledger; the button carries its name.

A very small browser: it follows links and sends forms with its cookies, so that the demo goes through the same pages
and the same OAuth code as a customer does.
"""

import html
import re
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener


class Lost(Exception):
    """The page that should have come did not. The message says which, and what was there instead."""


class Person:
    """One browser window."""

    def __init__(self) -> None:
        # The sandbox and the pages share the host 127.0.0.1; cookies are kept apart by port all the same.
        jar = CookieJar(DefaultCookiePolicy(rfc2965=True, strict_ns_domain=DefaultCookiePolicy.DomainLiberal))
        self._opener = build_opener(HTTPCookieProcessor(jar))
        self.url, self.page = "", ""

    def open(self, url: str, fields: dict[str, str] | None = None) -> None:
        """Goes to a page, or sends a form to it, and stays where the redirects lead."""
        data = urlencode(fields).encode() if fields is not None else None
        request = Request(urljoin(self.url, url), data=data)  # noqa: S310 - loopback addresses of the demo itself
        try:
            with self._opener.open(request, timeout=30) as answer:
                self.url, self.page = answer.url, answer.read().decode()
        except HTTPError as refused:
            words = " ".join(re.sub(r"<[^>]+>", " ", refused.read().decode(errors="replace")).split())
            raise Lost(f"{refused.url} answered {refused.code}: {words[:300]}") from refused

    def follow(self, words: str) -> None:
        """Clicks the link with these words."""
        for address, said in _read(self.page).links:
            if said.strip() == words:
                return self.open(address)
        raise Lost(f"the page {self.url} has no link '{words}'")

    def send(self, about: str, **answers: str) -> None:
        """Fills in and sends the form whose action, or one of whose buttons, contains this text."""
        for form in _read(self.page).forms:
            if about in form.action or any(about in button for button in form.buttons):
                fields = {**form.fields, **answers}
                name, value = next(((n, v) for n, v in form.presses if about in (v, n)), ("", ""))
                if name:
                    fields[name] = value
                self.open(form.action or self.url, fields) if form.post else self.open(
                    f"{form.action or self.url}?{urlencode(fields)}"
                )
                return
        raise Lost(f"the page {self.url} has no form about '{about}'")


class _Form:
    def __init__(self, attributes: dict[str, str]) -> None:
        self.action = attributes.get("action", "")
        self.post = attributes.get("method", "get").lower() == "post"
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.presses: list[tuple[str, str]] = []


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: list[tuple[str, str]] = []
        self._in_button = self._in_link = False
        self._choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._in_link = True
            self.links.append((given.get("href", ""), ""))
        elif tag == "form":
            self.forms.append(_Form(given))
        elif tag == "input" and self.forms and given.get("name"):
            ticked = given.get("type") not in ("radio", "checkbox") or "checked" in given
            if ticked and given.get("type") != "submit":
                self.forms[-1].fields[given["name"]] = html.unescape(given.get("value", ""))
        elif tag == "select" and self.forms:
            self._choice = given.get("name", "")
        elif tag == "option" and self._choice and self.forms:
            if "selected" in given or self._choice not in self.forms[-1].fields:
                self.forms[-1].fields[self._choice] = given.get("value", "")
        elif tag == "button" and self.forms:
            self._in_button = True
            if given.get("name"):
                self.forms[-1].presses.append((given["name"], given.get("value", "")))
                self.forms[-1].buttons.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._choice = "" if tag == "select" else self._choice
        self._in_button = self._in_button and tag != "button"
        self._in_link = self._in_link and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._in_button and data.strip():
            self.forms[-1].buttons.append(data.strip())
        if self._in_link:
            address, said = self.links[-1]
            self.links[-1] = (address, said + data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader
