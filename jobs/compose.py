"""Compose: put one reminder into the firm's own words, with the figures of this very moment, and address it."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Attachment, Message, medium_of, reply_address, token_of
from engine.facts import Facts
from engine.holds import HoldKind
from engine.letters import LETTER_CYCLE
from engine.reminders import ANSWER_CYCLE, Order
from engine.words import in_words
from engine.workflow import Channel
from jobs.addressing import Addressees
from jobs.consents import consents
from jobs.contact_times import time_left
from jobs.drafts import DraftStep
from jobs.letter_words import letter_step
from jobs.office import Office
from jobs.speaking import Written, look_of, put_into_words, statement_for, tongue_of
from jobs.trying_out import diverted
from store.tables import AccountRow, InvoiceRow, MessageRow, OrganisationRow, ReminderRow, StepRow
from wording import Line, Rendered, Statement, has_more, logo_of, statement_name, statement_pdf
from wording.segments import count, normalised

BEFORE_THE_QUOTE = f"\n\n{'_' * 32}\n"
"""Stands in an answer between a person's own words and the letter that they answer."""

_BY: dict[str, str] = {Channel.EMAIL: "email", Channel.SMS: "SMS", Channel.CALL: "telephone"}
_SHOWN = 600
"""Characters of an answer that history and the ledger show."""


def statement_of(
    session: Session, organisation: OrganisationRow, account: AccountRow, facts: Facts, order: Order, as_of: date
) -> Statement:
    """The account's open invoices as they stand now: what the reminder may speak of."""
    disputed = {hold.invoice for hold in facts.holds if hold.kind is HoldKind.DISPUTE and hold.holds_on(as_of)}
    rows = session.scalars(select(InvoiceRow).where(col(InvoiceRow.id).in_(order.invoices)))
    lines = tuple(
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
    )
    return statement_for(session, organisation, account, lines, as_of)


def step_of(session: Session, reminder: ReminderRow) -> StepRow:
    """The step with its words, or a letter's. Raises LookupError when it is no longer part of its workflow."""
    if reminder.cycle == LETTER_CYCLE:
        organisation = session.get(OrganisationRow, reminder.organisation_id)
        assert organisation is not None
        return letter_step(session, organisation, reminder)
    step = session.get(StepRow, (reminder.workflow_id, reminder.step_id))
    if step is None:
        raise LookupError(f"the step {reminder.step_name} is no longer part of its workflow")
    return step


def words_of(session: Session, organisation: OrganisationRow, step: StepRow, statement: Statement) -> Rendered:
    """The step's words filled in, as its channel takes them. Raises TemplateProblem with a sentence.

    A text message is written in the network's own alphabet wherever nobody can see the difference.
    """
    written = Written(step.channel, step.subject, step.body, step.layout)  # type: ignore[arg-type]
    words = put_into_words(written, statement, look_of(session, organisation))
    return Rendered("", normalised(words.text), "") if step.channel == Channel.SMS else words


