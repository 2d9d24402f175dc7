"""Questions in QuickBooks' query language, built so that no customer's name can change what is asked.

The language knows only AND, compares only with values in single quotes, and always gives whole rows.
https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

UPDATED = "MetaData.LastUpdatedTime"
MOST_ROWS = 1000
"""More than this QuickBooks gives in no answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """One SELECT over one kind of row. `where` are the conditions, all of which must hold."""

    entity: str
    where: tuple[str, ...] = ()
    in_order: bool = False
    start: int = 1
    most: int = MOST_ROWS
    count: bool = False

    def also(self, *conditions: str) -> "Question":
        return replace(self, where=(*self.where, *conditions))

    def __str__(self) -> str:
        what = "COUNT(*)" if self.count else "*"
        words = [f"SELECT {what} FROM {self.entity}"]  # noqa: S608 - no database of ours; values are quoted below
        if self.where:
            words.append(f"WHERE {' AND '.join(self.where)}")
        if self.in_order:
            words.append(f"ORDERBY {UPDATED} ASC")
        if not self.count:
            words += [f"STARTPOSITION {self.start}"] if self.start > 1 else []
            words.append(f"MAXRESULTS {self.most}")
        return " ".join(words)


def quoted(value: str) -> str:
    """A value as the language wants it, whatever is in it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def one_of(field: str, values: Iterable[str]) -> str:
    return f"{field} IN ({', '.join(quoted(value) for value in values)})"


def since(moment: str) -> str:
    """Changed at this moment or later; `moment` is ISO 8601 with its offset."""
    return f"{UPDATED} >= {quoted(moment)}"


def batches(ids: Sequence[str], most: int) -> Iterable[Sequence[str]]:
    """Each id once, in pieces."""
    once = [*dict.fromkeys(ids)]
    for start in range(0, len(once), most):
        yield once[start : start + most]


def without_values(statement: str) -> str:
    """The statement for the sync log: times and amounts stay, lists of ids are counted, all other values are hidden."""
    counted = re.sub(rf"IN \(((?:{_VALUE}(?:, )?)+)\)", _counted, statement)
    return re.sub(_VALUE, _hidden, counted)


OPEN = "Balance > '0'"
ACTIVE_OR_NOT = "Active IN (true, false)"
"""Lists of names hold only the active ones unless both are asked for."""


def _counted(found: re.Match[str]) -> str:
    return f"IN ({len(re.findall(_VALUE, found[1]))})"


def _hidden(found: re.Match[str]) -> str:
    return found[0] if re.fullmatch(r"'(?:0|\d{4}-\d\d-\d\d[\dT:.+Z-]*)'", found[0]) else "?"


_VALUE = r"'(?:[^'\\]|\\.)*'"
