"""The high-water mark: how a restored database is told from the one that went on without it.

A copy made before a round of reminders does not know that they went. So the number of the newest message is kept in a
small file beside the database as well, raised before anything leaves. A database that is behind its own mark has been
restored, and nothing may be sent from it until a person has looked. What leaves then is numbered above the mark:
debtors and providers still have the numbers below it, of messages that this database knows nothing of.
"""

import os
from pathlib import Path

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from store.rows import is_sqlite
from store.tables import MessageRow


class HighWater:
    """The mark of one data folder. Writing it is atomic and on disk when `rise` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rise(self, message: int) -> None:
        """Raises the mark to the number of a message that is about to leave; it never sinks."""
        if message <= self.level():
            return
        fresh = self._path.with_suffix(".new")
        with fresh.open("w") as file:
            file.write(f"{message}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def level(self) -> int:
        """The highest number so far; 0 where nothing was ever sent. Raises ValueError for a file that is none."""
        return int(self._path.read_text()) if self._path.exists() else 0

    def is_above(self, session: Session) -> bool:
        """Has more been sent than this database knows of?"""
        newest = session.scalars(select(func.max(col(MessageRow.id)))).one()
        return self.level() > (newest or 0)

    def pass_by(self, session: Session) -> None:
        """Lets numbers go on above the mark, after a restore. SQLite takes its own from `free_number`."""
        if not is_sqlite(session):
            mark = {"mark": self.level()}
            session.execute(text("SELECT setval(pg_get_serial_sequence('messages', 'id'), :mark)"), mark)

    def free_number(self, session: Session) -> int | None:
        """The number of the next message where the database would give one that is used up; else None."""
        return self.level() + 1 if is_sqlite(session) and self.is_above(session) else None
