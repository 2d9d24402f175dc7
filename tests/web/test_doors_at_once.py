"""Mirrors web/rooms/doors.py: posts that break off, and posts that wait for the books while others are coming in."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from channels import settings_of
from jobs import doors
from tests.jobs.firm import Firm
from web import build

DOOR = "/hooks/email_sendgrid/inbound/s3cret"


@pytest.fixture
def house(sqlite_url: str) -> Iterator[FastAPI]:
    firm = Firm.founded(sqlite_url)
    keys = {"api_key": "SG.key", "from_address": "accounts@firm.example", "door_secret": "s3cret"}
    firm.office.channels = {"email_sendgrid": settings_of("email_sendgrid")(**keys)}
    yield build(firm.office, poke=lambda _name, _key: None)
    firm.close()


def posted(house: FastAPI, *coming: dict[str, Any]) -> int:
    """What is answered to a post that comes in these pieces."""
    pieces, answers = iter(coming), []
    scope = {"type": "http", "method": "POST", "path": DOOR, "raw_path": DOOR.encode(), "query_string": b""}

    async def receive() -> dict[str, Any]:
        return next(pieces)

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(house({**scope, "headers": [], "http_version": "1.1", "scheme": "http"}, receive, send))
    return int(answers[0]["status"])


def test_whoever_hangs_up_half_way_fills_no_log_with_errors(house: FastAPI) -> None:
    with capture_logs() as lines:
        posted(house, {"type": "http.request", "body": b"--x", "more_body": True}, {"type": "http.disconnect"})

    assert [line["log_level"] for line in lines] == ["info"]
    assert house.state.posts_under_way == 0


def test_a_post_counts_among_those_in_memory_until_it_is_in_the_books(
    house: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory: list[int] = []

    def slow_books(*_: Any) -> doors.Answer:
        in_memory.append(house.state.posts_under_way)
        return doors.Answer(200)

    monkeypatch.setattr(doors, "knock", slow_books)
    assert posted(house, {"type": "http.request", "body": b"x" * 1_000, "more_body": False}) == 200

    assert in_memory == [1_000]
    assert house.state.posts_under_way == 0
