"""The sandbox's process for a run of crashes: a firm with empty books, its post office, SendGrid and Twilio.

It is the sandbox as everybody can start it, and it outlives every daemon that is killed.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sandbox
from bench.sync_doors import addresses

ROOT = Path(__file__).parent.parent
BEGIN = datetime(2026, 1, 5, 7, tzinfo=UTC)
"""Where the clock stands: a Monday morning, before anything is sent."""


@contextmanager
def running() -> Iterator[dict[str, Any]]:
    """The sandbox until the end of the block, and where everything is."""
    command = [sys.executable, "-m", "bench.crashes_sandbox"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(20)


def main() -> None:
    with sandbox.start(clock=BEGIN, company=False) as world:
        tenant = world.control.organisations()[0]["id"]
        providers = {
            "sendgrid": asdict(world.sendgrid),
            "twilio": asdict(world.twilio),
            "smtp_port": world.smtp_port,
            "imap_port": world.imap_port,
        }
        print(json.dumps(addresses(world.url, tenant) | providers), flush=True)
        sys.stdin.read()  # until the run lets go


if __name__ == "__main__":
    main()
