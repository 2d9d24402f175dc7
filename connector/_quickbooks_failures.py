"""What QuickBooks says when something is wrong, and what to do next.

It says so in many ways: a list of faults under any status, the same list in XML although JSON was asked for, in small
letters when the key is refused, inside an answer that calls itself good, or as a web page. Part of a key may stand
in the words, so they are cut and cleaned before anybody sees them.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector import Clock, ConsentNeeded, LedgerFailure, RateLimited, Refused, Unreachable

PAUSE, SPREAD = timedelta(seconds=60), timedelta(seconds=15)
"""How long QuickBooks wants silence after "too many", and how much longer at most, so that not all come back at once.
https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features#limits-and-throttles"""

A_SHORT_ANSWER = 10_000
THROTTLED, NOT_AUTHORISED, KEY_REFUSED = 3001, 3100, 3200
NOT_FOUND, STALE, TOO_LONG = 610, 5010, 2050
THEIR_OWN = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that QuickBooks finds wrong. `code` is 0 where it gives none."""

    code: int
    words: str


class Faulty(Refused):
    """Refused, with the code by which whoever asked may know what to do about it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def faults_in(body: bytes) -> tuple[Fault, ...]:
    """Every fault in an answer, wherever it stands; none in an answer without."""
    # A quick look before the careful one, because large pages go through here; only short answers write it small.
    if len(body) > A_SHORT_ANSWER and b"Fault" not in _where_one_may_stand(body):
        return ()
    if _FAULT.search(body) is None:
        return ()
    try:
        said = json.loads(body)
    except ValueError:
        return _in_xml(body) if body.lstrip()[:1] == b"<" else ()
    return tuple(_in_json(said))


def _where_one_may_stand(body: bytes) -> bytes:
    """A page of rows has a fault before them or behind them; what was asked together may have one anywhere."""
    return body[:A_SHORT_ANSWER] + body[-A_SHORT_ANSWER:] if body.startswith(_ROWS) else body


def failure_of(
    status: int,
    body: bytes,
    doing: str,
    *,
    clock: Clock,
    chance: Callable[[], float],
    wait: timedelta | None = None,
    secret: str = "",
) -> LedgerFailure:
    """What an answer that is no good means. `doing` is a phrase: "reading invoices"; `secret` must not be repeated.

    `wait` is the pause that QuickBooks asks for; `chance`, between 0 and 1, lengthens one that it gives no length.
    """
    faults = faults_in(body)
    codes = {fault.code for fault in faults}
    words = cleaned(" ".join(dict.fromkeys(fault.words for fault in faults if fault.words)), secret)
    if status == 429 or THROTTLED in codes:
        return too_many(doing, clock() + (wait or PAUSE + SPREAD * chance()))
    if status == 401 or KEY_REFUSED in codes:
        return ConsentNeeded(
            f"QuickBooks no longer accepts our key for {doing}, not even a new one. Somebody may have disconnected "
            "arrears there. Connect the company again."
        )
    if NOT_AUTHORISED in codes or (status == 403 and faults):
        return ConsentNeeded(
            f"QuickBooks does not let us into this company for {doing}: arrears was disconnected there, the company "
            "has gone, or whoever connected it may no longer do this. Connect it again, as its administrator."
        )
    if any(code >= THEIR_OWN for code in codes) or status >= 500:
        return Unreachable(
            f"QuickBooks answered {doing} with an error of its own ({status}). It will be asked again; "
            "if this goes on, check status.developer.intuit.com."
        )
    if 300 <= status < 400 or (status in (403, 407) and not faults):
        return Unreachable(
            f"Something between here and QuickBooks answered {doing} in its place ({status}). It will be asked again; "
            "if this goes on, check the network and the addresses in the settings."
        )
    reason = words or f"no reason was given (status {status})."
    return Faulty(
        f"QuickBooks refused {doing}: {reason} Asking again unchanged would not help.",
        next((fault.code for fault in faults), 0),
    )


def too_many(doing: str, until: datetime) -> RateLimited:
    return RateLimited(
        f"QuickBooks' limit on calls was reached while {doing}. "
        f"Nothing is asked before {until:%Y-%m-%d %H:%M:%S} UTC; it then goes on by itself.",
        until,
    )


def cleaned(words: str, secret: str = "") -> str:
    """Words fit to be shown: one line, not too long, and nothing in them that could be a key."""
    if secret:
        words = words.replace(secret, "(…)")
    words = re.sub(r"[^\s]{40,}", "(…)", " ".join(words.split()))[:400]
    return f"{words}." if words and not words.endswith((".", "!", "?")) else words


def _in_json(said: Any) -> list[Fault]:
    found: list[Fault] = []
    if isinstance(said, list):
        for part in said:
            found += _in_json(part)
    elif isinstance(said, dict):
        for name, part in said.items():
            if name in ("Fault", "fault") and isinstance(part, dict):
                errors = part.get("Error") or part.get("error") or [{}]
                found += [_fault(error) for error in errors if isinstance(error, dict)]
            elif isinstance(part, dict | list):
                found += _in_json(part)
    return found


def _fault(error: dict[str, Any]) -> Fault:
    code = str(error.get("code") or "")
    message, detail = (str(error.get(name) or error.get(name.lower()) or "") for name in ("Message", "Detail"))
    # What is said in detail about a refused key may hold a part of it.
    about_keys = code.isdigit() and int(code) in (NOT_AUTHORISED, KEY_REFUSED)
    words = message if about_keys or detail in message else f"{message.rstrip('.')}: {detail}"
    return Fault(int(code) if code.isdigit() else 0, words)


def _in_xml(body: bytes) -> tuple[Fault, ...]:
    text = body.decode(errors="replace")
    return tuple(
        Fault(
            int(found[1]), (message[1] if (message := re.search(r"<Message>(.*?)</Message>", found[2], re.S)) else "")
        )
        for found in re.finditer(r'<Error\b[^>]*\bcode="(\d+)"[^>]*>(.*?)</Error>', text, re.S)
    )


_ROWS = b'{"QueryResponse"'
_FAULT = re.compile(rb'"[Ff]ault"\s*:|<(?:\w+:)?Fault\b')
