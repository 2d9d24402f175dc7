"""What people may do about one account: stop and resume reminders, wait for money that was promised, ask and answer,
hand the debt over, and let a step go that waits for a person.

Each act is one commit, leaves a note, and is followed by a new look at the account. Doing the same twice does it once.
"""

from collections.abc import Collection
from datetime import date, timedelta
from zoneinfo import available_timezones

from sqlmodel import Session

from engine.holds import HoldKind
from engine.looking import look
from engine.reminders import ReminderState
from engine.words import in_words
from engine.workflow import Channel
from jobs import expected
from jobs.acting import NotAllowed, account_in, hold, lift, needed, note, open_holds, said
from jobs.calls import call_made
from jobs.contact_times import plan_anew
from jobs.office import Office
from jobs.recalculate import recalculate_in
from store.facts import facts_of, ground_of
from store.tables import AccountRow, AssignmentRow, HoldRow, OrganisationRow, ReminderRow

A_YEAR = timedelta(days=366)
WAITS_FOR_A_PERSON = "it waits for a person"
"""What `engine.gates.held_because` says of a reminder that a person has to let go."""


def pause_account(office: Office, account_id: int, *, by: str, why: str = "") -> None:
    """Stops sending to one account until it is resumed. Its position still moves back when it pays."""
    _set(office, account_id, HoldKind.PAUSED, f"Paused by {by}", by=by, why=why)


def resume_account(office: Office, account_id: int, *, by: str) -> None:
    """Lets reminders go again: one step, then the usual gaps."""
    _end(office, account_id, HoldKind.PAUSED, f"Resumed by {by}.", by=by)


def mute_account(office: Office, account_id: int, *, by: str, why: str = "") -> None:
    """Never remind this account again, until it is unmuted."""
    _set(office, account_id, HoldKind.MUTED, f"Muted by {by}", by=by, why=why)


