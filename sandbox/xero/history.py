"""History & Notes: short lines written beside a contact or an invoice, never changed and never taken away.

Xero remembers an Idempotency-Key for six minutes: the same request with the same key gets the same answer and writes
nothing twice; another request under that key is refused.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.books import Books
from sandbox.documents import Note
from sandbox.exchange import Answer, Request
from sandbox.xero.dates import instant, instant_text
from sandbox.xero.refusals import invalid

LONGEST_KEY = 128
REMEMBERED = timedelta(minutes=6)


@dataclass(slots=True)
class Remembered:
    print: str
    at: datetime
    answer: Answer


@dataclass(slots=True)
class Keys:
    """The idempotency keys seen lately, with what was answered."""

    _seen: dict[tuple[str, str], Remembered] = field(default_factory=dict)

    def answer_before(self, tenant: str, request: Request, now: datetime) -> Answer | None:
        key = request.headers.get("idempotency-key")
        if not key:
            return None
        if len(key) > LONGEST_KEY:
            return invalid(f"The Idempotency-Key is longer than {LONGEST_KEY} characters.")
        seen = self._seen.get((tenant, key))
        if seen is None or now >= seen.at + REMEMBERED:
            return None
        if seen.print != _print(request):
            return invalid("The Idempotency-Key has been used with a different request.")
        return _copy(seen.answer)

    def remember(self, tenant: str, request: Request, answer: Answer, now: datetime) -> None:
        if key := request.headers.get("idempotency-key"):
            self._seen[tenant, key] = Remembered(_print(request), now, _copy(answer))


def note_row(note: Note) -> dict[str, object]:
    return {
        "Changes": "Note",
        "DateUTCString": instant_text(note.at)[:-1],
        "DateUTC": instant(note.at),
        "User": "System Generated",
        "Details": note.details,
    }


def write(books: Books, kind: str, document: str, request: Request, longest: int) -> list[dict[str, object]] | Answer:
    try:
        records = request.json()["HistoryRecords"]
        texts = [record["Details"] for record in records]
    except (ValueError, KeyError, TypeError):
        return invalid('The body is not of the form {"HistoryRecords": [{"Details": "…"}]}.')
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            return invalid("The Details of a history record must not be empty.")
        if len(text) > longest:
            return invalid(f"The length of Details ({len(text)}) exceeds the maximum of {longest} characters.")
    rows = []
    for text in texts:
        note = books.write_note(kind, document, text)
        rows.append({"DateUTCString": instant_text(note.at)[:-1], "DateUTC": instant(note.at), "Details": text})
        rows[-1]["ValidationErrors"] = []
    return rows


def _print(request: Request) -> str:
    content = f"{request.method} {request.path}?{request.query_string}\n".encode() + request.body
    return hashlib.sha256(content).hexdigest()


def _copy(answer: Answer) -> Answer:
    return Answer(answer.status, answer.body, answer.kind, dict(answer.headers))
