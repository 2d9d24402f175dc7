"""How much does a sync cost, beside the least that it could and beside what others take for the same ledger?

    python -m bench.sync --ledger xero --invoices 1000 10000 50000

A ledger is made up in the sandbox, in a process of its own, and its answers are rendered ahead, so that the reader is
what is measured. It is read over real HTTP with a real grant by a bare floor, by the product, and by everybody else who
can be had: Singer's taps, dlt, and the providers' own SDKs. Then time goes by in which nothing happens, and an hour in
which much does. Each reading has a process of its own; the targets that were set are shown beside what came out.
"""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench import postgres, sync_readers
from bench.measuring import Figures, measured
from bench.showing import busy, table
from bench.sync_consent import tokens
from bench.sync_database import database, differences
from bench.sync_sandbox import Books, Counts, Ledgers, running

KINDS = ("xero", "quickbooks")
FLOOR, PULLED, WHOLE = "bare floor", "product, taken in", "product, whole sync"
IDLE_EVERY, IDLES = 15, 8
CHASERS = {1_000: 5, 10_000: 40, 50_000: 200}
"""How many reminders are due on the day whose calls are counted, by the size of the book."""

CALLS_A_DAY = {"xero": {1_000: 194, 10_000: 194, 50_000: 200}, "quickbooks": {1_000: 97, 10_000: 97, 50_000: 97}}
"""The leanest correct sync without webhooks, by size; between sizes the one above counts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: what was read by whom, and what it took."""

    what: str
    who: str
    invoices: int
    seconds: float
    processor: float
    peak: float
    calls: float
    bytes: float


@dataclass(slots=True)
class Found:
    """All that was measured of one ledger of one size."""

    size: int
    lines: list[Line] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    """What was left out, and why."""

    def of(self, what: str, who: str) -> Line | None:
        return next((line for line in self.lines if line.what == what and line.who.startswith(who)), None)


ALL_OPEN, LEAN = "all of it, all open", "first reading, 10 % open"
IDLE, BUSY, DAY = "nothing new", "a day's changes at once", "a day, every 15 minutes"


