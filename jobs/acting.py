"""What every act of a person has in common: it finds what it is about, sets or lifts a hold, and leaves a note.

An act is one commit. It ends with a new look at the account, so whoever reads the page next sees what the act has done.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update
from sqlmodel import Session, col

from engine.holds import HoldKind
from engine.notes import NoteKind
from jobs.office import Office
from store.history import write_note
from store.leases import one_at_a_time
from store.tables import AccountRow, HoldRow, InvoiceRow, OrganisationRow


class NotAllowed(Exception):
    """This cannot be done, at least not now. The message is a sentence for the person who asked."""


def organisation_in(unit: Session, organisation_id: int) -> OrganisationRow:
    """The organisation, once nobody else is writing about it."""
    one_at_a_time(unit, organisation_id)
    organisation = unit.get(OrganisationRow, organisation_id)
    if organisation is None:
        raise NotAllowed("There is no such organisation.")
    return organisation


def account_in(unit: Session, account_id: int) -> tuple[AccountRow, OrganisationRow]:
    account = unit.get(AccountRow, account_id)
    if account is None:
        raise NotAllowed("There is no such account.")
    return account, organisation_in(unit, account.organisation_id)


def invoice_in(unit: Session, invoice_id: int) -> tuple[InvoiceRow, AccountRow, OrganisationRow]:
    invoice = unit.get(InvoiceRow, invoice_id)
    if invoice is None:
        raise NotAllowed("There is no such invoice.")
    return invoice, *account_in(unit, invoice.account_id)


def open_holds(
    unit: Session, account_id: int, kind: HoldKind, *, on: date | None = None, invoice_id: int | None = None
) -> list[HoldRow]:
    """The holds of this kind that nobody has lifted: those on the whole account, or those on one of its invoices.

    With `on` only those that hold on that day, which a promise of the past no longer does.
    """
    about = col(HoldRow.invoice_id)
    query = select(HoldRow).where(
        col(HoldRow.account_id) == account_id,
        about.is_(None) if invoice_id is None else about == invoice_id,
        col(HoldRow.kind) == kind,
        col(HoldRow.lifted_at).is_(None),
    )
    return [hold for hold in unit.scalars(query) if on is None or hold.until is None or hold.until >= on]


def hold(
    unit: Session,
    office: Office,
    account: AccountRow,
    organisation: OrganisationRow,
    kind: HoldKind,
    *,
    why: str,
    by: str,
    until: date | None = None,
    invoice_id: int | None = None,
) -> None:
    """Sets a hold from today on, by the organisation's own calendar. Its reason ends without a full stop."""
    unit.add(
        HoldRow(
            organisation_id=account.organisation_id,
            account_id=account.id,
            invoice_id=invoice_id,
            kind=kind,
            since=office.as_of(organisation),
            until=until,
            why=why.strip().removesuffix("."),
            by=by,
        )
    )


def lift(unit: Session, office: Office, holds: Sequence[HoldRow], *, by: str) -> int:
    """Lifts these holds. Returns how many there were."""
    numbers = [one.id for one in holds]
    unit.execute(update(HoldRow).where(col(HoldRow.id).in_(numbers)).values(lifted_at=office.clock(), lifted_by=by))
    return len(numbers)


def note(
    unit: Session, office: Office, account: AccountRow, text: str, *, by: str, invoice_id: int | None = None
) -> None:
    """A line in the account's history, by the person who acted."""
    assert account.id is not None
    write_note(
        unit,
        organisation_id=account.organisation_id,
        account_id=account.id,
        invoice_id=invoice_id,
        kind=NoteKind.NOTE,
        text=text,
        at=office.clock(),
        by=by,
    )


def said(what: str, why: str) -> str:
    """`Paused by Olive Owner: she is on holiday`, or `Paused by Olive Owner.` where no reason was given."""
    return f"{what}: {why}" if why else f"{what}."


def needed(text: str, sentence: str) -> str:
    """The text without blanks at its ends. Raises NotAllowed with this sentence when nothing is left of it."""
    if not text.strip():
        raise NotAllowed(sentence)
    return text.strip()
