"""A payment was reversed: an invoice that we knew as settled is open again. A bounced cheque deserves a person.

The account stays where it is, because nothing ever moves it forward. Whether it should go on from a sterner step is for
somebody to say, so each reading of the ledger opens one task for each account that it concerns.
"""

from collections import defaultdict
from collections.abc import Iterable

from sqlmodel import Session

from engine.notes import NoteKind
from engine.position import Position
from jobs.office import Office
from jobs.recalculate import Recalculated
from store.history import write_note
from store.tasks import open_task


def tell_of_reopened(
    unit: Session,
    office: Office,
    organisation_id: int,
    reopened: Iterable[tuple[int, str]],
    looked: Recalculated,
    *,
    run: int,
) -> None:
    """Opens the tasks, after the accounts were looked at. `reopened` are pairs of account and invoice number."""
    now = office.clock()
    numbers: dict[int, list[str]] = defaultdict(list)
    for account, number in sorted(reopened):
        numbers[account].append(number)
    for account, theirs in numbers.items():
        known = looked.decided.get(account)
        again = _again(theirs)
        write_note(
            unit,
            organisation_id=organisation_id,
            account_id=account,
            kind=NoteKind.NOTE,
            text=f"{again}.",
            at=now,
            by="arrears",
        )
        open_task(
            unit,
            organisation_id=organisation_id,
            account_id=account,
            key=f"reopened:{account}:{run}",
            kind="reopened",
            text=f"{again}; {_where(known[1].position if known else None)}",
            at=now,
        )


def _again(numbers: list[str]) -> str:
    if len(numbers) == 1:
        return f"{numbers[0]} is open again after it was settled"
    named = f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) < 6 else f"{len(numbers)} invoices"
    return f"{named} are open again after they were settled"


def _where(position: Position | None) -> str:
    if position is None or position.run is None:
        return "nothing counts as overdue, so nothing is sent for now."
    stays = f"stays at {position.assigned.name}" if position.assigned is not None else "stands at the start"
    return f"the account {stays}. Choose another step if it should go on from elsewhere."
