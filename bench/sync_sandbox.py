"""The ledger that is read, as the run sees it: in a process of its own, with its answers rendered ahead.

What is inside that process is `sync_doors.py`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Books:
    """How large the ledger is. `open_share` of the invoices, the newest ones, are still owed."""

    invoices: int
    contacts: int
    open_share: float


@dataclass(slots=True)
class Counts:
    """What went over the line: calls, also by list; bytes of bodies as they were sent; and the answers that had to be
    worked out because nobody had asked for them before."""

    calls: int = 0
    bytes: int = 0
    worked_out: int = 0
    paths: dict[str, int] = field(default_factory=dict)


class Ledgers:
    """The running sandbox. `addresses` are those of its doors, as the product's settings name them, by ledger."""

    def __init__(self, addresses: dict[str, Any]) -> None:
        self.addresses = addresses

    @property
    def url(self) -> str:
        return str(self.addresses["url"])

    def counts(self) -> Counts:
        """The counts since they were last asked for."""
        return Counts(**self._ask("counts"))

    def now(self) -> datetime:
        return self.later(0)

    def later(self, minutes: float) -> datetime:
        """So many minutes go by in which nothing happens. The sandbox's time."""
        return datetime.fromisoformat(self._ask(f"later?minutes={minutes}"))

    def pay(self, count: int) -> int:
        """So many of the open invoices are paid, every tenth of them in part. How many that were."""
        return int(self._ask(f"pay?count={count}"))

    def raise_new(self, count: int) -> int:
        """So many new invoices are raised."""
        return int(self._ask(f"raise?count={count}"))

    def _ask(self, what: str) -> Any:
        with urlopen(f"{self.url}/bench/{what}") as answer:
            return json.load(answer)


@contextmanager
def running(books: Books) -> Iterator[Ledgers]:
    """The sandbox with these books, until the end of the block."""
    command = [sys.executable, "-m", "bench.sync_doors", json.dumps(asdict(books))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None and process.stdout is not None
    try:
        first = process.stdout.readline()
        if not first:
            raise SystemExit("The sandbox did not start; what it said is above.")
        yield Ledgers(json.loads(first))
    finally:
        process.stdin.close()
        process.wait(20)
