"""One account at the practice SendGrid: its keys, the senders it may use, what it has taken, and its habits.

Where SendGrid's own behaviour is not documented (how late its logs are, in which order it tells), there is a habit to
be switched, so that the product can be shown to cope with either.
"""

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sandbox.clock import Timetable
from sandbox.faults import Fault

KEY = "SG.sandbox.practice-key"
SCOPES = ("mail.send", "logs.read", "user.webhooks", "user.scheduled_sends")
FAULTS = (
    "400",
    "401",
    "403",
    "429",
    "500",
    "500_after",
    "503",
    "502html",
    "slow",
    "drop_before",
    "drop_after",
)
FATES = ("delivered", "bounce", "blocked", "deferred", "dropped", "spamreport")


@dataclass(slots=True)
class Habits:
    """Seconds until a mail shows in the Email Logs, and until an event is told; and how events are told."""

    logs_after: float = 0.0
    events_after: float = 0.0
    duplicates: bool = False
    out_of_order: bool = False


@dataclass(slots=True, eq=False)
class Mail:
    """One mail to one recipient, as the Email Logs know it. `letter` is its number in the post office."""

    sg_message_id: str
    smtp_id: str
    to: str
    from_: str
    subject: str
    custom_args: dict[str, str]
    categories: list[str]
    at: datetime
    api_key_id: str
    batch_id: str = ""
    send_at: datetime | None = None
    letter: int | None = None
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Rate:
    """So many calls a minute, by the sandbox's clock; None: so many that nobody meets the limit."""

    a_minute: int | None = None
    used: int = 0
    begun: datetime | None = None

    def enter(self, now: datetime) -> bool:
        """Counts one call. False when it is one too many."""
        if self.begun is None or now >= self.begun + timedelta(minutes=1):
            self.begun, self.used = now, 0
        self.used += 1
        return self.a_minute is None or self.used <= self.a_minute

    def headers(self, now: datetime) -> dict[str, str]:
        limit = self.a_minute or 10_000
        reset = (self.begun or now) + timedelta(minutes=1)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - self.used)),
            "X-RateLimit-Reset": str(int(reset.timestamp())),
        }


@dataclass(slots=True, eq=False)
class Account:
    """`domains` None: every From domain is authenticated. `senders` are single addresses that are verified alone."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    chance: Random
    timetable: Timetable
    lock: threading.RLock
    keys: dict[str, tuple[str, ...]] = field(default_factory=lambda: {KEY: SCOPES})
    domains: set[str] | None = None
    senders: set[str] = field(default_factory=set)
    suppressed: dict[str, str] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)
    rate: Rate = field(default_factory=Rate)
    faults: list[Fault] = field(default_factory=list)
    batches: set[str] = field(default_factory=set)
    stopped: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)

    def take_fault(self, method: str, path: str) -> Fault | None:
        for index, fault in enumerate(self.faults):
            if fault.strikes(method, path):
                return self.faults.pop(index)
        return None

    def may(self, key: str, scope: str) -> bool:
        return scope in self.keys.get(key, ())

    def authenticated(self, address: str) -> bool:
        return self.domains is None or address.rpartition("@")[2].lower() in self.domains

    def id_of(self, length: int) -> str:
        """So many characters as SendGrid writes its ids; the same in every run of the same sandbox."""
        drawn = self.chance.getrandbits(8 * length).to_bytes(length, "big")
        return base64.urlsafe_b64encode(drawn).decode().replace("-", "A").replace("_", "B")[:length]

    def mail(self, sg_message_id: str) -> Mail | None:
        return next((mail for mail in self.mails if mail.sg_message_id == sg_message_id), None)
