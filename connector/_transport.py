"""One way to call the ledger, so that every call is as careful as every other.

Each question to Xero goes through `Transport.call`. It brings a valid key, asks again only where asking again cannot do
anything twice, keeps silent while the ledger wants silence, and turns whatever goes wrong into one of the four failures
that the rest of `arrears` knows what to do about. The SDK's habit of sharing keys between connections is shut off here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

import msgspec
import urllib3
from urllib3.exceptions import HTTPError
from xero_python.accounting import AccountingApi
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from connector import Call, Clock, Governor, LedgerFailure, RateLimited, Refused, Unreachable
from connector._line import TIMEOUT, Client, Line, TooLarge, http_date, no_answer, whole_number
from connector._xero_failures import failure_of, failure_within, scope_is_short

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
    """One connection's line to Xero. Several threads may use it; no two connections share anything but the code.

    `tenant` is empty for a connection whose key is for one organisation alone. Without a governor only what Xero itself
    says of its limits is heeded.
    """

    def __init__(
        self,
        *,
        api_url: str,
        tenant: str,
        tokens: Keys,
        clock: Clock,
        timeout: tuple[float, float] = TIMEOUT,
        governor: Governor | None = None,
    ) -> None:
        self.calls: list[Call] = []
        self.day_left: int | None = None
        self.minute_left: int | None = None
        self._api_url = api_url
        self._tenant = tenant
        self._tokens = tokens
        self._clock = clock
        self._governor = governor
        self._access_token = ""
        self._closed: RateLimited | None = None
        # Configuration() is a copy of the first one ever made, token object and all: so it is given one of its own.
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token()
        client = Client(configuration, oauth2_token_getter=self._token_for_sdk)
        self._line = Line(clock=clock, calls=self.calls, timeout=timeout, governor=governor)
        client.rest_client = self._line
        client.user_agent = "arrears"
        client.set_default_header("Accept-Encoding", "gzip")
        self.api = AccountingApi(client, base_url=api_url)

    def call(
        self, doing: str, sdk_call: Callable[..., Any], *args: Any, read: Callable[[bytes], T], **params: Any
    ) -> Answer[T]:
        """Makes one SDK call and reads its raw body. `doing` ends up in sentences: "reading invoices".

        Raises RateLimited (at once and without a call while a pause lasts), ConsentNeeded, Refused or Unreachable.
        """
        response = self._answered(doing, lambda: sdk_call(self._tenant, *args, _preload_content=False, **params))
        try:
            # "304, nothing new" comes without a body, and is the only answer that may.
            if not response.data and response.status != 304:
                raise msgspec.DecodeError("the body is empty")
            said = read(response.data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._heeded(failure_within(response, doing, self._clock)) from error
        return Answer(said, http_date(response.headers.get("Date", "")))

    def document(self, doing: str, *path: str, kind: str, begins: bytes, megabytes: int) -> bytes | None:
        """One file, as it is, by the parts of its path; None where Xero has none. `begins` is how such a file begins.

        Raises Refused for one larger than that, and whatever `call` raises.
        """
        url = "/".join((self._api_url, *(quote(part, safe="") for part in path)))
        headers = {"Accept": kind, "Accept-Encoding": "gzip", "User-Agent": "arrears"}
        if self._tenant:
            headers["xero-tenant-id"] = self._tenant

        def ask() -> urllib3.BaseHTTPResponse:
            key = {"Authorization": f"Bearer {self._access_token}"}
            return self._line.request("GET", url, headers=headers | key, most=megabytes << 20)

        try:
            response = self._answered(doing, ask, missing=404)
        except TooLarge as error:
            raise Refused(
                f"Xero's answer while {doing} is larger than {megabytes} MB, so it was not taken. "
                "Make the file smaller in Xero, or raise largest_pdf_megabytes."
            ) from error
        if response.status == 404:
            return None
        if not response.data.startswith(begins):
            raise self._heeded(failure_within(response, doing, self._clock))
        return response.data

    def _answered(
        self, doing: str, ask: Callable[[], urllib3.BaseHTTPResponse], missing: int | None = None
    ) -> urllib3.BaseHTTPResponse:
        """The answer to one question, if it is a good one, or of the status that means "there is none"."""
        if self._closed is not None and self._clock() < self._closed.until:
            raise RateLimited(str(self._closed), self._closed.until)
        self._access_token = used = self._tokens.access_token()
        response = self._asked(doing, ask)
        if response.status == 401 and not scope_is_short(response):
            # A refused key means that nothing was done, so even a write may be asked again with a fresh one.
            self._access_token = self._tokens.access_token(refused=used)
            response = self._asked(doing, ask)
        if not (200 <= response.status <= 299 or response.status in (304, missing)):
            raise self._heeded(failure_of(response, doing, self._clock))
        return response

    def _asked(self, doing: str, ask: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
        try:
            response = ask()
        except HTTPError as error:
            raise Unreachable(
                f"Xero {no_answer(error)} while {doing}. It will be asked again; "
                "if this goes on, check status.xero.com and the network between here and Xero."
            ) from error
        self._note_what_is_left(response)
        return response

    def _heeded(self, failure: LedgerFailure) -> LedgerFailure:
        """The same failure; when it asks for silence, everybody on this connection keeps it."""
        if isinstance(failure, RateLimited):
            self._closed = failure
            if self._governor is not None:
                self._governor.wait_until(failure.until)
        return failure

    def _token_for_sdk(self) -> dict[str, Any]:
        # Without `expires_at` the SDK takes the token as it is and never tries a refresh of its own.
        return {"access_token": self._access_token, "scope": [], "expires_in": 1800, "token_type": "Bearer"}

    def _note_what_is_left(self, response: urllib3.BaseHTTPResponse) -> None:
        self.day_left = whole_number(response.headers.get("X-DayLimit-Remaining"), self.day_left)
        self.minute_left = whole_number(response.headers.get("X-MinLimit-Remaining"), self.minute_left)
        if self._governor is not None:
            self._governor.heard(
                minute_left=whole_number(response.headers.get("X-MinLimit-Remaining"), None),
                day_left=whole_number(response.headers.get("X-DayLimit-Remaining"), None),
            )
