"""A thousand daemons are killed, and then the provider's log is laid beside our books.

Two daemons at a time work on one database, forked ready-made, and die by SIGKILL at a named step of `deliver`,
`receive` or `write_back`, around a commit, or at any instant; so do those that keep the doors open. Meanwhile the
provider takes messages and breaks off, answers with an error after taking them, tells of them late, twice, in any
order or never; debtors answer; the ledger loses its own answers to us. What must hold at the end is in
`crashes_checks`.
"""

import argparse
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import postgres
from bench.crashes_checks import Verdict, judged
from bench.crashes_daemons import KILLED, STEPS, Doors, End, begin, ended
from bench.crashes_sandbox import running
from bench.crashes_town import KINDS, Town
from bench.showing import table
from web import build

NEWCOMERS = 16
A_ROUND = 3
"""Minutes from one pair of daemons to the next: a claim that a dead one has left runs out after three rounds."""

A_DAY = 40
"""So many rounds until the next morning, at the most."""

FAILS = 0.35
"""How many of the rounds have a provider that fails."""


PAYS = 0.2
"""After how many of the rounds somebody pays, of which only the ledger knows."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was done to one provider on one database, and how it stands afterwards."""

    kind: str
    database: str
    kills: Counter[str]
    at_doors: int
    fell: int
    seconds: float
    verdict: Verdict


