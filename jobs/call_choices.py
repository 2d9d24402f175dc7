"""What somebody presses on a call by machine: it is believed as far as it does no harm, and a person takes it up.

“I shall pay” is a task to agree on a day, not a payment. “I dispute this” stops everything until a person has asked.
“Do not call again” is honoured at once, and the consent to be called by a machine is over.
"""

from sqlalchemy import select
from sqlmodel import Session, col

from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.workflow import Channel
from jobs.office import Office
from store.history import write_note
from store.stops import OPT_OUT, stop
from store.tables import AccountRow, HoldRow, OrganisationRow, PhoneCallRow, VoiceConsentRow
from store.tasks import open_task

CONFIRMED, WILL_PAY, A_PERSON, DISPUTE = "confirmed", "will pay", "a person", "dispute"

_SAID = {
    WILL_PAY: "says on the automatic call that they will pay. Ring them or write, and agree on a day",
    A_PERSON: "asked for a person on the automatic call. Ring them back, unless they were put through",
    DISPUTE: "disputes something, as they said on the automatic call. Ask what; until then nothing is sent",
}


def chosen(unit: Session, office: Office, call: PhoneCallRow, choice: str) -> None:
    """Takes up one choice. The same choice told twice is taken up once; an unknown one is passed over."""
    if choice not in (CONFIRMED, *_SAID) or call.result == choice:
        return
    call.result, call.conversation = choice, True
    account = unit.get(AccountRow, call.account_id)
    organisation = unit.get(OrganisationRow, call.organisation_id)
    if choice == CONFIRMED or account is None or organisation is None:
        return
    now, text = office.clock(), f"{account.name} {_SAID[choice]}."
    _note(unit, office, call, text)
    open_task(
        unit,
        organisation_id=call.organisation_id,
        account_id=call.account_id,
        key=f"call:{call.id}",
        kind="call",
        text=text,
        at=now,
    )
    if choice == DISPUTE:
        unit.add(
            HoldRow(
                organisation_id=call.organisation_id,
                account_id=call.account_id,
                kind=HoldKind.QUESTION,
                since=office.as_of(organisation),
                why="something is disputed, as was said on the automatic call",
                by="arrears",
            )
        )
    unit.flush()


def no_more_calls(unit: Session, office: Office, call: PhoneCallRow, *, by: str) -> None:
    """This number is not called any more, and no machine speaks to it. Said twice, it holds once."""
    now, number = office.clock(), call.number.lower()
    consents = select(VoiceConsentRow).where(
        col(VoiceConsentRow.organisation_id) == call.organisation_id,
        col(VoiceConsentRow.number) == number,
        col(VoiceConsentRow.withdrawn_at).is_(None),
    )
    for consent in unit.scalars(consents):
        consent.withdrawn_at, consent.withdrawn_by = now, by
    fresh = stop(
        unit,
        organisation_id=call.organisation_id,
        medium=Channel.CALL,
        address=number,
        kind=OPT_OUT,
        source="a call",
        said="do not call again",
        at=now,
        by=by,
        message_id=call.message_id,
    )
    if fresh:
        _note(unit, office, call, f"{call.number} is not called any more: “do not call again”, said by {by}.")


def _note(unit: Session, office: Office, call: PhoneCallRow, text: str) -> None:
    write_note(
        unit,
        organisation_id=call.organisation_id,
        account_id=call.account_id,
        reminder_id=call.reminder_id,
        kind=NoteKind.REPLY,
        text=text,
        at=office.clock(),
        by="arrears",
    )
