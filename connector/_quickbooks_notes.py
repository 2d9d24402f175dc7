"""A short block of ours in the customer's notes, beside whatever the firm's own people write there.

The notes of a customer are one text that everybody shares, so we keep to a few lines between two markers, newest
first, and leave every letter outside of them as it is. Where somebody has touched our markers, or has left no room, we
write nothing there: what people wrote goes before what we have to say.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from connector import LedgerNote

BEGIN = "--- arrears: what was said about overdue invoices; written by arrears, please keep this line ---"
END = "--- arrears: end ---"
LONGEST_LINE = 160


@dataclass(frozen=True, slots=True)
class Merged:
    """The whole text as it should be; `notes` is None when there is no place, and then `why` says what to do."""

    notes: str | None
    why: str = ""


def merged(before: str, lines: Sequence[str], markers: Sequence[str], *, block_cap: int, notes_cap: int) -> Merged:
    """The notes with these lines put in, oldest given first. What comes after the last one that is there is new.

    The block takes at most `block_cap` characters, the whole text at most `notes_cap`.
    """
    if (parts := _parts(before)) is None:
        return Merged(
            None,
            "the two lines that begin and end what arrears keeps in the customer's notes were changed. "
            "Delete what is left of them in QuickBooks, and arrears begins anew",
        )
    head, ours, tail = parts
    there = [number for number, marker in enumerate(markers) if any(marker in known for known in ours)]
    fresh = lines[max(there, default=-1) + 1 :]
    if not fresh:
        return Merged(before)
    room = min(block_cap, notes_cap - len(head) - len(tail))
    block = _block([*reversed(fresh), *ours], room)
    if block is None:
        return Merged(None, "the customer's notes are full. Shorten them in QuickBooks")
    return Merged(f"{head}{block}{tail}")


def lines_of(notes: str) -> tuple[str, ...]:
    """The lines that are ours, newest first."""
    parts = _parts(notes)
    return tuple(parts[1]) if parts else ()


def line_of(note: LedgerNote, on: date) -> str:
    """A note in one line, with its day before it and its marker whole."""
    text = " ".join(note.text.replace(note.marker, " ").split())
    room = LONGEST_LINE - len(note.marker) - 12
    if len(text) > room:
        text = f"{text[: room - 3].rsplit(' ', 1)[0]}..."  # three dots, because Latin-1 has no ellipsis
    # A line that looks like one of ours between the two would be taken for it.
    return f"{on.isoformat()} {text} {note.marker}".replace("--- arrears:", "arrears:")


def plain(text: str) -> str:
    """The text in Latin-1, as far as its letters have something like them there; the others become a question mark."""
    for letter, instead in _INSTEAD.items():
        text = text.replace(letter, instead)
    if _fits(text):
        return text
    parts = (letter if _fits(letter) else _nearest(letter) for letter in text)
    return " ".join("".join(parts).split())


def is_plain(text: str) -> bool:
    """Whether Latin-1 has all its letters."""
    return _fits(text)


def _parts(notes: str) -> tuple[str, list[str], str] | None:
    """What stands before our block, the lines in it, and what stands after; None when the markers are damaged."""
    begins, ends = [*re.finditer(_LINE.format(BEGIN), notes)], [*re.finditer(_LINE.format(END), notes)]
    if not begins and not ends and "--- arrears:" not in notes:
        return (f"{notes}\n" if notes and not notes.endswith("\n") else notes), [], ""
    whole = len(begins) == len(ends) == 1 and begins[0].end() <= ends[0].start()
    if not whole or notes.count("--- arrears:") != 2:
        return None
    inside = notes[begins[0].end() : ends[0].start()]
    lines = [line.strip() for line in inside.splitlines() if line.strip()]
    return notes[: begins[0].start()], lines, notes[ends[0].end() :]


def _block(lines: Sequence[str], room: int) -> str | None:
    """As many lines as there is room for, the oldest dropped. None when there is not room for one."""
    left = room - len(BEGIN) - len(END) - 1
    kept: list[str] = []
    for line in lines:
        if len(line) + 1 > left:
            break
        kept.append(line)
        left -= len(line) + 1
    return "\n".join([BEGIN, *kept, END]) if kept else None


def _fits(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)


def _nearest(letter: str) -> str:
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if _fits(part))
    if bare or unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn", "So", "Sk"):
        return bare
    return "?"


_LINE = r"(?m)^{}(?=\r?$)"
_INSTEAD = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2026": "...",
    "\u20ac": "EUR",
    "\u2212": "-",
    "\u2022": "*",
    "\u0141": "L",
    "\u0142": "l",
    "\u0152": "OE",
    "\u0153": "oe",
}
