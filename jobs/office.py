"""What the five verbs have at hand: the books, the keys, the clock, and the way to each ledger and channel."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from channels import Channel, medium_of, open_channel
from engine.calendars import civil_date
from jobs.thresholds import Brakes, Webhooks
from store import Database, HighWater, Vault
from store.tables import OrganisationRow


def real_clock() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


@dataclass
class Office:
    """One installation at work. `ledgers` and `channels` hold each adapter's settings by its kind.

    `clock` gives the present instant in UTC; it is handed in, so that a demo and a test can move it.
    """

    database: Database
    vault: Vault
    ledgers: Mapping[str, Any] = field(default_factory=dict)
    channels: Mapping[str, Any] = field(default_factory=dict)
    public_url: str = "http://127.0.0.1:8000"
    clock: Callable[[], datetime] = real_clock
    stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when the process is asked to end: a round stops between two items, never inside one."""

    brakes: Brakes = field(default_factory=Brakes)
    webhooks: Webhooks = field(default_factory=Webhooks)
    links_a_round: int = 20
    """How many links to online invoices one round of deliveries may ask the ledgers for."""

    kept_log: Path | None = None
    """Where the daemon keeps the newest lines of its log, for the support bundle."""

    high_water: HighWater | None = None
    """The mark beside the database that notices a restored, older copy of it."""

    _open: dict[str, Channel] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    _at_once: dict[int, threading.BoundedSemaphore] = field(default_factory=dict, repr=False)

    @cached_property
    def reply_keys(self) -> tuple[bytes, ...]:
        """The keys that sign reply addresses, newest first."""
        return self.vault.derived("reply address")

    def channel(self, kind: str) -> Channel:
        """The channel of this kind, opened once. Raises LookupError when it has no settings."""
        if kind not in self.channels:
            raise LookupError(f"no settings for the channel '{kind}' in the configuration")
        with self._lock:
            if kind not in self._open:
                self._open[kind] = open_channel(kind, self.channels[kind], clock=self.clock, public_url=self.public_url)
            return self._open[kind]

    def at_once(self, connection_id: int, most: int) -> threading.BoundedSemaphore:
        """The places for calls under way at once on one connection, the same for all threads of this process."""
        with self._lock:
            return self._at_once.setdefault(connection_id, threading.BoundedSemaphore(most))

    def carrier_of(self, medium: str) -> str | None:
        """The kind of the channel that is set up for this medium (`email`, `sms`, `call`), if any."""
        return next((kind for kind in self.channels if medium_of(kind) == medium), None)

    def as_of(self, organisation: OrganisationRow) -> date:
        """Today, on the organisation's own wall calendar."""
        return civil_date(self.clock(), ZoneInfo(organisation.time_zone))

    def close_channels(self) -> None:
        """Lets go of kept connections to mail servers and the like; the next use opens them anew."""
        with self._lock:
            for channel in self._open.values():
                channel.close()
            self._open.clear()

    def close(self) -> None:
        """Lets go of everything."""
        self.close_channels()
        self.database.close()
