"""How a note is put into Xero's History & Notes, and found there again.

A note cannot be changed or taken back, so it is worth writing it well once. Each carries a short marker by which we
recognise it later; when a note is too long for Xero it is cut, and the marker is what must not be cut off.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence

import msgspec

from connector import LedgerNote

SHORT_NOTE = 250
"""Characters of a note that every version of Xero's documentation allows."""

NOTES_AT_ONCE = 50
"""Elements that Xero takes in one request. https://developer.xero.com/documentation/guides/oauth2/limits/"""

LONGEST_KEY = 128


class _Record(msgspec.Struct, rename="pascal"):
    details: str | None = None
    validation_errors: list[msgspec.Raw] | None = None


class _History(msgspec.Struct, rename="pascal"):
    history_records: list[_Record] | None


def in_batches(notes: Sequence[LedgerNote]) -> Iterator[Sequence[LedgerNote]]:
    for start in range(0, len(notes), NOTES_AT_ONCE):
        yield notes[start : start + NOTES_AT_ONCE]


def body_of(notes: Sequence[LedgerNote], longest: int) -> dict[str, list[dict[str, str]]]:
    return {"HistoryRecords": [{"Details": fitted(note, longest)} for note in notes]}


def fitted(note: LedgerNote, longest: int) -> str:
    """The text in at most `longest` characters, cut at a word, with its marker whole."""
    if len(note.text) <= longest:
        return note.text
    kept = _cut(note.text, longest)
    if note.marker in kept:
        return kept
    return f"{_cut(note.text, longest - len(note.marker) - 1)} {note.marker}"


def key_of(key: str) -> str:
    """An idempotency key of a length that Xero takes, always the same for the same key."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def is_about_length(refusal: str) -> bool:
    return re.search(r"length|too long|characters|maximum", refusal, re.IGNORECASE) is not None


def texts(body: bytes) -> frozenset[str]:
    """The texts in one document's history. Raises msgspec.DecodeError, also when one of them was not accepted."""
    records = msgspec.json.decode(body, type=_History).history_records or ()
    if any(record.validation_errors for record in records):
        raise msgspec.ValidationError("a note was not accepted")
    return frozenset(record.details for record in records if record.details)


def _cut(text: str, longest: int) -> str:
    word_end = text.rfind(" ", 0, longest)
    # A text without spaces in its second half is cut where it must be.
    return text[: word_end if word_end > longest // 2 else longest - 1].rstrip() + "…"
