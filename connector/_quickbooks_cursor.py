"""How a first reading of QuickBooks that was cut short goes on.

A cursor holds one mark, a moment of QuickBooks' own clock: all that changed before it has been read. A first reading
has no such mark until it is done. What it leaves when it is cut short says when it began, in which list it was, and how
far it had come there by time of change; a walk can go on from there, whatever was paid meanwhile.
"""

from dataclasses import dataclass

from connector import Cursor

FIRST_ORDER = ("customers", "invoices", "payments", "credit memos", "end")
"""The lists of a first reading, in the order in which they are read."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A first reading under way: when it began, the list it is in, and how far it has come there.

    The moments are written as QuickBooks wrote them; `since` is empty at the beginning of a list.
    """

    at: str
    list: str
    since: str = ""

    def cursor(self) -> Cursor:
        return {"first": self.at, "list": self.list} | ({"since": self.since} if self.since else {})


def begun(cursor: Cursor) -> Begun | None:
    """The first reading that this cursor goes on with; None when it is a cursor of changes."""
    if "first" not in cursor:
        return None
    return Begun(cursor["first"], cursor["list"], cursor.get("since", ""))
