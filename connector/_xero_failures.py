"""What it means when Xero says no, or says something that is no answer, and what to do about it.

Each sentence here is read by somebody who wants to know one thing: must I do something, or does it go on by itself?
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import urllib3

from connector import Clock, ConsentNeeded, LedgerFailure, RateLimited, Refused, Unreachable
from connector._line import PAUSE, until_after

MOMENT = 5
"""Seconds to wait when too much was asked at the same time: the other calls are done by then."""


VALIDATION = 10
"""Xero's number for "this document cannot do that". https://developer.xero.com/documentation/api/accounting/responsecodes"""


class NotOfThis(Refused):
    """Refused for what was asked about, not for how: Xero does not know it, or its kind or status does not allow it."""


def failure_of(response: urllib3.BaseHTTPResponse, doing: str, clock: Clock) -> LedgerFailure:
    """What an answer of 300 and above means, and what to do next. `doing` is a phrase: "reading invoices"."""
    match response.status:
        case 429:
            # The limits and their headers: https://developer.xero.com/documentation/guides/oauth2/limits/
            until = until_after(response, clock, pause=_pause(response))
            limit = response.headers.get("X-Rate-Limit-Problem", "not named")[:40]
            return _limited(doing, limit, until)
        case 401 if scope_is_short(response):
            return ConsentNeeded(
                f"Xero says that the permissions given do not cover {doing}. "
                "Connect the organisation again and allow everything that is asked for."
            )
        case 401:
            return ConsentNeeded(
                f"Xero no longer accepts our key for {doing}, not even a new one. Somebody may have disconnected "
                "arrears in Xero or changed a password. Connect the organisation again."
            )
        case 403:
            return ConsentNeeded(
                f"Xero does not let us into this organisation for {doing}: the connection was removed there, the "
                "organisation has gone, or its subscription has ended. Look in Xero, then connect it again."
            )
        case status if 400 <= status < 500:
            refused = NotOfThis if status == 404 or _object(response.data).get("ErrorNumber") == VALIDATION else Refused
            return refused(
                f"Xero refused {doing}: {_own_words(response.data, status)} Asking again unchanged would not help."
            )
        case status:
            return Unreachable(
                f"Xero answered {doing} with an error of its own ({status}). It will be asked again; "
                "if this goes on, check status.xero.com."
            )


def failure_within(response: urllib3.BaseHTTPResponse, doing: str, clock: Clock) -> LedgerFailure:
    """What an answer means that was called good and yet is not what was asked for: an error inside a 200, a page."""
    said = _object(response.data)
    status = said.get("Status") if isinstance(said.get("Status"), int) else 400 if said.get("ErrorNumber") else None
    if status == 429:
        return _limited(doing, "not named", until_after(response, clock))
    # Without a key Xero says 401 in earnest, so one that is only written inside a good answer is not believed.
    if any(_messages(said)) or (status is not None and 400 <= status < 500 and status not in (401, 403)):
        words = _own_words(response.data, status or response.status)
        return Refused(
            f"Xero refused {doing}, inside an answer of status {response.status}: {words} "
            "Asking again unchanged would not help."
        )
    if status is not None:
        return Unreachable(
            f"Xero answered {doing} with an error ({status}) inside an answer of status {response.status}. It will be "
            "asked again; if this goes on, check status.xero.com."
        )
    if response.data.lstrip()[:1] == b"<":
        return Unreachable(
            f"A web page came instead of data while {doing}, so the answer is not Xero's at all: a proxy or a sign-in "
            "page stands between here and Xero. It will be asked again; if this goes on, check the network."
        )
    return Unreachable(
        f"Xero's answer while {doing} was cut short or is not Xero's at all. "
        "It will be asked again; if this goes on, check the network between here and Xero."
    )


def scope_is_short(response: urllib3.BaseHTTPResponse) -> bool:
    """Whether a 401 means too little permission, which no new key cures."""
    # Xero spells it "insufficent_scope"; one day it may not.
    asked = response.headers.get("WWW-Authenticate", "")
    return "insufficent_scope" in asked or "insufficient_scope" in asked


def _limited(doing: str, limit: str, until: datetime) -> RateLimited:
    return RateLimited(
        f"Xero's limit on calls was reached while {doing} (limit: {limit}). "
        f"Nothing is asked before {until:%Y-%m-%d %H:%M:%S} UTC; it then goes on by itself.",
        until,
    )


def _pause(response: urllib3.BaseHTTPResponse) -> int:
    return MOMENT if response.headers.get("X-Rate-Limit-Problem", "").startswith("concurrent") else PAUSE


def _own_words(body: bytes, status: int) -> str:
    """What Xero gave as the reason: its validation messages if there are any, cut to a readable length."""
    said = _object(body)
    if not said and not (text := body.decode(errors="replace").strip()).startswith("<"):
        said = {"Message": text}
    words = " ".join(dict.fromkeys(_messages(said))) or said.get("Detail") or said.get("Message") or said.get("Title")
    words = " ".join(str(words or f"no reason was given (status {status})").split())[:400]
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _messages(said: dict[str, Any]) -> Iterator[str]:
    """The validation messages of all the rows in an answer: "Elements" in an error, the list's own name in a 200."""
    rows = [row for value in said.values() if isinstance(value, list) for row in value if isinstance(row, dict)]
    for row in rows:
        for error in row.get("ValidationErrors") or ():
            if isinstance(error, dict) and error.get("Message"):
                yield str(error["Message"])


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:  # also for bytes that are no text
        return {}
    return said if isinstance(said, dict) else {}
