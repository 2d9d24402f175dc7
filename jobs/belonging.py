"""What a reply does at its account: a line in history, a hold until a person has read it, and what it seems to say.

A reply may stop things and ask for a person, and nothing else: it never changes money, addresses or consent. Whoever
wants no more messages is heard at once; a person only decides afterwards whether that was meant.
"""

from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from channels import Delivery, DeliveryEvent
from engine.calendars import civil_date
from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.replies import Keyword, ReplyKind, holds_the_next_step
from engine.suggestions import Suggestion, SuggestionKind, suggestions
from engine.words import in_words
from jobs.deliveries import told
from jobs.office import Office
from store.history import write_note
from store.tables import AccountRow, HoldRow, MessageRow, OrganisationRow, ReplyRow
from store.tasks import open_task

_SHOWN = 600
CAME_BACK = (ReplyKind.BOUNCE, ReplyKind.COMPLAINT)
SILENT = (ReplyKind.RECEIPT, ReplyKind.BULK)
"""What nobody needs to see in a history: that something was opened, and what goes to everybody."""


def belongs(
    unit: Session,
    office: Office,
    row: ReplyRow,
    account: AccountRow,
    *,
    message: MessageRow | None = None,
    failed: str = "",
    why: str = "",
    keyword: Keyword | None = None,
) -> None:
    """A reply that is known to be this account's. `message` is what it certainly answers.

    `failed` and `why` are the address that took no mail, and what a mail server says of that; `keyword` is one that has
    been acted upon already.
    """
    organisation = unit.get(OrganisationRow, account.organisation_id)
    assert organisation is not None and account.id is not None
    if message is not None and _is_only_ours(row, message):
        _to_a_trial(unit, office, row, account, message, why)
        return
    if row.kind in CAME_BACK:
        _came_back(unit, office, row, account, organisation, message, failed, why)
    elif message is not None and row.kind != ReplyKind.BULK:
        # Whoever answers a message has had it.
        told(unit, office, message, DeliveryEvent(Delivery.DELIVERED, provider_id="the reply", at=row.received_at))
    if row.kind not in (*CAME_BACK, *SILENT):
        _note(unit, office, row, account)
    if organisation.reply_holds and holds_the_next_step(ReplyKind(row.kind)):
        wrote = f"{row.sender_name or row.sender} wrote on {in_words(row.received_at.date())}"
        hold_for(unit, office, row, account, organisation, HoldKind.REPLY, wrote)
    _suggest(unit, office, row, account, organisation, keyword)
    unit.flush()


def _is_only_ours(row: ReplyRow, message: MessageRow) -> bool:
    """Whether it came back to a message that only we got, and from nobody who is known at the account."""
    if not message.diverted_to:
        return False
    return row.kind in CAME_BACK or row.stranger or row.sender.lower() == message.diverted_to.lower()


def _to_a_trial(
    unit: Session, office: Office, row: ReplyRow, account: AccountRow, message: MessageRow, why: str
) -> None:
    """The customer has said nothing: it holds nothing, the ledger is not told, and it is kept as read."""
    kind = Delivery.FAILED if row.kind in CAME_BACK else Delivery.DELIVERED
    event = DeliveryEvent(
        kind, provider_id="the reply", recipient=message.diverted_to, why=why, at=row.received_at, stops_address=False
    )
    told(unit, office, message, event)
    row.read_at, row.read_by = office.clock(), "arrears"
    text = f"A message that was only tried out was answered by {row.sender or 'a machine'}; the customer said nothing."
    _write(unit, office, row, account, NoteKind.REMINDER_SKIPPED, text)


def hold_for(
    unit: Session,
    office: Office,
    row: ReplyRow,
    account: AccountRow,
    organisation: OrganisationRow,
    kind: HoldKind,
    why: str,
) -> None:
    """A hold on the account from today on, because of this reply."""
    unit.add(
        HoldRow(
            organisation_id=account.organisation_id,
            account_id=account.id,
            reply_id=row.id,
            kind=kind,
            since=office.as_of(organisation),
            why=why,
            by=row.sender,
        )
    )


