"""How fast is the product's recalculation, beside the least that it could take, in the same run on the same rows?

    python -m bench.recalculate --accounts 10000 --invoices 50000

Speed on somebody's machine says little; speed beside a floor that was measured a minute before says how much of the
time is the product's own. So the same made-up ledger is laid into a fresh database, every account is looked at again
and again (for the first time, after a change of rules, a day later, and as the daemon begins a day), a few thousand
payments come in one by one, and each of these is done by the bare floor and by the product, each in a process of its
own.
"""

import argparse
import signal
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import psycopg

from bench import ledger, postgres, tryton_yardstick
from bench.measuring import Figures, measured
from bench.showing import busy, table

MORNING = datetime.combine(ledger.AS_OF, time(6), UTC)
PASSES = (
    ("first look, all new", "looks", MORNING),
    ("everybody anew, as after a change of rules", "looks", MORNING + timedelta(days=1)),
    ("everybody anew, nothing different", "looks", MORNING + timedelta(days=1, minutes=30)),
    ("the whole organisation, a day later", "wholes", MORNING + timedelta(days=2)),
    ("a new day as the daemon begins it", "new_days", MORNING + timedelta(days=3)),
)
FLOOR, EXPLAINED, PRODUCT = "bare floor", "floor that keeps its reasons", "product"
WHO = {FLOOR: "bench.floor_acts", PRODUCT: "bench.product"}
ENOUGH = 120
"""Payments stop coming after so many seconds, however few have been taken in."""


@dataclass(frozen=True, slots=True)
class Size:
    accounts: int
    invoices: int

    def __str__(self) -> str:
        return f"{self.accounts:,} accounts, {self.invoices:,} open invoices"


@dataclass(slots=True)
class Measured:
    """All that was measured of one size on one database: figures by what was done and by whom."""

    looks: dict[tuple[str, str], list[Figures]] = field(default_factory=dict)
    payments: dict[str, list[Figures]] = field(default_factory=dict)


def main() -> None:
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and folders are tidied away all the same
    print(busy() or "This machine has nothing else to do.")
    sizes = [Size(*size) for size in zip(chosen.accounts, chosen.invoices, strict=True)]
    databases = ("sqlite", "postgres") if chosen.database == "both" else (chosen.database,)
    for database in databases:
        with _server(database) as server:
            if database == "postgres" and server is None:
                print(postgres.MISSING)
                continue
            for size in sizes:
                found = Measured()
                for _ in range(chosen.times):
                    with _database(server) as url:
                        Run(url, size, server, profile=chosen.profile).measure(found, payments=chosen.payments)
                if not chosen.profile:  # profiling makes everything slower, and not everything alike
                    _show(f"{database}, {size}", size, found)
    if chosen.tryton:
        tryton_yardstick.measure(accounts=sizes[0].accounts, invoices=sizes[0].invoices)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.recalculate", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--accounts", type=int, nargs="+", default=[10_000, 200_000], help="one or more sizes")
    parser.add_argument("--invoices", type=int, nargs="+", default=[50_000, 1_000_000], help="as many as --accounts")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--payments", type=int, default=3_000, help="how many come in one by one; 0 for none")
    parser.add_argument("--times", type=int, default=1, help="do it all so often on fresh databases; medians are shown")
    parser.add_argument("--profile", action="store_true", help="show where the product's time goes, and no figures")
    parser.add_argument("--tryton", action="store_true", help="also time Tryton on the first size (some minutes)")
    chosen = parser.parse_args()
    if len(chosen.accounts) != len(chosen.invoices):
        parser.error("--accounts and --invoices name one size together: give as many of one as of the other")
    return chosen


@contextmanager
def _server(database: str) -> Iterator[postgres.Server | None]:
    """A server for the database, where it needs one."""
    if database == "sqlite":
        yield None
        return
    with postgres.server() as server:
        yield server


@contextmanager
def _database(server: postgres.Server | None) -> Iterator[str]:
    """The URL of an empty database, which is gone afterwards."""
    if server is None:
        with tempfile.TemporaryDirectory(prefix="arrears-bench-") as folder:
            yield f"sqlite:///{folder}/arrears.db"
        return
    url = postgres.new_database(server.address, "books")
    try:
        yield url.replace("postgresql:", "postgresql+psycopg:")
    finally:
        postgres.drop_database(server.address, "books")


