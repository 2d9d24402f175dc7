"""Containing: what goes wrong with one reminder, one post or one organisation must not hold up all the others."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()


@contextmanager
def contained(act: str, **about: object) -> Iterator[None]:
    """Tells the log, with what it was about, and lets the round go on. The rows say what is tried again, and when."""
    try:
        yield
    except Exception:
        log.exception(act, **about)
