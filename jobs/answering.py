"""Answering: a person writes back to whoever has replied, in their own words.

An answer is a row of the outbox like any reminder, and leaves the same way: its exact words are kept and marked before
anything goes, and what became of it is written down afterwards; a doubt is a person's to settle. It answers the
debtor's own letter. So nothing that holds reminders back holds it, an address that wants no more reminders is answered
all the same, and no account moves because of it. While sending is only tried out, it does not reach the debtor either;
and whoever has texted STOP gets no more texts from anybody, because the networks allow none.
"""

import secrets
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from channels import Receipt, medium_of
from engine.notes import NoteKind
from engine.reminders import ANSWER_CYCLE, ReminderState
from engine.replies import Reply, ReplyKind
from engine.workflow import Channel
from jobs.acting import NotAllowed, needed, organisation_in
from jobs.addressing import Addressees
from jobs.claiming import CLAIM, Claimed
from jobs.compose import BEFORE_THE_QUOTE, message_of, message_row
from jobs.marking import Marked
from jobs.office import Office
from jobs.reply_acts import read_reply
from jobs.settle import note_on, settle_in
from jobs.trying_out import SHADOW, diversion, where_to
from store import outbox, stops
from store.tables import OrganisationRow, PostRow, ReminderRow, ReplyRow, WorkflowRow
from wording import Rendered
from wording.segments import normalised

LONGEST = 10_000
LONGEST_TEXT = 1_600
"""Characters of an answer by email and by text message, of which no provider takes more."""

_QUOTED = 4_000
_WARNINGS = {
    stops.OPT_OUT: "They asked us to stop, so no reminder goes to this address. Your answer does: it answers their own "
    "letter.",
    stops.COMPLAINT: "A message to this address was reported as unwanted, so no reminder goes there. Your answer does.",
    stops.BOUNCE: "What was sent to this address came back before, so your answer may come back as well.",
}


class Answerable(NamedTuple):
    """Whom an answer would go to. `problem`: why it cannot be given here; `warnings`: what to know before it goes.

    `place` counts the answers given before, so that a form that is sent twice is one answer.
    """

    medium: str
    to: str
    name: str
    place: int
    problem: str = ""
    warnings: tuple[str, ...] = ()


def answerable(session: Session, office: Office, organisation: OrganisationRow, reply: ReplyRow) -> Answerable:
    """Whether and how a reply may be answered, each reason in a sentence."""
    medium = medium_of(reply.channel)
    told = Answerable(medium, reply.sender, reply.sender_name, _given(session, reply))
    stop = stops.stopped(session, int(organisation.id or 0), medium, reply.sender)
    if problem := _problem(office, reply, medium, stopped=stop is not None):
        return told._replace(problem=problem)
    warnings = [_WARNINGS[stop.kind]] if stop is not None and stop.kind in _WARNINGS else []
    if reply.stranger:
        warnings.append(f"{reply.sender} is not among this account's addresses: write nothing that only they may know.")
    if away := diversion(organisation, Channel(medium)):
        warnings.append(f"{_trial(away)} The debtor gets nothing.")
    return told._replace(warnings=tuple(warnings))


def answers_to(session: Session, reply: ReplyRow) -> list[ReminderRow]:
    """The answers to this reply, the oldest first."""
    query = select(ReminderRow).where(
        col(ReminderRow.account_id) == reply.account_id,
        col(ReminderRow.cycle) == ANSWER_CYCLE,
        col(ReminderRow.step_id).startswith(f"answer {reply.id}/"),
    )
    return list(session.scalars(query.order_by(col(ReminderRow.id))))


def answer(office: Office, reply_id: int, *, text: str, place: int, by: str) -> ReminderState:
    """Sends an answer, and marks the reply as read. Says what became of it; given twice, it is sent once.

    `place`: how many answers the person has seen. Raises NotAllowed with a sentence.
    """
    text = needed(text, "Write your answer first.")
    begun = _begin(office, reply_id, text, place, by)
    if isinstance(begun, Marked):
        _hand_over(office, begun)
        read_reply(office, reply_id, by=by)
    with office.database.reading() as session:
        number = begun.claimed.reminder_id if isinstance(begun, Marked) else begun
        row = session.get(ReminderRow, number)
        assert row is not None
        return ReminderState(row.state)


