"""What every answer tells the browser: load nothing from elsewhere, run no script, be framed by nobody, keep no copy.

A debtor's name or a reply may hold anything. Even if a piece of it were taken for markup, the browser has been told
to run nothing and to fetch nothing.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
WRITING_POLICY = f"{PAGE_POLICY}; script-src 'self'; connect-src 'self'"
"""For the pages on which workflows and letters are written, and no other: they run one script of ours, which asks again
what is unknown in the words while they are typed. They are whole without it.
"""

LETTER_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
"""For a message shown as the debtor saw it: its own styles, and nothing else; shown only inside one of our pages."""

_YEAR = 31_536_000


def headers(path: str, *, https: bool) -> dict[str, str]:
    """The headers of an answer to this path, unless the page has set its own."""
    said = {
        "content-security-policy": PAGE_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "cache-control": "public, max-age=86400" if path.startswith("/static/") else "no-store",
    }
    if https:
        said["strict-transport-security"] = f"max-age={_YEAR}"
    return said


class Headers:
    """Puts the headers on every answer, however it came about."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in headers(scope["path"], https=self.https).items():
                    said.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)
