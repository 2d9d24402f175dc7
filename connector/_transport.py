"""One way to call the ledger, so that every call is as careful as every other.

Each question to Xero goes through `Transport.call`. It brings a valid key, writes down that the call was made, waits a
limited time, asks again only where asking again cannot do anything twice, and turns whatever goes wrong into one of the
four failures that the rest of `arrears` knows what to do about. The SDK builds addresses and bodies; its own habits of
repeating writes, sleeping for hours, waiting for ever and sharing keys between connections are all shut off here.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import certifi
import msgspec
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.rest import RESTClientObject

from connector import Call, Clock, ConsentNeeded, LedgerFailure, RateLimited, Refused, Unreachable

TIMEOUT = (5.0, 60.0)
"""Seconds to connect, and seconds of silence after which an answer is given up."""

PAUSE = 60
"""Seconds to wait when the ledger says "too many" without saying for how long."""

A_DAY = 86_400
SHOWN = frozenset({"page", "pageSize", "summaryOnly", "includeArchived", "Statuses", "order"})
"""Query values that go into the sync run as they are. Of all others only the name: they may hold a customer's name."""

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
        client = _Client(configuration, oauth2_token_getter=self._token_for_sdk)
        client.rest_client = _Line(clock=clock, calls=self.calls, timeout=timeout)
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
            # Some lists may say "304, nothing new" instead of giving an empty page.
            said = read(response.data if response.status != 304 else b"{}")
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


class _Client(ApiClient):  # type: ignore[misc]
    """The SDK's client, minus its habit of keeping the last body alive and showing it to every thread."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "last_response":
            super().__setattr__(name, value)


class _Line(RESTClientObject):  # type: ignore[misc]
    """The SDK's way out to the network, made careful. Gives back every answer, whatever its status, already read."""

    def __init__(self, *, clock: Clock, calls: list[Call], timeout: tuple[float, float]) -> None:
        self.pool_manager = new_pool()
        self._clock = clock
        self._calls = calls
        self._timeout = timeout

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,  # noqa: ARG002 - the SDK's signature; no call of ours posts a form
        _preload_content: bool = True,
        _request_timeout: float | tuple[float, float] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        if query_params:
            # Yes and no as Xero's documents write them; the SDK would send "True".
            query = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in query_params]
            url = f"{url}?{urlencode(query)}"
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        timeout = as_timeout(_request_timeout or self._timeout)
        try:
            return self._send(method, url, headers, content, timeout)
        except (NewConnectionError, ProtocolError):
            # A line gone dead between two calls is the usual case. Only a question may be put again: a dropped write
            # may have been carried out.
            if method != "GET":
                raise
            return self._send(method, url, headers, content, timeout)

    def _send(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None, timeout: urllib3.Timeout
    ) -> urllib3.BaseHTTPResponse:
        at, started, response = self._clock(), time.perf_counter(), None
        try:
            # Redirects are not followed: the key goes to the ledger's own address and nowhere else.
            response = self.pool_manager.request(
                method, url, body=content, headers=headers, timeout=timeout, retries=False, redirect=False
            )
            return response
        finally:
            self._calls.append(
                Call(
                    at=at,
                    method=method,
                    path=_without_values(url),
                    status=response.status if response is not None else 0,
                    bytes=response.tell() if response is not None else 0,
                    seconds=round(time.perf_counter() - started, 4),
                    request_id=response.headers.get("Xero-Correlation-Id", "") if response is not None else "",
                )
            )


def new_pool() -> urllib3.PoolManager:
    """Connections to one provider, with certificates checked and nothing repeated by itself."""
    return urllib3.PoolManager(maxsize=5, cert_reqs="CERT_REQUIRED", ca_certs=certifi.where(), retries=False)


def as_timeout(seconds: float | tuple[float, float]) -> urllib3.Timeout:
    """One number for both waits, or (seconds to connect, seconds to read)."""
    connect, read = seconds if isinstance(seconds, tuple) else (seconds, seconds)
    return urllib3.Timeout(connect=connect, read=read)


def no_answer(error: HTTPError) -> str:
    """What happened on the line, in words, without the address that the error itself would print."""
    match error:
        case NewConnectionError():
            return "could not be reached"
        case ConnectTimeoutError() | ReadTimeoutError():
            return "did not answer in time"
        case ProtocolError():
            return "dropped the connection before its answer was complete"
        case _:
            return f"could not be understood on the line ({type(error).__name__})"


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


def _without_values(url: str) -> str:
    parts = urlsplit(url)
    query = "&".join(
        f"{name}={value}" if name in SHOWN else f"{name}=({value.count(',') + 1})" if name == "IDs" else name
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return f"{parts.path}?{query}" if query else parts.path


def _date_header(response: urllib3.BaseHTTPResponse) -> datetime | None:
    try:
        at = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole_number(text: str | None, otherwise: int | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() else otherwise
