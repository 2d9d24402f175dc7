"""Reads back what a PDF of ours prints, by the file's own tables of letters, as a reader's search would."""

import base64
import re
import zlib


def words_of(pdf: bytes) -> str:
    """Every text that is printed, one a line, in the order of printing."""
    objects = dict(re.findall(rb"(?ms)^(\d+) 0 obj\s*(.*?)\s*endobj", pdf))
    faces = {
        name: _letters(_stream(objects[table[1]]))
        for name, font in re.findall(rb"/(F\d+\+\d+) (\d+) 0 R", pdf)
        if (table := re.search(rb"/ToUnicode (\d+) 0 R", objects[font]))
    }
    contents = re.findall(rb"/Contents (\d+) 0 R", pdf)
    return "\n".join(
        "".join(faces[face][letter] for letter in bytes.fromhex(codes.decode()))
        for page in contents
        for face, codes in re.findall(rb"/(F\d+\+\d+) [\d.]+ Tf <([0-9a-f]*)> Tj", _stream(objects[page]))
    )


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream")
    raw = rest.lstrip(b"\r\n").removesuffix(b"endstream")
    if b"/ASCII85Decode" in head:
        raw = base64.a85decode(raw.strip().removesuffix(b"~>"))
    return zlib.decompressobj().decompress(raw) if b"/FlateDecode" in head else raw


def _letters(table: bytes) -> dict[int, str]:
    return {
        int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
        for code, letter in re.findall(rb"<([0-9A-F]{2})> <([0-9A-F]{4,8})>", table)
    }
