"""The page of one account: its open invoices and credits, its people, what holds it, and what was said to and fro.

A long history is cut at the newest entries, so that the page of an old account opens as fast as that of a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from store.numbers import country_of, e164
from store.screens._owing import OPEN
from store.screens.every_page import own_row
from store.stops import plainly
from store.tables import (
    AccountRow,
    AddressStopRow,
    ContactRow,
    CreditRow,
    HistoryNoteRow,
    HoldRow,
    InvoiceRow,
    MessageRow,
    OrganisationRow,
    ReminderRow,
    ReplyRow,
    TaskRow,
)

SETTLED = 20
"""Settled invoices that the page names, the newest first."""


@dataclass(frozen=True, slots=True)
class AccountFile:
    """Everything that the page of one account shows, apart from the decision, which the engine makes anew.

    `branches` names those for which it pays, by number, as far as its open invoices name them; `payer` pays for it.
    """

    account: AccountRow
    payer: AccountRow | None
    branches: Mapping[int, str]
    invoices: tuple[InvoiceRow, ...]
    settled: tuple[InvoiceRow, ...]
    credits: tuple[CreditRow, ...]
    contacts: tuple[ContactRow, ...]
    holds: tuple[HoldRow, ...]
    tasks: tuple[TaskRow, ...]
    reminders: tuple[ReminderRow, ...]
    messages: tuple[MessageRow, ...]
    replies: tuple[ReplyRow, ...]
    notes: tuple[HistoryNoteRow, ...]
    stops: tuple[AddressStopRow, ...]


def account(session: Session, organisation_id: int, account_id: int, *, history: int) -> AccountFile | None:
    """One account with the newest `history` entries of each kind; None when the organisation has no such account."""
    row = session.scalars(own_row(AccountRow, organisation_id, account_id)).one_or_none()
    if row is None:
        return None

    def own(table: Any, *where: Any, by: Any, limit: int | None = None) -> tuple[Any, ...]:
        query = select(table).where(table.organisation_id == organisation_id, table.account_id == account_id, *where)
        return tuple(session.scalars(query.order_by(by, table.id.desc()).limit(limit)))

    invoices = own(InvoiceRow, *OPEN, by=InvoiceRow.due_on)
    query = select(ContactRow).where(col(ContactRow.account_id) == account_id).order_by(col(ContactRow.place))
    contacts = tuple(session.scalars(query))
    return AccountFile(
        account=row,
        payer=_payer(session, row),
        branches=_branches(session, organisation_id, invoices),
        invoices=invoices,
        settled=own(
            InvoiceRow,
            col(InvoiceRow.settled_seen_at).is_not(None),
            by=col(InvoiceRow.settled_seen_at).desc(),
            limit=SETTLED,
        ),
        credits=own(CreditRow, col(CreditRow.remaining) > 0, by=CreditRow.issued_on),
        contacts=contacts,
        holds=own(HoldRow, col(HoldRow.lifted_at).is_(None), by=HoldRow.since),
        tasks=own(TaskRow, col(TaskRow.closed_at).is_(None), by=TaskRow.opened_at),
        reminders=own(ReminderRow, by=col(ReminderRow.queued_at).desc(), limit=history),
        messages=own(MessageRow, by=col(MessageRow.created_at).desc(), limit=history),
        replies=own(ReplyRow, by=col(ReplyRow.received_at).desc(), limit=history),
        notes=own(HistoryNoteRow, by=col(HistoryNoteRow.at).desc(), limit=history),
        stops=_stops(session, row, contacts),
    )


def _stops(session: Session, account: AccountRow, contacts: tuple[ContactRow, ...]) -> tuple[AddressStopRow, ...]:
    """The addresses and numbers of this account to which nothing may be sent."""
    organisation = session.get(OrganisationRow, account.organisation_id)
    country = country_of(organisation.country, organisation.locale) if organisation is not None else ""
    people = (account, *contacts)
    numbers = [account.phone, *(one.mobile for one in people)]
    addresses = {plainly(one.email) for one in people} | {e164(number, country) for number in numbers}
    query = select(AddressStopRow).where(
        col(AddressStopRow.organisation_id) == account.organisation_id,
        col(AddressStopRow.address).in_(addresses - {""}),
        col(AddressStopRow.lifted_at).is_(None),
    )
    return tuple(session.scalars(query.order_by(col(AddressStopRow.id))))


def _payer(session: Session, account: AccountRow) -> AccountRow | None:
    """Who is asked for what this account is billed, where somebody else is."""
    if account.billed_with is None:
        return None
    query = select(AccountRow).where(
        col(AccountRow.organisation_id) == account.organisation_id, col(AccountRow.ledger_id) == account.billed_with
    )
    return session.scalars(query).one_or_none()


def _branches(session: Session, organisation_id: int, invoices: tuple[InvoiceRow, ...]) -> dict[int, str]:
    numbers = {invoice.billed_for for invoice in invoices if invoice.billed_for is not None}
    if not numbers:
        return {}
    query = select(AccountRow.id, AccountRow.name).where(
        col(AccountRow.organisation_id) == organisation_id, col(AccountRow.id).in_(numbers)
    )
    return {row.id: row.name for row in session.execute(query)}


def messages_of(session: Session, organisation_id: int, reminder_id: int) -> tuple[MessageRow, ...]:
    """Every attempt to put this reminder into words, the newest first."""
    query = select(MessageRow).where(
        col(MessageRow.organisation_id) == organisation_id, col(MessageRow.reminder_id) == reminder_id
    )
    return tuple(session.scalars(query.order_by(col(MessageRow.id).desc())))
