"""How long does an established system take for the same books? Tryton's `account_dunning`, on PostgreSQL.

    python -m bench.tryton_yardstick

It is the only one of the known dunning engines that can be had from the package index and set up by a script. Tryton is
installed into an environment of its own, outside this checkout, and gets the very ledger that the product gets. Then
what a bookkeeper would do is timed: generate the dunnings, process them, and generate again ten days on.

It is not the same work. Tryton chases each line by itself, the product each account; Tryton checks every record against
its own rules and writes full records. Read it as the order of magnitude of a respected peer, and nothing finer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from bench import postgres
from bench.showing import table

HERE = Path(__file__).parent
DATABASE = "tryton"


class Step(NamedTuple):
    """One step as a bookkeeper would name it, and what came of it."""

    name: str
    seconds: float
    processor: float
    count: int
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tryton_yardstick", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--invoices", type=int, default=50_000)
    chosen = parser.parse_args()
    measure(accounts=chosen.accounts, invoices=chosen.invoices)


def measure(*, accounts: int, invoices: int) -> None:
    """Sets Tryton up, times it and prints what it took; or says why it is left out."""
    with postgres.server() as server:
        if server is None:
            print(f"Tryton needs PostgreSQL. {postgres.MISSING}")
            return
        python = _environment()
        if python is None:
            print("Tryton is left out: its packages could not be installed (bench/tryton.txt).")
            return
        with tempfile.TemporaryDirectory(prefix="arrears-bench-tryton-") as folder:
            settings = Path(folder) / "trytond.conf"
            settings.write_text(f"[database]\nuri = {server.address}/\n")
            postgres.new_database(server.address, DATABASE)
            _set_up(python, settings)
            lines = _step(python, settings, "fill", accounts, invoices)["count"]
            postgres.put_in_order(f"{server.address}/{DATABASE}")
            steps = []
            for name, *step in STEPS:
                before = server.processor()
                took = _step(python, settings, *step)
                took["processor"] += server.processor() - before
                steps.append(Step(name, **took))
        _show(
            f"Tryton {_version(python)}, postgres, {accounts:,} parties, {lines:,} open lines", accounts, lines, steps
        )


STEPS: tuple[tuple[Any, ...], ...] = (
    ("generate, first", "generate", 0),
    ("process the drafts", "process"),
    ("generate, ten days on", "generate", 10),
    ("generate, nothing new", "generate", 10),
)


def _environment() -> Path | None:
    """The interpreter of Tryton's environment, made when it is not there yet; None when that fails."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arrears-bench" / "tryton"
    python = cache / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys._base_executable, "-m", "venv", str(cache)], check=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r"]
        subprocess.run([*install, str(HERE / "tryton.txt")], check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return python


def _set_up(python: Path, settings: Path) -> None:
    """Tryton's own tables, with the module that is measured and what it depends on."""
    password = settings.with_name("password")
    password.write_text("not a secret: the database lives for a few minutes\n")
    admin = [
        str(python.with_name("trytond-admin")),
        "-c",
        str(settings),
        "-d",
        DATABASE,
        "--email",
        "dana@firm.example",
    ]
    for what in (["--all"], ["-u", "account_dunning", "--activate-dependencies"]):
        subprocess.run(
            [*admin, "--email", "dana@firm.example", *what],
            check=True,
            env={**os.environ, "TRYTONPASSFILE": str(password)},
            stdout=subprocess.DEVNULL,
        )


def _step(python: Path, settings: Path, *step: Any) -> dict[str, Any]:
    command = [str(python), "-m", "bench.tryton_dunning", str(settings), DATABASE, *map(str, step)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _version(python: Path) -> str:
    ask = "from importlib.metadata import version; print(version('trytond'))"
    return subprocess.run([str(python), "-c", ask], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _show(title: str, parties: int, lines: int, steps: list[Step]) -> None:
    heading = ("what", "who", "parties/s", "lines/s", "seconds", "processor s", "peak MB", "drafts after it")
    rows = [
        (
            step.name,
            "Tryton",
            f"{parties / step.seconds:,.0f}",
            f"{lines / step.seconds:,.0f}",
            f"{step.seconds:,.2f}",
            f"{step.processor:,.2f}",
            f"{step.peak:,.0f}",
            f"{step.count:,}",
        )
        for step in steps
    ]
    table(title, [heading, *rows])


if __name__ == "__main__":
    main()
