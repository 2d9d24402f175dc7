"""What Xero does not document, or documents in two ways: switched here, so that either can be practised."""

from dataclasses import dataclass


@dataclass(slots=True)
class Habits:
    longest_note: int = 2500
    """Characters in a history note: one copy of Xero's page says 2,500, an older one 250."""
