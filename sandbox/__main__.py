"""`python -m sandbox`: open the practice ledger and post office in this window, until interrupted."""

import argparse
from datetime import datetime

from sandbox.running import serve


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m sandbox", description="A ledger and a post office to practise on.")
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, default=8765)
    words.add_argument("--smtp-port", type=int, default=8025)
    words.add_argument("--imap-port", type=int, default=8143)
    words.add_argument("--ledger", metavar="FILE.csv", help="play back a file of past invoices")
    words.add_argument("--clock", type=datetime.fromisoformat, help="a clock that stands still, e.g. 2026-01-05T09:00Z")
    words.add_argument("--seed", type=int, default=1)
    serve(**vars(words.parse_args()))


if __name__ == "__main__":
    main()
