"""Receive: what came back is stored raw, then read, matched to an account and written into its history.

A reply never touches money, addresses or consent. It becomes a note, perhaps a hold on the next step, and the next
look at the account takes it into account. What nobody can match or understand stays visible for a person.
"""

from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import structlog
from sqlalchemy import select
from sqlmodel import Session

from channels import DeliveryEvent, medium_of
from engine.holds import HoldKind
from engine.replies import Keyword, MatchedBy, Reply, ReplyKind, holds_the_next_step
from engine.words import in_words
from engine.workflow import Channel
from jobs.belonging import CAME_BACK, SILENT, belongs, hold_for
from jobs.containing import contained
from jobs.deliveries import take_note
from jobs.keywords import heed, keyword_in, who_knows
from jobs.matching import Match, account_now, first_organisation, is_a_stranger, matched, organisation_of
from jobs.office import Office
from jobs.recalculate import recalculate_in
from store import inbox
from store.leases import one_at_a_time
from store.tables import OrganisationRow, PostRow, ReplyRow
from store.tasks import close_task, open_task

log = structlog.get_logger()

DEAF = timedelta(days=1)
"""A mailbox that cannot be opened for this long stops all sending."""

_MOST_HELD = 20
"""So many accounts are held, at most, because of one reply that may be theirs."""

TRIES = 5
"""How often a post is tried that trips us (a busy database, say) before a person is asked."""

_TRIED_ON = timedelta(days=1)
"""So long after it came in, such a post is tried once more every hour, beside the person who was asked."""


@runtime_checkable
class BeginsLate(Protocol):
    """A channel that does not collect from the very beginning. `begun`: the bookmark of the first time that it was
    asked; None before that.
    """

    begun: str | None


def receive(office: Office) -> int:
    """Collects what waits in each mailbox, then understands what has been stored. Returns how many were understood."""
    for kind in office.channels:
        collect(office, kind)
    return understand_all(office)


def collect(office: Office, kind: str) -> int:
    """Fetches new posts of one channel and stores each raw. An unreachable mailbox is tried again later."""
    with office.database.reading() as session:
        mark = inbox.bookmark(session, kind)
    kept, channel = 0, office.channel(kind)
    try:
        for post in channel.collect(mark):
            with office.database.unit_of_work() as unit:
                kept += inbox.keep_post(unit, channel=kind, event_id=post.event_id, raw=post.raw, at=office.clock())
                inbox.set_bookmark(unit, kind, post.bookmark)
    except OSError as failure:
        _the_mailbox_is_silent(office, kind, str(failure))
        return kept
    if mark is None and isinstance(channel, BeginsLate) and channel.begun:
        _begin(office, kind, channel.begun)
    _the_mailbox_answers(office, kind)
    return kept


def _begin(office: Office, kind: str, begun: str) -> None:
    """Though nothing was found: after days of being down, whatever has come since then is collected."""
    with office.database.unit_of_work() as unit:
        if inbox.bookmark(unit, kind) is None:
            inbox.set_bookmark(unit, kind, begun)


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
        posts = _to_be_read(session, office.clock())
    for post_id in posts:
        with contained("post not understood", post=post_id):
            understand(office, post_id)
    return len(posts)


def waiting(session: Session, now: datetime) -> bool:
    """Is there a post that nobody has read yet?"""
    return bool(_to_be_read(session, now))


def _to_be_read(session: Session, now: datetime) -> list[int]:
    """Oldest first. What tripped us is due again each hour: minutes of a dying machine must not cost us an answer."""
    due = [post.id or 0 for post in inbox.tripped(session) if post.attempts <= TRIES + _hours(now - post.received_at)]
    return sorted([*inbox.not_understood(session), *due])


def _hours(since: timedelta) -> int:
    return min(since, _TRIED_ON) // timedelta(hours=1)


def is_tried_on(problem: str, received_at: datetime, now: datetime) -> bool:
    """Whether this post, which a person is asked to read, is also tried again by itself."""
    return problem == inbox.TRIPPED and now - received_at < _TRIED_ON


def understand(office: Office, post_id: int) -> None:
    """Reads one stored post and writes down what it is. What cannot be read keeps its problem, and its raw copy."""
    with office.database.unit_of_work() as unit:
        post = inbox.try_post(unit, post_id)
        if post is None:
            return
        if post.attempts > TRIES:
            # Hours in which we were not running, or a person had it in hand, are not made up for minute by minute.
            post.attempts = max(post.attempts, TRIES + 1 + _hours(office.clock() - post.received_at))
            if not post.problem:
                _give_up(unit, office, post, inbox.TRIPPED)
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
        _understood(unit, office, post)
        match read:
            case Reply():
                _take_in(unit, office, post, read)
            case DeliveryEvent():
                take_note(unit, office, post.channel, read)