def main() -> None:
    chosen = _asked()
    runs: list[Run] = []
    share = -(-chosen.kills // len(chosen.database))
    for database in chosen.database:
        with postgres.server() if database == "postgresql" else nullcontext(None) as server:
            if database == "postgresql" and server is None:
                print(postgres.MISSING)
                continue
            for kind in chosen.kind:
                runs.append(run(kind, database, server, kills=share, seed=chosen.seed))
                _tell(runs[-1])
    print()
    table(f"{chosen.kills} daemons killed for each provider, {share} on each database", [HEAD, *map(_row, runs)])
    if any(run.verdict.faults or run.fell for run in runs):
        sys.exit(1)


def run(kind: str, database: str, server: Any, *, kills: int, seed: int) -> Run:
    """Kills so many daemons of one provider kind on a fresh database, lets the last ones finish, and judges."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, running() as addresses, _line() as line:
        url = f"sqlite:///{folder}/arrears.db"
        if server is not None:
            url = postgres.new_database(server.address, f"crashes_{kind}").replace("://", "+psycopg://", 1)
        town = Town(kind, url, Path(folder), addresses, line.getsockname()[1], seed)
        log = Path(folder) / "daemons.log"
        doors = Doors(build(town.office, poke=lambda *_: None), line, log)
        with closing(doors), _kept_if_wrong(log, f"arrears-crashes-{kind}-{database}.log"):
            died, fell = _die(town, doors, kills, log)
            _come_to_rest(town, doors, log)
        verdict = judged(town.world(), town.books())
        town.office.close()
    return Run(kind, database, died, doors.killed, fell, time.perf_counter() - started, verdict)


def _die(town: Town, doors: Doors, kills: int, log: Path) -> tuple[Counter[str], int]:
    """Days of work, until so many have been killed. Returns how many at what, and how many fell over by themselves."""
    dice, died, fell = town.dice, Counter[str](), 0
    while died.total() < kills:
        town.habits()
        town.next_day(NEWCOMERS)
        if not town.waiting()["deliver"]:
            raise SystemExit(f"Nothing is due at {town.clock()}, and there is nothing to be killed at.")
        for _ in range(A_DAY):
            waiting = town.waiting()
            if died.total() >= kills or not any(waiting.values()):
                break
            town.something_fails(FAILS)
            for _ in range(dice.choice((0, 0, 1))):
                town.somebody_answers()
            doors.keep_open(lambda: replace(_at_a_step("door", dice), turn=dice.choice((1, 3, 9, 27))))
            ends = [_fate(waiting, dice), _fate(waiting, dice)]
            daemons = [begin(town.office, acts, end, log) for _, acts, end in ends]
            for (what, _, _), code in zip(ends, ended(daemons), strict=True):
                died[what] += code == KILLED
                fell += code not in (0, KILLED)
            if dice.random() < PAYS:
                town.somebody_pays()
            town.move(minutes=A_ROUND)
    return died, fell


def _come_to_rest(town: Town, doors: Doors, log: Path) -> None:
    """Nobody is killed any more and nothing fails: claims run out, evidence is sought, every note finds its way.

    The last of it is a working day like any other, with a reading of the ledger, so that nothing waits for that.
    """
    town.nothing_fails_any_more()
    lives = End()

    def a_whole_round() -> None:
        doors.keep_open(lambda: lives)
        town.provider_is_quiet(doors, lives)
        ended([begin(town.office, ("deliver", "receive", "write_back"), lives, log) for _ in range(2)])

    for minutes in (15, 15, 15, 60, 60, 180, 300, 0, 15, 15, 60, 180):
        if minutes:
            town.move(minutes=minutes)
        else:
            town.next_day(0)
        a_whole_round()
    for _ in range(A_DAY):
        if not any(town.waiting().values()) and not town.books().unwritten:
            break
        town.move(minutes=2)
        a_whole_round()


def _fate(waiting: dict[str, int], dice: random.Random) -> tuple[str, tuple[str, ...], End]:
    """What a daemon does, and how it ends: mostly at a step of an act that has something to do."""
    everything = ("deliver", "receive", "write_back")
    if dice.random() < 0.3:
        return "any instant", everything, End(seconds=dice.uniform(0.002, 0.3))
    found = [act for act, weight in zip(everything, (6, 3, 2), strict=True) for _ in range(min(weight, waiting[act]))]
    act = dice.choice(found or ["receive"])
    # If none wrote its notes to the end they would pile up, and nearly all would die there.
    lives = act == "write_back" and dice.random() < 0.5
    return act, (act,), End() if lives else _at_a_step(act, dice)


def _at_a_step(act: str, dice: random.Random) -> End:
    return End(dice.choice(STEPS[act]), dice.choice(("before", "after")), dice.choice((1, 1, 1, 2, 2, 3, 5)))


@contextmanager
def _kept_if_wrong(log: Path, name: str) -> Iterator[None]:
    """What the daemons said, for whoever looks for the reason of an error."""
    try:
        yield
    except Exception:
        kept = Path(tempfile.gettempdir()) / name
        kept.write_bytes(log.read_bytes())
        print(f"What the daemons said is in {kept}.")
        raise


@contextmanager
def _line() -> Iterator[socket.socket]:
    """The address of the doors, which stays ours while those who answer at it are killed."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen(128)
        yield line


HEAD = [
    "",
    "database",
    "kills",
    "at doors",
    "messages",
    "accepted",
    "duplicates",
    "lost",
    "waiting",
    "unsure left",
    "settled by",
    "seconds",
]


def _row(run: Run) -> list[str]:
    verdict = run.verdict
    settled = ", ".join(f"{what}: {times}" for what, times in sorted(verdict.settled_by.items())) or "nothing to settle"
    left = f"{verdict.unsure} ({verdict.unsure_but_gone} had gone)" if verdict.unsure else "0"
    figures = (
        run.kills.total(),
        run.at_doors,
        verdict.messages,
        verdict.accepted,
        verdict.duplicates,
        verdict.lost,
        verdict.waiting,
    )
    return [run.kind, run.database, *map(str, figures), left, settled, f"{run.seconds:.0f}"]


def _tell(run: Run) -> None:
    at = ", ".join(f"{times} at {what}" for what, times in run.kills.most_common())
    doors = f"{run.at_doors} of those that keep the doors open"
    print(f"{run.kind} on {run.database}: killed {at}, and {doors}; {run.fell} fell over by themselves.")
    for fault in run.verdict.faults:
        print(f"  WRONG: {fault}")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description="Kills daemons and judges by the provider's log and our books.")
    asked.add_argument("--kills", type=int, default=1000, help="for each provider, in equal shares on each database")
    asked.add_argument("--kind", nargs="*", default=list(KINDS), choices=list(KINDS))
    asked.add_argument("--database", nargs="*", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    asked.add_argument("--seed", type=int, default=1, help="of the dice; which instant a process dies at is not theirs")
    return asked.parse_args()


if __name__ == "__main__":
    main()