def files_of(
    session: Session, organisation: OrganisationRow, step: StepRow | DraftStep, statement: Statement
) -> tuple[Attachment, ...]:
    """What goes with an email of this step: the logo that its letter shows, and the statement as a PDF, where the step
    says so or the letter has no room for every invoice.
    """
    if step.channel != Channel.EMAIL:
        return ()
    look = look_of(session, organisation)
    logo = logo_of(look) if step.layout == "email" else None
    shown = [Attachment(logo.name, logo.content_type, logo.content, logo.content_id)] if logo else []
    if not step.attach_statement and not has_more(statement):
        return tuple(shown)
    pdf = Attachment(statement_name(statement), "application/pdf", statement_pdf(statement, look))
    return (*shown, pdf)


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
    files: Sequence[Attachment] = (),
    diverted_to: str = "",
) -> MessageRow:
    """The message exactly as it will be handed to this carrier, kept before it leaves. Its number is the attempt."""
    medium = medium_of(carrier)
    row = MessageRow(
        id=office.high_water.free_number(session) if office.high_water is not None else None,
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        reminder_id=reminder.id,
        channel=carrier,
        to=whom.to,
        to_name=whom.name,
        cc=list(whom.cc),
        left_out=list(whom.left_out),
        subject=words.subject,
        text=words.text,
        html=words.html,
        invoices=invoices,
        segments=count(words.text).segments if medium == Channel.SMS else 0,
        attached=[_told_of(file) for file in files],
        body_hash=hashlib.sha256(f"{whom.to}\n{words.subject}\n{words.text}".encode()).hexdigest(),
        created_at=now,
        diverted_to=diverted_to,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    if medium == Channel.EMAIL:  # nothing else can be answered at an address of its own
        speaking = office.channel(carrier)
        key = office.reply_keys[0]
        row.reply_to = reply_address(speaking.replies_to, account=reminder.account_id, attempt=row.id, key=key)
        row.message_id = f"<arrears.{row.id}.{row.body_hash[:12]}@{speaking.sender.rpartition('@')[2]}>"
    return row


def message_of(
    session: Session,
    office: Office,
    organisation: OrganisationRow,
    row: MessageRow,
    files: Sequence[Attachment] = (),
    *,
    valid_until: datetime | None = None,
) -> Message:
    """The stored message as the channel takes it, threaded onto what this account was sent before.

    `valid_until`: when the debtor's hours of contact end. While sending is only tried out, it goes to ourselves.
    """
    speaking, medium = office.channel(row.channel), medium_of(row.channel)
    by_email = medium == Channel.EMAIL
    message = Message(
        attempt=str(row.id),
        message_id=row.message_id,
        to=row.to,
        to_name=row.to_name,
        subject=row.subject,
        text=row.text,
        html=row.html,
        from_address=speaking.sender if by_email else "",
        from_name=organisation.sender_name or speaking.sender_name or organisation.name,
        reply_to=row.reply_to,
        cc=tuple(row.cc),
        references=_thread(session, row) if by_email else (),
        attachments=tuple(files),
        token=token_of(account=row.account_id, attempt=row.id or 0, key=office.reply_keys[0]),
        valid_for=time_left(office.clock(), valid_until),
        since=row.created_at,
        consent=_consent(session, row) if medium == Channel.CALL else "",
        language=tongue_of(organisation),
    )
    return diverted(message, row.diverted_to, medium) if row.diverted_to else message


def _thread(session: Session, row: MessageRow) -> tuple[str, ...]:
    """The mails that this account has really got before, oldest first, as its own mail programme knows them."""
    earlier = session.execute(
        select(MessageRow.message_id, MessageRow.seen_as)  # type: ignore[call-overload]
        .where(
            col(MessageRow.account_id) == row.account_id,
            col(MessageRow.sent_at).is_not(None),
            col(MessageRow.message_id) != "",
            col(MessageRow.diverted_to) == "",
        )
        .order_by(col(MessageRow.id).desc())
        .limit(5)
    ).all()
    return tuple(seen_as or message_id for message_id, seen_as in reversed(earlier))


def _consent(session: Session, row: MessageRow) -> str:
    """How and when the owner of this number has agreed to hear a machine."""
    given = next((one for one in consents(session, row.account_id) if one.number == row.to), None)
    return f"{given.how} ({in_words(given.given_on)})" if given is not None else ""


def _told_of(file: Attachment) -> dict[str, Any]:
    return {"name": file.name, "size": len(file.content), "sha256": hashlib.sha256(file.content).hexdigest()}


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
    if reminder.cycle == ANSWER_CYCLE:
        whom = f"{row.to_name} <{row.to}>" if row.to_name else row.to
        return f"{reminder.approved_by} answered {whom}: {_answered(row)}"
    return f"{reminder.step_name} sent by {_BY[reminder.channel]} to {row.to}: {_speaks_of(row)}."


def would_have(row: MessageRow, reminder: ReminderRow) -> str:
    """The same of one that was only tried out: `It would have gone to …`."""
    if reminder.cycle == ANSWER_CYCLE:
        return f"It would have gone by {_BY[medium_of(row.channel)]} to {row.to}: {_answered(row)}"
    return f"It would have gone by {_BY[medium_of(row.channel)]} to {row.to}: {_speaks_of(row)}."


def _answered(row: MessageRow) -> str:
    """A person's own words, without the letter that they answer."""
    said = " ".join((row.text.rpartition(BEFORE_THE_QUOTE)[0] or row.text).split())
    return f"“{said if len(said) <= _SHOWN else said[:_SHOWN].rsplit(' ', 1)[0] + ' …'}”"


def _speaks_of(row: MessageRow) -> str:
    overdue: dict[str, Decimal] = {}
    for line in row.invoices:
        if line["age"] > 0 and not line["disputed"]:
            overdue[line["currency"]] = overdue.get(line["currency"], Decimal(0)) + Decimal(line["balance"])
    amounts = " and ".join(f"{amount:,.2f} {currency} overdue" for currency, amount in sorted(overdue.items()))
    listed = "1 invoice" if len(row.invoices) == 1 else f"{len(row.invoices)} invoices"
    return f"{listed} listed, {amounts or 'nothing overdue'}"
