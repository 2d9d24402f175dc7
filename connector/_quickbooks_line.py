"""The way to QuickBooks and back, with care: certificates checked, waits limited, no write repeated, nothing followed.

Each call is built elsewhere (`_quickbooks_client`) and carried by this line, which brings a valid key, keeps silent
while QuickBooks wants silence, notes every call, turns whatever goes wrong into one of our failures, and gives back the
raw body for our own decoder.
"""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError

from connector import Call, Clock, Governor, LedgerFailure, RateLimited, Unreachable
from connector._line import TIMEOUT, as_timeout, new_pool, no_answer, wait_named
from connector._quickbooks_failures import failure_of, faults_in
from connector._quickbooks_query import without_values

if TYPE_CHECKING:
    from connector._quickbooks_client import Prepared

SHOWN = frozenset({"entities", "changedSince", "include"})
"""Query values that go into the sync run as they are. Of all others only the name."""

T = TypeVar("T")


class Keys(Protocol):
    """Where the access key comes from."""

    def access_token(self, *, refused: str = "") -> str:
        """A key that serves; `refused` is one that QuickBooks has just turned down."""


class Line:
    """One connection's line to one company. Several threads may use it; no two connections share anything.

    `chance` gives numbers between 0 and 1, by which pauses differ from one connection to the next.
    """

    def __init__(
        self,
        *,
        api_url: str,
        realm: str,
        tokens: Keys,
        clock: Clock,
        governor: Governor | None = None,
        chance: Callable[[], float] = random.random,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        # Only here, because the package takes 8 MB that a firm with another ledger need not spend.
        from connector._quickbooks_client import Client

        self.calls: list[Call] = []
        self.client = Client(realm=realm, api_url=api_url)
        self._tokens = tokens
        self._clock = clock
        self._governor = governor
        self._chance = chance
        self._timeout = timeout
        self._pool = new_pool()
        self._closed: RateLimited | None = None

    def call(self, doing: str, prepared: "Prepared", *, read: Callable[[bytes], T]) -> T:
        """Makes one call and reads its raw body. `doing` ends up in sentences: "reading invoices".

        Raises RateLimited (at once and without a call while a pause lasts), ConsentNeeded, Refused or Unreachable.
        """
        if self._closed is not None and self._clock() < self._closed.until:
            raise RateLimited(str(self._closed), self._closed.until)
        key = self._tokens.access_token()
        response = self._answer(doing, prepared, key)
        if response.status == 401:
            # A refused key means that nothing was done, so even a write may be asked again with a fresh one.
            key = self._tokens.access_token(refused=key)
            response = self._answer(doing, prepared, key)
        if response.status != 200 or faults_in(response.data):
            raise self._failure(response, doing, key)
        try:
            if not response.data:
                raise msgspec.DecodeError("the body is empty")
            return read(response.data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable(
                f"QuickBooks' answer while {doing} was cut short or is not QuickBooks' at all (a proxy's page, "
                "perhaps). It will be asked again; if this goes on, check the network between here and QuickBooks."
            ) from error

    def _answer(self, doing: str, prepared: "Prepared", key: str) -> urllib3.BaseHTTPResponse:
        try:
            try:
                return self._send(prepared, key)
            except (NewConnectionError, ProtocolError):
                # A line gone dead between two calls is the usual case. Only a question may be put again: a dropped
                # write may have been carried out.
                if not prepared.asks_only:
                    raise
                return self._send(prepared, key)
        except HTTPError as error:
            raise Unreachable(
                f"QuickBooks {no_answer(error)} while {doing}. It will be asked again; "
                "if this goes on, check status.developer.intuit.com and the network between here and QuickBooks."
            ) from error

    def _send(self, prepared: "Prepared", key: str) -> urllib3.BaseHTTPResponse:
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/pdf" if "/pdf?" in prepared.url else "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "arrears",
        } | ({"Content-Type": prepared.content_type} if prepared.body is not None else {})
        with self._turn():
            at, started, response = self._clock(), time.perf_counter(), None
            try:
                # Redirects are not followed: the key goes to QuickBooks' own address and nowhere else.
                response = self._pool.request(
                    prepared.method,
                    prepared.url,
                    body=prepared.body,
                    headers=headers,
                    timeout=as_timeout(self._timeout),
                    retries=False,
                    redirect=False,
                )
                return response
            finally:
                self._note(prepared, at=at, started=started, response=response)

    def _note(
        self, prepared: "Prepared", *, at: Any, started: float, response: urllib3.BaseHTTPResponse | None
    ) -> None:
        self.calls.append(
            Call(
                at=at,
                method=prepared.method,
                path=_shown(prepared),
                status=response.status if response is not None else 0,
                bytes=response.tell() if response is not None else 0,
                seconds=round(time.perf_counter() - started, 4),
                request_id=response.headers.get("intuit_tid", "") if response is not None else "",
            )
        )

    def _failure(self, response: urllib3.BaseHTTPResponse, doing: str, key: str) -> LedgerFailure:
        failure = failure_of(
            response.status,
            response.data,
            doing,
            clock=self._clock,
            chance=self._chance,
            wait=wait_named(response.headers, self._clock()),
            secret=key,
        )
        if isinstance(failure, RateLimited):
            self._closed = failure
            if self._governor is not None:
                self._governor.wait_until(failure.until)
        return failure

    def _turn(self) -> AbstractContextManager[None]:
        return self._governor.turn() if self._governor is not None else nullcontext()


def _shown(prepared: "Prepared") -> str:
    """Where it went and what was asked, without any value that could be personal."""
    parts = urlsplit(prepared.url)
    values = [
        f"{name}={value}" if name in SHOWN else name
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name != "minorversion"
    ]
    if prepared.content_type == "application/text" and prepared.body is not None:
        values.append(f"query={without_values(prepared.body.decode())}")
    return f"{parts.path}?{'&'.join(values)}" if values else parts.path
