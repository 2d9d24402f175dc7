"""The house itself: is there room on the disk, and are the books and the keys readable by us alone?"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from jobs.doctor import Finding, look, ok, wrong

LITTLE, TIGHT = 500_000_000, 2_000_000_000
"""Bytes of free disk. With less than the first, a day of mails may fill it, and then nothing is taken in any more."""


def place(data: Path, key_file: Path, database_file: Path | None) -> Iterator[Finding]:
    """The folder of the data, the key file in it, and the database where that is a file."""
    if not data.is_dir():
        yield wrong("data", f"there is no folder {data}", "Run arrears init, or correct [store] data.")
        return
    yield _room(data)
    yield _closed("data", data, "folder")
    if not os.access(data, os.W_OK):
        yield wrong("data", f"we may not write into {data}", "Give the folder to the user that runs arrears.")
    if key_file.exists():
        yield _closed("keys", key_file, "key file", grave=True)
    else:
        does = "Put it back from where you keep it safe; see docs/operations/backup-and-keys.md."
        yield wrong("keys", f"the key file {key_file} is missing", does)
    if database_file is not None and database_file.exists():
        yield _closed("database", database_file, "database")


def _room(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    says = f"{free / 1e9:.1f} GB are free where the data is"
    if free < LITTLE:
        return wrong("disk", says, "Make room now: without it no mail can be taken in.")
    if free < TIGHT:
        return look("disk", says, "Make room soon.")
    return ok("disk", says)


def _closed(about: str, path: Path, what: str, *, grave: bool = False) -> Finding:
    """Nobody else on this machine may read it. On the keys hangs everything that is sealed."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return ok(about, f"the {what} {path} is ours alone")
    says = f"others on this machine may use the {what} {path} (its mode is {mode:o})"
    does = f"chmod {'700' if path.is_dir() else '600'} {path}"
    return wrong(about, says, does) if grave else look(about, says, does)
