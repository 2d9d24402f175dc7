"""One raw mail, taken apart without trusting it: whatever is broken in it reads as missing, never as an error.

Mails come from strangers. Headers that cannot be parsed, unknown alphabets, endless nesting and huge attachments are
all ordinary here, so every look inside is guarded and bounded.
"""

import re
from codecs import lookup
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32, default
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

_LARGEST_MAIL = 8_000_000
_MOST_LINES = 200_000
_MOST_PARTS = 200
_MOST_HEADERS = 50
_LONGEST_TEXT = 1_000_000
_LONGEST_HEADER = 20_000
_LONGEST_PARSED_HEADER = 2_000
_ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]\\@]{1,200}@[^\s<>,;:\"'()\[\]\\@]{1,255}")
_NOT_AN_ALPHABET = {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"}


class _Bounded(Compat32):
    """Keeps headers as they are written until they are asked for, and cuts endless ones: parsing those takes hours."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


BOUNDED = _Bounded()


def opened(raw: bytes) -> Message:
    """The mail, read to 8 MB or 200,000 lines. Raises ValueError with a sentence when it cannot be taken apart."""
    if not raw.strip():
        raise ValueError("The mail is empty.")
    try:
        return message_from_bytes(_beginning(raw), policy=BOUNDED)
    except RecursionError as problem:
        raise ValueError("The mail has parts nested inside parts too deeply to be read.") from problem
    except Exception as problem:  # the standard library's parser fails in many ways on odd mails
        raise ValueError(f"The mail cannot be taken apart: {problem}") from problem


def _beginning(raw: bytes) -> bytes:
    """A report of a million empty lines is a million reports to the standard library, which takes minutes over them."""
    read = raw[:_LARGEST_MAIL]
    return read if read.count(b"\n") <= _MOST_LINES else b"\n".join(read.split(b"\n", _MOST_LINES)[:_MOST_LINES])


def header(part: Message, name: str) -> str:
    """The first header of this name on one line, decoded; empty when it is missing."""
    return next(iter(headers(part, name)), "")


def headers(part: Message, name: str) -> list[str]:
    written = [value for key, value in part.raw_items() if key.lower() == name.lower()]
    return [_decoded_header(name, str(value)) for value in written[:_MOST_HEADERS]]


def _decoded_header(name: str, written: str) -> str:
    if len(written) > _LONGEST_PARSED_HEADER:
        return " ".join(tidy(written).split())
    try:
        read = str(default.header_fetch_parse(name, written))
    except Exception:  # the parser fails in many ways on broken headers; as it stands it still says enough
        read = written
    return " ".join(tidy(read).split())


def addresses(text: str) -> list[str]:
    """Everything in a header that looks like an email address."""
    return _ADDRESS.findall(text)


def sender(mail: Message) -> tuple[str, str]:
    """Address and name of the author."""
    written = header(mail, "From") or header(mail, "Sender")
    found = addresses(written)
    address = found[-1] if found else ""
    name = written.replace(f"<{address}>", "").replace(address, "") if address else written
    return address, name.strip().strip("\"'").replace('\\\\"', '"').strip()


def sent_at(mail: Message) -> datetime | None:
    try:
        written = parsedate_to_datetime(header(mail, "Date"))
        return (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except Exception:  # dates of strangers: no date, years beyond our calendar, zones that do not exist
        return None


def parts(mail: Message) -> Iterator[Message]:
    """The mail's own parts in their order, without looking into mails that are enclosed."""
    return islice(_parts(mail), _MOST_PARTS)


def _parts(mail: Message) -> Iterator[Message]:
    waiting = [mail]
    while waiting:
        part = waiting.pop()
        yield part
        if part.get_content_type().startswith("multipart/"):
            waiting.extend(reversed(inside(part)))


def inside(part: Message) -> list[Message]:
    payload: Any = part.get_payload() if part.is_multipart() else []
    return [inner for inner in payload if isinstance(inner, Message)]


def decoded(part: Message) -> str:
    """The text of a part, in whatever alphabet it can be read."""
    try:
        content = part.get_payload(decode=True)
        alphabet = str(part.get_content_charset() or "")
    except Exception:  # wrong lengths, bad parameters, alphabets that are none
        return ""
    if not isinstance(content, bytes):
        return ""
    for candidate in (alphabet, "utf-8", "cp1252"):
        try:
            if candidate and lookup(candidate).name not in _NOT_AN_ALPHABET:
                return tidy(content[:_LONGEST_TEXT].decode(candidate, "strict"))
        except (LookupError, ValueError, AssertionError):
            continue
    return tidy(content[:_LONGEST_TEXT].decode("utf-8", "replace"))


def tidy(text: str) -> str:
    """Plain newlines, and nothing that a database or a page would choke on."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8")
