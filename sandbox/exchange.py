"""A question that came in at a door, and the answer that goes out."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(slots=True)
class Request:
    method: str
    path: str
    query_string: str
    headers: dict[str, str]  # names in lower case
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes = b""
    kind: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut_short: bool = False  # promise the whole body, send half of it, hang up
    packed: Callable[[], bytes] | None = None  # the body as gzip, where that is at hand

    @classmethod
    def json(cls, content: object, status: int = 200, headers: dict[str, str] | None = None) -> "Answer":
        return cls(status, _encoder.encode(content), headers=headers or {})

    @classmethod
    def page(cls, html: str, status: int = 200) -> "Answer":
        return cls(status, html.encode(), "text/html; charset=utf-8", {"Cache-Control": "no-store"})

    @classmethod
    def text(cls, text: str, status: int) -> "Answer":
        return cls(status, text.encode(), "text/plain; charset=utf-8")

    @classmethod
    def redirect(cls, to: str) -> "Answer":
        return cls(302, b"", "text/plain; charset=utf-8", {"Location": to})


def encoded(content: object) -> bytes:
    """As JSON, with amounts as exact numbers."""
    return _encoder.encode(content)


class HangUp(Exception):
    """The line goes dead: no answer is sent and the connection is closed."""