def leave(office: Office, claimed: Claimed) -> None:
    """An answer that could not leave before, and that somebody has claimed: the same words once more."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, claimed.organisation_id)
        reminder = unit.get(ReminderRow, claimed.reminder_id, populate_existing=True)
        before = outbox.last_message(unit, claimed.reminder_id)
        assert reminder is not None and before is not None
        reply = unit.get(ReplyRow, int(reminder.step_id.removeprefix("answer ").partition("/")[0]))
        assert reply is not None
        told = answerable(unit, office, organisation, reply)
        if told.problem:
            why, queued = told.problem.rstrip("."), (ReminderState.QUEUED,)
            now = office.clock()
            outbox.settle(unit, claimed.reminder_id, ReminderState.WITHDRAWN, now=now, why=why, from_states=queued)
            note_on(unit, reminder, NoteKind.HELD, f"The answer was not sent: {told.problem}", now)
            return
        words = Rendered(before.subject, before.text, "")
        marked = _marked(unit, office, organisation, reminder, reply, words, claim=claimed.claim)
    if marked is not None:
        _hand_over(office, marked)


def _begin(office: Office, reply_id: int, text: str, place: int, by: str) -> Marked | int:
    """The answer kept with its words and marked as being sent; or the number of the one that was sent already."""
    with office.database.unit_of_work() as unit:
        reply = unit.get(ReplyRow, reply_id)
        if reply is None or reply.organisation_id is None:
            raise NotAllowed("There is no such reply, or nobody knows yet whose it is.")
        organisation = organisation_in(unit, reply.organisation_id)
        unit.refresh(reply)
        told = answerable(unit, office, organisation, reply)
        if told.problem:
            raise NotAllowed(told.problem)
        words = _words(reply, told.medium, text)
        if told.place > place:
            return _given_already(unit, reply, place, words)
        reminder = _row(unit, office, organisation, reply, told, by)
        marked = _marked(unit, office, organisation, reminder, reply, words, claim=reminder.claim)
        assert marked is not None  # nobody else knows of this row yet
        return marked


def _given_already(unit: Session, reply: ReplyRow, place: int, words: Rendered) -> int:
    """Pressed twice, it is the same answer. Raises NotAllowed when somebody else has given another one."""
    earlier = answers_to(unit, reply)[place]
    said = outbox.last_message(unit, int(earlier.id or 0))
    if said is None or said.text != words.text:
        raise NotAllowed(f"{earlier.approved_by} has answered meanwhile. Load the page again and look at it.")
    return int(earlier.id or 0)


def _problem(office: Office, reply: ReplyRow, medium: str, *, stopped: bool) -> str:
    if reply.account_id is None:
        return "Say whose reply it is first: the answer belongs into the history of that account."
    if reply.kind != ReplyKind.HUMAN:
        return "It was written by a machine, and nobody would read an answer to it."
    if office.carrier_of(medium) is None:
        return f"No channel for {'emails' if medium == Channel.EMAIL else 'text messages'} is set up any more."
    if medium == Channel.SMS and stopped:
        return "They have texted STOP, so nothing can be texted there any more. Ring them, or write to them by email."
    return ""


def _given(session: Session, reply: ReplyRow) -> int:
    if reply.account_id is None:
        return 0
    query = select(func.count(col(ReminderRow.id))).where(
        col(ReminderRow.account_id) == reply.account_id,
        col(ReminderRow.cycle) == ANSWER_CYCLE,
        col(ReminderRow.step_id).startswith(f"answer {reply.id}/"),
    )
    return int(session.scalar(query) or 0)


def _trial(away: str) -> str:
    told = where_to(away)
    return f"{told[:1].upper()}{told[1:]}." if away == SHADOW else f"It goes to {away}: sending is only tried out."


def _words(reply: ReplyRow, medium: str, text: str) -> Rendered:
    """The answer as it goes: a mail has below it what it answers, so that whoever gets it need not look for that."""
    most = LONGEST_TEXT if medium == Channel.SMS else LONGEST
    if len(text) > most:
        raise NotAllowed(f"That is {len(text):,} characters long; an answer may have {most:,}.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if medium == Channel.SMS:
        return Rendered("", normalised(text), "")
    who = f"{reply.sender_name} <{reply.sender}>" if reply.sender_name else reply.sender
    quoted = "\n".join(f"> {line}".rstrip() for line in (reply.said or reply.text)[:_QUOTED].splitlines())
    subject = reply.subject.strip() or "Your message"
    subject = subject if subject.lower().startswith(("re:", "aw:")) else f"Re: {subject}"
    return Rendered(" ".join(subject.split()), f"{text}{BEFORE_THE_QUOTE}{who}:\n{quoted}\n", "")


def _row(
    unit: Session, office: Office, organisation: OrganisationRow, reply: ReplyRow, told: Answerable, by: str
) -> ReminderRow:
    """Claimed for us from the beginning, so that no round of deliveries takes it meanwhile."""
    number = col(WorkflowRow.organisation_id) == organisation.id
    some = organisation.default_workflow_id or unit.scalars(select(WorkflowRow.id).where(number).limit(1)).first()
    if some is None:
        raise NotAllowed("There is no workflow yet. Make one, then answer.")
    now = office.clock()
    row = ReminderRow(
        organisation_id=int(organisation.id or 0),
        account_id=int(reply.account_id or 0),
        cycle=ANSWER_CYCLE,
        step_id=f"answer {reply.id}/{told.place}",
        step_name="Answer",
        workflow_id=some,
        channel=told.medium,
        due_on=office.as_of(organisation),
        send_after=now,
        approved_at=now,
        approved_by=by,
        claim=secrets.token_hex(8),
        claimed_until=now + CLAIM,
        queued_at=now,
    )
    unit.add(row)
    unit.flush()
    return row


def _marked(
    unit: Session,
    office: Office,
    organisation: OrganisationRow,
    reminder: ReminderRow,
    reply: ReplyRow,
    words: Rendered,
    *,
    claim: str,
) -> Marked | None:
    """The message as it will be handed over, kept and marked. None when the claim was lost."""
    carrier = office.carrier_of(reminder.channel)
    assert carrier is not None
    if not outbox.mark_sending(unit, int(reminder.id or 0), by=claim, until=office.clock() + CLAIM):
        return None
    row = message_row(
        unit,
        office,
        reminder,
        Addressees(reply.sender, reply.sender_name),
        words,
        [],
        carrier=carrier,
        now=office.clock(),
        diverted_to=diversion(organisation, Channel(reminder.channel)),
    )
    if office.high_water is not None:
        office.high_water.rise(int(row.id or 0))
    message = message_of(unit, office, organisation, row)
    theirs = _their_mail(unit, office, reply)
    if theirs and not row.diverted_to:
        message = replace(message, references=(*message.references, theirs))
    claimed = Claimed(int(reminder.id or 0), reminder.organisation_id, reminder.account_id, claim, 1, ())
    return Marked(claimed, message, carrier, shadow=row.diverted_to == SHADOW)


def _their_mail(unit: Session, office: Office, reply: ReplyRow) -> str:
    """The Message-ID of the mail that is answered, so that it stands below it in their mail programme."""
    post = unit.get(PostRow, reply.post_id)
    if post is None or medium_of(reply.channel) != Channel.EMAIL or post.channel not in office.channels:
        return ""
    try:
        read = office.channel(post.channel).read(post.raw)
    except ValueError:  # it was understood once; without it the answer is threaded onto our own mails
        return ""
    return read.message_id if isinstance(read, Reply) else ""


def _hand_over(office: Office, marked: Marked) -> None:
    """Leaves the house, except in shadow mode; then what became of it is written down."""
    shadow = Receipt(SHADOW, office.clock()) if marked.shadow else None
    outcome = shadow or office.channel(marked.carrier).send(marked.message)
    with office.database.unit_of_work() as unit:
        settle_in(unit, office, marked.claimed.reminder_id, int(marked.message.attempt), outcome)
