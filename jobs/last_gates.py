"""The last gates: what may still keep a reminder back in the second before it leaves, one function for each.

Each answers whether the reminder stays here, and has by then written down what becomes of it instead.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from engine.facts import Facts
from engine.notes import NoteKind
from engine.reminders import Order, ReminderState
from engine.workflow import Channel
from jobs.addressing import why_not_texted
from jobs.calls import call_made
from jobs.claiming import Claimed
from jobs.contact_times import opening
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.settle import WAITS, note_on, silent_carrier
from jobs.voice import may_still_speak
from store import outbox
from store.tables import AccountRow, OrganisationRow, ReminderRow


@dataclass(frozen=True, slots=True)
class Leaving:
    """A reminder that is about to leave, in the unit of work that will mark it."""

    unit: Session
    office: Office
    claimed: Claimed
    reminder: ReminderRow
    organisation: OrganisationRow
    account: AccountRow
    facts: Facts
    order: Order

    @property
    def now(self) -> datetime:
        return self.office.clock()

    @property
    def as_of(self) -> date:
        return self.office.as_of(self.organisation)

    def release(self, why: str, *, until: datetime | None = None) -> None:
        """Gives the claim back: it stays queued, and is tried again then."""
        outbox.release(self.unit, self.claimed.reminder_id, by=self.claimed.claim, why=why, next_attempt_at=until)

    def wait(self, why: str, until: datetime) -> None:
        """It waits for that moment; history says once why."""
        if self.reminder.why != why:
            text = f"{self.reminder.step_name} was not sent yet: {why}."
            note_on(self.unit, self.reminder, NoteKind.HELD, text, self.now)
        self.reminder.send_after = until
        self.unit.flush()
        self.release(why, until=until)

    def look_again(self) -> None:
        """What has just been written may move the account on."""
        recalculate_in(self.unit, self.office, self.claimed.organisation_id, [self.claimed.account_id])


def without_a_number(leaving: Leaving) -> bool:
    """A text message without a number: the step is done, nobody was reminded, the sequence goes on."""
    step = leaving.order.step
    if step.channel is not Channel.SMS or Channel.SMS in leaving.facts.reachable:
        return False
    outbox.settle(
        leaving.unit,
        leaving.claimed.reminder_id,
        ReminderState.SENT,
        now=leaving.now,
        why="skipped: no usable number",
        performed_on=leaving.as_of,
        heard=False,
        from_states=(ReminderState.QUEUED,),
    )
    why = why_not_texted(leaving.unit, leaving.organisation, leaving.account)
    text = f"{step.name} was skipped: {why}."
    note_on(leaving.unit, leaving.reminder, NoteKind.REMINDER_SKIPPED, text, leaving.now)
    leaving.look_again()
    return True


def made_by_a_person(leaving: Leaving) -> bool:
    """A call that a person has said was made."""
    if leaving.order.step.channel is not Channel.CALL or leaving.reminder.by_machine:
        return False
    call_made(leaving.unit, leaving.office, leaving.reminder, on=leaving.as_of)
    leaving.look_again()
    return True


def not_by_machine(leaving: Leaving) -> bool:
    """A machine may call only while both sides agree to it."""
    if leaving.order.step.channel is not Channel.CALL:
        return False
    organisation, account = leaving.organisation, leaving.account
    return not may_still_speak(leaving.unit, leaving.office, organisation, account, leaving.reminder)


def not_at_this_hour(leaving: Leaving) -> bool:
    """Nobody may be reached now where the debtor lives."""
    zone, channel = leaving.account.time_zone, leaving.order.step.channel
    open_at = opening(leaving.facts, leaving.organisation, zone, channel, leaving.now)
    if open_at.at <= leaving.now:
        return False
    leaving.wait(open_at.because, open_at.at)
    return True


def no_carrier(leaving: Leaving) -> bool:
    """No channel is set up that could take it."""
    medium = leaving.order.step.channel
    if leaving.office.carrier_of(medium) is not None:
        return False
    why = f"no {medium} channel is set up; add its block to the configuration"
    silent_carrier(leaving.unit, leaving.claimed.organisation_id, medium, why, leaving.now)
    leaving.release(why, until=leaving.now + WAITS[-1])
    return True
