"""How well replies are read: quoted text cut, nothing of the customer's lost, and what machines send told apart.

The mails to measure with are not kept here, since they belong to others. Give a folder of them:

    python -m bench.replies --mails <folder>

`<folder>/quoted/<name>.txt` is a plain reply (`.eml` a raw mail), and `<name>.said` beside it what its author wrote:
each line of it has to be left, and no other line but those of `<name>.may` (a signature, which may stay or go). The
other folders hold raw mails: `bounces/`, `delays/`, `absences/`, `automatic/` (any other answer of a machine),
`complaints/`, `receipts/`, `people/`, and `not_bounces/` for what nobody would call a reply.

`--list <file>` takes the expectations from a list such as `bench/replies_1.tsv` instead: the fingerprint of each mail,
where it came from, and the fingerprints of the lines that its author wrote. Whoever gathers the same mails anew can
repeat a measurement by it, and no words of others are kept in it.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from channels._mail_reading import read_mail
from channels._quoted_text import said
from engine.replies import ReplyKind

CLEAN, LOST, TOLD_APART = 75, 2, 95
"""In per cent: at least so many mails clean, at most so many with lost words, at least so many told apart."""

KINDS = {
    "bounces": {ReplyKind.BOUNCE},
    "delays": {ReplyKind.MACHINE},
    "absences": {ReplyKind.OUT_OF_OFFICE},
    "automatic": {ReplyKind.OUT_OF_OFFICE, ReplyKind.MACHINE, ReplyKind.BULK},
    "complaints": {ReplyKind.COMPLAINT},
    "receipts": {ReplyKind.RECEIPT},
    "people": {ReplyKind.HUMAN},
    "not_bounces": set(ReplyKind) - {ReplyKind.BOUNCE},
}
NOT_FROM_MACHINES = {"people", "not_bounces"}


@dataclass(frozen=True, slots=True)
class Expected:
    """One mail, the folder that says what it is, and the fingerprints of its author's lines if it is a reply."""

    path: Path
    folder: str
    said: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


def main() -> int:
    """Prints the shares and what went wrong. 1 when one of the three targets is missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--mails", type=Path, required=True, help="the folder of mails")
    asked.add_argument("--list", type=Path, help="what is expected of them, instead of what lies beside them")
    chosen = asked.parse_args()
    mails = list(listed(chosen.mails, chosen.list) if chosen.list else beside(chosen.mails))
    if not mails:
        print(f"There is nothing to measure with in {chosen.mails}.")
        return 1
    replies = [mail for mail in mails if mail.folder == "quoted"]
    others = [mail for mail in mails if mail.folder != "quoted"]
    return int(any([*(quoted(replies) if replies else []), *(told_apart(others) if others else [])]))


def beside(folder: Path) -> Iterator[Expected]:
    """The mails of a folder, with what lies beside them."""
    for path in sorted(folder.glob("quoted/*.said")):
        mail = next(found for end in (".txt", ".eml") if (found := path.with_suffix(end)).exists())
        may = path.with_suffix(".may")
        allowed = fingerprints(may.read_text()) if may.exists() else frozenset()
        yield Expected(mail, "quoted", fingerprints(path.read_text()), allowed)
    for kind in KINDS:
        yield from (Expected(path, kind) for path in sorted(folder.glob(f"{kind}/**/*")) if path.is_file())


def listed(folder: Path, found_in: Path) -> Iterator[Expected]:
    """The mails of a list: folder, name, fingerprint, origin, and the lines that are said and that may stay."""
    missing = 0
    for line in found_in.read_text().splitlines():
        kind, name, print_of_it, _, lines, may = line.split("\t")
        path = folder / kind / name
        if not path.exists() or sha256(path.read_bytes()).hexdigest()[:16] != print_of_it:
            missing += 1
            continue
        yield Expected(path, kind, frozenset(lines.split()), frozenset(may.split()))
    if missing:
        print(f"{missing} mails of the list are not in the folder, or are others than they were.")


def quoted(replies: list[Expected]) -> list[bool]:
    """Which of the two targets for quoted text were missed."""
    judged = {mail.path.name: judge(mail) for mail in replies}
    verdicts = Counter(judged.values())
    clean, lost = (100 * verdicts[verdict] / len(replies) for verdict in ("clean", "lost"))
    print(f"quoted text: {len(replies)} mails, {clean:.1f} % clean, {lost:.1f} % with words lost")
    show(judged, {"clean"})
    return [clean < CLEAN, lost > LOST]


def judge(mail: Expected) -> str:
    """`lost` where a line of the author is missing, `left` where a quoted one is still there, else `clean`."""
    raw = mail.path.read_bytes()
    kept = fingerprints(read_mail(raw).said if mail.path.suffix == ".eml" else said(raw.decode()))
    if mail.said - kept:
        return "lost"
    return "left" if kept - mail.said - mail.may else "clean"


def fingerprints(text: str) -> frozenset[str]:
    """Of each line that says anything; blanks do not count."""
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return frozenset(sha256(line.encode()).hexdigest()[:10] for line in lines if re.search(r"\w", line))


def told_apart(mails: list[Expected]) -> list[bool]:
    """Whether machines were not told apart, by the share of their mails that are known for what they are."""
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    begun = perf_counter()
    for mail in mails:
        kinds[mail.folder][mail.path.name] = kind_of(mail.path)
    each = 1000 * (perf_counter() - begun) / len(mails)
    right = {folder: sum(kind in KINDS[folder] for kind in found.values()) for folder, found in kinds.items()}
    for folder, found in kinds.items():
        print(f"{folder}: {len(found)} mails, {100 * right[folder] / len(found):.1f} % known as such")
        show(found, set(KINDS[folder]))
    written = [kind for folder in NOT_FROM_MACHINES for kind in kinds[folder].values()]
    if written:
        print(f"taken for a bounce without being one: {written.count(ReplyKind.BOUNCE)} of {len(written)}")
    machines = [folder for folder in kinds if folder not in NOT_FROM_MACHINES]
    sent = sum(len(kinds[folder]) for folder in machines)
    if not sent:
        return []
    share = 100 * sum(right[folder] for folder in machines) / sent
    print(f"mails of machines: {sent}, {share:.1f} % told apart; {each:.2f} ms each")
    return [share < TOLD_APART]


def kind_of(path: Path) -> str:
    try:
        return read_mail(path.read_bytes()).kind
    except ValueError as problem:
        return f"unreadable: {problem}"


def show(found: dict[str, str], wanted: set[str]) -> None:
    for name, verdict in found.items():
        if verdict not in wanted:
            print(f"  {name}: {verdict}")


if __name__ == "__main__":
    sys.exit(main())
