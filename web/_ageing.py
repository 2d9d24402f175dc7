"""The ageing bar: how much is owed, from not yet due to long overdue, drawn to scale beside its figures."""

from decimal import Decimal
from typing import NamedTuple

from engine.ageing import BUCKETS
from store.screens import Ageing

WIDTH = 1000
_NAMES = ("fresh", "one", "two", "three", "four")


class Piece(NamedTuple):
    """One part of the bar: where it begins and how wide it is, of a thousand."""

    name: str
    label: str
    amount: Decimal
    share: int
    x: float
    width: float


class Bar(NamedTuple):
    line: Ageing
    pieces: tuple[Piece, ...]


def bars(line: Ageing) -> Bar:
    """The bar of one currency. Its pieces are as wide as their share of all that is open."""
    pieces, x = [], 0.0
    for name, label, amount in zip(_NAMES, BUCKETS, line.buckets, strict=True):
        share = amount / line.open if line.open else Decimal(0)
        width = round(float(share) * WIDTH, 1)
        pieces.append(Piece(name, label, amount, round(share * 100), round(x, 1), width))
        x += width
    return Bar(line, tuple(pieces))