@dataclass(frozen=True, slots=True)
class Run:
    """One fresh database, from laying the books to the last payment."""

    url: str
    size: Size
    server: postgres.Server | None
    profile: bool

    def measure(self, found: Measured, *, payments: int) -> None:
        measured("bench.books:lay", url=self.url, accounts=self.size.accounts, invoices=self.size.invoices)
        measured("bench.floor_acts:prepare", url=self.url)
        for place, (what, act, now) in enumerate(PASSES):
            if place == 1:
                self._settle()
            if place == 0:  # only then is there a reason to keep for everybody
                _put_in_order(self.url)
                found.looks.setdefault((what, EXPLAINED), []).append(self._figures(FLOOR, "explained", now=now))
            for who in WHO:
                figures = self._figures(who, act, now=now)
                found.looks.setdefault((what, who), []).append(figures)
            print(f"  {what}: {_agreement(self.url)}", flush=True)
        for remainder, who in enumerate(WHO if payments else ()):
            paid = ledger.oldest(self.size.accounts, self.size.invoices, remainder=remainder, at_most=payments)
            figures = self._figures(who, "payments", now=PASSES[-1][2], paid=paid, within=ENOUGH)
            found.payments.setdefault(who, []).append(figures)

    def _settle(self) -> None:
        """Between the first look and the others the reminders go out; both sides take that in, unmeasured."""
        now = PASSES[0][2]
        measured("bench.settling:settle", url=self.url, now=now)
        for who in WHO:
            measured(f"{WHO[who]}:looks", url=self.url, now=now)
        print(f"  reminders sent: {_agreement(self.url)}", flush=True)

    def _figures(self, who: str, act: str, **orders: Any) -> Figures:
        """The figures of one child process; on PostgreSQL its server's processor time is added to its own."""
        _put_in_order(self.url)
        before = self.server.processor() if self.server else 0
        profile = self.profile and who == PRODUCT
        figures = measured(f"{WHO[who]}:{act}", url=self.url, profile=profile, **orders)
        return replace(figures, processor=figures.processor + (self.server.processor() - before if self.server else 0))


def _put_in_order(url: str) -> None:
    """Leaves no work of the last measurement to the next one."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    postgres.put_in_order(url.replace("+psycopg", ""))


def _agreement(url: str) -> str:
    """Whether floor and product came to the same result: otherwise one of them did less work."""
    differ = (
        "SELECT count(*) FROM positions p JOIN floor_positions f ON f.account_id = p.account_id"
        " WHERE p.state <> f.state OR coalesce(p.driver_id, 0) <> coalesce(f.driver_id, 0) OR p.cycle <> f.cycle"
        " OR coalesce(p.assigned_step, '') <> coalesce(f.assigned_step, '')"
        " OR coalesce(CAST(p.next_due_on AS text), '') <> coalesce(CAST(f.next_due_on AS text), '')"
    )
    counts = [
        f"SELECT count(*) FROM {table} {where}"
        for where, name in (("", "positions"), ("WHERE state = 'queued'", "reminders"))
        for table in (name, f"floor_{name}")
    ]
    ask = _asking_sqlite if url.startswith("sqlite") else _asking_postgres
    different, positions, floor_positions, queued, floor_queued = ask(url, [differ, *counts])
    if different == 0 and positions == floor_positions and queued == floor_queued:
        return f"floor and product agree on all {positions:,} positions and {queued:,} queued reminders"
    return (
        f"FLOOR AND PRODUCT DIFFER: {different:,} positions differ; {floor_positions:,} and {positions:,} positions,"
        f" {floor_queued:,} and {queued:,} queued reminders"
    )


def _asking_sqlite(url: str, queries: Sequence[str]) -> list[Any]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [connection.execute(query).fetchone()[0] for query in queries]


def _asking_postgres(url: str, queries: Sequence[str]) -> list[Any]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return [row[0] for query in queries if (row := connection.execute(query).fetchone())]


def _show(title: str, size: Size, found: Measured) -> None:
    rows = [("what", "who", "accounts/s", "seconds", "processor s", "peak MB", "times the floor", "by processor")]
    for (what, who), runs in found.looks.items():
        floor = found.looks[what, FLOOR]
        seconds, processor = _median(runs, "total"), _median(runs, "processor")
        rows.append(
            (
                what,
                who,
                f"{size.accounts / seconds:,.0f}",
                f"{seconds:,.2f}",
                f"{processor:,.2f}",
                f"{_median(runs, 'peak'):,.0f}",
                f"{seconds / _median(floor, 'total'):,.1f}",
                f"{processor / _median(floor, 'processor'):,.1f}",
            )
        )
    table(title, rows)
    rows = [("what", "who", "payments", "p50 ms", "p99 ms", "max ms", "processor ms", "peak MB", "times the floor")]
    for who, runs in found.payments.items():
        p50, p99, longest = (statistics.median(run.at(share) for run in runs) for share in (0.5, 0.99, 1))
        each = statistics.median(run.processor / len(run.seconds) for run in runs)
        floor = statistics.median(run.at(0.5) for run in found.payments[FLOOR])
        rows.append(
            (
                "one payment",
                who,
                f"{sum(len(run.seconds) for run in runs):,}",
                *(f"{1000 * seconds:,.2f}" for seconds in (p50, p99, longest, each)),
                f"{_median(runs, 'peak'):,.0f}",
                f"{p50 / floor:,.1f}",
            )
        )
    if found.payments:
        table(f"{title}: payments one by one", rows)


def _median(runs: Sequence[Figures], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)


if __name__ == "__main__":
    main()
