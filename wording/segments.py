"""What a text message costs: how many letters it takes, and how many segments the telephone network charges for it.

The network's own alphabet packs 160 letters into one message. A single letter outside it, such as a typographic quote
pasted from a word processor, halves that and more. So what looks alike is replaced before a text goes out, and an
author can see at each moment what the words come to and which letters are to blame.

The alphabet and the lengths are those of 3GPP TS 23.038 and TS 23.040.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = frozenset("^{}\\[~]|€\f")
_ALONE = {"GSM-7": 160, "UCS-2": 70}
_IN_PARTS = {"GSM-7": 153, "UCS-2": 67}

_ALIKE = {
    **dict.fromkeys("‘’‚‛′ʼʹ`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys(
        "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "
    ),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    **dict.fromkeys("•·", "*"),
    "…": "...",
    "\u2028": "\n",
    "\u2029": "\n",
}
_TABLE = str.maketrans(_ALIKE)


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text comes to.

    `characters` counts as the network does: a letter of the alphabet's second page counts twice, and so does one that
    needs two units of UCS-2, such as most pictures. `room` is how many more fit before another segment is charged.
    `outside` are the letters that are not in the network's own alphabet, each once, in the order of the text.
    """

    encoding: Encoding
    segments: int
    characters: int
    room: int
    outside: str


def count(text: str) -> Segments:
    """What this text comes to as it stands. An empty text is no message: 0 segments."""
    outside = "".join(dict.fromkeys(letter for letter in text if letter not in _GSM and letter not in _TWICE))
    encoding: Encoding = "UCS-2" if outside else "GSM-7"
    sizes = [_size(letter, encoding) for letter in text]
    characters = sum(sizes)
    if characters <= _ALONE[encoding]:
        return Segments(encoding, 1 if text else 0, characters, _ALONE[encoding] - characters, outside)
    parts, room = _in_parts(sizes, _IN_PARTS[encoding])
    return Segments(encoding, parts, characters, room, outside)


def normalised(text: str) -> str:
    """The same text with the letters of the network's alphabet for those that only look different.

    Typographic quotes and dashes, blanks that do not break, dots drawn as one letter: nobody misses them, and each
    would more than halve the room. Names keep their letters. Never costs more than the text itself.
    """
    plain = unicodedata.normalize("NFC", text).translate(_TABLE)
    plain = re.sub(r"\r\n?", "\n", plain)
    return plain if count(plain).segments <= count(text).segments else text


def _in_parts(sizes: list[int], each: int) -> tuple[int, int]:
    """How many parts, and what is left in the last. A letter that counts twice is never cut in two."""
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return parts, room


def _size(letter: str, encoding: Encoding) -> int:
    if encoding == "UCS-2":
        return 2 if ord(letter) > 0xFFFF else 1
    return 2 if letter in _TWICE else 1
