"""The doors of the channels: where providers post what became of a message, and what came back.

No session and no form: the provider's signature over the raw bytes is the key, so neither the body nor the address is
read in any other form than that in which it came. What is let in is stored before the answer is given.
"""

import asyncio
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from channels import Posted
from jobs import doors
from jobs.office import Office

log = structlog.get_logger()
router = APIRouter()

AT_ONCE = 160_000_000
"""Bytes of all posts that are in memory at the same moment. Whoever comes then has to come again."""

PATIENCE = 60
"""Seconds in which a post has to be here."""


class _TooLarge(Exception):
    """The post has more bytes than its channel takes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


class _Busy(Exception):
    """Too much is coming in already."""


@router.get("/hooks/{kind}/{door:path}")
@router.post("/hooks/{kind}/{door:path}")
async def knock(request: Request, kind: str) -> Response:
    """Whatever goes wrong on our own side is a 503, after which providers try again."""
    office: Office = request.app.state.office
    most = doors.most(office, kind)
    if most is None:
        return Response(status_code=404)
    under_way = _UnderWay(request.app.state)
    try:
        body = await _body(request, most, under_way)
        answer = await run_in_threadpool(doors.knock, office, kind, _posted(request, kind, body))
    except _TooLarge as post:
        answer = await run_in_threadpool(doors.too_large, office, kind, post.size)
    except (_Busy, TimeoutError):
        answer = doors.TROUBLE
    except ClientDisconnect:  # anybody can hang up half-way; whoever meant it comes again
        log.info("a post broke off", channel=kind)
        answer = doors.TROUBLE
    except Exception:
        log.exception("a post could not be taken in", channel=kind)
        answer = doors.TROUBLE
    finally:
        under_way.end()
    if answer.stored:
        request.app.state.poke("receive", "")
    return Response(answer.body, status_code=answer.status, headers=_headers(answer))


def _headers(answer: doors.Answer) -> dict[str, str]:
    again = {"retry-after": "60"} if answer.status == doors.TROUBLE.status else {}
    return {"content-type": answer.content_type, **again} if answer.body else again


def _posted(request: Request, kind: str, body: bytes) -> Posted:
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    _, _, door = path.decode("latin-1").partition(f"/hooks/{kind}/")
    return Posted(
        door=door.partition("?")[0],
        query=request.scope["query_string"].decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        method=request.method,
    )


async def _body(request: Request, most: int, under_way: "_UnderWay") -> bytes:
    """The raw bytes, put together once. Raises _TooLarge as soon as there are too many of them."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > most:
        raise _TooLarge(int(told))
    chunks: list[bytes] = []
    async with asyncio.timeout(PATIENCE):
        async for chunk in request.stream():
            chunks.append(chunk)
            under_way.add(len(chunk))
            if under_way.mine > most:
                raise _TooLarge(under_way.mine)
    return b"".join(chunks)


class _UnderWay:
    """How much of all posts is in memory, until each is answered, so that many at once cannot fill it."""

    def __init__(self, state: Any) -> None:
        self.mine = 0
        self._state = state
        state.posts_under_way = getattr(state, "posts_under_way", 0)

    def add(self, size: int) -> None:
        self.mine += size
        self._state.posts_under_way += size
        if self._state.posts_under_way > AT_ONCE:
            raise _Busy

    def end(self) -> None:
        self._state.posts_under_way -= self.mine
