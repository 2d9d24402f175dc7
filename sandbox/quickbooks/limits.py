"""How many calls QuickBooks allows one company: so many a minute, a second, and at the same time.

Off until switched on, because a sandbox day may pass in a second. Nothing in an answer says
how many are left. (https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features, limits and throttles)
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Limits:
    ticks: Callable[[], float]  # seconds, on the clock of the sandbox
    minute: int | None = None  # 500 in earnest
    second: int | None = None  # 10 in earnest
    at_once: int | None = None  # 10 in earnest
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _in_flight: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        self._calls.clear()

    def enter(self, realm: str) -> bool:
        """False when this call is one too many; it counts all the same until `leave`."""
        now, calls = self.ticks(), self._calls.setdefault(realm, deque())
        self._in_flight[realm] = self._in_flight.get(realm, 0) + 1
        while calls and now - calls[0] >= 60:
            calls.popleft()
        last_second = sum(1 for at in calls if now - at < 1) if self.second else 0
        if (
            (self.at_once and self._in_flight[realm] > self.at_once)
            or (self.minute and len(calls) >= self.minute)
            or (self.second and last_second >= self.second)
        ):
            return False
        calls.append(now)
        return True

    def leave(self, realm: str) -> None:
        self._in_flight[realm] = max(0, self._in_flight.get(realm, 1) - 1)
