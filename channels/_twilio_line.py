"""The line to Twilio: its own library builds and reads the calls, and this carries them, with time limits.

The library's own way out waits for ever and leaks errors of all kinds. Here a kept connection is used, every wait has
an end, the headers of each answer are at hand, and a call that never reached Twilio can be told from one that may have.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from channels import Clock, Refused, Unavailable, Unsure
from channels._twilio_failures import failure_of

T = TypeVar("T")
HOME = "https://api.twilio.com"


class Keys(Protocol):
    """What each of the two channels has to be told of the account at Twilio."""

    @property
    def account_sid(self) -> str: ...

    @property
    def auth_token(self) -> str: ...

    @property
    def api_key(self) -> str: ...

    @property
    def api_secret(self) -> str: ...

    @property
    def base_url(self) -> str: ...

    @property
    def connect_seconds(self) -> float: ...

    @property
    def answer_seconds(self) -> float: ...


class Failed(Exception):
    """The call came to nothing that counts; `outcome` says what that means for the message."""

    def __init__(self, outcome: Refused | Unavailable | Unsure) -> None:
        super().__init__(outcome.why)
        self.outcome = outcome


class TwilioLine:
    """One account's line. Several threads may use it; each has a client of its own over the same connections."""

    def __init__(self, keys: Keys, *, block: str, clock: Clock) -> None:
        self._keys, self._block, self._clock = keys, block, clock
        self._way_out = _WayOut(keys)
        self._clients = threading.local()

    def ask(self, doing: str, question: Callable[[Any], T]) -> T:
        """Puts one question to Twilio's client and returns its answer. Raises Failed. `doing` ends up in sentences."""
        self._way_out.forget()
        try:
            return question(self._client())
        except Exception as error:
            # The library raises its own errors, the transport's, and whatever trips it in an answer cut short.
            headers = self._way_out.headers
            failure = failure_of(error, doing, headers=headers, block=self._block, now=self._clock())
            raise Failed(failure) from error

    def close(self) -> None:
        self._way_out.close()

    def _client(self) -> Any:
        client = getattr(self._clients, "client", None)
        if client is None:
            from twilio.rest import Client  # takes its time, and is needed by those alone who use it

            keys = self._keys
            client = self._clients.client = Client(
                keys.api_key or keys.account_sid,
                keys.api_secret if keys.api_key else keys.auth_token,
                keys.account_sid,
                http_client=self._way_out,
                environment={"TWILIO": "by configuration alone"},
            )
        return client


class _Answer:
    """An answer as Twilio's library wants it."""

    cached = False

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        self.status_code, self.text, self.content, self.headers = status, text, text, headers
        self.ok = status < 400


class _WayOut:
    """The one method of an HTTP client that Twilio's library asks for, over kept connections."""

    def __init__(self, keys: Keys) -> None:
        self._base_url = keys.base_url.rstrip("/")
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=keys.connect_seconds, read=keys.answer_seconds),
            maxsize=8,
        )
        self._pool.pool_classes_by_scheme = {"http": urllib3.HTTPConnectionPool, "https": _HttpsPool}
        self._last = threading.local()

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the last answer that this thread got; empty when there was none."""
        headers: Mapping[str, str] = getattr(self._last, "headers", {})
        return headers

    def forget(self) -> None:
        self._last.headers = {}

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the library's; ours are set once for all calls
        allow_redirects: bool = False,  # noqa: ARG002
    ) -> _Answer:
        parts = urlsplit(url)
        query = "&".join(part for part in (parts.query, urlencode(params or {}, doseq=True)) if part)
        given = dict(headers or {}) | urllib3.make_headers(basic_auth=":".join(auth) if auth else None)
        answer = self._pool.request(
            method,
            f"{self._base_url}{parts.path}" + (f"?{query}" if query else ""),
            body=urlencode(data, doseq=True) if data else None,
            headers=given,
            redirect=False,
        )
        self._last.headers = answer.headers
        return _Answer(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def close(self) -> None:
        self._pool.clear()


class _Https(HTTPSConnection):
    """Says of a connection that was never secured that it was never made: nothing of the call can have left."""

    def connect(self) -> None:
        try:
            super().connect()
        except ConnectTimeoutError:
            raise
        except (OSError, HTTPError) as error:
            raise NewConnectionError(self, f"the line cannot be secured: {error}") from error


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https
