"""History notes: one line of what happened and why, never edited and never deleted."""

from dataclasses import dataclass
from enum import StrEnum

from engine.receivables import Ref


class NoteKind(StrEnum):
    BEGAN = "began"
    ASSIGNED = "assigned"
    RESTARTED = "restarted"
    MOVED_BACK = "moved back"
    MOVED_ON = "moved on"
    DRIVER_CHANGED = "driver changed"
    CLEARED = "cleared"
    REMINDER_SENT = "reminder sent"
    REMINDER_SKIPPED = "reminder skipped"
    HELD = "held"
    REFUSED = "refused"
    UNSURE = "unsure"
    REPLY = "reply"
    NOTE = "note"
    IDLE = "idle"


FOR_THE_LEDGER = frozenset(
    {
        NoteKind.ASSIGNED,
        NoteKind.MOVED_BACK,
        NoteKind.MOVED_ON,
        NoteKind.REMINDER_SENT,
        NoteKind.REFUSED,
        NoteKind.REPLY,
        NoteKind.NOTE,
    }
)
"""The kinds that a bookkeeper wants to find in the ledger as well."""

MOVES = frozenset({NoteKind.ASSIGNED, NoteKind.MOVED_BACK, NoteKind.MOVED_ON})
"""Where an account stands in its workflow. While sending is only tried out, nobody has been reminded of anything, and
the ledger must not say so."""


@dataclass(frozen=True, slots=True)
class Note:
    kind: NoteKind
    text: str
    invoice: Ref | None = None
