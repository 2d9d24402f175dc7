"""How far each of Xero's lists has been read, and how a reading that was cut short goes on.

A cursor holds one mark for each list, a moment of Xero's own clock: everything changed before it has been read, save
for an overlap that is read again. A reading of changes that was cut short just moves the marks as far as it came, so
what it leaves is a cursor like any other. A first reading has no marks yet; what it leaves says when it began, in which
list it was, and how far it had come there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connector import Cursor, Unreachable

BEGINNING = datetime(2006, 1, 1, tzinfo=UTC)
"""Before Xero was: a list whose mark is missing from a cursor is read from here."""

MARKS = ("invoices", "credits", "contacts", "contacts_whole")
"""`contacts_whole` is when the contacts were last read from the first to the last."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A first reading under way: when it began, the list it is in, and how far it has come there."""

    at: datetime
    list: str
    since: datetime | None = None

    def cursor(self) -> Cursor:
        reached = {"since": written(self.since)} if self.since else {}
        return {"first": written(self.at), "list": self.list, **reached}


def begun(cursor: Cursor | None) -> Begun | None:
    """The first reading that this cursor goes on with; None when it is a cursor of changes, or there is none."""
    if cursor is None or "first" not in cursor:
        return None
    since = datetime.fromisoformat(cursor["since"]) if "since" in cursor else None
    return Begun(datetime.fromisoformat(cursor["first"]), cursor["list"], since)


def finished(at: datetime) -> Cursor:
    """The cursor after a first reading that began then."""
    return dict.fromkeys(MARKS, written(at))


def mark(cursor: Cursor, name: str) -> datetime:
    """How far that list was read."""
    return datetime.fromisoformat(cursor[name]) if name in cursor else BEGINNING


def moved(cursor: Cursor, **marks: datetime) -> Mapping[str, str]:
    """The same cursor with these marks elsewhere."""
    return {**cursor, **{name: written(moment) for name, moment in marks.items()}}


def written(moment: datetime) -> str:
    """To the whole second, which is how exactly Xero compares."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def known(moment: datetime | None) -> datetime:
    """Xero's clock. Raises Unreachable where an answer did not show it."""
    # Our own clock would not do: were it ahead of Xero's, changes would be stepped over.
    if moment is None:
        raise Unreachable("Xero's answer does not say what time it is there, so nobody could tell where to go on.")
    return moment
