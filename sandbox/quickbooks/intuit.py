"""Everything of Intuit's that the sandbox plays: who was let in, what is allowed, and the companies by realm id."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.clock import Timetable
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.identity import Identity
from sandbox.quickbooks.limits import Limits
from sandbox.quickbooks.webhooks import Webhooks

if TYPE_CHECKING:
    from sandbox.organisation import Organisation


class Intuit:
    def __init__(
        self,
        *,
        seed: int,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        timetable: Timetable,
        lock: threading.RLock,
    ) -> None:
        self._seed, self._now = seed, now
        self.identity = Identity(now=now, new_id=new_id)
        self.limits = Limits(ticks=lambda: now().timestamp())
        self.webhooks = Webhooks(now=now, timetable=timetable, lock=lock)
        self.companies: dict[str, Company] = {}

    def open(self, firm: "Organisation") -> Company:
        """The firm's books under a realm id of their own."""
        company = Company(firm, seed=self._seed, now=self._now)
        company.listeners.append(self.webhooks.hear)
        self.companies[company.realm] = company
        return company

    def of(self, firm: "Organisation") -> Company:
        return next(company for company in self.companies.values() if company.firm is firm)