def unmute_account(office: Office, account_id: int, *, by: str) -> None:
    """Lets the account be reminded again. It begins anew on its default workflow."""
    with office.database.unit_of_work() as unit:
        account, _ = account_in(unit, account_id)
        if lift(unit, office, open_holds(unit, account_id, HoldKind.MUTED), by=by):
            unit.add(
                AssignmentRow(
                    organisation_id=account.organisation_id,
                    account_id=account_id,
                    by_hand=False,
                    by=by,
                    at=office.clock(),
                )
            )
            note(unit, office, account, f"Unmuted by {by}.", by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def expect_payment(
    office: Office, account_id: int, *, until: date, by: str, why: str = "", invoices: Collection[int] = ()
) -> None:
    """Payment is expected by that day: nothing is sent through it. A new date takes the place of the old one.

    `invoices` are those that were spoken of; none: all that are overdue. The ledger is told of these (`jobs.expected`).
    """
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        of = promise_in(unit, office, account, organisation, until=until, by=by, why=why, invoices=invoices)
        note(unit, office, account, said(f"{by} expects payment{of} by {in_words(until)}", why), by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def promise_in(
    unit: Session,
    office: Office,
    account: AccountRow,
    organisation: OrganisationRow,
    *,
    until: date,
    by: str,
    why: str = "",
    invoices: Collection[int] = (),
) -> str:
    """The hold of an expected payment, and the word to the ledger. Answers with what is promised, for the note:

    ` of INV-7`, or nothing when it is all that is overdue. Raises NotAllowed for a day that cannot be.
    """
    assert account.id is not None
    today = office.as_of(organisation)
    if until < today:
        raise NotAllowed(f"{in_words(until)} is in the past. Give the day by which the payment is expected.")
    if until > today + A_YEAR:
        raise NotAllowed(f"{in_words(until)} is more than a year away. Pause the account instead.")
    promised = expected.about(unit, office, organisation, account.id)
    chosen = {number: promised[number] for number in promised if not invoices or number in invoices}
    if invoices and not chosen:
        raise NotAllowed("None of these invoices is overdue any more. Load the page again.")
    expected.expect(unit, organisation, account.id, chosen, until)
    lift(unit, office, open_holds(unit, account.id, HoldKind.PROMISE), by=by)
    hold(unit, office, account, organisation, HoldKind.PROMISE, why=why, by=by, until=until)
    return f" of {' and '.join(sorted(chosen.values()))}" if len(chosen) < len(promised) else ""


def no_longer_expected(office: Office, account_id: int, *, by: str) -> None:
    """The expected payment date is taken away, and reminders go on."""
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        if lift(unit, office, open_holds(unit, account_id, HoldKind.PROMISE), by=by):
            expected.expect(unit, organisation, account_id, (), None)
            note(unit, office, account, f"{by} no longer expects payment by a certain day.", by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def ask_question(office: Office, account_id: int, *, text: str, by: str) -> None:
    """A note that needs a response: nothing is sent until somebody has answered it."""
    text = needed(text, "The question is empty. Write what has to be answered.")
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        hold(unit, office, account, organisation, HoldKind.QUESTION, why=text, by=by)
        note(unit, office, account, f"Question by {by}: {text}", by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def answer_question(office: Office, hold_id: int, *, text: str, by: str) -> None:
    """Answers one question. When it was the last one, reminders go on."""
    text = needed(text, "The answer is empty. Write what was found out, or that it has settled itself.")
    with office.database.unit_of_work() as unit:
        question = unit.get(HoldRow, hold_id)
        if question is None or question.kind != HoldKind.QUESTION:
            raise NotAllowed("There is no such question.")
        account, _ = account_in(unit, question.account_id)
        unit.refresh(question)
        if question.lifted_at is not None:
            raise NotAllowed(f"{question.lifted_by} has answered this question already.")
        lift(unit, office, [question], by=by)
        note(unit, office, account, f"{by} answered “{question.why}”: {text}", by=by)
        recalculate_in(unit, office, account.organisation_id, [question.account_id])


def hand_over(office: Office, account_id: int, *, by: str, why: str = "") -> None:
    """Collections has the debt now, so nothing is sent from here. It ends by itself when nothing is overdue."""
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        if open_holds(unit, account_id, HoldKind.HANDED_OVER):
            return
        _may_be_handed_over(unit, office, account, organisation)
        hold(unit, office, account, organisation, HoldKind.HANDED_OVER, why=why, by=by)
        note(unit, office, account, said(f"Handed over to collections by {by}", why), by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def _may_be_handed_over(unit: Session, office: Office, account: AccountRow, organisation: OrganisationRow) -> None:
    assert account.id is not None
    if open_holds(unit, account.id, HoldKind.PAUSED):
        raise NotAllowed("The account is paused. Resume it first, then hand it over.")
    as_of = office.as_of(organisation)
    facts = facts_of(unit, ground_of(unit, account.organisation_id, now=office.clock()), [account.id])[account.id]
    overdue = look(facts, as_of).overdue
    if not overdue:
        raise NotAllowed("Nothing is overdue, so there is nothing to hand over.")
    disputed = {one.invoice for one in facts.holds if one.kind is HoldKind.DISPUTE and one.holds_on(as_of)}
    if numbers := sorted(invoice.number for invoice in overdue if invoice.id in disputed):
        named, verb = " and ".join(numbers), "is" if len(numbers) == 1 else "are"
        raise NotAllowed(f"{named} {verb} disputed, and nobody collects a disputed debt. Settle the dispute first.")


def take_back(office: Office, account_id: int, *, by: str) -> None:
    """The debt is ours again, and the workflow goes on."""
    _end(office, account_id, HoldKind.HANDED_OVER, f"Taken back from collections by {by}.", by=by)


def approve_reminder(office: Office, reminder_id: int, *, by: str) -> None:
    """A step that waits for a person may go, at the next sending time; a call that waits has been made just now."""
    with office.database.unit_of_work() as unit:
        reminder = unit.get(ReminderRow, reminder_id)
        if reminder is None:
            raise NotAllowed("There is no such reminder.")
        account, organisation = account_in(unit, reminder.account_id)
        unit.refresh(reminder)
        if not waits_for_a_person(reminder):
            raise NotAllowed(f"{reminder.step_name} does not wait for anybody any more.")
        reminder.approved_at, reminder.approved_by = office.clock(), by
        unit.flush()
        if reminder.channel == Channel.CALL:
            call_made(unit, office, reminder, on=office.as_of(organisation))
        else:
            note(unit, office, account, f"{reminder.step_name} was approved by {by}.", by=by)
        recalculate_in(unit, office, account.organisation_id, [reminder.account_id])


def waits_for_a_person(reminder: ReminderRow) -> bool:
    """Queued, and a person has to let it go, or to make the call."""
    waits = reminder.state == ReminderState.QUEUED and reminder.held_because == WAITS_FOR_A_PERSON
    return waits and reminder.approved_at is None


def add_note(office: Office, account_id: int, *, text: str, by: str) -> None:
    """A note by a person, kept in history and written into the ledger."""
    text = needed(text, "The note is empty. Write something first.")
    with office.database.unit_of_work() as unit:
        account, _ = account_in(unit, account_id)
        note(unit, office, account, text, by=by)


def no_more_statements(office: Office, account_id: int, *, by: str, why: str = "") -> None:
    """No monthly statement to this account, also not one that is queued. Reminders go on."""
    with office.database.unit_of_work() as unit:
        account, _ = account_in(unit, account_id)
        if account.no_statements_since is None:
            account.no_statements_since, account.no_statements_by = office.clock(), by
            note(unit, office, account, said(f"No monthly statements any more, says {by}", why), by=by)


def statements_again(office: Office, account_id: int, *, by: str) -> None:
    """The account gets the monthly statement again, from its next day on."""
    with office.database.unit_of_work() as unit:
        account, _ = account_in(unit, account_id)
        if account.no_statements_since is not None:
            account.no_statements_since, account.no_statements_by = None, ""
            note(unit, office, account, f"Monthly statements again, says {by}.", by=by)


def set_time_zone(office: Office, account_id: int, *, time_zone: str, by: str) -> None:
    """Where the debtor lives, for the hours at which they may be contacted. Empty: where the organisation is."""
    if time_zone and time_zone not in available_timezones():
        raise NotAllowed(f"'{time_zone}' is not a time zone. Write it like Europe/London.")
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        if account.time_zone == time_zone:
            return
        account.time_zone = time_zone
        where = time_zone.replace("_", " ") or "that of the organisation"
        note(unit, office, account, f"Time zone set to {where} by {by}.", by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])
        if organisation.contact_rules:
            plan_anew(unit, office, account.organisation_id, [account_id])


def _set(office: Office, account_id: int, kind: HoldKind, what: str, *, by: str, why: str) -> None:
    """Sets a hold on the account, if it is not set already."""
    with office.database.unit_of_work() as unit:
        account, organisation = account_in(unit, account_id)
        if open_holds(unit, account_id, kind):
            return
        hold(unit, office, account, organisation, kind, why=why, by=by)
        note(unit, office, account, said(what, why), by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def _end(office: Office, account_id: int, kind: HoldKind, what: str, *, by: str) -> None:
    """Lifts the holds of this kind, if there are any."""
    with office.database.unit_of_work() as unit:
        account, _ = account_in(unit, account_id)
        if lift(unit, office, open_holds(unit, account_id, kind), by=by):
            note(unit, office, account, what, by=by)
        recalculate_in(unit, office, account.organisation_id, [account_id])
