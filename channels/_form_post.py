"""A form that was posted with files in it (multipart/form-data), taken apart without touching a byte of what it holds.

Ready-made readers of forms turn every field into text and destroy what is not UTF-8. A mail in an old alphabet would be
beyond repair, so fields stay bytes here. Forms come from strangers: every count and length is bounded.
"""

import re
from typing import NamedTuple

MOST_PARTS = 500
LONGEST_HEAD = 16_384
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\\r\n]|\\.)*)"', re.IGNORECASE)


class Part(NamedTuple):
    """One field, or one file when it has a `filename`."""

    content: bytes
    filename: str = ""
    content_type: str = ""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def form_parts(content_type: str, body: bytes) -> dict[str, Part]:
    """The parts by name. Raises ValueError with a sentence.

    Two parts of one name are refused: SendGrid's boundary can be guessed, and whoever writes it into a mail could add
    a part that says who is to be believed.
    """
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().lstrip().startswith("multipart/form-data"):
        raise ValueError("The post is no form with parts.")
    mark = b"--" + (found[1] or found[2]).encode("utf-8")
    parts: dict[str, Part] = {}
    place = _begin(body, mark)
    for _ in range(MOST_PARTS):
        if body.startswith(b"--", place):
            return parts
        end = body.find(b"\r\n" + mark, place)
        if end < 0:
            raise ValueError("The form breaks off in the middle of a part.")
        name, part = _part(body, place, end)
        if name in parts:
            raise ValueError(f"The form has two parts with the name '{name[:40]}'.")
        parts[name] = part
        place = end + 2 + len(mark)
    raise ValueError(f"The form has more than {MOST_PARTS} parts.")


def _begin(body: bytes, mark: bytes) -> int:
    if body.startswith(mark):
        return len(mark)
    begin = body.find(b"\r\n" + mark)
    if begin < 0:
        raise ValueError("The form does not have the parts that it announces.")
    return begin + 2 + len(mark)


def _part(body: bytes, begin: int, end: int) -> tuple[str, Part]:
    gap = body.find(b"\r\n\r\n", begin, min(end, begin + LONGEST_HEAD))
    if gap < 0:
        raise ValueError("A part of the form has no end to its head.")
    head = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in body[begin:gap].decode("utf-8", "replace").split("\r\n"))
    }
    named = {
        name.lower(): re.sub(r"\\(.)", r"\1", value)
        for name, value in _PARAMETER.findall(head.get("content-disposition", ""))
    }
    return named.get("name", ""), Part(body[gap + 4 : end], named.get("filename", ""), head.get("content-type", ""))
