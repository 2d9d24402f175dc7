"""One way to print a table, so that what belongs together can be read together."""

import os
from collections.abc import Sequence

Row = Sequence[str]


def table(title: str, rows: Sequence[Row]) -> None:
    """Prints rows under their title, the first being the heading; two columns of words, then figures."""
    print(f"\n{title}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        figures = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        print("  ".join([*words, *figures]).rstrip())


def busy() -> str:
    """A sentence when others are using this machine now, else nothing."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load < cores / 4:
        return ""
    return f"Others are using this machine (load {load:.1f} on {cores} cores): the figures are too slow."
