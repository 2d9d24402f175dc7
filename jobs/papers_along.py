"""The invoices themselves, as the ledger prints them, that go along with a reminder whose step says so.

They are fetched before the ledger is asked for the last time how things stand, because printing takes a while and that
answer must be young when the reminder leaves. Whatever turns out to be paid by then stays here. Where the ledger has no
paper of an invoice, the reminder leaves without it, and the page of the message says so; where it does not answer, the
reminder waits. A sample to oneself has the same papers with it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Attachment
from connector import Ledger, LedgerFailure, Purpose, RateLimited, Refused
from engine.receivables import InvoiceStatus
from engine.workflow import Channel
from jobs.governors import governor_of
from jobs.invoice_papers import file_name
from jobs.ledgers import connection_of, ledger_of, remember
from jobs.office import Office
from store.tables import AccountRow, ConnectionRow, InvoiceRow, OrganisationRow, ReminderRow, StepRow

MOST = 5
"""Papers with one reminder, of the oldest invoices: each is a call, and a person reads no more of them."""

TOGETHER = 10 << 20
"""Bytes of all papers of one reminder. Larger mails are turned away by many mail servers."""


class Papers(NamedTuple):
    """Papers by the numbers of their invoices, the oldest first, and the numbers of those that there is no paper of."""

    files: tuple[tuple[str, Attachment], ...] = ()
    lacking: tuple[str, ...] = ()

    def of(self, numbers: Sequence[str]) -> tuple[Attachment, ...]:
        """Those of these invoices."""
        return tuple(file for number, file in self.files if number in numbers)

    def told_of_lacking(self, numbers: Sequence[str]) -> list[dict[str, Any]]:
        """What is kept with a message of those of these invoices that it should have had along and has not."""
        return [{"name": file_name(number), "lacking": True} for number in self.lacking if number in numbers]


NONE = Papers()


def papers_for(office: Office, reminder_id: int) -> Papers:
    """Asks the ledger for them. Raises LedgerFailure when it does not answer."""
    with office.database.reading() as session:
        wanted, connection = _wanted(session, office, reminder_id)
    if not wanted or connection is None or connection.state != "active":
        return NONE  # without a connection the look that follows says so
    return _asked_for(office, connection, wanted, Purpose.SENDING)


def papers_of(office: Office, account_id: int, *, invoice: int = 0) -> Papers:
    """Those that a reminder about everything overdue, or about this one `invoice`, would carry today, for a person who
    waits for them.

    Asks the ledger. Raises LedgerFailure when it does not answer, and when it is not connected.
    """
    with office.database.reading() as session:
        account = session.get(AccountRow, account_id)
        assert account is not None
        organisation = session.get(OrganisationRow, account.organisation_id)
        assert organisation is not None
        wanted = _oldest(session, _about(invoice, account_id, office.as_of(organisation)))
        connection = connection_of(session, account.organisation_id)
    if not wanted:
        return NONE
    if connection is None or connection.state != "active" or connection.kind not in office.ledgers:
        raise LedgerFailure("it is not connected")
    try:
        return _asked_for(office, connection, wanted, Purpose.READING)
    except LedgerFailure as failure:
        remember(office, connection, failure)
        raise


def _asked_for(office: Office, connection: ConnectionRow, wanted: Sequence[InvoiceRow], purpose: Purpose) -> Papers:
    if connection.not_before is not None and connection.not_before > office.clock():
        raise RateLimited("the ledger has asked us to wait", connection.not_before)
    return _fetched(ledger_of(office, connection, governor_of(office, connection, purpose)), wanted)


def _fetched(ledger: Ledger, wanted: Sequence[InvoiceRow]) -> Papers:
    files: list[tuple[str, Attachment]] = []
    lacking: list[str] = []
    room = TOGETHER
    for invoice in wanted:
        try:
            pdf = ledger.invoice_pdf(invoice.ledger_id)
        except Refused:
            pdf = None
        if pdf is None or len(pdf) > room:
            lacking.append(invoice.number)
            continue
        room -= len(pdf)
        files.append((invoice.number, Attachment(file_name(invoice.number), "application/pdf", pdf)))
    return Papers(tuple(files), tuple(lacking))


def _wanted(session: Session, office: Office, reminder_id: int) -> tuple[list[InvoiceRow], ConnectionRow | None]:
    """The overdue invoices whose papers go along, the oldest first."""
    reminder = session.get(ReminderRow, reminder_id)
    step = session.get(StepRow, (reminder.workflow_id, reminder.step_id)) if reminder is not None else None
    if reminder is None or step is None or not step.attach_invoices or step.channel != Channel.EMAIL:
        return [], None
    organisation = session.get(OrganisationRow, reminder.organisation_id)
    assert organisation is not None
    rows = _oldest(session, _about(reminder.invoice_id, reminder.account_id, office.as_of(organisation)))
    return rows, connection_of(session, reminder.organisation_id)


def _oldest(session: Session, about: tuple[Any, ...]) -> list[InvoiceRow]:
    query = select(InvoiceRow).where(*about).order_by(col(InvoiceRow.due_on), col(InvoiceRow.number)).limit(MOST)
    return list(session.scalars(query))


def _about(invoice: int, account_id: int, as_of: date) -> tuple[Any, ...]:
    if invoice:
        return (col(InvoiceRow.id) == invoice, col(InvoiceRow.status) == InvoiceStatus.OPEN)
    return (
        col(InvoiceRow.account_id) == account_id,
        col(InvoiceRow.status) == InvoiceStatus.OPEN,
        col(InvoiceRow.balance) > 0,
        col(InvoiceRow.due_on) < as_of,
    )
