"""What this process remembers of a company between two openings of its ledger, so that it need not ask again.

QuickBooks counts every question and no answer, so what an answer taught us is kept: the home currency, which never
changes, and the notes of the customers seen last, with the mark by which QuickBooks tells whether they have changed
since. Nothing here is believed blindly: a mark that is out of date is refused by QuickBooks, and then we ask.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from connector import _quickbooks_rows as rows

MOST = 5_000
"""Customers remembered of one company."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer's notes, and the mark (SyncToken) that has to be sent along to change them."""

    sync_token: str
    notes: str


class Memory:
    """What is remembered of one company. Any thread may use it."""

    def __init__(self) -> None:
        self.currency = ""
        self.country: str | None = None
        self.notes_cap: int | None = None
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def saw(self, *customers: rows.AccountRow) -> None:
        """The newest rows of these customers."""
        with self._lock:
            for row in customers:
                self._seen.pop(row.id, None)
                if row.sync_token is not None and not row.is_deleted:
                    self._seen[row.id] = Seen(row.sync_token, row.notes or "")
            while len(self._seen) > MOST:
                self._seen.popitem(last=False)

    def notes_of(self, customer_id: str) -> Seen | None:
        with self._lock:
            return self._seen.get(customer_id)

    def forget(self, customer_id: str) -> None:
        with self._lock:
            self._seen.pop(customer_id, None)


def memory_of(api_url: str, realm: str) -> Memory:
    """The one memory of this company in this process."""
    with _LOCK:
        return _MEMORIES.setdefault((api_url, realm), Memory())


_MEMORIES: dict[tuple[str, str], Memory] = {}
_LOCK = threading.Lock()
