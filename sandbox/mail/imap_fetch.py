"""What of a letter was asked for: IMAP's FETCH."""

import re
from datetime import datetime

from sandbox.mail.imap_words import BadCommand, Words
from sandbox.mail.post_office import Delivered

MACROS = {
    "ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
    "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
}
OLD_NAMES = {"RFC822": "BODY[]", "RFC822.HEADER": "BODY.PEEK[HEADER]", "RFC822.TEXT": "BODY[TEXT]"}
_BODY = re.compile(r"BODY(\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
_FIELDS = re.compile(r"HEADER\.FIELDS(\.NOT)? \((.*)\)", re.IGNORECASE)


def items_of(asked: str | Words) -> list[str]:
    items = asked if isinstance(asked, list) else MACROS.get(asked.upper(), [asked])
    return [str(item) for item in items]


def marks_as_seen(items: list[str]) -> bool:
    """Reading a letter marks it as read, unless one only peeks."""
    return any(re.match(r"(RFC822|RFC822\.TEXT)$|BODY\[", item, re.IGNORECASE) for item in items)


def shown(letter: Delivered, items: list[str]) -> bytes:
    parts = []
    for item in items:
        name = item.upper()
        if name == "UID":
            parts.append(b"UID %d" % letter.uid)
        elif name == "FLAGS":
            parts.append(b"FLAGS (%s)" % " ".join(sorted(letter.flags)).encode())
        elif name == "INTERNALDATE":
            parts.append(b'INTERNALDATE "%s"' % internal_date(letter.received_at).encode())
        elif name == "RFC822.SIZE":
            parts.append(b"RFC822.SIZE %d" % len(letter.raw))
        else:
            parts.append(_piece(letter, item))
    return b" ".join(parts)


def _piece(letter: Delivered, item: str) -> bytes:
    match = _BODY.fullmatch(OLD_NAMES.get(item.upper(), item))
    if match is None:
        raise BadCommand(f"FETCH {item} is not offered.")
    content = _section(letter.raw, match[2])
    label = item.upper() if item.upper() in OLD_NAMES else f"BODY[{match[2]}]"
    if match[3] is not None:
        start, count = int(match[3]), int(match[4])
        content, label = content[start : start + count], f"{label}<{start}>"
    return b"%s {%d}\r\n%s" % (label.encode(), len(content), content)


def _section(raw: bytes, section: str) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    match section.upper():
        case "":
            return raw
        case "HEADER":
            return head
        case "TEXT":
            return body
    fields = _FIELDS.fullmatch(section)
    if fields is None:
        raise BadCommand(f"BODY[{section}] is not offered.")
    wanted = {name.strip('"').lower() for name in fields[2].split()}
    lines = re.split(rb"\r\n(?![ \t])", head[:-4])
    chosen = [
        line for line in lines if (line.partition(b":")[0].decode("latin-1").lower() in wanted) is (fields[1] is None)
    ]
    return b"".join(line + b"\r\n" for line in chosen) + b"\r\n"


def internal_date(at: datetime) -> str:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{at.day:2d}-{months[at.month - 1]}-{at:%Y %H:%M:%S} +0000"
