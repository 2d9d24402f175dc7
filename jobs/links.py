"""Links: a reminder shows where each invoice can be seen and paid, if the ledger offers that.

The ledger is asked for an invoice's link once, with the look before the first reminder that speaks of it, and what it
said is kept. A link is a kindness and never a condition: where the ledger does not answer this question, the reminder
leaves without it and it is asked again another time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlmodel import Session, col

from connector import Ledger, LedgerFailure, Refused
from engine.receivables import Invoice, InvoiceStatus
from engine.workflow import Channel
from jobs.containing import contained
from jobs.office import Office
from store.tables import InvoiceRow, OrganisationRow, ReminderRow

SHOWN = 20
"""A statement shows the oldest invoices one by one, and no more than this; the others are in its total."""

LONG_ENOUGH = timedelta(minutes=1)
"""A reminder waits no longer than this for all of its links together."""


@dataclass(slots=True)
class Allowance:
    """How many links one round of deliveries may still ask for. It ends with the first question not answered."""

    left: int


def links_for(
    office: Office, ledger: Ledger, reminder_id: int, invoices: Sequence[Invoice], allowance: Allowance
) -> dict[str, str]:
    """The links that were not asked for before, by the ledger's id of the invoice; empty where there is none.

    Never raises: what goes wrong here stops no reminder.
    """
    links: dict[str, str] = {}
    with contained("links not asked for", reminder=reminder_id):
        still_open = {one.ledger_id for one in invoices if one.status is InvoiceStatus.OPEN}
        wanted = _unasked(office, reminder_id, still_open) if allowance.left > 0 else ()
        links.update(_asked(office, ledger, wanted, allowance))
    return links


def keep_links(unit: Session, organisation_id: int, links: Mapping[str, str]) -> None:
    """Writes down what the ledger said. An invoice without a link ("") is not asked about again until it changes."""
    for invoice_id, link in links.items():
        unit.execute(
            update(InvoiceRow)
            .where(col(InvoiceRow.organisation_id) == organisation_id, col(InvoiceRow.ledger_id) == invoice_id)
            .values(online_link=link)
        )


def _asked(office: Office, ledger: Ledger, wanted: Sequence[str], allowance: Allowance) -> Iterator[tuple[str, str]]:
    until = office.clock() + LONG_ENOUGH
    for invoice_id in wanted:
        if allowance.left <= 0 or office.clock() > until:
            return
        allowance.left -= 1
        try:
            link = ledger.online_link(invoice_id)
        except Refused:
            continue  # this question was: it is asked again with the next reminder, and the others have theirs
        except LedgerFailure:
            allowance.left = 0  # its call is in the ledger's own log; the next round asks again
            return
        yield invoice_id, link or ""


def _unasked(office: Office, reminder_id: int, still_open: set[str]) -> Sequence[str]:
    """Of the invoices that this reminder will show, those that the ledger was not asked about."""
    with office.database.reading() as session:
        reminder = session.get(ReminderRow, reminder_id)
        if reminder is None or reminder.channel != Channel.EMAIL:
            return ()
        organisation = session.get(OrganisationRow, reminder.organisation_id)
        if organisation is None or not organisation.link_invoices:
            return ()
        query = select(InvoiceRow.ledger_id, InvoiceRow.online_link).where(
            col(InvoiceRow.account_id) == reminder.account_id, col(InvoiceRow.ledger_id).in_(still_open)
        )
        if reminder.invoice_id:
            query = query.where(col(InvoiceRow.id) == reminder.invoice_id)
        shown = session.execute(query.order_by(col(InvoiceRow.due_on), col(InvoiceRow.number)).limit(SHOWN))
        return [ledger_id for ledger_id, link in shown if link is None]
