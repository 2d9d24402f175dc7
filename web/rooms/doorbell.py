"""The doorbell: where a ledger's provider says that something changed. No session, no form: its signature is the key.

The answer is empty and quick. What was rung is in the books before it is given; what it means is found out later.
"""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from jobs import doorbell
from jobs.doorbell import Heard

router = APIRouter()

MOST = 1_000_000
"""Bytes of one post. Providers send some hundred events at once, of less than a thousand bytes each."""

_ANSWERS = {Heard.KEPT: 200, Heard.FORGED: 401, Heard.NO_SUCH_DOOR: 404}


@router.post("/hooks/{kind}")
async def ring(request: Request, kind: str) -> Response:
    """Xero wants 200 or 401 within five seconds, Intuit 200 within three; both an empty body."""
    body = await _body(request)
    if body is None:
        return Response(status_code=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    heard = await run_in_threadpool(doorbell.hear, request.app.state.office, kind, body, headers)
    return Response(status_code=_ANSWERS[heard])


async def _body(request: Request) -> bytes | None:
    """The raw bytes; None as soon as there are too many of them, or as many are announced."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > MOST:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            return None
    return bytes(body)
