"""The log: one line an event, and the daemon's newest lines kept beside the database for a support bundle.

All of them go to standard error as well, and whoever runs the daemon keeps those as they like. Here only the newest
stay: a file that is full makes room by becoming the older one of two.
"""

import logging
import sys
import threading
from pathlib import Path

import structlog

from jobs.kept_log import FULL, older


def prepare_log() -> None:
    """One line an event, and tracebacks without the values of variables: those may be secrets, or somebody's letter."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
        ],
        # Whatever standard error is at that moment: a stream that was closed since must not swallow the line.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    for name in ("urllib3", "apscheduler", "xero_python", "python_http_client", "imap_tools", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


class LogFile:
    """A stream to standard error and to the file. Several threads may write to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        # Whatever standard error is at that moment: a stream that was closed since must not swallow the line.
        sys.stderr.write(text)
        self.keep(text)

    def keep(self, text: str) -> None:
        """Into the file alone."""
        try:
            with self._lock:
                if self._path.exists() and self._path.stat().st_size > FULL:
                    self._path.replace(older(self._path))
                self._path.touch(mode=0o600)  # names and addresses may stand in it
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(text)
        except OSError:
            pass  # a full disk is said on standard error by whatever it stops; the log must not stop more

    def flush(self) -> None:
        sys.stderr.flush()


class _Others(logging.Handler):
    """What the parts say by Python's own logging: they write to standard error themselves."""

    def __init__(self, file: LogFile) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        self._file.keep(f"{self.format(record)}\n")


def keep_log(path: Path) -> None:
    """From now on every line of this process is kept there too."""
    file = LogFile(path)
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(file))  # type: ignore[arg-type]
    logging.getLogger().addHandler(_Others(file))
