"""A visitor without a browser: speaks to the pages directly, keeps cookies, and fills in forms."""

import asyncio
import html
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI

from tests.web.books import PASSWORD

_TOKEN = re.compile(r'name="(csrf|door)" value="([^"]+)"')


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""

    @property
    def words(self) -> str:
        """The text of the page as a person reads it."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.text)).split())


class Visitor:
    def __init__(self, app: FastAPI, address: str = "203.0.113.7") -> None:
        self.app, self.address = app, address
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, _csrf: str | None = None, **fields: Any) -> Answer:
        """Sends a form with this session's token, or with the one given."""
        csrf = self.token("csrf", "/") if _csrf is None else _csrf
        return self._ask("POST", path, {"csrf": csrf, **fields}, {})

    def token(self, name: str, path: str) -> str:
        return next((value for kind, value in _TOKEN.findall(self.get(path).text) if kind == name), "")

    def sign_in(
        self, email: str = "anna@example.com", password: str = PASSWORD, door: str | None = None, **fields: str
    ) -> Answer:
        door = self.token("door", "/sign-in") if door is None else door
        return self._ask("POST", "/sign-in", {"email": email, "password": password, "door": door, **fields}, {})

    def _ask(self, method: str, path: str, fields: dict[str, Any] | None, extra: dict[str, str]) -> Answer:
        body = urlencode(fields, doseq=True).encode() if fields is not None else b""
        headers = {name.replace("_", "-"): value for name, value in extra.items()}
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if fields is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": (self.address, 40000),
            "server": ("127.0.0.1", 8000),
        }
        return asyncio.run(self._carried(scope, body))

    async def _carried(self, scope: dict[str, Any], body: bytes) -> Answer:
        said: list[Any] = []
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()  # the visitor stays on the line until the answer is complete
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:
            if not said:  # the page for an error was sent before the error went on to the log
                raise
        pairs = [(name.decode(), value.decode()) for name, value in said[0]["headers"]]
        cookies = [value for name, value in pairs if name == "set-cookie"]
        for cookie in cookies:
            self._keep(cookie)
        sent = b"".join(message.get("body", b"") for message in said[1:])
        return Answer(said[0]["status"], dict(pairs), sent.decode(errors="replace"), cookies, sent)

    def _keep(self, cookie: str) -> None:
        for name, morsel in SimpleCookie(cookie).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
