"""What the ledger has deleted: it says only that something was there, and our copy must not go on asking for it.

A deleted invoice is owed no longer, a deleted credit can be used no longer, and a deleted account is put away. Nothing
is removed from our books, so that what was said to whom, and why, can still be read years later.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from store.ledger_copy import TakenIn
from store.rows import all_rows, moments

_ASKED = {
    "invoices": "SELECT id, account_id, status FROM invoices WHERE status <> 'deleted'",
    "credits": "SELECT id, account_id, status FROM credits WHERE status <> 'deleted'",
    "accounts": "SELECT id, id, 'known' FROM accounts WHERE NOT archived",
}
_CHANGE = {
    "invoices": "UPDATE invoices SET status = 'deleted', balance = 0, settled_seen_at = COALESCE(settled_seen_at, ?), "
    "settled_by_run = COALESCE(settled_by_run, ?) WHERE id = ? RETURNING id",
    "credits": "UPDATE credits SET status = 'deleted', remaining = 0 WHERE id = ? RETURNING id",
    "accounts": "UPDATE accounts SET archived = ? WHERE id = ? RETURNING id",
}


def take_out(
    session: Session,
    organisation_id: int,
    gone: Iterable[tuple[str, str]],
    taken: TakenIn,
    *,
    now: datetime,
    run: int | None = None,
) -> int:
    """Puts away what is gone, each as its list and the ledger's id. Returns how much of it we knew.

    A list that we do not keep, and what we never had or have put away before, is passed over.
    """
    departed = 0
    for table, ledger_id in gone:
        if table not in _ASKED:
            continue
        known = f"{_ASKED[table]} AND organisation_id = ? AND ledger_id = ?"
        for number, account, status in all_rows(session, known, [organisation_id, ledger_id]):
            all_rows(session, _CHANGE[table], _values(session, table, number, now, run))
            taken.touched.add(account)
            taken.changes.gone(table, ledger_id, account, _told(table, status))
            departed += 1
    return departed


def _values(session: Session, table: str, number: int, now: datetime, run: int | None) -> list[Any]:
    match table:
        case "invoices":
            return [moments(session)(now), run, number]
        case "accounts":
            return [True, number]
        case _:
            return [number]


def _told(table: str, status: str) -> Any:
    return [("archived", False, True)] if table == "accounts" else [("status", status, "deleted")]
