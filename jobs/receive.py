"""Receive: what came back is stored raw, then read, matched to an account and written into its history.

A reply never touches money, addresses or consent. It becomes a note, perhaps a hold on the next step, and the next
look at the account takes it into account. What nobody can match or understand stays visible for a person.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlmodel import Session

from channels import DeliveryEvent, Outcome, Receipt, Refused
from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.reminders import ReminderState
from engine.replies import Reply, ReplyKind, holds_the_next_step
from jobs.containing import contained
from jobs.deliveries import take_note
from jobs.matching import account_now, first_organisation, matched, organisation_of
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.settle import settle_in
from store import inbox
from store.history import write_note
from store.leases import one_at_a_time
from store.tables import AccountRow, HoldRow, MessageRow, OrganisationRow, PostRow, ReminderRow, ReplyRow
from store.tasks import close_task, open_task

log = structlog.get_logger()

_SHOWN = 600
DEAF = timedelta(days=1)
"""A mailbox that cannot be opened for this long stops all sending."""

TRIES = 5
"""How often a post is tried that trips us (a busy database, say) before a person is asked."""


def receive(office: Office) -> int:
    """Collects what waits in each mailbox, then understands what has been stored. Returns how many were understood."""
    for kind in office.channels:
        collect(office, kind)
    return understand_all(office)


def collect(office: Office, kind: str) -> int:
    """Fetches new posts of one channel and stores each raw. An unreachable mailbox is tried again later."""
    with office.database.reading() as session:
        mark = inbox.bookmark(session, kind)
    kept = 0
    try:
        for post in office.channel(kind).collect(mark):
            with office.database.unit_of_work() as unit:
                kept += inbox.keep_post(unit, channel=kind, event_id=post.event_id, raw=post.raw, at=office.clock())
                inbox.set_bookmark(unit, kind, post.bookmark)
    except OSError as failure:
        _the_mailbox_is_silent(office, kind, str(failure))
        return kept
    _the_mailbox_answers(office, kind)
    return kept


def deaf(office: Office) -> bool:
    """Has some mailbox been silent for so long that people may have answered what we would chase?"""
    with office.database.reading() as session:
        since = [inbox.bookmark(session, f"{kind} silent since") for kind in office.channels]
    return any(office.clock() - datetime.fromisoformat(begun) > DEAF for begun in since if begun)


def _the_mailbox_is_silent(office: Office, kind: str, why: str) -> None:
    """Answers wait in a mailbox that we cannot open: a person has to know, in every organisation."""
    log.warning("mailbox silent", channel=kind, why=why)
    with office.database.unit_of_work() as unit:
        if inbox.bookmark(unit, f"{kind} silent since") is None:
            inbox.set_bookmark(unit, f"{kind} silent since", office.clock().isoformat())
        for organisation in unit.scalars(select(OrganisationRow)):
            open_task(
                unit,
                organisation_id=int(organisation.id or 0),
                key=f"mailbox:{kind}",
                kind="mailbox",
                text=f"Answers cannot be read: {why}. After a day of this no reminder is sent any more.",
                at=office.clock(),
            )


def _the_mailbox_answers(office: Office, kind: str) -> None:
    with office.database.reading() as session:
        if inbox.bookmark(session, f"{kind} silent since") is None:
            return
    with office.database.unit_of_work() as unit:
        inbox.forget_bookmark(unit, f"{kind} silent since")
        for organisation in unit.scalars(select(OrganisationRow)):
            key, number = f"mailbox:{kind}", int(organisation.id or 0)
            close_task(unit, organisation_id=number, key=key, at=office.clock(), by="arrears")


def understand_all(office: Office) -> int:
    """Reads every stored post that nobody has read yet."""
    with office.database.reading() as session:
        posts = inbox.not_understood(session)
    for post_id in posts:
        with contained("post not understood", post=post_id):
            understand(office, post_id)
    return len(posts)


def waiting(session: Session) -> bool:
    """Is there a post that nobody has read yet?"""
    return bool(inbox.not_understood(session))


def understand(office: Office, post_id: int) -> None:
    """Reads one stored post and writes down what it is. What cannot be read keeps its problem, and its raw copy."""
    with office.database.unit_of_work() as unit:
        post = inbox.try_post(unit, post_id)
        if post is None:
            return
        if post.attempts > TRIES:
            _give_up(unit, office, post, "it tripped us every time it was tried")
            return
    with office.database.unit_of_work() as unit:
        post = inbox.post_alone(unit, post_id)
        if post is None:
            return
        try:
            read = office.channel(post.channel).read(post.raw)
        except ValueError as problem:
            _give_up(unit, office, post, str(problem))
            return
        post.processed_at = office.clock()
        match read:
            case Reply():
                _take_in(unit, office, post, read)
            case DeliveryEvent():
                take_note(unit, office, post.channel, read)


def _give_up(unit: Session, office: Office, post: PostRow, problem: str) -> None:
    """Nobody but a person can read this one. It is kept raw, with what is wrong with it."""
    post.problem = problem
    organisation = first_organisation(unit)
    if organisation is not None:
        open_task(
            unit,
            organisation_id=organisation,
            key=f"post:{post.id}",
            kind="unreadable reply",
            text=f"What came in on {post.received_at:%d.%m.%Y} cannot be read: {problem}. Look into the mailbox.",
            at=office.clock(),
        )


def _take_in(unit: Session, office: Office, post: PostRow, reply: Reply) -> None:
    match = matched(unit, office, post.channel, reply)
    account = account_now(unit, match.account)
    if account is not None:
        one_at_a_time(unit, account.organisation_id)
    row = ReplyRow(
        post_id=post.id,
        organisation_id=account.organisation_id if account else organisation_of(unit, match),
        account_id=account.id if account else None,
        reminder_id=match.message.reminder_id if match.message and account else None,
        channel=post.channel,
        kind=reply.kind,
        matched_by=match.by.value if match.by and account else "",
        candidates=[{"account": number} for number in sorted(match.accounts)] if account is None else [],
        sender=reply.sender,
        sender_name=reply.sender_name,
        subject=reply.subject,
        text=reply.text,
        said=reply.said,
        sent_at=reply.sent_at,
        received_at=post.received_at,
    )
    unit.add(row)
    unit.flush()
    if account is not None and account.id is not None:
        belongs(unit, office, row, account)
        if match.message is not None:
            _is_evidence(unit, office, match.message, row)
        recalculate_in(unit, office, account.organisation_id, [account.id])
    elif row.organisation_id is not None:
        _nobody_knows(unit, office, row)


def belongs(unit: Session, office: Office, row: ReplyRow, account: AccountRow) -> None:
    """A reply that is known to be this account's: a note, and a hold until a person has read it."""
    organisation = unit.get(OrganisationRow, account.organisation_id)
    assert organisation is not None and account.id is not None
    now = office.clock()
    kind, text = _note_of(row)
    write_note(
        unit,
        organisation_id=account.organisation_id,
        account_id=account.id,
        kind=kind,
        text=text,
        at=now,
        by=row.sender,
        reminder_id=row.reminder_id,
        reply_id=row.id,
    )
    hold = _hold_of(row, organisation)
    if hold is not None:
        why = f"{row.sender_name or row.sender} wrote on {row.received_at:%d.%m.%Y}" if hold is HoldKind.REPLY else text
        unit.add(
            HoldRow(
                organisation_id=account.organisation_id,
                account_id=account.id,
                reply_id=row.id,
                kind=hold,
                since=office.as_of(organisation),
                why=why,
                by=row.sender,
            )
        )
    if row.kind == ReplyKind.BOUNCE:
        open_task(
            unit,
            organisation_id=account.organisation_id,
            account_id=account.id,
            key=f"bounce:{account.id}",
            kind="bounce",
            text=f"{account.name}: {text} Correct the address in the ledger, then close this task.",
            at=now,
        )
    unit.flush()


