"""SendGrid's own library over kept connections: it builds and reads the calls, and this carries them.

By itself the library opens a new connection for each mail, waits for ever, writes the API key into the log when that is
at its most talkative, and lets errors of all kinds through. Here connections are kept, every wait has an end, and a
call that cannot have reached SendGrid can be told from one that may have: until a line is open, nothing has been said.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import python_http_client
import urllib3
from sendgrid import SendGridAPIClient
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationValueError

from channels._sendgrid_answers import Broken, Unreached

logging.getLogger("python_http_client").setLevel(logging.WARNING)


def sendgrid(api_key: str, host: str, *, subuser: str, connect: float, answer: float, keep: float) -> Any:
    """The library's client. Its calls give answers of any status, and raise Unreached or Broken. Times in seconds."""
    library = SendGridAPIClient(api_key, host=host, impersonate_subuser=subuser or None)
    way_out = _WayOut(connect=connect, answer=answer, keep=keep)
    return _Client(way_out, host=host, request_headers=library._default_headers, version=3)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer as the library wants it."""

    status: int
    headers: Any
    body: bytes

    def getcode(self) -> int:
        return self.status

    def info(self) -> Any:
        return self.headers

    def read(self) -> bytes:
        return self.body


class _Client(python_http_client.Client):  # type: ignore[misc]
    """The library's client with another way out. It names itself where it makes the next part of an address."""

    def __init__(self, way_out: "_WayOut", **given: Any) -> None:
        super().__init__(**given)
        self.way_out = way_out

    def _build_client(self, name: str | None = None) -> "_Client":
        return _Client(
            self.way_out,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> _Answer:  # noqa: ARG002
        return self.way_out.carry(request.get_method(), request.full_url, request.data, dict(request.header_items()))


@dataclass(slots=True)
class _WayOut:
    """The kept connections. Several threads may use them at once."""

    connect: float
    answer: float
    keep: float
    _pool: urllib3.PoolManager = field(init=False)
    _used: float = 0.0

    def __post_init__(self) -> None:
        self._pool = urllib3.PoolManager(
            maxsize=8,
            retries=False,
            timeout=urllib3.Timeout(connect=self.connect, read=self.answer),
            cert_reqs="CERT_REQUIRED",
        )
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}

    def carry(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> _Answer:
        self._let_go_of_old_lines()
        try:
            answer = self._pool.request(
                method, url, body=body, headers=headers, redirect=False, retries=False, preload_content=False
            )
        except LocationValueError as problem:
            raise Unreached(f"{url} is no address: {problem}") from problem
        except (HTTPError, OSError) as problem:
            raise Broken(str(problem)) from problem
        said = b""
        with suppress(HTTPError, OSError):  # the status has been heard, and it alone decides
            said = answer.read()
        return _Answer(answer.status, answer.headers, said)

    def close(self) -> None:
        self._pool.clear()

    def _let_go_of_old_lines(self) -> None:
        """A line that has been silent for long may be cut just when it is used again, and a mail would be in doubt."""
        now = time.monotonic()
        if now - self._used > self.keep:
            self._pool.clear()
        self._used = now


class _Line(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except Exception as problem:  # whatever it was, nothing has been said yet
            raise Unreached(_why(problem)) from problem


class _SafeLine(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except Exception as problem:
            raise Unreached(_why(problem)) from problem


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Line


class _SafePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SafeLine


def _why(problem: Exception) -> str:
    """The reason without the name of the object in front of it."""
    return str(problem).partition("): ")[2] or str(problem)
