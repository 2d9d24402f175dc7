"""Who pays for whom: what a branch owes is asked of its head office, where the ledger bills the two together.

An invoice stands in the books of the account that pays it, and remembers the branch that the ledger names. When the
ledger changes who pays, the invoices go along, and come back when it changes its mind.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from store.rows import Question, Row, all_rows

_TABLES = ("invoices", "credits")


def payers_of(session: Session, organisation_id: int) -> Mapping[int, int]:
    """Of every account that is billed with another one that we know: who pays at last, at the top of the chain."""
    return payers_among(session, organisation_id, all_rows(session, *billed_with_question(organisation_id)))


def billed_with_question(organisation_id: int) -> Question:
    """Asks for the accounts that are billed with another one, to be asked together with others."""
    asked = "SELECT id, billed_with FROM accounts WHERE organisation_id = ? AND billed_with IS NOT NULL"
    return Question(asked, [organisation_id])


def payers_among(session: Session, organisation_id: int, answer: Sequence[Row]) -> Mapping[int, int]:
    """The same as `payers_of`, of what `billed_with_question` was answered."""
    billed: dict[int, str] = dict(answer)  # type: ignore[arg-type]
    if not billed:
        return {}
    above = billed | _merged(session, organisation_id)
    known = _numbers(session, organisation_id, {*above.values()})
    parents = {account: known[name] for account, name in above.items() if name in known}
    tops = {account: _top(account, parents) for account in billed}
    return {account: top for account, top in tops.items() if top != account}


def unknown_payers(session: Session, organisation_id: int) -> list[str]:
    """The ledger's ids of whoever is said to pay for one of our accounts and is none of ours."""
    asked = (
        "SELECT DISTINCT one.billed_with FROM accounts one "
        "WHERE one.organisation_id = ? AND one.billed_with IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts payer "
        "WHERE payer.organisation_id = one.organisation_id AND payer.ledger_id = one.billed_with)"
    )
    return sorted(row[0] for row in all_rows(session, asked, [organisation_id]))


def settle_payers(session: Session, organisation_id: int) -> set[int]:
    """Puts every invoice and credit where its payer is. Returns the accounts that something left or came to."""
    payers = payers_of(session, organisation_id)
    touched: set[int] = set()
    for table in _TABLES:
        touched |= _come_back(session, organisation_id, table, payers)
        for branch, payer in payers.items():
            touched |= _moved(session, table, "account_id = ? AND billed_for IS NULL", branch, branch, payer)
            touched |= _moved(session, table, "billed_for = ? AND account_id <> ?", branch, branch, payer, payer)
    return touched


def _come_back(session: Session, organisation_id: int, table: str, payers: Mapping[int, int]) -> set[int]:
    """What a branch pays for itself again."""
    asked = f"SELECT DISTINCT billed_for FROM {table} WHERE organisation_id = ? AND billed_for IS NOT NULL"  # noqa: S608
    touched: set[int] = set()
    for (branch,) in all_rows(session, asked, [organisation_id]):
        if branch not in payers:
            left = f"SELECT DISTINCT account_id FROM {table} WHERE billed_for = ?"  # noqa: S608
            touched |= {branch, *(row[0] for row in all_rows(session, left, [branch]))}
            back = f"UPDATE {table} SET account_id = billed_for, billed_for = NULL WHERE billed_for = ? RETURNING id"  # noqa: S608
            all_rows(session, back, [branch])
    return touched


def _moved(session: Session, table: str, which: str, number: int, branch: int, payer: int, *more: Any) -> set[int]:
    left = all_rows(session, f"SELECT DISTINCT account_id FROM {table} WHERE {which}", [number, *more])  # noqa: S608
    if not left:
        return set()
    move = f"UPDATE {table} SET account_id = ?, billed_for = ? WHERE {which} RETURNING id"  # noqa: S608
    all_rows(session, move, [payer, branch, number, *more])
    return {payer, *(row[0] for row in left)}


def _merged(session: Session, organisation_id: int) -> dict[int, str]:
    asked = "SELECT id, merged_into FROM accounts WHERE organisation_id = ? AND merged_into IS NOT NULL"
    return dict(all_rows(session, asked, [organisation_id]))  # type: ignore[arg-type]


def _numbers(session: Session, organisation_id: int, names: set[str]) -> dict[str, int]:
    asked = "SELECT ledger_id, id FROM accounts WHERE organisation_id = ? AND ledger_id IN (??)"
    return dict(all_rows(session, asked, [organisation_id, sorted(names)]))  # type: ignore[arg-type]


def _top(account: int, parents: Mapping[int, int]) -> int:
    """The end of the chain; the account itself where the chain turns in a circle."""
    seen = {account}
    top = account
    while (above := parents.get(top)) is not None:
        if above in seen:
            return account
        seen.add(above)
        top = above
    return top
