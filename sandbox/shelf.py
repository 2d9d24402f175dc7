"""One list of papers, kept in the order in which they were last changed.

Everybody who reads a ledger asks "what is new since …?", thousands of times a day; so the shelf stays sorted by that.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any


class Shelf:
    def __init__(self) -> None:
        self._papers: dict[str, Any] = {}
        self._sorted: list[Any] | None = []

    def __len__(self) -> int:
        return len(self._papers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._papers.values())

    def get(self, id_: str) -> Any | None:
        return self._papers.get(id_)

    def put(self, paper: Any, *, at: datetime) -> None:
        """Lay a new paper down, or note that an old one was changed just now."""
        self._take_from_order(self._papers.get(paper.id))
        paper.updated = at
        self._papers[paper.id] = paper
        if self._sorted is not None:
            insort(self._sorted, paper, key=_key)

    def by_change(self, ids: Iterable[str] | None = None) -> list[Any]:
        """All papers, or only these few, the one changed longest ago first."""
        if ids is not None:
            return sorted((self._papers[id_] for id_ in ids if id_ in self._papers), key=_key)
        if self._sorted is None:
            self._sorted = sorted(self._papers.values(), key=_key)
        return self._sorted

    def changed_since(self, since: datetime) -> list[Any]:
        papers = self.by_change()
        return papers[bisect_left(papers, (since, ""), key=_key) :]

    def _take_from_order(self, paper: Any | None) -> None:
        """Moving one paper is cheap; sorting tens of thousands again after each change is not."""
        if paper is None or self._sorted is None:
            return
        place = bisect_left(self._sorted, _key(paper), key=_key)
        if place < len(self._sorted) and self._sorted[place] is paper:
            del self._sorted[place]
        else:
            self._sorted = None


def _key(paper: Any) -> tuple[datetime, str]:
    return paper.updated, paper.id
