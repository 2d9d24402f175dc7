"""A worker that is killed at a chosen point: run as a process of its own by the crash tests.

It does exactly what the schedule would do, with one of the named steps of a job wrapped so that the process kills
itself (SIGKILL: no clean-up of any kind) just before or just after that step.
"""

import json
import os
import signal
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from channels import settings_of
from daemon.clock import MovableClock
from town import open_office


def main(orders: dict[str, Any]) -> None:
    world = SimpleNamespace(**orders["world"])
    world.quickbooks = SimpleNamespace(**world.quickbooks)
    clock = MovableClock(datetime.fromisoformat(orders["now"]))
    office = open_office(orders["database"], Path(orders["folder"]), world, clock, migrate=False)
    if orders["channels"]:
        office.channels = {kind: settings_of(kind)(**given) for kind, given in orders["channels"].items()}
    job = import_module(f"jobs.{orders['job']}")
    _wrap(job, orders["step"], orders["when"])
    getattr(job, orders["act"])(office)


def _wrap(job: Any, step: str, when: str) -> None:
    inner = getattr(job, step)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        inner(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(job, step, dying)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
