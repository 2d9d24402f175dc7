"""The newest lines of the daemon's log, as they are kept beside the database for the support bundle."""

from pathlib import Path

FULL = 1_000_000
"""Bytes after which a file gives way to a new one."""


def older(path: Path) -> Path:
    """Where the lines before those in the file are."""
    return path.with_name(f"{path.name}.1")


def newest_lines(path: Path | None, most: int) -> list[str]:
    """The last of them, the oldest first; none where nothing is kept, or it cannot be read."""
    lines: list[str] = []
    for file in (older(path), path) if path is not None else ():
        try:
            lines += file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue  # not there yet, or out of reach for whoever makes the bundle
    return lines[-most:]
