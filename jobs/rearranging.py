"""When the steps of a workflow change places: nobody who walks along it stands still, or gets a step again at once.

A step is tracked by its id. Where one that an account has had now stands behind the one it had last, it would be the
next to go, and could not: nothing is queued twice in a run. So each account is told once, when the workflow is saved,
which steps it has behind it.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from engine.moves import rearranged
from engine.position import Run
from engine.workflow import Workflow
from store import rows


class _Walker(NamedTuple):
    """An account (invoice 0), or one invoice of a Regular workflow, and what counts as its last step from now on."""

    account: int
    invoice: int
    run: Run


def rearrange(unit: Session, workflow_id: int, before: Workflow, after: Workflow) -> list[int]:
    """Carries everybody on this workflow over into its new order. Returns the accounts for whom that made a change."""
    walkers = [*_walkers(unit, _ACCOUNTS, workflow_id, before, after)]
    alone = [*_walkers(unit, _INVOICES, workflow_id, before, after)]
    again = {one.account for one in (*walkers, *alone) if one.run.cycle}
    again = again - _under_way(unit, workflow_id) if again else again
    rows.write(
        unit,
        "UPDATE positions SET done = ?, done_day = ?, repeats = ? WHERE account_id = ?",
        [(one.run.done, one.run.done_day, one.run.repeats, one.account) for one in walkers],
    )
    rows.write(
        unit,
        "UPDATE invoice_walks SET done = ?, done_day = ?, repeats = ? WHERE account_id = ? AND invoice_id = ?",
        [(one.run.done, one.run.done_day, one.run.repeats, one.account, one.invoice) for one in alone],
    )
    rows.write(unit, "UPDATE positions SET cycle = cycle + 1 WHERE account_id = ?", [(one,) for one in sorted(again)])
    rows.write(
        unit,
        "UPDATE invoice_walks SET cycle = (SELECT p.cycle FROM positions p "
        "WHERE p.account_id = invoice_walks.account_id) WHERE account_id = ? AND invoice_id = ?",
        [(one.account, one.invoice) for one in alone if one.run.cycle and one.account in again],
    )
    return sorted({one.account for one in (*walkers, *alone)})


_ACCOUNTS = (
    "SELECT account_id, 0, done, done_day, repeats FROM positions "
    "WHERE workflow_id = ? AND anchor IS NOT NULL AND done IS NOT NULL AND NOT ended"
)
_INVOICES = (
    "SELECT account_id, invoice_id, done, done_day, repeats FROM invoice_walks "
    "WHERE workflow_id = ? AND done IS NOT NULL AND NOT ended"
)


def _walkers(unit: Session, query: str, workflow_id: int, before: Workflow, after: Workflow) -> Iterator[_Walker]:
    """Those whose run the edit changes. Its cycle counts from 0 here: 1 means that something lies ahead again."""
    known: dict[tuple[object, ...], tuple[Run, Run]] = {}
    for account, invoice, *done in rows.all_rows(unit, query, [workflow_id]):
        last = tuple(done)
        if last not in known:
            run = Run(workflow_id, 0, date.min, 0, date.min, *done)
            known[last] = run, rearranged(run, before, after)
        was, becomes = known[last]
        if was != becomes:
            yield _Walker(account, invoice, becomes)


def _under_way(unit: Session, workflow_id: int) -> set[int]:
    """Accounts with a reminder of which it is not settled, or not counted, that it went: it counts in its own cycle."""
    query = (
        "SELECT account_id FROM reminders WHERE workflow_id = ? "
        "AND (state IN ('sending', 'unsure') OR (state = 'sent' AND NOT counted))"
    )
    return {row[0] for row in rows.all_rows(unit, query, [workflow_id])}
