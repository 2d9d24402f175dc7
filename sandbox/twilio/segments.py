"""How a text is cut into the short messages that are billed: 160 characters of the telephone alphabet, or 70 of any.

A text that needs several is cut into parts of 153 or 67, because each part carries a note of its place. A few
characters of the telephone alphabet take two places, and so does an emoji. (GSM 03.38;
https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding)
"""

from collections.abc import Iterable

ONE_PLACE = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWO_PLACES = frozenset("^{}\\[~]|€\f")
# What SmartEncoded replaces, as far as ordinary writing needs it.
SMART = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "})


def segments(text: str) -> int:
    """How many messages this text is. Twilio bills each."""
    if all(letter in ONE_PLACE or letter in TWO_PLACES for letter in text):
        return _parts((2 if letter in TWO_PLACES else 1 for letter in text), alone=160, shared=153)
    return _parts((2 if ord(letter) > 0xFFFF else 1 for letter in text), alone=70, shared=67)


def _parts(widths: Iterable[int], *, alone: int, shared: int) -> int:
    places = list(widths)
    if sum(places) <= alone:
        return 1
    parts, used = 1, 0
    for width in places:
        if used + width > shared:
            parts, used = parts + 1, 0
        used += width
    return parts
