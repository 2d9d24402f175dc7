"""Daemons that are killed: forked from a process that has everything loaded, so that a thousand die within a minute.

Each does what the schedule of a real one would do, on the one database, and is ended by SIGKILL: at a named step of a
job, just before or just after the commit of one of its units of work, or at any instant at all. Others keep the doors
open at which providers post, and are killed while they store a post.
"""

import ctypes
import faulthandler
import gc
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from jobs import deliver, receive, write_back
from jobs.office import Office
from store import Database

KILLED = -signal.SIGKILL
ACTS: dict[str, Callable[[Office], object]] = {
    "deliver": deliver.deliver_due,
    "receive": receive.receive,
    "write_back": write_back.write_back,
}
STEPS = {
    "deliver": (
        *(f"jobs.deliver:{step}" for step in ("claim", "look_again", "mark", "send", "settle")),
        "jobs.stranded:settle_in",
        "commit",
    ),
    "receive": (
        *(f"jobs.receive:{step}" for step in ("collect", "understand", "belongs", "take_note", "recalculate_in")),
        "store.inbox:keep_post",
        "commit",
    ),
    "write_back": (*(f"jobs.write_back:{step}" for step in ("pack", "hand_over", "write_down")), "commit"),
    "door": ("store.inbox:keep_posts", "commit"),
}
"""The steps at which each of them is killed. A `commit` is that of any unit of work."""


@dataclass(frozen=True, slots=True)
class End:
    """How a daemon ends: before or after the `turn`th time that it comes to a step, or after so many seconds.

    With neither it comes to the end of its round, and lives.
    """

    step: str = ""
    when: str = "before"
    turn: int = 1
    seconds: float | None = None


@dataclass(slots=True)
class Daemon:
    """One process of ours that runs."""

    pid: int
    dies_at: float | None = None


def begin(office: Office, acts: Sequence[str], end: End, log: Path) -> Daemon:
    """A daemon that does one round of these acts."""

    def round_of_acts() -> None:
        for act in acts:
            ACTS[act](office)

    pid = _forked(round_of_acts, end, log)
    return Daemon(pid, None if end.seconds is None else time.monotonic() + end.seconds)


def ended(daemons: Sequence[Daemon], *, within: float = 120) -> list[int]:
    """Waits for all of them, and kills those whose instant has come. Returns how each ended: -9 was killed, 0 lives on,
    anything else fell over by itself.
    """
    until = time.monotonic() + within
    codes: dict[int, int] = {}
    while len(codes) < len(daemons):
        left = [daemon for daemon in daemons if daemon.pid not in codes]
        for daemon in left:
            if daemon.dies_at is not None and time.monotonic() >= daemon.dies_at:
                os.kill(daemon.pid, signal.SIGKILL)
                daemon.dies_at = None
            pid, status = os.waitpid(daemon.pid, os.WNOHANG)
            if pid:
                codes[pid] = os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            _say_where([daemon for daemon in left if daemon.pid not in codes])
            raise TimeoutError("A daemon hangs: its round did not end within two minutes. Its log says where.")
        time.sleep(0.001)
    return [codes[daemon.pid] for daemon in daemons]


def _say_where(hanging: Sequence[Daemon]) -> None:
    """Each writes into its log at which line it stands, and is ended then."""
    for daemon in hanging:
        os.kill(daemon.pid, signal.SIGUSR1)
        time.sleep(0.2)
        os.kill(daemon.pid, signal.SIGKILL)
        os.waitpid(daemon.pid, 0)


class Doors:
    """Two processes that keep the doors open on one address. One that was killed is followed by another."""

    def __init__(self, app: FastAPI, line: socket.socket, log: Path) -> None:
        self._app, self._line, self._log = app, line, log
        self._open: list[Daemon] = []
        self.killed = 0

    def keep_open(self, next_end: Callable[[], End]) -> None:
        """Counts those that were killed, and opens as many anew."""
        for door in list(self._open):
            pid, status = os.waitpid(door.pid, os.WNOHANG)
            if pid:
                self._open.remove(door)
                self.killed += os.waitstatus_to_exitcode(status) == KILLED
        while len(self._open) < 2:
            self._open.append(Daemon(_forked(self._serve, next_end(), self._log)))

    def close(self) -> None:
        for door in self._open:
            os.kill(door.pid, signal.SIGKILL)
            os.waitpid(door.pid, 0)
        self._open.clear()

    def _serve(self) -> None:
        uvicorn.Server(uvicorn.Config(self._app, log_level="error")).run(sockets=[self._line])


def _forked(work: Callable[[], None], end: End, log: Path) -> int:
    if threading.active_count() > 1:
        raise RuntimeError("A process with several threads must not be forked.")
    gc.freeze()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # nobody outlives the run
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        faulthandler.register(signal.SIGUSR1)
        # By a clock that stands still, the mark of one that died while it fetched a key runs out for nobody.
        vars(import_module("connector._grants"))["PATIENCE"] = 1.0
        _doom(end)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _doom(end: End) -> None:
    if not end.step:
        return
    fate = _Fate(end)
    if end.step == "commit":
        fate.lies_in_commits()
    else:
        fate.lies_in(*end.step.split(":"))


class _Fate:
    def __init__(self, end: End) -> None:
        self._end, self._turns = end, 0

    def lies_in(self, module: str, step: str) -> None:
        place = import_module(module)
        inner = getattr(place, step)

        def dying(*args: Any, **kwargs: Any) -> Any:
            self._turns += 1
            self.comes("before")
            done = inner(*args, **kwargs)
            self.comes("after")
            return done

        setattr(place, step, dying)

    def lies_in_commits(self) -> None:
        inner = Database.unit_of_work

        @contextmanager
        def dying(database: Database) -> Iterator[Any]:
            with inner(database) as unit:
                yield unit
                unit.flush()
                self._turns += 1
                self.comes("before")
            self.comes("after")

        Database.unit_of_work = dying  # type: ignore[method-assign,assignment]

    def comes(self, when: str) -> None:
        if when == self._end.when and self._turns == self._end.turn:
            os.kill(os.getpid(), signal.SIGKILL)