def _came_back(
    unit: Session,
    office: Office,
    row: ReplyRow,
    account: AccountRow,
    organisation: OrganisationRow,
    message: MessageRow | None,
    failed: str,
    why: str,
) -> None:
    """A mail that came back proves which address is bad where it brings our own signature along. Else anybody may have
    written it, so it only holds, until a person has looked.
    """
    recipient = _whose(message, failed) if message is not None else ""
    if message is not None and recipient:
        kind = Delivery.FAILED if row.kind == ReplyKind.BOUNCE else Delivery.COMPLAINT
        event = DeliveryEvent(
            kind, provider_id="the reply", recipient=recipient, why=why, at=row.received_at, stops_address=True
        )
        told(unit, office, message, event)
        return
    text = f"A mail to {failed or 'this account'} came back as undeliverable{f': {why}' if why else ''}."
    if row.kind == ReplyKind.COMPLAINT:
        text = f"A mail to {failed or 'this account'} was reported as unwanted."
    _write(unit, office, row, account, NoteKind.REFUSED, text)
    hold_for(unit, office, row, account, organisation, HoldKind.NO_ADDRESS, text.removesuffix("."))
    open_task(
        unit,
        organisation_id=account.organisation_id,
        account_id=account.id,
        key=f"bounce:{account.id}",
        kind="bounce",
        text=f"{account.name}: {text} Correct the address in the ledger, then close this task.",
        at=office.clock(),
    )


def _whose(message: MessageRow, failed: str) -> str:
    """The recipient of this message that is meant; empty when it could be any of several."""
    to, copies = message.diverted_to or message.to, message.cc
    named = next((one for one in (to, *copies) if one.lower() == failed.lower()), "")
    return named or ("" if copies else to)


def _note(unit: Session, office: Office, row: ReplyRow, account: AccountRow) -> None:
    said = " ".join(row.said.split())
    said = said if len(said) <= _SHOWN else said[:_SHOWN].rsplit(" ", 1)[0] + " …"
    who = f"{row.sender_name} <{row.sender}>" if row.sender_name else row.sender
    match row.kind:
        case ReplyKind.HUMAN:
            _write(unit, office, row, account, NoteKind.REPLY, f"Reply from {who}: “{said}”")
        case ReplyKind.OUT_OF_OFFICE:
            _write(unit, office, row, account, NoteKind.NOTE, f"Out-of-office answer from {who}: “{said}”")
        case _:
            text = f"An automatic message came from {who}: “{row.subject}”"
            _write(unit, office, row, account, NoteKind.NOTE, text)


def _write(unit: Session, office: Office, row: ReplyRow, account: AccountRow, kind: NoteKind, text: str) -> None:
    assert account.id is not None
    write_note(
        unit,
        organisation_id=account.organisation_id,
        account_id=account.id,
        kind=kind,
        text=text,
        at=office.clock(),
        by=row.sender,
        reminder_id=row.reminder_id,
        reply_id=row.id,
    )


def _suggest(
    unit: Session,
    office: Office,
    row: ReplyRow,
    account: AccountRow,
    organisation: OrganisationRow,
    keyword: Keyword | None,
) -> None:
    """Keeps what it seems to say for a person to confirm. Somebody who wants to be left alone is, at once."""
    found = suggested(row, organisation, keyword)
    row.suggestions = [as_kept(one) for one in found]
    for one in found:
        if one.kind is SuggestionKind.STOP:
            why = f"{row.sender_name or row.sender} seems to want no more messages: “{one.words}”"
            hold_for(unit, office, row, account, organisation, HoldKind.QUESTION, why)
        if one.kind is SuggestionKind.NEW_CONTACT:
            open_task(
                unit,
                organisation_id=account.organisation_id,
                account_id=account.id,
                key=f"contact:{row.id}",
                kind="contact",
                text=f"{account.name}: somebody may have left, says a reply: “{one.words}”. Correct it in the ledger.",
                at=office.clock(),
            )


def suggested(row: ReplyRow, organisation: OrganisationRow, keyword: Keyword | None) -> tuple[Suggestion, ...]:
    """What a person seems to say; of an absence notice only that somebody has left. Days count from when it was
    written.
    """
    if row.kind not in (ReplyKind.HUMAN, ReplyKind.OUT_OF_OFFICE):
        return ()
    written = min(row.sent_at or row.received_at, row.received_at)
    found = suggestions(row.said, on=civil_date(written, ZoneInfo(organisation.time_zone)))
    if row.kind == ReplyKind.OUT_OF_OFFICE:
        return tuple(one for one in found if one.kind is SuggestionKind.NEW_CONTACT)
    return tuple(one for one in found if keyword is None or one.kind is not SuggestionKind.STOP)


def as_kept(one: Suggestion) -> dict[str, Any]:
    """A suggestion as a reply keeps it: `open` until a person has decided, then `confirmed` or `dismissed`, by whom."""
    day = one.day.isoformat() if one.day else ""
    return {"kind": one.kind.value, "words": one.words, "day": day, "state": "open", "by": ""}
