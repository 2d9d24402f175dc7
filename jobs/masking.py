"""Masking: what leaves the house for support says what happened, and to nobody whom it happened.

Nothing is searched for and struck out: a name can look like anything. It is the other way round. Only words of a short
list of plain ones, small numbers and times are let through; everything else becomes a stand-in. The same name gets the
same stand-in everywhere, so that a story can still be followed, and nobody without our key can tell whose it is.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_TIME = (
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w:-])"
    r"|(?<![\w:])\d\d:\d\d(?::\d\d)?(?![\w:])"
)
_PHONE = r"(?<!\w)\+?\(?\d(?:[ ().\-/]{0,3}\d){5,}"
_PIECES = re.compile(rf"(?P<time>{_TIME})|(?P<phone>{_PHONE})|(?P<joint>[\s='\"&]+)|(?P<word>[^\s='\"&]+)", re.ASCII)
_BEFORE = re.compile(r"^[^\w+@]*")
_AFTER = re.compile(r"[^\w]*$")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_BETWEEN = re.compile(r"[\n -~“”‘’…–→]*")
"""What may stand between: marks that spell nothing."""
_LETTERS = re.compile(r"[A-Za-z0-9]+")
_INSTANT = re.compile(rf"(?:{_TIME})|/Date\(-?\d+(?:[+-]\d{{4}})?\)/", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_REQUEST = re.compile(r"[0-9a-f-]{8,64}", re.ASCII | re.IGNORECASE)
_AMOUNT = re.compile(r"amount|total|balance|amt|rate|credit|discount|tax", re.IGNORECASE)
_ASKED = frozenset(
    {"page", "pageSize", "summaryOnly", "includeArchived", "order", "Statuses", "entities", "changedSince", "include"}
)
_MOST_ITEMS = 50
_DEEPEST = 12


class Mask:
    """One bundle's mask. The key makes stand-ins that only we can tell; `names` are known personal words.

    Names count only where they are made of plain words themselves ("The Payment Company"): all others are masked
    anyway.
    """

    def __init__(self, key: bytes, names: Iterable[str] = ()) -> None:
        self._key = key
        plain = {name.strip().lower() for name in names if name.strip() and _has_plain(name)}
        longest_first = sorted(plain, key=len, reverse=True)
        self._names = (
            re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.I) if plain else None
        )

    def ref(self, kind: str, value: str) -> str:
        """`invoice-7f3a2c91`: the stand-in of an identifier or a name. Empty stays empty."""
        return f"{kind}-{self._digest(value)}" if value else ""

    def text(self, text: str) -> str:
        """A sentence, of which only plain words, small numbers and times are left."""
        if self._names is not None:
            text = self._names.sub(lambda found: self.ref("x", found[0]), text)
        out: list[str] = []
        hidden: list[str] = []  # words that stand together are mostly one name, and get one stand-in
        for piece in _PIECES.finditer(text):
            if piece["joint"]:
                (hidden or out).append(piece[0])
            elif not piece["phone"] and (piece["time"] or _is_plain(piece[0]) or _is_stand_in(piece[0])):
                self._stand_in(hidden, out)
                out.append(piece[0])
            else:
                if piece[0][0] in "([{<“‘":
                    self._stand_in(hidden, out)
                hidden.append(piece[0])
                if piece[0][-1] in ",;:)]":
                    self._stand_in(hidden, out)
        self._stand_in(hidden, out)
        return "".join(out)

    def path(self, path: str) -> str:
        """The address of a call: the names of what was asked for, and no value that could be somebody's."""
        parts = urlsplit(path)
        steps = [step if not step or _is_plain(step) else self.ref("id", step) for step in parts.path.split("/")]
        query = [self._asked(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
        return "/".join(steps) + (f"?{'&'.join(query)}" if query else "")

    def request_id(self, text: str) -> str:
        """The provider's own number of a call, which its support needs. What does not look like one is masked."""
        return text if _REQUEST.fullmatch(text) else self.ref("id", text)

    def raw(self, raw: str) -> str:
        """A row as a ledger sent it: its shape, with stand-ins for what is in it."""
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError):
            return f"(not JSON, {len(raw)} characters)"
        return json.dumps(self._shape("", row, 0), ensure_ascii=True)

    def _stand_in(self, hidden: list[str], out: list[str]) -> None:
        """One stand-in for what is hidden. Marks and blanks around it are kept, as far as they are plain ones."""
        text = "".join(hidden)
        hidden.clear()
        if not text:
            return
        before, after = text[: len(text) - len(_BEFORE.sub("", text))], text[len(_AFTER.sub("", text)) :]
        word = text[len(before) : len(text) - len(after)] if len(before) < len(text) else text
        shown = self.ref("x", word)
        out.append(f"{before if _BETWEEN.fullmatch(before) else ''}{shown}{after if _BETWEEN.fullmatch(after) else ''}")

    def _asked(self, name: str, value: str) -> str:
        shown = name if _is_plain(name) else self.ref("x", name)
        if name == "query":
            return f"{shown}={self.text(value)}"
        if name in _ASKED and (_is_plain(value) or _INSTANT.fullmatch(value)):
            return f"{shown}={value}"
        return f"{shown}=…" if value else shown

    def _shape(self, key: str, value: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            return "(deeper)"
        match value:
            case None | bool():
                return value
            case dict():
                shown = list(value.items())[:_MOST_ITEMS]
                return {self._key_of(name): self._shape(name, one, depth + 1) for name, one in shown}
            case list():
                return [self._shape(key, one, depth + 1) for one in value[:_MOST_ITEMS]]
            case int() | float():
                return value if _AMOUNT.search(key) else f"(a number of {len(str(value))} characters)"
            case _:
                return self._value(key, str(value))

    def _key_of(self, name: str) -> str:
        return name if _is_plain(name) else self.ref("key", name)

    def _value(self, key: str, value: str) -> str:
        if not value or _INSTANT.fullmatch(value) or (value.isascii() and value.isalpha() and _is_plain(value)):
            return value
        if _AMOUNT.search(key) and _DECIMAL.fullmatch(value):
            return value
        kind = "id" if key.lower().endswith("id") else "x"
        return f"{self.ref(kind, value)} ({len(value)} characters)"

    def _digest(self, value: str) -> str:
        return hmac.new(self._key, value.strip().lower().encode(errors="replace"), hashlib.sha256).hexdigest()[:10]


@cache
def plain_words() -> frozenset[str]:
    """The words that may be shown: those of our own sentences, of the providers' documents and of Python's errors."""
    return frozenset((files(__package__) / "plain_words.txt").read_text(encoding="utf-8").split())


def _is_plain(word: str) -> bool:
    """Whether every word in it is a plain one, and every number has three digits at most."""
    if "@" in word or not _BETWEEN.fullmatch(word):
        return False
    return all(_is_known(part) for run in _LETTERS.findall(word) for part in _split(run))


def _split(run: str) -> list[str]:
    """`InvoiceNumber` is two words; `datetimeutc` and `x7` are one, and not plain."""
    parts = _PARTS.findall(run)
    return parts if "".join(parts) == run else [run]


def _is_known(part: str) -> bool:
    return (part.isdigit() and len(part) <= 3) or part.lower() in plain_words()


def _is_stand_in(word: str) -> bool:
    return re.fullmatch(r"(?:x|id|key|account|invoice)-[0-9a-f]{10}", word) is not None


def _has_plain(name: str) -> bool:
    return any(_is_known(part) for run in _LETTERS.findall(name) for part in _split(run))
