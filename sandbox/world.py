"""Everything that exists in one sandbox: the clock, the firms with their books, the post, and what was asked of it.

One lock guards it all; a door takes the lock, does its one thing and lets go.
"""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sandbox.clock import Clock, Timetable
from sandbox.documents import NotPossible
from sandbox.faults import Faults
from sandbox.mail.post_office import PostOffice
from sandbox.organisation import Organisation
from sandbox.quickbooks.intuit import Intuit
from sandbox.sendgrid.account import Account as SendGridAccount
from sandbox.sendgrid.door import SendGrid
from sandbox.twilio.account import Twilio
from sandbox.xero.habits import Habits
from sandbox.xero.identity import Identity
from sandbox.xero.limits import Limits
from sandbox.xero.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached a door. A status of 0 means that the connection was dropped without an answer."""

    at: datetime
    door: str
    method: str
    path: str
    query: str
    status: int
    bytes: int
    tenant: str
    request_id: str


@dataclass(slots=True, eq=False)
class World:
    clock: Clock
    seed: int = 1
    lock: threading.RLock = field(default_factory=threading.RLock)
    timetable: Timetable = field(default_factory=Timetable)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(default_factory=Limits)
    xero_habits: Habits = field(default_factory=Habits)
    chance: Random = field(init=False)
    post: PostOffice = field(init=False)
    identity: Identity = field(init=False)
    quickbooks: Intuit = field(init=False)
    webhooks: Webhooks = field(init=False)
    sendgrid: SendGrid = field(init=False)
    twilio: Twilio = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.post = PostOffice(now=self.clock.now, new_id=self.new_id)
        self.identity = Identity(now=self.clock.now, new_id=self.new_id)
        self.quickbooks = Intuit(
            seed=self.seed, now=self.clock.now, new_id=self.new_id, timetable=self.timetable, lock=self.lock
        )
        self.webhooks = Webhooks(now=self.clock.now, timetable=self.timetable, new_id=self.new_id, lock=self.lock)
        self.twilio = Twilio(now=self.clock.now, new_id=self.new_id, timetable=self.timetable, lock=self.lock)
        account = SendGridAccount(
            now=self.clock.now,
            new_id=self.new_id,
            chance=Random(f"{self.seed} sendgrid"),
            timetable=self.timetable,
            lock=self.lock,
        )
        self.sendgrid = SendGrid(account, self.post)
        self.limits.ticks = lambda: self.clock.now().timestamp()

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def found(
        self, name: str, *, currency: str, country: str, timezone: str, mail_domain: str, short_code: str
    ) -> Organisation:
        organisation = Organisation(
            self.new_id(), name, short_code, currency, country, timezone, mail_domain, self.clock.now()
        )
        # Each firm draws from its own chance, so that adding a second firm does not change the first.
        organisation.open_books(chance=Random(f"{self.seed} {name}"), now=self.clock.now)
        self.webhooks.watch(organisation)
        self.organisations[organisation.id] = organisation
        self.quickbooks.open(organisation)
        self.post.home_domains.add(mail_domain)
        return organisation

    def organisation(self, key: str | None) -> Organisation:
        """By id or name; without either, the first."""
        if not self.organisations:
            raise NotPossible("There is no organisation in this sandbox yet.")
        if key is None:
            return next(iter(self.organisations.values()))
        for organisation in self.organisations.values():
            if key in (organisation.id, organisation.name):
                return organisation
        raise NotPossible(f"No organisation has the id or name “{key}”.")

    def catch_up(self, to: datetime | None = None) -> int:
        """Let everything happen that was to happen by now (or by then), each thing at its own time."""
        until, count = to or self.clock.now(), 0
        while (event := self.timetable.due(until)) is not None:
            count += 1
            with self.clock.showing(event.at):
                try:
                    event.happen()
                except NotPossible as refusal:
                    # A plan made months ahead may meet an invoice that somebody has paid or voided since.
                    self.skipped.append(f"{event.at:%Y-%m-%d %H:%M} {event.says}: {refusal}")
        return count

    def move(self, to: datetime) -> int:
        if not self.clock.stands_still:
            raise NotPossible("This sandbox runs on real time; start it with clock=… to move its clock.")
        if to < self.clock.now():
            raise NotPossible(f"The clock shows {self.clock.now().isoformat()} and is never moved back.")
        count = self.catch_up(to)
        self.clock.set(to)
        return count