def _note_of(row: ReplyRow) -> tuple[NoteKind, str]:
    said = " ".join(row.said.split())
    said = said if len(said) <= _SHOWN else said[:_SHOWN].rsplit(" ", 1)[0] + " …"
    who = f"{row.sender_name} <{row.sender}>" if row.sender_name else row.sender
    match row.kind:
        case ReplyKind.HUMAN:
            return NoteKind.REPLY, f"Reply from {who}: “{said}”"
        case ReplyKind.BOUNCE:
            return NoteKind.REFUSED, "The last email came back as undeliverable."
        case ReplyKind.OUT_OF_OFFICE:
            return NoteKind.NOTE, f"Out-of-office answer from {who}: “{said}”"
        case _:
            return NoteKind.NOTE, f"An automatic message came from {who}: “{row.subject}”"


def _hold_of(row: ReplyRow, organisation: OrganisationRow) -> HoldKind | None:
    if row.kind == ReplyKind.BOUNCE:
        return HoldKind.NO_ADDRESS
    if organisation.reply_holds and holds_the_next_step(ReplyKind(row.kind)):
        return HoldKind.REPLY
    return None


def _is_evidence(unit: Session, office: Office, message: MessageRow, row: ReplyRow) -> None:
    """Whoever answers a message has had it; one that came back has not been had: a doubt about it is settled."""
    reminder = unit.get(ReminderRow, message.reminder_id)
    if reminder is None or message.id is None or reminder.state != ReminderState.UNSURE:
        return
    outcome: Outcome = Receipt("settled by the reply", office.clock())
    if row.kind == ReplyKind.BOUNCE:
        outcome = Refused("it came back as undeliverable")
    settle_in(unit, office, message.reminder_id, message.id, outcome)


def _nobody_knows(unit: Session, office: Office, row: ReplyRow) -> None:
    assert row.organisation_id is not None
    open_task(
        unit,
        organisation_id=row.organisation_id,
        key=f"reply:{row.id}",
        kind="unmatched reply",
        text=f"A reply from {row.sender} (“{row.subject}”) belongs to no account that we are sure of. Say whose it is.",
        at=office.clock(),
    )
