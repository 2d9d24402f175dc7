"""Compose: put one reminder into the firm's own words, with the figures of this very moment, and address it."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Message, reply_address, token_of
from engine.facts import Facts
from engine.holds import HoldKind
from engine.reminders import Order
from jobs.office import Office
from store.tables import AccountRow, ContactRow, InvoiceRow, MessageRow, OrganisationRow, ReminderRow, StepRow
from wording import Line, Rendered, Statement, render


@dataclass(frozen=True, slots=True)
class Addressees:
    """Whom a reminder goes to. `to` is empty when the account has no address at all."""

    to: str
    name: str
    cc: tuple[str, ...]


def addressees(session: Session, account: AccountRow) -> Addressees:
    """The account's own address first; contacts who receive reminders are copied. One address is used once."""
    contacts = session.scalars(
        select(ContactRow)
        .where(col(ContactRow.account_id) == account.id, col(ContactRow.receives_reminders).is_(True))
        .order_by(col(ContactRow.place))
    )
    people = [(account.email, f"{account.first_name} {account.last_name}".strip() or account.name)]
    people += [(contact.email, contact.name) for contact in contacts]
    known: dict[str, tuple[str, str]] = {}
    for email, name in people:
        if email:
            known.setdefault(email.lower(), (email, name))
    if not known:
        return Addressees("", "", ())
    (to, name), *others = known.values()
    return Addressees(to, name, tuple(email for email, _ in others))


def statement_of(
    session: Session, organisation: OrganisationRow, account: AccountRow, facts: Facts, order: Order, as_of: date
) -> Statement:
    """The account's open invoices as they stand now: what the reminder may speak of."""
    disputed = {hold.invoice for hold in facts.holds if hold.kind is HoldKind.DISPUTE and hold.holds_on(as_of)}
    rows = session.scalars(select(InvoiceRow).where(col(InvoiceRow.id).in_(order.invoices)))
    lines = [
        Line(
            number=row.number,
            reference=row.reference,
            issued_on=row.issued_on,
            due_on=row.due_on,
            total=row.total,
            balance=row.balance,
            currency=row.currency,
            age=(as_of - row.due_on).days,
            disputed=row.id in disputed,
            link=(row.online_link or "") if organisation.link_invoices else "",
        )
        for row in rows
    ]
    return Statement(
        organisation=organisation.name,
        account=account.name,
        as_of=as_of,
        lines=tuple(sorted(lines, key=lambda line: (line.due_on, line.number))),
        locale=organisation.locale,
        account_number=account.number,
        contact_first_name=account.first_name,
        contact_last_name=account.last_name,
        contact_email=account.email,
        sender_name=organisation.sender_name or organisation.name,
    )


def words_of(session: Session, reminder: ReminderRow, statement: Statement) -> Rendered:
    """The step's template filled in. Raises TemplateProblem with a sentence."""
    step = session.get(StepRow, (reminder.workflow_id, reminder.step_id))
    if step is None:
        raise LookupError(f"the step {reminder.step_name} is no longer part of its workflow")
    return render(step.subject, step.body, statement)


def message_row(
    session: Session,
    office: Office,
    reminder: ReminderRow,
    whom: Addressees,
    words: Rendered,
    invoices: list[dict[str, Any]],
    *,
    carrier: str,
    now: datetime,
) -> MessageRow:
    """The message exactly as it will be handed to this carrier, kept before it leaves. Its number is the attempt."""
    row = MessageRow(
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        reminder_id=reminder.id,
        channel=carrier,
        to=whom.to,
        to_name=whom.name,
        cc=list(whom.cc),
        subject=words.subject,
        text=words.text,
        html=words.html,
        invoices=invoices,
        body_hash=hashlib.sha256(f"{whom.to}\n{words.subject}\n{words.text}".encode()).hexdigest(),
        created_at=now,
    )
    session.add(row)
    session.flush()
    speaking = office.channel(carrier)
    assert row.id is not None
    row.reply_to = reply_address(
        speaking.replies_to,
        account=reminder.account_id,
        attempt=row.id,
        key=office.reply_keys[0],
    )
    row.message_id = f"<arrears.{row.id}.{row.body_hash[:12]}@{speaking.sender.rpartition('@')[2]}>"
    return row


def message_of(session: Session, office: Office, organisation: OrganisationRow, row: MessageRow) -> Message:
    """The stored message as the channel takes it, threaded onto what this account was sent before."""
    earlier = session.scalars(
        select(MessageRow.message_id)
        .where(col(MessageRow.account_id) == row.account_id, col(MessageRow.sent_at).is_not(None))
        .order_by(col(MessageRow.id).desc())
        .limit(5)
    ).all()
    speaking = office.channel(row.channel)
    return Message(
        attempt=str(row.id),
        message_id=row.message_id,
        to=row.to,
        to_name=row.to_name,
        subject=row.subject,
        text=row.text,
        html=row.html,
        from_address=speaking.sender,
        from_name=organisation.sender_name or speaking.sender_name or organisation.name,
        reply_to=row.reply_to,
        cc=tuple(row.cc),
        references=tuple(reversed(earlier)),
        token=token_of(account=row.account_id, attempt=row.id or 0, key=office.reply_keys[0]),
        since=row.created_at,
    )


def listed_in(statement: Statement) -> list[dict[str, Any]]:
    """What the message says of each invoice, kept with it for good."""
    return [
        {
            "number": line.number,
            "due_on": line.due_on.isoformat(),
            "balance": str(line.balance),
            "currency": line.currency,
            "age": line.age,
            "disputed": line.disputed,
        }
        for line in statement.lines
    ]


def summary(row: MessageRow, reminder: ReminderRow) -> str:
    """The line that history and the ledger keep of a reminder that was sent: what the message itself said."""
    overdue: dict[str, Decimal] = {}
    for line in row.invoices:
        if line["age"] > 0 and not line["disputed"]:
            overdue[line["currency"]] = overdue.get(line["currency"], Decimal(0)) + Decimal(line["balance"])
    amounts = " and ".join(f"{amount:,.2f} {currency} overdue" for currency, amount in sorted(overdue.items()))
    count = "1 invoice" if len(row.invoices) == 1 else f"{len(row.invoices)} invoices"
    return (
        f"{reminder.step_name} sent by {reminder.channel} to {row.to}: {count} listed, {amounts or 'nothing overdue'}."
    )
