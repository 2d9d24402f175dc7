"""Which accounts moved because of a sync run: where each stood before the look at it, and where it stands after."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlmodel import Session

from store.changes import Changes
from store.rows import Row, all_rows, date_of

MOST = 1_000
"""Accounts of one run that are watched. A run that touches more moves them for one and the same reason."""

_PLACE = ("state", "assigned_step", "next_step", "next_due_on")


class Stood(NamedTuple):
    """Where accounts stood: by our number, the ledger's id and the columns of the position (None: it had none)."""

    places: dict[int, tuple[str, Row | None]]


def stood(session: Session, account_ids: Iterable[int]) -> Stood:
    """Where these accounts stand at this moment; of very many the first only."""
    chosen = sorted(account_ids)[:MOST]
    if not chosen:
        return Stood({})
    session.flush()
    columns = ", ".join(f"p.{name}" for name in _PLACE)
    query = (
        f"SELECT a.id, a.ledger_id, {columns} FROM accounts a LEFT JOIN positions p ON p.account_id = a.id "  # noqa: S608
        "WHERE a.id IN (??)"
    )
    found = all_rows(session, query, [chosen])
    return Stood({row[0]: (row[1], _place(row[2:]) if row[2] is not None else None) for row in found})


def note_moves(session: Session, changes: Changes, before: Stood) -> None:
    """Notes for each of these accounts that stands elsewhere now."""
    now = stood(session, before.places)
    changes.calls = (0, 0)
    for number, (ledger_id, place) in now.places.items():
        _, then = before.places[number]
        pairs = zip(_PLACE, then or (None,) * len(_PLACE), place or (None,) * len(_PLACE), strict=True)
        changes.besides("positions", ledger_id, number, [(name, old, new) for name, old, new in pairs if old != new])


def _place(row: Row) -> Row:
    state, assigned, following, due_on = row
    day = date_of(due_on)
    return state, assigned, following, day.isoformat() if day is not None else None
