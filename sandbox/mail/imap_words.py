"""The grammar of IMAP: one command line, with its quoted words, brackets and counted pieces, taken apart.

A command may be interrupted by a counted piece (`{12}` and then twelve bytes), for which the server has to say "go
on".
"""

from collections.abc import Callable
from typing import Any, Protocol

Words = list[Any]  # each a str or again such a list


class Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...
    def read(self, size: int, /) -> bytes: ...


class BadCommand(ValueError):
    """The line cannot be understood; the message goes back with BAD."""


def read_command(lines: Lines, go_on: Callable[[], None]) -> bytes | None:
    """One whole command as bytes, each counted piece written as `{12}\\r\\n` followed by its bytes."""
    command = b""
    while line := lines.readline(1 << 20):
        command += line
        end = line.rstrip(b"\r\n")
        if not (end.endswith(b"}") and b"{" in end):
            return command.rstrip(b"\r\n")
        count = end[end.rindex(b"{") + 1 : -1]
        if not count.rstrip(b"+").isdigit():
            return command.rstrip(b"\r\n")
        if not count.endswith(b"+"):
            go_on()
        command += lines.read(int(count.rstrip(b"+")))
    return None


def words_of(command: bytes) -> Words:
    """Nested lists of words: `UID FETCH 1:* (FLAGS BODY[HEADER.FIELDS (DATE)])` has four, the last a list of two."""
    words, end = _sequence(command, 0, closing=b"")
    if end != len(command):
        raise BadCommand("There is a closing bracket too many.")
    return words


def _sequence(text: bytes, at: int, closing: bytes) -> tuple[Words, int]:
    words: Words = []
    while at < len(text):
        char = text[at : at + 1]
        if char in b" \r\n":
            at += 1
        elif char == closing:
            return words, at + 1
        elif char == b")":
            return words, at
        elif char == b"(":
            inner, at = _sequence(text, at + 1, closing=b")")
            words.append(inner)
        elif char == b'"':
            word, at = _quoted(text, at + 1)
            words.append(word)
        elif char == b"{":
            close = text.index(b"}", at)
            size = int(text[at + 1 : close].rstrip(b"+"))
            start = close + 3
            words.append(text[start : start + size].decode("utf-8", "surrogateescape"))
            at = start + size
        else:
            word, at = _atom(text, at)
            words.append(word)
    if closing:
        raise BadCommand("A bracket is not closed.")
    return words, at


def _quoted(text: bytes, at: int) -> tuple[str, int]:
    word = bytearray()
    while at < len(text):
        char = text[at]
        if char == 0x22:
            return word.decode("utf-8", "surrogateescape"), at + 1
        if char == 0x5C:
            at += 1
        word.append(text[at])
        at += 1
    raise BadCommand("A quotation mark is not closed.")


def _atom(text: bytes, at: int) -> tuple[str, int]:
    """A bare word; square brackets keep their content, spaces and all, as in `BODY.PEEK[HEADER.FIELDS (TO)]<0.100>`."""
    start, depth = at, 0
    while at < len(text):
        char = text[at : at + 1]
        depth += (char == b"[") - (char == b"]")
        if depth == 0 and char in b" ()\r\n":
            break
        at += 1
    return text[start:at].decode("utf-8", "surrogateescape"), at


def numbers_in(text: str, highest: int) -> list[tuple[int, int]]:
    """`1,3:5,9:*` as ranges. `*` is the highest number there is, and a range may be written either way round."""
    ranges = []
    for part in text.split(","):
        ends = [highest if end == "*" else int(end) for end in part.split(":") if end == "*" or end.isdigit()]
        if len(ends) != part.count(":") + 1 or len(ends) > 2:
            raise BadCommand(f"“{text}” is not a set of numbers.")
        ranges.append((min(ends), max(ends)))
    return ranges
