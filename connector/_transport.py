"""One way to call the ledger, so that every call is as careful as every other.

Each question to Xero goes through `Transport.call`. It brings a valid key, asks again only where asking again cannot do
anything twice, keeps silent while the ledger wants silence, and turns whatever goes wrong into one of the four failures
that the rest of `arrears` knows what to do about. The SDK's habit of sharing keys between connections is shut off here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import urllib3
from urllib3.exceptions import HTTPError
from xero_python.accounting import AccountingApi
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from connector import Call, Clock, ConsentNeeded, LedgerFailure, RateLimited, Refused, Unreachable
from connector._line import TIMEOUT, Client, Line, no_answer

PAUSE = 60
"""Seconds to wait when the ledger says "too many" without saying for how long."""

A_DAY = 86_400
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was understood from one answer. `at` is the ledger's own clock, from the Date header."""

    said: T
    at: datetime | None


class Keys(Protocol):
    """Where the access key comes from."""

    def access_token(self, *, refused: str = "") -> str:
        """A key that serves; `refused` is one that the ledger has just turned down."""


class Transport:
    """One connection's line to Xero. Several threads may use it; no two connections share anything but the code."""

    def __init__(
        self, *, api_url: str, tenant: str, tokens: Keys, clock: Clock, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self.calls: list[Call] = []
        self.day_left: int | None = None
        self.minute_left: int | None = None
        self._tenant = tenant
        self._tokens = tokens
        self._clock = clock
        self._access_token = ""
        self._closed: RateLimited | None = None
        # Configuration() is a copy of the first one ever made, token object and all: so it is given one of its own.
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token()
        client = Client(configuration, oauth2_token_getter=self._token_for_sdk)
        client.rest_client = Line(clock=clock, calls=self.calls, timeout=timeout)
        client.user_agent = "arrears"
        client.set_default_header("Accept-Encoding", "gzip")
        self.api = AccountingApi(client, base_url=api_url)

    def call(
        self, doing: str, sdk_call: Callable[..., Any], *args: Any, read: Callable[[bytes], T], **params: Any
    ) -> Answer[T]:
        """Makes one SDK call and reads its raw body. `doing` ends up in sentences: "reading invoices".

        Raises RateLimited (at once and without a call while a pause lasts), ConsentNeeded, Refused or Unreachable.
        """
        if self._closed is not None and self._clock() < self._closed.until:
            raise RateLimited(str(self._closed), self._closed.until)

        self._access_token = used = self._tokens.access_token()
        response = self._ask(doing, sdk_call, args, params)
        if response.status == 401 and not _scope_is_short(response):
            # A refused key means that nothing was done, so even a write may be asked again with a fresh one.
            self._access_token = self._tokens.access_token(refused=used)
            response = self._ask(doing, sdk_call, args, params)

        self._note_what_is_left(response)
        if not (200 <= response.status <= 299 or response.status == 304):
            failure = failure_of(response, doing, self._clock)
            if isinstance(failure, RateLimited):
                self._closed = failure
            raise failure
        try:
            # "304, nothing new" comes without a body, and is the only answer that may.
            if not response.data and response.status != 304:
                raise msgspec.DecodeError("the body is empty")
            said = read(response.data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable(
                f"Xero's answer while {doing} was cut short or is not Xero's at all (a proxy's page, perhaps). "
                "It will be asked again; if this goes on, check the network between here and Xero."
            ) from error
        return Answer(said, _date_header(response))

    def _ask(
        self, doing: str, sdk_call: Callable[..., Any], args: tuple[Any, ...], params: dict[str, Any]
    ) -> urllib3.BaseHTTPResponse:
        try:
            response: urllib3.BaseHTTPResponse = sdk_call(self._tenant, *args, _preload_content=False, **params)
        except HTTPError as error:
            raise Unreachable(
                f"Xero {no_answer(error)} while {doing}. It will be asked again; "
                "if this goes on, check status.xero.com and the network between here and Xero."
            ) from error
        return response

    def _token_for_sdk(self) -> dict[str, Any]:
        # Without `expires_at` the SDK takes the token as it is and never tries a refresh of its own.
        return {"access_token": self._access_token, "scope": [], "expires_in": 1800, "token_type": "Bearer"}

    def _note_what_is_left(self, response: urllib3.BaseHTTPResponse) -> None:
        self.day_left = _whole_number(response.headers.get("X-DayLimit-Remaining"), self.day_left)
        self.minute_left = _whole_number(response.headers.get("X-MinLimit-Remaining"), self.minute_left)


def until_after(response: urllib3.BaseHTTPResponse, clock: Clock) -> datetime:
    """The moment named by `Retry-After` (seconds, a day at most); without one, a minute from now."""
    seconds = min(_whole_number(response.headers.get("Retry-After"), PAUSE) or PAUSE, A_DAY)
    return clock() + timedelta(seconds=seconds)


def failure_of(response: urllib3.BaseHTTPResponse, doing: str, clock: Clock) -> LedgerFailure:
    """What an answer of 300 and above means, and what to do next. `doing` is a phrase: "reading invoices"."""
    match response.status:
        case 429:
            # The limits and their headers: https://developer.xero.com/documentation/guides/oauth2/limits/
            until = until_after(response, clock)
            limit = response.headers.get("X-Rate-Limit-Problem", "not named")[:40]
            return RateLimited(
                f"Xero's limit on calls was reached while {doing} (limit: {limit}). "
                f"Nothing is asked before {until:%Y-%m-%d %H:%M:%S} UTC; it then goes on by itself.",
                until,
            )
        case 401 if _scope_is_short(response):
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
            return Refused(f"Xero refused {doing}: {_own_words(response)} Asking again unchanged would not help.")
        case status:
            return Unreachable(
                f"Xero answered {doing} with an error of its own ({status}). It will be asked again; "
                "if this goes on, check status.xero.com."
            )


def _own_words(response: urllib3.BaseHTTPResponse) -> str:
    """What Xero gave as the reason: its validation messages if there are any, cut to a readable length."""
    try:
        said = json.loads(response.data)
    except ValueError:
        text = response.data.decode(errors="replace").strip()
        said = {"Message": "" if text.startswith("<") else text}
    if not isinstance(said, dict):
        said = {}
    messages = [
        str(error.get("Message"))
        for element in said.get("Elements") or ()
        if isinstance(element, dict)
        for error in element.get("ValidationErrors") or ()
        if isinstance(error, dict) and error.get("Message")
    ]
    words = " ".join(dict.fromkeys(messages)) or said.get("Detail") or said.get("Message") or said.get("Title")
    words = " ".join(str(words or f"no reason was given (status {response.status})").split())[:400]
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _scope_is_short(response: urllib3.BaseHTTPResponse) -> bool:
    # Xero spells it "insufficent_scope"; one day it may not.
    asked = response.headers.get("WWW-Authenticate", "")
    return "insufficent_scope" in asked or "insufficient_scope" in asked


def _date_header(response: urllib3.BaseHTTPResponse) -> datetime | None:
    try:
        at = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole_number(text: str | None, otherwise: int | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() else otherwise
