"""The wire to a provider: certificates checked, waits limited, no write repeated, nothing followed, every call noted.

The SDK builds addresses and bodies; its own way out to the network would repeat a dropped write three times, sleep for
hours when told to wait, and wait for ever when told nothing. This is the way out that it gets instead.
"""

import json
import time
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import certifi
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError
from xero_python.api_client import ApiClient
from xero_python.rest import RESTClientObject

from connector import Call, Clock, Governor

TIMEOUT = (5.0, 60.0)
"""Seconds to connect, and seconds of silence after which an answer is given up."""

PAUSE = 60
"""Seconds to wait when a provider says "too many" without saying for how long."""

A_DAY = 86_400

SHOWN = frozenset({"page", "pageSize", "summaryOnly", "includeArchived", "Statuses", "order"})
"""Query values that go into the sync run as they are. Of all others only the name: they may hold a customer's name."""


class TooLarge(Exception):
    """The answer is larger than the caller can use; it was not read to its end."""


class Client(ApiClient):  # type: ignore[misc]
    """The SDK's client, minus its habit of keeping the last body alive and showing it to every thread."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "last_response":
            super().__setattr__(name, value)


class Line(RESTClientObject):  # type: ignore[misc]
    """The SDK's way out to the network, made careful. Gives back every answer, whatever its status, already read.

    Each call waits for its turn with the governor, also one that is made once more; where there is no turn to be had it
    is not made and RateLimited goes up to the caller.
    """

    def __init__(
        self, *, clock: Clock, calls: list[Call], timeout: tuple[float, float], governor: Governor | None = None
    ) -> None:
        self.pool_manager = new_pool()
        self._clock = clock
        self._calls = calls
        self._timeout = timeout
        self._turn = governor.turn if governor else nullcontext

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
        most: int | None = None,
    ) -> urllib3.BaseHTTPResponse:
        if query_params:
            # Yes and no as Xero's documents write them; the SDK would send "True".
            query = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in query_params]
            url = f"{url}?{urlencode(query)}"
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        timeout = as_timeout(_request_timeout or self._timeout)
        try:
            return self._send(method, url, headers, content, timeout, most)
        except (NewConnectionError, ProtocolError):
            # A line gone dead between two calls is the usual case. Only a question may be put again: a dropped write
            # may have been carried out.
            if method != "GET":
                raise
            return self._send(method, url, headers, content, timeout, most)

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None,
        timeout: urllib3.Timeout,
        most: int | None,
    ) -> urllib3.BaseHTTPResponse:
        with self._turn():
            return self._sent(method, url, headers, content, timeout, most)

    def _sent(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None,
        timeout: urllib3.Timeout,
        most: int | None,
    ) -> urllib3.BaseHTTPResponse:
        at, started, response = self._clock(), time.perf_counter(), None
        try:
            # Redirects are not followed: the key goes to the ledger's own address and nowhere else.
            response = self.pool_manager.request(
                method,
                url,
                body=content,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=most is None,
            )
            return response if most is None else _read_at_most(response, most)
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


def _read_at_most(response: urllib3.BaseHTTPResponse, most: int) -> urllib3.BaseHTTPResponse:
    parts, size = [], 0
    for part in response.stream(65_536):
        size += len(part)
        if size > most:
            response.close()
            raise TooLarge
        parts.append(part)
    response.release_conn()
    # Unpacked already, and so of another length than its header says.
    body, headers = BytesIO(b"".join(parts)), response.headers
    return urllib3.HTTPResponse(body, headers, response.status, decode_content=False, enforce_content_length=False)


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


def until_after(response: urllib3.BaseHTTPResponse, clock: Clock, pause: int = PAUSE) -> datetime:
    """The moment named by `Retry-After`, a day off at most; without one after that pause in seconds."""
    now = clock()
    return now + (wait_named(response.headers, now) or timedelta(seconds=pause))


def wait_named(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that `Retry-After` names, as seconds or as a date, a day at most; None where it names none to come.

    A date is held against the answer's own `Date`, where there is one: our clock may go wrong, and the provider's need
    not be ours. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    named = headers.get("Retry-After", "")
    if (seconds := whole_number(named, None)) is not None:
        return timedelta(seconds=min(seconds, A_DAY)) or None
    if (until := http_date(named)) is None:
        return None
    wait = min(until - (http_date(headers.get("Date", "")) or now), timedelta(seconds=A_DAY))
    return wait if wait > timedelta(0) else None


def http_date(text: str) -> datetime | None:
    """The instant in a header, in any of the three ways to write it; None where there is none."""
    try:
        at = parsedate_to_datetime(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def whole_number(text: str | None, otherwise: int | None) -> int | None:
    """The number in a header; where it is missing or no number, the other."""
    digits = (text or "").strip()
    return int(digits[:18]) if digits.isascii() and digits.isdigit() else otherwise


def _without_values(url: str) -> str:
    parts = urlsplit(url)
    query = "&".join(
        f"{name}={value}" if name in SHOWN else f"{name}=({value.count(',') + 1})" if name == "IDs" else name
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return f"{parts.path}?{query}" if query else parts.path