def _understood(unit: Session, office: Office, post: PostRow) -> None:
    """It is read: whoever was asked to look into the mailbox need not do so any more."""
    post.processed_at, post.problem = office.clock(), ""
    if post.attempts > TRIES:
        nothing_to_look_for(unit, office, post, by="arrears")


def nothing_to_look_for(unit: Session, office: Office, post: PostRow, *, by: str) -> None:
    """Closes the task that asked a person to look for this post, or for all that its door has put aside."""
    organisation = first_organisation(unit)
    if organisation is None:
        return
    unit.flush()
    keys = [f"post:{post.id}", *([] if inbox.set_aside(unit, post.channel).posts else [f"aside:{post.channel}"])]
    for key in keys:
        close_task(unit, organisation_id=organisation, key=key, at=office.clock(), by=by)


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
            text=f"What came in on {in_words(post.received_at.date())} cannot be read. {problem.rstrip('.')}. "
            "Look at it at the end of the page Replies.",
            at=office.clock(),
        )


def _take_in(unit: Session, office: Office, post: PostRow, reply: Reply) -> None:
    """Keeps one reply with all that was read out of it, and does at its account what a reply does."""
    match = matched(unit, office, post.channel, reply)
    account = account_now(unit, match.account)
    by_mail = medium_of(post.channel) == Channel.EMAIL
    certain = by_mail and match.by in (MatchedBy.TOKEN, MatchedBy.THREAD)
    keyword = keyword_in(post.channel, reply)
    for organisation in _concerned(unit, match, reply, keyword):
        one_at_a_time(unit, organisation)
    row = _row_of(post, reply)
    row.organisation_id = account.organisation_id if account else organisation_of(unit, match)
    row.candidates = [{"account": number} for number in sorted(match.accounts)] if account is None else []
    if account is not None:
        row.account_id, row.matched_by = account.id, match.by.value if match.by else ""
        row.reminder_id = match.message.reminder_id if match.message else None
        if certain and row.kind not in CAME_BACK:
            row.stranger = is_a_stranger(unit, account, match.message, row.sender)
    unit.add(row)
    unit.flush()
    if account is not None and account.id is not None:
        proof = match.message if certain else None
        failed, why = reply.failed_recipient, reply.why
        belongs(unit, office, row, account, message=proof, failed=failed, why=why, keyword=keyword)
        recalculate_in(unit, office, account.organisation_id, [account.id])
    elif row.kind in SILENT:
        row.read_at, row.read_by = office.clock(), "arrears"
    elif row.organisation_id is not None:
        _nobody_knows(unit, office, row, match)
    if keyword is not None:
        heed(unit, office, row, keyword)


def _concerned(unit: Session, match: Match, reply: Reply, keyword: Keyword | None) -> list[int]:
    """The organisations that are written about, always in the same order: else two workers may wait for each other."""
    accounts = [account_now(unit, number) for number in sorted(match.accounts)[:_MOST_HELD]]
    concerned = {account.organisation_id for account in accounts if account is not None}
    return sorted(concerned.union(who_knows(unit, reply.sender) if keyword is not None else ()))


def _row_of(post: PostRow, reply: Reply) -> ReplyRow:
    return ReplyRow(
        post_id=post.id,
        channel=post.channel,
        kind=reply.kind,
        sender=reply.sender,
        sender_name=reply.sender_name,
        subject=reply.subject,
        text=reply.text,
        said=reply.said,
        html=reply.html,
        recipient=reply.recipient,
        authentic=reply.authentic,
        attachments=[one._asdict() for one in reply.attachments],
        sent_at=reply.sent_at,
        received_at=post.received_at,
    )


def _nobody_knows(unit: Session, office: Office, row: ReplyRow, match: Match) -> None:
    """A person has to say whose it is. Until then whoever may have written it is not chased."""
    assert row.organisation_id is not None
    open_task(
        unit,
        organisation_id=row.organisation_id,
        key=f"reply:{row.id}",
        kind="unmatched reply",
        text=f"A reply from {_from(row)} belongs to no account that we are sure of. Say whose it is.",
        at=office.clock(),
    )
    if not holds_the_next_step(ReplyKind(row.kind)):
        return
    why = f"a reply of {in_words(row.received_at.date())} from {row.sender} may be theirs; say whose it is"
    for number in sorted(match.accounts)[:_MOST_HELD]:
        account = account_now(unit, number)
        organisation = unit.get(OrganisationRow, account.organisation_id) if account is not None else None
        if account is not None and organisation is not None and organisation.reply_holds:
            hold_for(unit, office, row, account, organisation, HoldKind.REPLY, why)
            unit.flush()
            recalculate_in(unit, office, account.organisation_id, [number])


def _from(row: ReplyRow) -> str:
    return " ".join([row.sender or "somebody unnamed", *([f"(“{row.subject}”)"] if row.subject else [])])
