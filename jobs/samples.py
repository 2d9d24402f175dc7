"""A sample to oneself: one step as a real account would get it, in the inbox of whoever writes it.

It goes to the person's own address and to nobody else, says on top that it is a sample and for whom it would be, and
leaves no trace in the account's history: nobody was reminded. What goes along with the step goes along with the sample;
where the ledger cannot give it just now, the sample goes without, and says so.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from channels import Attachment, Message, Receipt, Refused, Unavailable, Unsure
from connector import LedgerFailure
from engine.workflow import Channel
from jobs.acting import NotAllowed
from jobs.compose import files_of
from jobs.drafts import DraftStep
from jobs.office import Office
from jobs.papers_along import papers_of
from jobs.previews import first_invoice, lines_of, samples
from jobs.speaking import look_of, put_into_words, statement_for
from jobs.trying_out import diverted
from store.tables import AccountRow, OrganisationRow, UserRow
from wording import Look, Rendered, Statement, TemplateProblem


class Without(StrEnum):
    """Why not every invoice that was to go along is with a sample."""

    NONE_OVERDUE = "none-overdue"
    NO_PAPER = "no-paper"
    NO_ANSWER = "no-answer"


class Sent(NamedTuple):
    """The address that the sample went to, and why it lacks invoices, if it does."""

    to: str
    without: Without | None = None


class _Matter(NamedTuple):
    """Who asks, what the letter is about, and what goes with it from this house."""

    organisation: OrganisationRow
    user: UserRow
    account: AccountRow
    invoice: int
    statement: Statement
    look: Look
    files: tuple[Attachment, ...]


class _Along(NamedTuple):
    """The invoices that go along, and a sentence on top of the sample where some are lacking."""

    files: tuple[Attachment, ...] = ()
    without: Without | None = None
    why: str = ""


def send_sample(
    office: Office,
    organisation_id: int,
    step: DraftStep,
    *,
    user_id: int,
    account_id: int | None = None,
    one_by_one: bool = False,
) -> Sent:
    """Sends the step to the person's own address. Raises NotAllowed with a sentence.

    Without an account it is the one that owes most. A workflow that reminds invoices `one_by_one` speaks of the oldest.
    A text message and a call are sent as an email with their words: what matters is what they say.
    """
    carrier = office.carrier_of(Channel.EMAIL)
    if carrier is None:
        raise NotAllowed("No email channel is set up. Add its block to the configuration.")
    matter = _matter(office, organisation_id, step, user_id, account_id, one_by_one=one_by_one)
    try:
        words = put_into_words(step.written, matter.statement, matter.look)
    except TemplateProblem as problem:
        raise NotAllowed(f"{step.name} cannot be put into words: {problem}") from problem
    along = _along(office, step, matter)
    message = _message(office, carrier, step, matter, words, (*matter.files, *along.files))
    match office.channel(carrier).send(_to_oneself(message, matter.user.email, along.why)):
        case Receipt():
            return Sent(matter.user.email, along.without)
        case Refused(why=why) | Unavailable(why=why):
            raise NotAllowed(f"The sample was not sent: {why.rstrip('.')}.")
        case Unsure(why=why):
            raise NotAllowed(f"It is not known whether the sample went: {why.rstrip('.')}. Look into your inbox.")


def _matter(
    office: Office, organisation_id: int, step: DraftStep, user_id: int, account_id: int | None, *, one_by_one: bool
) -> _Matter:
    with office.database.reading() as session:
        organisation, user = session.get(OrganisationRow, organisation_id), session.get(UserRow, user_id)
        chosen = account_id or next((one.account_id for one in samples(session, organisation_id, most=1)), None)
        account = session.get(AccountRow, chosen) if chosen is not None else None
        if organisation is None or user is None or account is None or account.organisation_id != organisation_id:
            raise NotAllowed("There is no account yet that a sample could be made for.")
        as_of = office.as_of(organisation)
        invoice = first_invoice(session, int(account.id or 0)) if one_by_one else 0
        lines = lines_of(session, organisation, account, as_of, invoice=invoice)
        statement = statement_for(session, organisation, account, lines, as_of)
        files = files_of(session, organisation, step, statement)
        return _Matter(organisation, user, account, invoice, statement, look_of(session, organisation), files)


def _along(office: Office, step: DraftStep, matter: _Matter) -> _Along:
    """The invoices as the ledger prints them just now, if the step says that they go along."""
    if not step.attach_invoices or step.channel != Channel.EMAIL:
        return _Along()
    try:
        papers = papers_of(office, int(matter.account.id or 0), invoice=matter.invoice)
    except LedgerFailure as failure:
        why = f"the ledger did not hand them out just now: {str(failure).rstrip('.')}. A reminder would wait for them."
        return _Along(without=Without.NO_ANSWER, why=f"No invoices are with it, because {why}")
    files = tuple(file for _, file in papers.files)
    if papers.lacking:
        why = (
            f"The ledger has no PDF of {', '.join(papers.lacking)} that could go along. A reminder leaves without, too."
        )
        return _Along(files, Without.NO_PAPER, why)
    if not files:
        return _Along(without=Without.NONE_OVERDUE, why="No invoices are with it, because none is overdue.")
    return _Along(files)


def _message(
    office: Office, carrier: str, step: DraftStep, matter: _Matter, words: Rendered, files: Sequence[Attachment]
) -> Message:
    """The step as the account would get it."""
    speaking, mark = office.channel(carrier), f"sample.{secrets.token_hex(8)}"
    organisation, account = matter.organisation, matter.account
    return Message(
        attempt=mark,
        message_id=f"<arrears.{mark}@{speaking.sender.rpartition('@')[2]}>",
        to=account.email if step.channel == Channel.EMAIL else account.mobile,
        to_name=account.name,
        subject=words.subject or f"{step.name} ({step.channel})",
        text=words.text,
        html=words.html,
        from_address=speaking.sender,
        from_name=organisation.sender_name or speaking.sender_name or organisation.name,
        reply_to=matter.user.email,
        attachments=tuple(files),
        since=office.clock(),
    )


def _to_oneself(message: Message, to: str, why: str) -> Message:
    sample = diverted(message, to, Channel.EMAIL, also=why)
    return replace(sample, subject=sample.subject.replace("[Test:", "[Sample:", 1))
