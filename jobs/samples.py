"""A sample to oneself: one step as a real account would get it, in the inbox of whoever writes it.

It goes to the person's own address and to nobody else, says on top that it is a sample and for whom it would be, and
leaves no trace in the account's history: nobody was reminded.
"""

import secrets
from dataclasses import replace

from channels import Attachment, Message, Receipt, Refused, Unavailable, Unsure
from engine.workflow import Channel
from jobs.acting import NotAllowed
from jobs.office import Office
from jobs.previews import lines_of, samples
from jobs.speaking import Written, look_of, put_into_words, statement_for
from jobs.trying_out import diverted
from store.tables import AccountRow, OrganisationRow, StepRow, UserRow
from wording import TemplateProblem, logo_of, statement_name, statement_pdf


def send_sample(
    office: Office,
    organisation_id: int,
    workflow_id: int,
    step_id: str,
    *,
    user_id: int,
    account_id: int | None = None,
) -> str:
    """Sends the step to the person's own address. Returns that address. Raises NotAllowed with a sentence.

    Without an account it is the one that owes most. A text message and a call are sent as an email with their words:
    what matters is what they say.
    """
    carrier = office.carrier_of(Channel.EMAIL)
    if carrier is None:
        raise NotAllowed("No email channel is set up. Add its block to the configuration.")
    message = _sample(office, organisation_id, workflow_id, step_id, user_id, account_id, carrier)
    match office.channel(carrier).send(message):
        case Receipt():
            return message.to
        case Refused(why=why) | Unavailable(why=why):
            raise NotAllowed(f"The sample was not sent: {why.rstrip('.')}.")
        case Unsure(why=why):
            raise NotAllowed(f"It is not known whether the sample went: {why.rstrip('.')}. Look into your inbox.")


def _sample(
    office: Office,
    organisation_id: int,
    workflow_id: int,
    step_id: str,
    user_id: int,
    account_id: int | None,
    carrier: str,
) -> Message:
    with office.database.reading() as session:
        organisation = session.get(OrganisationRow, organisation_id)
        user, step = session.get(UserRow, user_id), session.get(StepRow, (workflow_id, step_id))
        chosen = account_id or next((one.account_id for one in samples(session, organisation_id, most=1)), None)
        account = session.get(AccountRow, chosen) if chosen is not None else None
        if organisation is None or user is None or step is None:
            raise NotAllowed("There is no such step. Save the workflow first.")
        if account is None or account.organisation_id != organisation_id:
            raise NotAllowed("There is no account yet that a sample could be made for.")
        as_of, look = office.as_of(organisation), look_of(session, organisation)
        lines = lines_of(session, organisation, account, as_of)
        statement = statement_for(session, organisation, account, lines, as_of)
        written = Written(step.channel, step.subject, step.body, step.layout)  # type: ignore[arg-type]
        try:
            words = put_into_words(written, statement, look)
        except TemplateProblem as problem:
            raise NotAllowed(f"{step.name} cannot be put into words: {problem}") from problem
        logo = logo_of(look) if words.html else None
        files = [Attachment(logo.name, logo.content_type, logo.content, logo.content_id)] if logo else []
        if step.channel == Channel.EMAIL and step.attach_statement:
            files.append(Attachment(statement_name(statement), "application/pdf", statement_pdf(statement, look)))
    speaking = office.channel(carrier)
    mark = f"sample.{secrets.token_hex(8)}"
    message = Message(
        attempt=mark,
        message_id=f"<arrears.{mark}@{speaking.sender.rpartition('@')[2]}>",
        to=account.email if step.channel == Channel.EMAIL else account.mobile,
        to_name=account.name,
        subject=words.subject or f"{step.name} ({step.channel})",
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
