"""How well replies are read: quoted text cut, nothing of the customer's lost, and mails that came back told apart.

The mails to measure with are not kept here, since they belong to others. Give a folder of them:

    python -m bench.replies <folder>

`<folder>/quoted/<name>.txt` is a plain reply, and `<name>.said` beside it what its author wrote: each line of it has to
be left, and no other line but those of `<name>.may` (a signature, which may stay or go). `<folder>/bounces/` holds raw
mails that came back, and `<folder>/people/` raw mails that people wrote.
"""

import re
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

from channels._mail_reading import read_mail
from channels._quoted_text import said
from engine.replies import ReplyKind

CLEAN, LOST, TOLD_APART = 75, 2, 95
"""In per cent: at least so many mails clean, at most so many with lost words, at least so many bounces known."""


def main(folder: Path) -> int:
    """Prints the shares and what went wrong. 1 when one of the three targets is missed."""
    missed = []
    if replies := sorted(folder.glob("quoted/*.said")):
        judged = {path.stem: _judged(path) for path in replies}
        verdicts = Counter(judged.values())
        clean, lost = (100 * verdicts[verdict] / len(replies) for verdict in ("clean", "lost"))
        print(f"quoted text: {len(replies)} mails, {clean:.1f} % clean, {lost:.1f} % with words lost")
        _list(judged, "clean")
        missed += [clean < CLEAN, lost > LOST]
    for name, wanted in (("bounces", ReplyKind.BOUNCE), ("people", ReplyKind.HUMAN)):
        if mails := [path for path in sorted(folder.glob(f"{name}/**/*")) if path.is_file()]:
            begun = perf_counter()
            kinds = {path.name: _kind(path) for path in mails}
            each = 1000 * (perf_counter() - begun) / len(mails)
            share = 100 * sum(kind == wanted for kind in kinds.values()) / len(mails)
            print(f"{name}: {len(mails)} mails, {share:.1f} % known as such, {each:.2f} ms each")
            _list(kinds, wanted)
            missed.append(share < TOLD_APART)
    if not missed:
        print(f"There is nothing to measure with in {folder}.")
    return int(any(missed) or not missed)


def _judged(path: Path) -> str:
    """`lost` where a word of the author is missing, `left` where a quoted line is still there, else `clean`."""
    written = _lines(path.read_text())
    may = path.with_suffix(".may")
    allowed = written + (_lines(may.read_text()) if may.exists() else [])
    kept = _lines(said(path.with_suffix(".txt").read_text()))
    whole = "\n".join(kept)
    if any(line not in whole for line in written):
        return "lost"
    return "left" if any(line not in allowed for line in kept) else "clean"


def _lines(text: str) -> list[str]:
    return [line for line in (re.sub(r"\s+", " ", line).strip() for line in text.splitlines()) if line]


def _kind(path: Path) -> str:
    try:
        return read_mail(path.read_bytes()).kind
    except ValueError as problem:
        return f"unreadable: {problem}"


def _list(found: dict[str, str], wanted: str) -> None:
    for name, verdict in found.items():
        if verdict != wanted:
            print(f"  {name}: {verdict}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
