"""On which line of a story file something stands, so that a complaint can point at it.

Python's own reader of TOML tells what a file says and forgets where it said so. This walks over the same text once
more and keeps nothing but the lines.
"""

import re
import tomllib
from typing import NamedTuple

Place = tuple[str | int, ...]
"""The way to a value: the keys of tables, and the numbers (from 0) of what stands in lists."""

_TOKEN = re.compile(
    r"""
      (?P<space>[\ \t]+|\#[^\n]*)
    | (?P<end>\r?\n)
    | (?P<text>\"{3}(?:[^\\]|\\.)*?\"{3,5}(?!\") | '{3}.*?'{3,5}(?!') | \"(?:[^\"\\\n]|\\.)*\" | '[^'\n]*')
    | (?P<mark>[\[\]{}=,])
    | (?P<bare>[^\s\[\]{}=,\#\"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def lines_of(text: str) -> dict[Place, int]:
    """The line (from 1) of every table, key and list entry. `text` must be something that `tomllib` can read."""
    walk = _Walk(text)
    walk.document()
    return walk.lines


class _Walk:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.lines: dict[Place, int] = {(): 1}
        self._entries: dict[Place, int] = {}

    def document(self) -> None:
        table: Place = ()
        while self.at < len(self.tokens):
            if self._sees("end"):
                self.at += 1
            elif self._sees("mark", "["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Place:
        line = self.tokens[self.at].line
        self.at += 1
        one_of_many = self._sees("mark", "[")
        self.at += one_of_many
        place: Place = ()
        keys = self._keys()
        for number, key in enumerate(keys, start=1):
            place = (*place, key)
            if one_of_many and number == len(keys):
                self.lines.setdefault(place, line)
                self._entries[place] = self._entries.get(place, -1) + 1
            if place in self._entries:
                place = (*place, self._entries[place])
            self.lines.setdefault(place, line)
        self.at += 1 + one_of_many
        return place

    def _pair(self, table: Place) -> None:
        line = self.tokens[self.at].line
        place = table
        for key in self._keys():
            place = (*place, key)
            self.lines.setdefault(place, line)
        self.at += 1
        self._value(place)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while self._sees("bare") or self._sees("text"):
            token = self.tokens[self.at]
            quoted = token.kind == "text"
            keys.extend([tomllib.loads(f"k = {token.text}")["k"]] if quoted else filter(None, token.text.split(".")))
            self.at += 1
        return keys

    def _value(self, place: Place) -> None:
        self.lines.setdefault(place, self.tokens[self.at].line)
        if self._sees("mark", "["):
            self._inside(place, "]")
        elif self._sees("mark", "{"):
            self._inside(place, "}")
        elif self._sees("text"):
            self.at += 1
        else:
            while self._sees("bare"):
                self.at += 1

    def _inside(self, place: Place, closing: str) -> None:
        self.at += 1
        number = 0
        while not self._sees("mark", closing):
            if self._sees("end") or self._sees("mark", ","):
                self.at += 1
            elif closing == "}":
                self._pair(place)
            else:
                self._value((*place, number))
                number += 1
        self.at += 1

    def _sees(self, kind: str, text: str | None = None) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.kind == kind and text in (None, token.text)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    line = 1
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind, found[0], line))
        line += found[0].count("\n")
    return tokens
