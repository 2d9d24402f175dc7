"""What OAuth is like at both ledgers: how an app proves who it is, how it is refused, and the page of the person.

What each ledger does in its own way, such as how long its keys live and what becomes of an old one, is in its own room.
"""

import base64
import time
from html import escape
from urllib.parse import unquote, urlencode, urlsplit

from sandbox.exchange import Answer, HangUp, Request
from sandbox.faults import SLOW, Fault

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;background:%s;color:#1c2733;margin:0}
main{max-width:26rem;margin:8vh auto;background:#fff;padding:2rem;border-radius:10px;box-shadow:0 2px 14px #0002}
h1{font-size:1.25rem;margin:0 0 1rem}ul{padding-left:1.2rem}
select,button{font:inherit;padding:.55rem .9rem;border-radius:6px}
select{width:100%%;border:1px solid #9ab}button{border:0;cursor:pointer}.allow{background:%s;color:#fff}
.cancel{background:#e6ebe9}footer{display:flex;gap:.7rem;margin-top:1.5rem}small{color:#567}"""


class Refused(Exception):
    """An OAuth error: its code, what it means, and the HTTP status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


def refused(refusal: Refused) -> Answer:
    """The real doors may name the error only; a practice ledger may as well say what was wrong."""
    return Answer.json({"error": refusal.error, "error_description": refusal.description}, refusal.status)


def failing(fault: Fault | None) -> None:
    """What a fault does before and instead of an answer."""
    if fault is not None and fault.name == "slow":
        time.sleep(fault.seconds or SLOW)
    if fault is not None and fault.name == "lost_answer":
        raise HangUp


def credentials(request: Request) -> tuple[str, str]:
    """The client id and the secret, in the way of HTTP Basic or in the form itself; either may be empty."""
    scheme, _, basic = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.form.get("client_id", ""), request.form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(basic).decode().partition(":")
    except ValueError:
        raise Refused("invalid_client", "The Authorization header is not readable.", 401) from None
    return unquote(client_id), unquote(secret)


def is_web_address(redirect_uri: str) -> bool:
    """Whether a browser can be sent there."""
    parts = urlsplit(redirect_uri)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def sent_back(redirect_uri: str, state: str, **answer: str) -> Answer:
    """The browser goes back to the app with the answer, and with the state if there was one."""
    if state:
        answer["state"] = state
    return Answer.redirect(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}")


def carried(asked: dict[str, str], *but: str) -> str:
    """What was asked, hidden in a form, so that it comes again with the person's answer."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.items()
        if name not in but
    )


def page(title: str, inside: str, *, paper: str, button: str) -> str:
    """A page of the ledger's own, in its colours."""
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} – Sandbox ledger</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE % (paper, button)}</style><main>
{inside}</main></html>"""
