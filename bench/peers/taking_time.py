"""What each reader in an environment of its own tells about itself: when it began and ended, and what it used.

Standard library only, because every one of those environments imports it.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def orders() -> dict[str, Any]:
    """What the run wants, from the file that is named on the command line."""
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    return given


@contextmanager
def taking_time(folder: str, name: str) -> Iterator[dict[str, Any]]:
    """Around the reading itself: imports are over. What is put into the dictionary is told along.

    The clock is the machine's steady one, so that the beginning of one process and the end of another fit together.
    """
    told: dict[str, Any] = {}
    began, used = time.monotonic(), time.process_time()
    try:
        yield told
    finally:
        told |= {
            "began": began,
            "ended": time.monotonic(),
            "processor": time.process_time() - used,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        part = Path(folder) / f"{name}.part"
        part.write_text(json.dumps(told))
        part.replace(Path(folder) / f"{name}.json")
