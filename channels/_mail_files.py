"""The files that come with a mail: what they are called and how large, without ever unpacking one.

A mail may have thirty megabytes and be malicious. So its parts are found by their boundaries in the bytes as they
came; a file is only decoded when a person asks for it, and nothing that is inside of a file is ever looked at.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from typing import NamedTuple

from channels._mail_parts import BOUNDED, header, tidy
from engine.replies import Attached

_MOST_PIECES = 500
_DEEPEST = 20
_LONGEST_HEAD = 200_000
_LARGE = 100_000
_LARGEST_TEXT = 4_000_000
LARGEST_FILE = 40_000_000
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_NOT_A_NAME = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069/\\]+")
_AFTER_A_BOUNDARY = (b"-", b"\r", b"\n", b" ", b"\t")
_REPORTS = ("message/delivery-status", "message/feedback-report", "message/disposition-notification")


class Piece(NamedTuple):
    """One part that holds something itself: its headers, and where its content begins and ends in the raw bytes."""

    head: Message
    begin: int
    end: int

    @property
    def content_type(self) -> str:
        return self.head.get_content_type()


def attached(raw: bytes) -> tuple[Attached, ...]:
    """The files of a mail in their order. Signatures' pictures are among them; the texts of the mail are not."""
    return tuple(
        Attached(place, _name(piece, place), piece.content_type, _size(raw, piece))
        for place, piece in enumerate(pieces(raw))
        if _is_file(piece)
    )


def file_in(raw: bytes, place: int) -> tuple[str, str, bytes]:
    """Name, type and content of the file at that place. Raises LookupError when there is none."""
    found = dict(enumerate(pieces(raw))).get(place)
    if found is None or not _is_file(found):
        raise LookupError("This mail has no such file.")
    return _name(found, place), found.content_type, _decoded(raw, found)[:LARGEST_FILE]


def without_files(raw: bytes) -> bytes:
    """The same mail with the content of its large files left out, so that what is written in it is quick to read."""
    cuts = [
        (piece.begin if not _is_text(piece) else piece.begin + _LARGEST_TEXT, piece.end)
        for piece in pieces(raw)
        if piece.end - piece.begin > (_LARGEST_TEXT if _is_text(piece) else _LARGE)
    ]
    if not cuts:
        return raw
    kept, place = [], 0
    for begin, end in cuts:
        kept.append(raw[place:begin])
        place = end
    return b"".join([*kept, raw[place:]])


def pieces(raw: bytes) -> list[Piece]:
    """The innermost parts in their order: at most 500 of them, and none that is nested deeper than 20."""
    found: list[Piece] = []
    waiting = [(0, len(raw), 0)]
    while waiting and len(found) < _MOST_PIECES:
        begin, end, depth = waiting.pop()
        head_end, content = _head_of(raw, begin, end)
        head = HeaderParser(policy=BOUNDED).parsestr(raw[begin:head_end].decode("utf-8", "replace"))
        boundary = head.get_boundary("") if head.get_content_maintype() == "multipart" else ""
        inner = list(_between(raw, content, end, boundary)) if boundary and depth < _DEEPEST else []
        if inner:
            waiting.extend((*where, depth + 1) for where in reversed(inner))
        else:
            found.append(Piece(head, content, end))
    return found


def _head_of(raw: bytes, begin: int, end: int) -> tuple[int, int]:
    """Where the headers of a part end, and where its content begins. A part may begin with an empty line."""
    for mark in (b"\n", b"\r\n"):
        if raw.startswith(mark, begin):
            return begin, begin + len(mark)
    gap = _END_OF_HEAD.search(raw, begin, min(end, begin + _LONGEST_HEAD))
    return (gap.start(), gap.end()) if gap else (min(end, begin + _LONGEST_HEAD), end)


def _between(raw: bytes, begin: int, end: int, boundary: str) -> Iterator[tuple[int, int]]:
    """The stretches between the lines of this boundary. One that is never closed reaches to the end."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    opened = -1
    place = raw.find(mark, begin, end)
    for _ in range(_MOST_PIECES):
        if place < 0:
            break
        after = place + len(mark)
        stands_alone = place == begin or raw[place - 1 : place] == b"\n"
        if stands_alone and (after >= end or raw[after : after + 1] in _AFTER_A_BOUNDARY):
            if opened >= 0:
                yield opened, _without_newline(raw, place)
            line = raw.find(b"\n", after, end)
            opened = line + 1 if line >= 0 else -1
            if raw.startswith(b"--", after):
                return
        place = raw.find(mark, after, end)
    if opened >= 0:
        yield opened, end


def _without_newline(raw: bytes, end: int) -> int:
    return end - 2 if raw[end - 2 : end] == b"\r\n" else end - 1


def _is_text(piece: Piece) -> bool:
    return piece.content_type.startswith(("text/", "message/")) and not _is_file(piece)


def _is_file(piece: Piece) -> bool:
    disposition = header(piece.head, "Content-Disposition").partition(";")[0].strip().lower()
    if piece.content_type in _REPORTS:
        return False
    return (
        disposition == "attachment"
        or bool(piece.head.get_filename())
        or not piece.content_type.startswith(("text/", "message/", "multipart/"))
    )


def _name(piece: Piece, place: int) -> str:
    """A file name that can do no harm: no folders, no control or direction marks, and not too long."""
    try:
        written = str(make_header(decode_header(piece.head.get_filename() or "")))
    except Exception:  # names in alphabets that do not exist, and broken ones
        written = ""
    name = _NOT_A_NAME.sub("_", " ".join(tidy(str(written)).split())).strip(". ")
    return name[-150:] if name else f"file {place + 1}"


def _size(raw: bytes, piece: Piece) -> int:
    """The bytes of the file, by those of its encoding where that is enough to know."""
    length = piece.end - piece.begin
    if _encoding(piece) == "base64":
        newlines = raw.count(b"\n", piece.begin, piece.end) + raw.count(b"\r", piece.begin, piece.end)
        padding = raw.count(b"=", max(piece.begin, piece.end - 8), piece.end)
        return max(0, (length - newlines) * 3 // 4 - padding)
    return length


def _decoded(raw: bytes, piece: Piece) -> bytes:
    content = raw[piece.begin : piece.end]
    if _encoding(piece) == "quoted-printable":
        return quopri.decodestring(content)
    if _encoding(piece) == "base64":
        try:
            return base64.b64decode(content)
        except binascii.Error:  # broken off somewhere: what is whole of it
            letters = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
            return base64.b64decode(letters[: len(letters) // 4 * 4])
    return content


def _encoding(piece: Piece) -> str:
    return header(piece.head, "Content-Transfer-Encoding").strip().lower()
