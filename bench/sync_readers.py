"""Readers that are not ours, each in an environment of its own: how it is made, and how one of them is timed.

The environments lie in the user's cache folder and are made the first time, from the package index. A reader that
cannot be had is left out, with a sentence. What each of them is and what had to be changed for it is said in its
launcher in `bench/peers/`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.sync_consent import tokens
from bench.sync_sandbox import ROOT, Counts, Ledgers

PEERS = Path(__file__).parent / "peers"
TARGET = ("target_sqlite", "sqlite_target")


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader. `parts` are its processes, each as environment and launcher; the first one speaks to the second."""

    name: str
    ledger: str
    parts: tuple[tuple[str, str], ...]
    goes_on: bool = False
    """Can it be asked for what has changed since?"""


READERS = (
    Reader("tap-xero | target-sqlite", "xero", (("tap_xero", "xero_tap"), TARGET), goes_on=True),
    Reader("dlt into SQLite", "xero", (("dlt", "dlt_into_sqlite"),)),
    Reader("pyxero, dicts, nothing kept", "xero", (("pyxero", "xero_by_pyxero"),)),
    Reader("xero-python, models, nothing kept", "xero", (("xero_python", "xero_by_sdk"),)),
    Reader(
        "tap-quickbooks | target-sqlite", "quickbooks", (("tap_quickbooks", "quickbooks_tap"), TARGET), goes_on=True
    ),
    Reader("dlt into SQLite", "quickbooks", (("dlt", "dlt_into_sqlite"),)),
    Reader("python-quickbooks, models, nothing kept", "quickbooks", (("python_quickbooks", "quickbooks_by_sdk"),)),
)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from the beginning of the reading to the end of the last process; processor seconds and the highest
    peaks in MB of all its processes together, imports included in the peaks only."""

    seconds: float
    processor: float
    peak: float
    counts: Counts


def environment(name: str) -> str:
    """Makes the environment if it is not there; a sentence why it cannot be had, or nothing."""
    return _made(name)


@cache
def _made(name: str) -> str:
    python = _python(name)
    try:
        if not python.exists():
            print(f"  setting up {name} …", flush=True)
            subprocess.run([sys._base_executable, "-m", "venv", str(python.parent.parent)], check=True)  # type: ignore[attr-defined]
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r"]
        subprocess.run([*install, str(PEERS / f"{name}.txt")], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return f"its packages could not be installed (bench/peers/{name}.txt)"
    return ""


def _python(name: str) -> Path:
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache_folder / "arrears-bench" / name / "bin" / "python"


class Fails(Exception):
    """The reader did not come to its end; the last lines that it said."""


class Desk:
    """A folder for one reader, in which it may keep its rows and where it has come to."""

    def __init__(self, reader: Reader, ledgers: Ledgers, folder: Path) -> None:
        self._reader, self._ledgers, self._folder = reader, ledgers, folder

    def rehearse(self) -> None:
        """Lets it read everything once, keeping nothing, so that each answer that it asks for is ready."""
        with tempfile.TemporaryDirectory() as folder:
            Desk(self._reader, self._ledgers, Path(folder))._read(self._reader.parts[:1])

    def read(self) -> Took:
        """One sync, from where it has come to. Raises Fails."""
        self._ledgers.counts()
        told, state = self._read(self._reader.parts)
        if state:
            (self._folder / "state.json").write_bytes(state)
        began = min(one["began"] for one in told)
        first = told[0]["began"] if len(told) > 1 else began
        return Took(
            seconds=max(one["ended"] for one in told) - first,
            processor=sum(one["processor"] for one in told),
            peak=sum(one["peak"] for one in told),
            counts=self._ledgers.counts(),
        )

    def _read(self, parts: Sequence[tuple[str, str]]) -> tuple[list[dict[str, Any]], bytes]:
        addresses, kind = self._ledgers.addresses, self._reader.ledger
        orders = self._folder / "orders.json"
        grant = tokens(kind, addresses[kind])
        orders.write_text(
            json.dumps({"folder": str(self._folder), "kind": kind, "addresses": addresses, "tokens": grant})
        )
        state = self._piped([[str(_python(env)), "-m", f"bench.peers.{name}", str(orders)] for env, name in parts])
        return [json.loads((self._folder / f"{name}.json").read_text()) for _, name in parts], state

    def _piped(self, commands: Sequence[Sequence[str]]) -> bytes:
        """Runs one command, or two of which the second takes what the first gives. The last line of the second."""
        said = self._folder / "said"
        with said.open("wb") as log:
            out = subprocess.PIPE if len(commands) > 1 else subprocess.DEVNULL
            first = subprocess.Popen(commands[0], stdout=out, stderr=log, cwd=ROOT)
            given, codes = b"", []
            if len(commands) > 1:
                last = subprocess.Popen(commands[1], stdin=first.stdout, stdout=subprocess.PIPE, stderr=log, cwd=ROOT)
                assert first.stdout is not None
                first.stdout.close()
                given, _ = last.communicate()
                codes.append(last.returncode)
            codes.append(first.wait())
        if any(codes):
            lines = said.read_text(errors="replace").splitlines()
            raise Fails(" / ".join(line.strip() for line in lines[-3:]))
        return given.splitlines()[-1] if given else b""


@contextmanager
def desk(reader: Reader, ledgers: Ledgers) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="arrears-bench-") as folder:
        yield Desk(reader, ledgers, Path(folder))
