"""Packing an answer whose greater part was packed before: only what is new about it is pressed anew.

A deflate stream may be laid together from stretches that were pressed apart. So a page of a thousand rows is pressed
once, and the few words around it, which tell the time, each time it is asked for.
"""

import struct
import zlib
from collections.abc import Iterable


def stretch(data: bytes) -> bytes:
    """A stretch of a deflate stream that stands by itself: stretches may be laid end to end (RFC 1951)."""
    press = zlib.compressobj(5, zlib.DEFLATED, -15)
    return press.compress(data) + press.flush(zlib.Z_FULL_FLUSH)


def gzip_of(stretches: Iterable[bytes], whole: bytes) -> bytes:
    """One gzip file of these stretches (RFC 1952); `whole` is what they are when unpacked."""
    head, end = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", b"\x03\x00"
    return head + b"".join(stretches) + end + struct.pack("<II", zlib.crc32(whole), len(whole) & 0xFFFFFFFF)
