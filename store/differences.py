"""What the ledger says beside what we have of it: only the differences are written.

A reading repeats much that is known already. Row by row it is compared as it lies in the database, and what is the
same costs a comparison and nothing else, so that reading with a generous overlap is cheap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlmodel import Session

from store.rows import Question, Row, insert, together, write


class Known(NamedTuple):
    """A row of ours: its number, what the ledger said of it last, and what we keep beside that."""

    id: int
    said: Row
    ours: Row


class Altered(NamedTuple):
    """A row that the ledger now tells differently."""

    known: Known
    said: Row


@dataclass(frozen=True, slots=True)
class Differences:
    """Of one page: what is new, what is told differently, and how many rows say what we know."""

    fresh: list[Row] = field(default_factory=list)
    altered: list[Altered] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the copy. `said`: the columns that come from the ledger, of which the first is its own id and the last
    its time of change; `ours`: those that we keep beside them and write along.
    """

    table: str
    said: tuple[str, ...]
    ours: tuple[str, ...] = ()

    def question(self, organisation_id: int, ledger_ids: Sequence[str]) -> Question:
        """Asks for what we have under these ids (some thousand at most)."""
        columns = ", ".join((*self.said, *self.ours))
        query = f"SELECT id, {columns} FROM {self.table} WHERE organisation_id = ? AND ledger_id IN (??)"  # noqa: S608
        return Question(query, (organisation_id, [*ledger_ids]))

    def known(self, rows: Iterable[Row]) -> dict[str, Known]:
        """The answer to `question`, by the ledger's id."""
        end = 1 + len(self.said)
        return {row[1]: Known(row[0], row[1:end], row[end:]) for row in rows}

    def compare(self, rows: Iterable[Row], known: Mapping[str, Known]) -> Differences:
        """The ledger's time of change alone makes no difference."""
        fresh, altered, unchanged = [], [], 0
        for row in rows:
            before = known.get(row[0])
            if before is None:
                fresh.append(row)
            elif before.said[:-1] == row[:-1] or _is_older(row, before.said):
                unchanged += 1
            else:
                altered.append(Altered(before, row))
        return Differences(fresh, altered, unchanged)

    def add(self, session: Session, organisation_id: int, rows: list[Row]) -> None:
        """Inserts rows of `said` and `ours`."""
        if rows:
            columns = ("organisation_id", *self.said, *self.ours)
            insert(session, self.table, columns, [(organisation_id, *row) for row in rows])

    def change(self, session: Session, rows: list[Row]) -> None:
        """Writes rows of `said` and `ours`, each followed by its number."""
        if rows:
            changes = ", ".join(f"{name} = ?" for name in (*self.said, *self.ours))
            write(session, f"UPDATE {self.table} SET {changes} WHERE id = ?", rows)  # noqa: S608


def numbers_of(session: Session, table: str, organisation_id: int, ledger_ids: Iterable[str]) -> dict[str, int]:
    """Our numbers of these ledger ids, as far as we know them."""
    (found,) = together(session, [numbers_question(table, organisation_id, sorted(set(ledger_ids)))])
    return dict(found)  # type: ignore[arg-type]


def numbers_question(table: str, organisation_id: int, ledger_ids: Sequence[str]) -> Question:
    query = f"SELECT ledger_id, id FROM {table} WHERE organisation_id = ? AND ledger_id IN (??)"  # noqa: S608
    return Question(query, (organisation_id, [*ledger_ids]))


def _is_older(row: Row, known: Row) -> bool:
    """A reading that was on its way while a fresher one was taken in must not undo it."""
    return row[-1] is not None and known[-1] is not None and row[-1] < known[-1]
