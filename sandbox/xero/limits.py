"""How many calls Xero allows: so many at once, a minute and a day for one organisation.

Counted by the sandbox's clock, in fixed windows that begin with the first call, as Xero does
(https://developer.xero.com/documentation/guides/oauth2/limits/). Off until switched on, because a sandbox day may
pass in a second.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SHOWN_MINUTE, SHOWN_DAY, SHOWN_APP = 60, 1000, 10_000


@dataclass(slots=True)
class _Window:
    began: float = -math.inf
    count: int = 0


@dataclass(slots=True)
class Limits:
    minute: int | None = None
    day: int | None = None
    concurrent: int | None = None
    ticks: Callable[[], float] = time.monotonic
    _windows: dict[tuple[str, int], _Window] = field(default_factory=dict)
    _in_flight: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        self._windows.clear()

    def enter(self, tenant: str) -> tuple[str, int | None] | None:
        """None when the call may go on; otherwise which limit it met and the seconds until that opens again."""
        self._in_flight[tenant] = self._in_flight.get(tenant, 0) + 1
        if self.concurrent and self._in_flight[tenant] > self.concurrent:
            return "concurrent", None
        for name, limit, length in (("day", self.day, 86_400), ("minute", self.minute, 60)):
            window = self._window(tenant, length)
            if limit and window.count >= limit:
                return name, max(1, math.ceil(window.began + length - self.ticks()))
        for length in (86_400, 60):
            self._window(tenant, length).count += 1
        return None

    def leave(self, tenant: str) -> None:
        self._in_flight[tenant] = max(0, self._in_flight.get(tenant, 1) - 1)

    def headers(self, tenant: str) -> dict[str, str]:
        return {
            "X-DayLimit-Remaining": str(self._left(tenant, self.day, SHOWN_DAY, 86_400)),
            "X-MinLimit-Remaining": str(self._left(tenant, self.minute, SHOWN_MINUTE, 60)),
            "X-AppMinLimit-Remaining": str(SHOWN_APP - 1),
        }

    def _left(self, tenant: str, limit: int | None, shown: int, length: int) -> int:
        return max(0, limit - self._window(tenant, length).count) if limit else shown - 1

    def _window(self, tenant: str, length: int) -> _Window:
        window = self._windows.setdefault((tenant, length), _Window())
        if self.ticks() - window.began >= length:
            window.began, window.count = self.ticks(), 0
        return window
