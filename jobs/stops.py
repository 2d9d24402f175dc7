"""Stops: an address that nothing is sent to any more, by evidence or by somebody's word, and how that ends.

A stop works at once and leaves a line in history and a task, because somebody has to find another way to reach the
debtor. It ends when a person lifts it, when the debtor texts START, or when the ledger has another address.
"""

from sqlmodel import Session

from engine.notes import NoteKind
from engine.workflow import Channel
from jobs.acting import NotAllowed, needed
from jobs.office import Office
from jobs.recalculate import recalculate_in
from store import stops
from store.callers import accounts_of
from store.history import write_note
from store.tables import AccountRow, AddressStopRow
from store.tasks import close_task, open_task

_BECAUSE = {
    stops.OPT_OUT: "they asked us to stop",
    stops.BOUNCE: "what is sent there comes back",
    stops.COMPLAINT: "a message was reported as unwanted",
    stops.WRONG_NUMBER: "it is a wrong number",
}
_BY = {Channel.EMAIL: "by email", Channel.SMS: "by text message", Channel.CALL: "by telephone"}


def stop_address(
    unit: Session,
    office: Office,
    *,
    organisation_id: int,
    account_id: int | None,
    medium: str,
    address: str,
    kind: str,
    source: str,
    said: str = "",
    by: str = "",
    reminder_id: int | None = None,
    reply_id: int | None = None,
    message_id: int | None = None,
) -> bool:
    """Stops an address from this moment on, with a note and a task at the account. False when it was stopped before.

    Every account of the organisation that has this address is looked at again.
    """
    now = office.clock()
    if not stops.stop(
        unit,
        organisation_id=organisation_id,
        medium=medium,
        address=address,
        kind=kind,
        source=source,
        said=said,
        at=now,
        by=by,
        reply_id=reply_id,
        message_id=message_id,
    ):
        return False
    account = unit.get(AccountRow, account_id) if account_id is not None else None
    text = f"Nothing more is sent to {address} {_BY.get(Channel(medium), '')}, because {_BECAUSE[kind]}"
    if account is not None and account.id is not None:
        write_note(
            unit,
            organisation_id=organisation_id,
            account_id=account.id,
            reminder_id=reminder_id,
            reply_id=reply_id,
            kind=NoteKind.NOTE,
            text=f"{text}{f': “{said}”' if said and kind == stops.OPT_OUT else ''}.",
            at=now,
            by=by or "arrears",
        )
    open_task(
        unit,
        organisation_id=organisation_id,
        account_id=account.id if account else None,
        key=_key(medium, address),
        kind=kind,
        text=f"{account.name + ': ' if account else ''}{text}. {_what_to_do(kind)}",
        at=now,
    )
    _look_again(unit, office, organisation_id, medium, address, account_id)
    return True


def lift_stop(office: Office, stop_id: int, *, by: str, why: str) -> None:
    """A person lets messages go to this address again, and says why."""
    why = needed(why, "Say why this address may be written to again. Whoever looks at it later needs to know.")
    with office.database.unit_of_work() as unit:
        row = unit.get(AddressStopRow, stop_id)
        if row is None or row.lifted_at is not None:
            raise NotAllowed("This address is not stopped any more.")
        lift_in(
            unit,
            office,
            organisation_id=row.organisation_id,
            medium=row.medium,
            address=row.address,
            by=by,
            why=why,
            kinds=(row.kind,),
        )


def lift_in(
    unit: Session,
    office: Office,
    *,
    organisation_id: int,
    medium: str,
    address: str,
    by: str,
    why: str,
    kinds: tuple[str, ...],
) -> int:
    """Lifts the stops of these kinds on an address, in a unit of work that is open. Returns how many there were."""
    now = office.clock()
    lifted = stops.lift(
        unit, organisation_id=organisation_id, medium=medium, address=address, at=now, by=by, why=why, kinds=kinds
    )
    if not lifted:
        return 0
    for account in accounts_of(unit, medium, address, organisation_id=organisation_id):
        text = f"{address} may be written to again {_BY.get(Channel(medium), '')}, says {by}: {why.rstrip('.')}."
        write_note(
            unit, organisation_id=organisation_id, account_id=account, kind=NoteKind.NOTE, text=text, at=now, by=by
        )
    if stops.stopped(unit, organisation_id, medium, address) is None:
        close_task(unit, organisation_id=organisation_id, key=_key(medium, address), at=now, by=by)
    _look_again(unit, office, organisation_id, medium, address, None)
    return lifted


def _look_again(
    unit: Session, office: Office, organisation_id: int, medium: str, address: str, account_id: int | None
) -> None:
    unit.flush()
    concerned = accounts_of(unit, medium, address, organisation_id=organisation_id)
    recalculate_in(unit, office, organisation_id, concerned | ({account_id} if account_id is not None else set[int]()))


def _what_to_do(kind: str) -> str:
    if kind == stops.OPT_OUT:
        return "Speak to them in another way; the stop can be lifted on the account's page if they change their mind."
    return "Correct the address in the ledger, or lift the stop on the account's page."


def _key(medium: str, address: str) -> str:
    return f"stop:{medium}:{stops.plainly(address)}"
