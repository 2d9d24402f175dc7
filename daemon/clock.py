"""A clock that stands until it is moved: how a demo walks through weeks in seconds."""

from datetime import datetime


class MovableClock:
    """Gives the instant (aware, UTC) that it was last moved to."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def move(self, to: datetime) -> None:
        """Moves on. Raises ValueError for a move back: time does not do that."""
        if to < self._at:
            raise ValueError(f"the clock stands at {self._at:%Y-%m-%d %H:%M} and cannot go back to {to:%Y-%m-%d %H:%M}")
        self._at = to
