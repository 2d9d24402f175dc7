"""Doubts: messages of which nobody knows whether they went, because a line broke or a process died.

Nothing of that kind is ever sent again by itself. Where the provider keeps records it is asked, some minutes later and
again some hours later; if it has the message, that settles it. If it has not, that proves nothing, because records come
late and searches fail. So the doubt stays for a person, who is told what is known. What the provider, a bounce or the
debtor's own answer tells of the message later settles it as well (see `jobs.deliveries` and `jobs.receive`).
"""

from channels import Outcome, Receipt, Unsure
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs.compose import message_of
from jobs.containing import contained
from jobs.looking_up import plan_next_look, waits_of
from jobs.office import Office
from jobs.settle import doubt_for_a_person, note_on, settle_in
from jobs.trying_out import SHADOW
from store import outbox
from store.leases import one_at_a_time
from store.tables import MessageRow, OrganisationRow, ReminderRow

DIED = "the process ended while it was being handed over"


def settle_stranded(office: Office) -> None:
    """Reminders that were being sent when a process died: evidence settles them, else they are marked as unsure."""
    with office.database.reading() as session:
        stranded = [int(row.id or 0) for row in outbox.stranded(session, now=office.clock())]
    for reminder_id in stranded:
        with contained("doubt not settled", reminder=reminder_id):
            _settle_stranded(office, reminder_id)


def seek_evidence(office: Office) -> None:
    """Asks the providers that keep records about the messages whose next look has come."""
    with office.database.reading() as session:
        doubtful = [int(row.id or 0) for row in outbox.doubtful(session, now=office.clock())]
    for message_id in doubtful:
        if office.stopping.is_set():
            return
        with contained("evidence not sought", message=message_id):
            _seek(office, message_id)


def doubt_waiting_answers(office: Office) -> None:
    """The database was restored: an answer that waited when the copy was made may have gone since. Reminders wait for
    a person with all sending; answers would not.
    """
    with office.database.reading() as session:
        waiting = [(int(row.id or 0), row.organisation_id) for row in outbox.waiting_answers(session)]
    for reminder_id, organisation_id in waiting:
        with contained("answer not left to a person", reminder=reminder_id), office.database.unit_of_work() as unit:
            one_at_a_time(unit, organisation_id)
            reminder = unit.get(ReminderRow, reminder_id)
            message = outbox.last_message(unit, reminder_id)
            assert reminder is not None and message is not None
            why, now, queued = "the database was restored from a copy", office.clock(), (ReminderState.QUEUED,)
            if outbox.settle(unit, reminder_id, ReminderState.UNSURE, now=now, why=why, from_states=queued):
                known = "It waited when the copy was made from which this database was restored."
                doubt_for_a_person(unit, reminder, message, known, now)


def _settle_stranded(office: Office, reminder_id: int) -> None:
    with office.database.reading() as session:
        row = outbox.last_message(session, reminder_id)
    assert row is not None and row.id is not None
    outcome: Outcome = _found(office, row.id) or Unsure(DIED)
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, reminder_id)
        assert reminder is not None
        one_at_a_time(unit, reminder.organisation_id)
        unit.refresh(reminder)
        if row.diverted_to == SHADOW and reminder.state == ReminderState.SENDING:
            # In shadow mode nothing can have left: it is simply tried once more.
            outbox.put_back(unit, reminder_id, why="", next_attempt_at=None)
            return
        settle_in(unit, office, reminder_id, row.id, outcome)


def _seek(office: Office, message_id: int) -> None:
    found = _found(office, message_id)
    with office.database.unit_of_work() as unit:
        message = unit.get(MessageRow, message_id)
        assert message is not None
        one_at_a_time(unit, message.organisation_id)
        unit.refresh(message)
        reminder = unit.get(ReminderRow, message.reminder_id, populate_existing=True)
        if reminder is None or reminder.state != ReminderState.UNSURE or message.evidence_next_at is None:
            return  # somebody has settled it while the provider was asked
        if found is not None:
            settle_in(unit, office, message.reminder_id, message_id, found)
            return
        plan_next_look(office, message, office.clock())
        if message.evidence_next_at is None:
            text = (
                f"{reminder.step_name}: the provider was asked {message.evidence_tries} times and its records do not "
                "show it. That proves nothing, so a person has to say whether it went."
            )
            note_on(unit, reminder, NoteKind.UNSURE, text, office.clock())
            asked = f"The provider was asked {message.evidence_tries} times, and its records do not show it."
            doubt_for_a_person(unit, reminder, message, asked, office.clock())


def _found(office: Office, message_id: int) -> Receipt | None:
    """What the provider's records show of this attempt."""
    with office.database.reading() as session:
        row = session.get(MessageRow, message_id)
        organisation = session.get(OrganisationRow, row.organisation_id) if row is not None else None
        assert row is not None and organisation is not None
        if row.diverted_to == SHADOW or not waits_of(office, row.channel):
            return None
        message = message_of(session, office, organisation, row)
    found = office.channel(row.channel).find(message)
    with office.database.reading() as session:
        return None if found is None or outbox.is_of_another(session, row, found.provider_id) else found
