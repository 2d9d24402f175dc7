"""Calls by machine: only to a country that the organisation has chosen, and only where somebody there has agreed.

A machine that speaks is treated by many laws like an advertisement that rings. So a call step is a person's work unless
two people have said otherwise: whoever runs the organisation, for the country of the number, and somebody at the
account, for that very number, which is written down with how and when they said it. Each call is let go by a person,
and goes the way of every reminder, with the same look at the ledger, the same hours and the same caps.
"""

from datetime import date

from babel import Locale
from sqlmodel import Session

from engine.notes import NoteKind
from engine.words import in_words
from engine.workflow import Channel
from jobs.acting import NotAllowed, account_in, needed, note, organisation_in
from jobs.call_day import the_call_in
from jobs.call_results import waiting_call
from jobs.consents import consents, number_for_a_machine
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.settle import note_on
from store import audit, outbox
from store.numbers import dialled, home_of, shown
from store.tables import AccountRow, OrganisationRow, ReminderRow, VoiceConsentRow


def set_voice_countries(office: Office, organisation_id: int, countries: list[str], *, by: str) -> None:
    """To whose numbers a machine may speak at all. Raises NotAllowed for what is no country."""
    names = Locale("en").territories
    wanted = sorted({code.strip().upper() for code in countries if code.strip()})
    if unknown := [code for code in wanted if len(code) != 2 or code not in names]:
        raise NotAllowed(f"'{unknown[0]}' is no country. Write its two letters, such as GB.")
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        if organisation.voice_countries == wanted:
            return
        organisation.voice_countries = wanted
        what = "countries for automatic calls saved"
        audit.record(unit, organisation_id=organisation_id, at=office.clock(), by=by, what=what, countries=wanted)


def record_consent(office: Office, account_id: int, *, number: str, how: str, given_on: date, by: str) -> None:
    """Somebody has agreed that a machine calls this number. Said twice of one number, it is written down once."""
    how = needed(how, "Say how they agreed: in which letter, form or conversation. You may be asked for it.")
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        home = home_of(organisation)
        wanted = dialled(number, home)
        if not wanted:
            raise NotAllowed(f"'{number.strip()}' is no number that can be called. Write it like +44 20 7946 0018.")
        if given_on > office.as_of(organisation):
            raise NotAllowed(f"{in_words(given_on)} has not come yet. Give the day on which they agreed.")
        if any(consent.number == wanted for consent in consents(unit, account_id)):
            return
        unit.add(
            VoiceConsentRow(
                organisation_id=account.organisation_id,
                account_id=account_id,
                number=wanted,
                how=how,
                given_on=given_on,
                by=by,
            )
        )
        text = f"Automatic calls to {shown(wanted, home)} are agreed to since {in_words(given_on)}: {how}"
        note(unit, office, account, text, by=by)


def withdraw_consent(office: Office, account_id: int, consent_id: int, *, by: str) -> None:
    """No machine calls this number any more."""
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        consent = unit.get(VoiceConsentRow, consent_id, populate_existing=True)
        if consent is None or consent.account_id != account_id:
            raise NotAllowed("There is no such consent.")
        if consent.withdrawn_at is not None:
            return
        consent.withdrawn_at, consent.withdrawn_by = office.clock(), by
        number = shown(consent.number, home_of(organisation))
        note(unit, office, account, f"Automatic calls to {number} are not agreed to any more, says {by}.", by=by)


def let_a_machine_call(office: Office, reminder_id: int, *, by: str) -> None:
    """A person lets the machine make this call, at the next sending time. Raises NotAllowed unless both have agreed."""
    with office.database.unit_of_work() as unit:
        reminder, account, organisation = waiting_call(unit, reminder_id)
        if office.carrier_of(Channel.CALL) is None:
            raise NotAllowed("No channel that makes calls is set up. Ring them yourself.")
        number = number_for_a_machine(unit, organisation, account)
        if not number:
            raise NotAllowed(
                "A machine may not call them: the country is not chosen, or nobody there has agreed to it."
            )
        call = the_call_in(unit, office, account.organisation_id, reminder_id)
        if call is not None and call.held:
            raise NotAllowed(f"No machine calls them now: {call.held[0]}.")
        reminder.approved_at, reminder.approved_by, reminder.by_machine = office.clock(), by, True
        unit.flush()
        text = f"{reminder.step_name}: {by} lets the machine call {shown(number, home_of(organisation))}."
        note(unit, office, account, text, by=by)
        recalculate_in(unit, office, account.organisation_id, [reminder.account_id])


def may_still_speak(
    unit: Session, office: Office, organisation: OrganisationRow, account: AccountRow, reminder: ReminderRow
) -> bool:
    """The last question before a machine calls. Where the answer has become no, the call waits for a person again."""
    if number_for_a_machine(unit, organisation, account):
        return True
    reminder.approved_at, reminder.approved_by, reminder.by_machine = None, "", False
    unit.flush()
    text = f"{reminder.step_name}: no machine may call them any more, so the call waits for a person."
    note_on(unit, reminder, NoteKind.HELD, text, office.clock())
    outbox.release(unit, int(reminder.id or 0), by=reminder.claim)
    recalculate_in(unit, office, reminder.organisation_id, [reminder.account_id])
    return False
