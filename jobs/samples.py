"""A sample to oneself: one step as a real account would get it, in the inbox of whoever writes it.

It goes to the person's own address and to nobody else, says on top that it is a sample and for whom it would be, and
leaves no trace in the account's history: nobody was reminded.
"""

import secrets
from dataclasses import replace
from typing import NamedTuple

from channels import Attachment, Message, Receipt, Refused, Unavailable, Unsure
from engine.workflow import Channel
from jobs.acting import NotAllowed
from jobs.office import Office
from jobs.previews import lines_of, samples
from jobs.speaking import Written, look_of, put_into_words, statement_for
from jobs.trying_out import diverted
from store.tables import AccountRow, OrganisationRow, StepRow, UserRow
from wording import TemplateProblem, has_more, logo_of, statement_name, statement_pdf


class Sampled(NamedTuple):
    """The step that is to be tried: its name, its words, and whether the statement goes with it as a PDF."""

    name: str
    written: Written
    attach_statement: bool = False


def saved_step(office: Office, workflow_id: int, step_id: str) -> Sampled:
    """A step as it is saved. Raises NotAllowed when there is none."""
    with office.database.reading() as session:
        step = session.get(StepRow, (workflow_id, step_id))
    if step is None:
        raise NotAllowed("There is no such step. Save the workflow first.")
    written = Written(step.channel, step.subject, step.body, step.layout)  # type: ignore[arg-type]
    return Sampled(step.name, written, step.attach_statement)


def send_sample(
    office: Office, organisation_id: int, sampled: Sampled, *, user_id: int, account_id: int | None = None
) -> str:
    """Sends the step to the person's own address. Returns that address. Raises NotAllowed with a sentence.

    Without an account it is the one that owes most. A text message and a call are sent as an email with their words:
    what matters is what they say.
    """
    carrier = office.carrier_of(Channel.EMAIL)
    if carrier is None:
        raise NotAllowed("No email channel is set up. Add its block to the configuration.")
    message = _sample(office, organisation_id, sampled, user_id, account_id, carrier)
    match office.channel(carrier).send(message):
        case Receipt():
            return message.to
        case Refused(why=why) | Unavailable(why=why):
            raise NotAllowed(f"The sample was not sent: {why.rstrip('.')}.")
        case Unsure(why=why):
            raise NotAllowed(f"It is not known whether the sample went: {why.rstrip('.')}. Look into your inbox.")


def _sample(
    office: Office, organisation_id: int, sampled: Sampled, user_id: int, account_id: int | None, carrier: str
) -> Message:
    by_email = sampled.written.channel == Channel.EMAIL
    with office.database.reading() as session:
        organisation, user = session.get(OrganisationRow, organisation_id), session.get(UserRow, user_id)
        chosen = account_id or next((one.account_id for one in samples(session, organisation_id, most=1)), None)
        account = session.get(AccountRow, chosen) if chosen is not None else None
        if organisation is None or user is None or account is None or account.organisation_id != organisation_id:
            raise NotAllowed("There is no account yet that a sample could be made for.")
        as_of, look = office.as_of(organisation), look_of(session, organisation)
        lines = lines_of(session, organisation, account, as_of)
        statement = statement_for(session, organisation, account, lines, as_of)
    try:
        words = put_into_words(sampled.written, statement, look)
    except TemplateProblem as problem:
        raise NotAllowed(f"{sampled.name} cannot be put into words: {problem}") from problem
    logo = logo_of(look) if words.html else None
    files = [Attachment(logo.name, logo.content_type, logo.content, logo.content_id)] if logo else []
    if by_email and (sampled.attach_statement or has_more(statement)):
        files.append(Attachment(statement_name(statement), "application/pdf", statement_pdf(statement, look)))
    speaking = office.channel(carrier)
    mark = f"sample.{secrets.token_hex(8)}"
    message = Message(
        attempt=mark,
        message_id=f"<arrears.{mark}@{speaking.sender.rpartition('@')[2]}>",
        to=account.email if by_email else account.mobile,
        to_name=account.name,
        subject=words.subject or f"{sampled.name} ({sampled.written.channel})",
        text=words.text,
        html=words.html,
        from_address=speaking.sender,
        from_name=organisation.sender_name or speaking.sender_name or organisation.name,
        reply_to=user.email,
        attachments=tuple(files),
        since=office.clock(),
    )
    sample = diverted(message, user.email, Channel.EMAIL)
    return replace(sample, subject=sample.subject.replace("[Test:", "[Sample:", 1))
