"""Measures one thing in a process of its own, so that its peak of memory is its own and nothing is warm from before.

What is measured is a function that hands out acts, ready to be timed one after another: opening a database and
importing the product are not part of the time. The peak is the highest the process has been at (VmHWM), with the
interpreter and everything imported; what a database server uses is not in it, nor in the processor time.
"""

import cProfile
import gc
import json
import pstats
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Figures:
    """Wall-clock seconds of each act, and of the whole process: processor seconds and the peak in MB."""

    seconds: list[float]
    processor: float
    peak: float

    @property
    def total(self) -> float:
        return sum(self.seconds)

    def at(self, share: float) -> float:
        """The seconds that this share of the acts stayed within; 0.5 is the median."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measured(what: str, *, within: float = 3600, profile: bool = False, **orders: Any) -> Figures:
    """Measures `module:function` with these orders. No act begins after `within` seconds of acting.

    With `profile`, the 25 functions that take longest are shown on standard error, and the figures are of no use.
    """
    given = json.dumps({"within": within, "profile": profile, "orders": orders}, default=str)
    command = [sys.executable, "-m", "bench.measuring", what]
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True)
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    module, function = sys.argv[1].split(":")
    given = json.load(sys.stdin)
    acts = getattr(import_module(module), function)(**given["orders"])
    profile = cProfile.Profile() if given["profile"] else None
    seconds: list[float] = []
    processor = 0.0
    gc.collect()
    until = time.perf_counter() + given["within"]
    for act in acts or ():
        if time.perf_counter() > until:
            break
        started, used = time.perf_counter(), time.process_time()
        profile.runcall(act) if profile else act()
        seconds.append(time.perf_counter() - started)
        processor += time.process_time() - used
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    print(json.dumps(asdict(Figures(seconds, processor, peak()))))


def peak() -> float:
    """The most memory that this process has had, in MB."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