def main() -> None:
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and folders are tidied away all the same
    print(busy() or "This machine has nothing else to do.")
    for kind in KINDS if chosen.ledger == "both" else (chosen.ledger,):
        for size in chosen.invoices:
            run = Run(kind, Found(size), chosen.contacts or max(1, size // 50), profile=chosen.profile)
            run.everything(peers=chosen.peers, on_postgres=chosen.postgres)
            run.what_changes()
            if not chosen.profile:  # profiling makes everything slower, and not everything alike
                show(kind, f"{kind}, {size:,} invoices, {run.contacts:,} contacts", run.found)
    print(busy())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__.partition("\n\n")[0])
    yes_or_no = argparse.BooleanOptionalAction
    parser.add_argument("--ledger", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--invoices", type=int, nargs="+", default=[1_000, 10_000, 50_000], help="one or more sizes")
    parser.add_argument("--contacts", type=int, help="how many the invoices are spread over; one in 50 if not given")
    parser.add_argument("--peers", action=yes_or_no, default=True, help="also everybody else (some minutes)")
    parser.add_argument("--postgres", action=yes_or_no, default=True, help="also the product on PostgreSQL")
    parser.add_argument("--profile", action="store_true", help="show where the product's time goes, and no figures")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Run:
    """One ledger of one size."""

    kind: str
    found: Found
    contacts: int
    profile: bool

    def everything(self, *, peers: bool, on_postgres: bool) -> None:
        """The whole ledger copied, every invoice in it being open: by the floor, the product, and everybody else."""
        with running(Books(self.found.size, self.contacts, 1.0)) as ledgers:
            self._serving(ledgers)
            self._floor_and_product(ledgers)
            if on_postgres:
                self._on_postgres(ledgers)
            for reader in sync_readers.READERS if peers and not self.profile else ():
                if reader.ledger == self.kind:
                    self._reader(ledgers, reader)

    def what_changes(self) -> None:
        """A ledger as it mostly is: read for the first time, after quiet quarters of an hour, and all day."""
        with running(Books(self.found.size, self.contacts, 0.1)) as ledgers:
            self._rehearse(ledgers)
            with database(None) as (url, folder):
                orders = self._orders(ledgers, url, folder)
                measured("bench.sync_product:connected", **orders)
                self._measure(LEAN, WHOLE, "bench.sync_product:syncs", ledgers, self.found.size // 10, **orders)
                self._idle(ledgers, orders)
                ledgers.later(60)
                changed = ledgers.pay(self.found.size // 500) + ledgers.raise_new(self.found.size // 500)
                orders |= {"now": ledgers.now()}
                self._measure(BUSY, WHOLE, "bench.sync_product:syncs", ledgers, changed, **orders)
                if not self.profile:
                    chasers = _at_size(CHASERS, self.found.size)
                    day = {**orders, "size": self.found.size, "chasers": chasers}
                    self._measure(DAY, f"{WHOLE}, {chasers} chasers", "bench.sync_day:days", ledgers, 0, **day)

    def _serving(self, ledgers: Ledgers) -> None:
        """Everything once unmeasured, so that it is rendered; then how fast the sandbox alone can hand it out."""
        orders = self._floor_orders(ledgers)
        measured(f"{self._floor}:fetches", **orders)
        self._measure(ALL_OPEN, "the line alone", f"{self._floor}:fetches", ledgers, self.found.size, **orders)

    def _floor_and_product(self, ledgers: Ledgers) -> None:
        self._rehearse(ledgers)
        with database(None) as (url, folder):
            orders = self._orders(ledgers, url, folder)
            measured("bench.sync_product:connected", **orders)
            for rehearsing in (True, False):
                path = f"{folder}/floor{rehearsing}.db"
                measured("bench.sync_floor:prepare", path=path, like=f"{folder}/arrears.db")
                floor = self._floor_orders(ledgers) | {"path": path}
                if rehearsing:
                    measured(f"{self._floor}:syncs", **floor)
                else:
                    self._measure(ALL_OPEN, FLOOR, f"{self._floor}:syncs", ledgers, self.found.size, **floor)
            self._measure(
                ALL_OPEN, PULLED, "bench.sync_product:syncs", ledgers, self.found.size, looked_at=False, **orders
            )
            print(f"  {self.kind}, {self.found.size:,}: {differences(url, path)}", flush=True)
        self._product(ledgers, None, WHOLE)

    def _product(self, ledgers: Ledgers, server: postgres.Server | None, who: str, **more: Any) -> None:
        with database(server) as (url, folder):
            orders = self._orders(ledgers, url, folder)
            measured("bench.sync_product:connected", **orders)
            self._measure(
                ALL_OPEN, who, "bench.sync_product:syncs", ledgers, self.found.size, server=server, **orders, **more
            )

    def _on_postgres(self, ledgers: Ledgers) -> None:
        with postgres.server() as server:
            if server is None:
                self.found.out.append(postgres.MISSING)
                return
            self._product(ledgers, server, f"{PULLED}, postgres", looked_at=False)
            self._product(ledgers, server, f"{WHOLE}, postgres")

    def _rehearse(self, ledgers: Ledgers) -> None:
        with database(None) as (url, folder):
            orders = self._orders(ledgers, url, folder)
            measured("bench.sync_product:connected", **orders)
            measured("bench.sync_product:syncs", looked_at=False, **orders)

    def _idle(self, ledgers: Ledgers, orders: dict[str, Any]) -> None:
        """The mean of a few, one of which comes at the full hour and asks for more lists."""
        figures = measured("bench.sync_product:idles", every=IDLE_EVERY, times=IDLES, **orders)
        self._add(IDLE, WHOLE, 0, figures, ledgers.counts(), each=IDLES)

    def _reader(self, ledgers: Ledgers, reader: sync_readers.Reader) -> None:
        for name, _ in reader.parts:
            if trouble := sync_readers.environment(name):
                self.found.out.append(f"{reader.name} is left out: {trouble}.")
                return
        try:
            with sync_readers.desk(reader, ledgers) as desk:
                desk.rehearse()
                self._take(ALL_OPEN, reader.name, self.found.size, desk.read())
                if reader.goes_on:
                    desk.read()
                    self._take(IDLE, reader.name, 0, desk.read())
        except sync_readers.Fails as failure:
            self.found.out.append(f"{reader.name} did not come to its end: {failure}")

    def _take(self, what: str, who: str, invoices: int, took: sync_readers.Took) -> None:
        counts = took.counts
        self._keep(Line(what, who, invoices, took.seconds, took.processor, took.peak, counts.calls, counts.bytes))

    def _keep(self, line: Line) -> None:
        """Kept for the table, and said at once, because the table may be a long time coming."""
        self.found.lines.append(line)
        print(f"  {line.what}, {line.who}: {line.seconds:,.3f} s, {line.processor:,.3f} processor s", flush=True)

    def _measure(
        self,
        what: str,
        who: str,
        act: str,
        ledgers: Ledgers,
        invoices: int,
        server: postgres.Server | None = None,
        **orders: Any,
    ) -> None:
        ledgers.counts()
        before = server.processor() if server else 0.0
        figures = measured(act, profile=self.profile and who in (PULLED, WHOLE), **orders)
        if server:
            figures = replace(figures, processor=figures.processor + server.processor() - before)
        self._add(what, who, invoices, figures, ledgers.counts())

    def _add(self, what: str, who: str, invoices: int, figures: Figures, counts: Counts, each: int = 1) -> None:
        seconds, processor = figures.total / each, figures.processor / each
        if counts.worked_out and what == ALL_OPEN:
            self.found.out.append(f"{who}: {counts.worked_out} answers had not been rendered ahead.")
        calls, size = counts.calls / each, counts.bytes / each
        self._keep(Line(what, who, invoices, seconds, processor, figures.peak, calls, size))

    def _orders(self, ledgers: Ledgers, url: str, folder: str) -> dict[str, Any]:
        where = {"url": url, "folder": folder, "kind": self.kind}
        return {**where, "addresses": ledgers.addresses, "now": ledgers.now()}

    def _floor_orders(self, ledgers: Ledgers) -> dict[str, Any]:
        grant = tokens(self.kind, ledgers.addresses[self.kind])
        return {"addresses": ledgers.addresses, "grant": grant}

    @property
    def _floor(self) -> str:
        return "bench.sync_floor" if self.kind == "xero" else "bench.sync_floor_quickbooks"


# --- what is shown


def show(kind: str, title: str, found: Found) -> None:
    """The figures, then the targets beside them."""
    floor = found.of(ALL_OPEN, FLOOR)
    rows = [("what", "who", "invoices/s", "seconds", "processor s", "peak MB", "calls", "kB", "of the floor's speed")]
    for line in found.lines:
        share = f"{floor.seconds / line.seconds:,.2f}" if floor and line.what == ALL_OPEN else ""
        rows.append(
            (
                line.what,
                line.who,
                f"{line.invoices / line.seconds:,.0f}" if line.invoices else "",
                f"{line.seconds:,.3f}",
                f"{line.processor:,.3f}",
                f"{line.peak:,.0f}",
                f"{line.calls:,.0f}" if line.calls == round(line.calls) else f"{line.calls:,.2f}",
                f"{line.bytes / 1000:,.0f}",
                share,
            )
        )
    table(title, rows)
    for sentence in found.out:
        print(sentence)
    table(f"{title}: targets", [("target", "", "wanted", "found", ""), *targets(kind, found)])


def targets(kind: str, found: Found) -> Iterator[Sequence[str]]:
    pulled, whole = found.of(ALL_OPEN, PULLED), found.of(ALL_OPEN, WHOLE)
    assert pulled is not None and whole is not None
    for who, times in (("tap-", 20), ("dlt", 6)):
        if peer := found.of(ALL_OPEN, who):
            yield _at_least(f"times as fast as {peer.who}", times, peer.seconds / pulled.seconds)
            yield _at_least("  the same by processor time", times, peer.processor / pulled.processor)
            yield _at_least("  the same, the accounts decided anew as well", times, peer.seconds / whole.seconds)
    if floor := found.of(ALL_OPEN, FLOOR):
        yield _at_least("of the bare floor's speed", 0.7, floor.seconds / pulled.seconds)
        yield _at_least("  the same by processor time", 0.7, floor.processor / pulled.processor)
    yield _at_most("MB at the peak of the whole sync", 150, whole.peak)
    yield _at_most("calls for a whole copy", 55, whole.calls)
    if lean := found.of(LEAN, WHOLE):
        yield _at_most("calls for a first reading, 10 % open", 10, lean.calls)
    if idle := found.of(IDLE, WHOLE):
        lists = 1 + 4 / 4 if kind == "xero" else 1
        yield _at_most("calls when nothing is new: one a list, four of Xero's hourly", lists, idle.calls)
        yield _at_most("ms of processor time when nothing is new", 20, 1000 * idle.processor)
    if day := found.of(DAY, WHOLE):
        wanted = _at_size(CALLS_A_DAY[kind], found.size)
        yield _at_most(f"calls a day without webhooks, {_at_size(CHASERS, found.size)} chasers", wanted, day.calls)


def _at_size(given: dict[int, int], size: int) -> int:
    """What was given for the smallest size that is at least this one, or else for the largest."""
    return next((value for known, value in sorted(given.items()) if size <= known), max(given.values()))


def _at_least(what: str, wanted: float, got: float) -> Sequence[str]:
    return what, "", f">= {wanted:g}", f"{got:,.2f}", "" if got >= wanted else "MISSED"


def _at_most(what: str, wanted: float, got: float) -> Sequence[str]:
    return what, "", f"<= {wanted:g}", f"{got:,.2f}", "" if got <= wanted else "MISSED"


if __name__ == "__main__":
    main()
