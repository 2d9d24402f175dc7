"""The invoice as the ledger prints it, fetched when a person asks for it. Nothing of it is kept here.

What the debtor was sent is the ledger's paper, with the firm's own letterhead; so whoever speaks with them should have
the very same sheet before them, and never an older copy.
"""

import re
from typing import NamedTuple

from connector import LedgerFailure, Purpose, RateLimited, title_of
from jobs.acting import NotAllowed
from jobs.governors import governor_of
from jobs.ledgers import connection_of, ledger_of, remember
from jobs.office import Office
from store.tables import ConnectionRow, InvoiceRow

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Paper(NamedTuple):
    """A PDF, and a name under which any machine can keep it."""

    name: str
    pdf: bytes


def invoice_paper(office: Office, invoice_id: int) -> Paper:
    """Asks the ledger for it now. Raises NotAllowed with a sentence when there is none to be had."""
    with office.database.reading() as session:
        invoice = session.get(InvoiceRow, invoice_id)
        connection = connection_of(session, invoice.organisation_id) if invoice is not None else None
    if invoice is None or connection is None or connection.state != "active":
        raise NotAllowed("The ledger is not connected, so it cannot be asked for the PDF. Connect it again first.")
    name = title_of(connection.kind)
    pdf = _asked(office, connection, invoice)
    if pdf is None:
        raise NotAllowed(f"{name} has no PDF of {invoice.number or 'this invoice'}. Open the invoice there to see why.")
    return Paper(file_name(invoice.number), pdf)


def file_name(number: str) -> str:
    """`INV-001.pdf`; whatever a file's name should not hold is left out."""
    kept = _NO_NAME.sub("-", number).strip("-._")[:80]
    return f"{kept or 'invoice'}.pdf"


def _asked(office: Office, connection: ConnectionRow, invoice: InvoiceRow) -> bytes | None:
    name = title_of(connection.kind)
    now = office.clock()
    try:
        if connection.not_before is not None and connection.not_before > now:
            raise RateLimited(
                f"{name} has asked us to wait until {connection.not_before:%H:%M} UTC", connection.not_before
            )
        ledger = ledger_of(office, connection, governor_of(office, connection, Purpose.READING))
        return ledger.invoice_pdf(invoice.ledger_id)
    except LookupError as missing:
        raise NotAllowed(f"The PDF could not be fetched: {missing.args[0]}.") from missing
    except LedgerFailure as failure:
        remember(office, connection, failure)
        said = str(failure).rstrip(".")
        raise NotAllowed(f"The PDF of {invoice.number or 'this invoice'} could not be fetched: {said}.") from failure
