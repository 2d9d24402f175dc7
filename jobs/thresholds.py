"""What may be set about reading ledgers: when to brake, and how far to trust a doorbell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Brakes:
    """What is too much for one reading. Shares lie between 0 and 1; fewer than `least` of anything never brakes."""

    closing_share: float = 0.4
    moving_share: float = 0.5
    overdue_growth: float = 1.0
    least: int = 20


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How long rings are collected before one reading answers them all, and how much polling they save.

    After `silent_hours` without a ring the provider may have switched them off, and we read as often as without.
    """

    collect_seconds: Mapping[str, int] = field(default_factory=lambda: {"xero": 30, "quickbooks": 60})
    poll_minutes: int = 60
    silent_hours: int = 24

    def collects(self, kind: str) -> timedelta:
        return timedelta(seconds=self.collect_seconds.get(kind, 60))

    @property
    def silence(self) -> timedelta:
        return timedelta(hours=self.silent_hours)
