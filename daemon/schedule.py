"""The schedule: every recurring act, named once, and the one way to ask for an act sooner.

A wake-up carries no state: the truth (which sync is due, which reminder may leave, which note waits) is in the store.
A wake-up that is lost or comes twice does no harm, because the next one looks again.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from daemon.config import Config
from jobs import connections, deliver, doorbell, nightly, prune, receive, sync, write_back
from jobs.containing import contained
from jobs.office import Office, real_clock

log = structlog.get_logger()

CLOCK_STEP = timedelta(seconds=5)
"""A wall clock that jumps by more than this was set by somebody; the acts are then timed anew."""

ASKED = {"sync": "by hand", "connected": "connected"}
"""What may be asked of a ledger between its usual readings, and how the sync log says why it was read."""

_A_DAY = 86_400
_AN_HOUR = 3_600


class Schedule:
    """Two verbs: `every` (named here, at start) and `poke`. Runs inside `arrears serve` on one node."""

    def __init__(
        self,
        office: Office,
        config: Config,
        *,
        wall: Callable[[], datetime] = real_clock,
        steady: Callable[[], float] = time.monotonic,
        look_every: float = 10,
    ) -> None:
        self._office = office
        self._wall, self._steady, self._look_every = wall, steady, look_every
        keep = {"keep_runs": config.sync_log.keep_runs_days, "keep_details": config.sync_log.keep_details_days}
        self._acts: dict[str, tuple[Callable[[], object], int]] = {
            "sync": (lambda: sync.sync_due(office), config.schedule.find_due_syncs),
            "doorbell": (lambda: doorbell.answer(office), config.schedule.doorbell),
            "check": (lambda: nightly.check_due(office), config.schedule.check),
            "connections": (lambda: connections.look_at_connections(office), config.schedule.check),
            "tidy": (lambda: doorbell.tidy(office), _A_DAY),
            "prune": (lambda: prune.prune(office, **keep), _AN_HOUR),
            "deliver": (lambda: deliver.deliver_due(office), config.schedule.deliver),
            "receive": (lambda: receive.receive(office), config.schedule.receive),
            "write_back": (lambda: write_back.write_back(office), config.schedule.write_back),
        }
        self._engine = BackgroundScheduler(timezone=UTC)
        self._stop = threading.Event()

    def start(self) -> None:
        """Begins. The first round of every act comes at once."""
        self._engine.start()
        self._add_all()
        threading.Thread(target=self._watch_the_clock, name="clock watcher", daemon=True).start()

    def poke(self, name: str, key: str) -> None:
        """Asks for an act soon, for one organisation where it has a key. Asking twice is asking once."""
        if name in ASKED:
            self._engine.add_job(
                lambda: self._guarded("sync", lambda: self._sync_now(int(key), ASKED[name])),
                id=f"sync:{key}",
                replace_existing=True,
                misfire_grace_time=None,
            )
        else:
            act, _ = self._acts[name]
            self._engine.add_job(
                lambda: self._guarded(name, act), id=f"{name}:now", replace_existing=True, misfire_grace_time=None
            )

    def stop(self) -> None:
        """Ends after the acts under way."""
        self._stop.set()
        self._engine.shutdown(wait=True)

    def _sync_now(self, organisation_id: int, trigger: str) -> None:
        sync.sync(self._office, organisation_id, trigger=trigger)
        deliver.deliver_due(self._office, organisation_id)

    def _add_all(self) -> None:
        for name, (act, seconds) in self._acts.items():
            self._engine.add_job(
                self._guarded,
                "interval",
                args=(name, act),
                seconds=seconds,
                id=name,
                replace_existing=True,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                next_run_time=datetime.now(UTC),
            )

    def _guarded(self, name: str, act: Callable[[], object]) -> None:
        """An act that fails is told to the log and tried again at its next time; it never ends the schedule."""
        with contained("act failed", name=name):
            act()

    def _watch_the_clock(self) -> None:
        """A clock set back would silence the schedule for as long; so the acts are timed anew when it jumps."""
        wall, steady = self._wall(), self._steady()
        while not self._stop.wait(self._look_every):
            drift = (self._wall() - wall) - timedelta(seconds=self._steady() - steady)
            if abs(drift) > CLOCK_STEP:
                log.warning("clock was set", by_seconds=drift.total_seconds())
                self._add_all()
            wall, steady = self._wall(), self._steady()
