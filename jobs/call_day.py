"""The day's calls: whom to ring, in which order, and what to know before ringing.

A call is ready when its step has come due, nothing speaks against it and the debtor may be reached today. One that
somebody has put off comes back by itself when its time is up. One that something holds says what: a promise whose day
has not come, a question nobody has answered, a cap on contacts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from engine.ageing import OpenInvoice, Totals, totals
from engine.decide import decide
from engine.facts import Facts
from engine.gates import holds_of
from engine.holds import HoldKind, sentence
from engine.limits import Opening
from engine.looking import look
from engine.reminders import ReminderKey
from engine.workflow import Channel, Step
from jobs.calls import UNDER_WAY
from jobs.contact_times import opening
from jobs.office import Office
from store.facts import facts_of, ground_of
from store.ground import Ground
from store.numbers import Number, home_of, numbers_of
from store.screens.call_list import Before, before, waiting_calls
from store.stops import stopped_numbers
from store.tables import AccountRow, HoldRow, OrganisationRow, PhoneCallRow, ReminderRow

BESIDE_THE_POINT = (HoldKind.ORGANISATION_PAUSED, HoldKind.LIMITS)
"""A pause of all sending is about what leaves by itself, and the caps are in the opening already."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that waits. `held`: what speaks against it today; `opening`: when the debtor may be reached next.

    `local` is the present time where the debtor lives. `numbers` are those that may be rung, `stopped` those that may
    not any more. `last` is the newest call to the account, `conversation` the newest in which somebody was spoken to,
    `promise` the newest promise to pay, kept or not.
    """

    reminder: ReminderRow
    account: AccountRow
    owed: tuple[Totals, ...]
    oldest: OpenInvoice | None
    because: str
    held: tuple[str, ...]
    opening: Opening
    now: datetime
    local: datetime
    numbers: tuple[Number, ...]
    stopped: tuple[Number, ...]
    last: PhoneCallRow | None = None
    conversation: PhoneCallRow | None = None
    promise: HoldRow | None = None

    @property
    def open_now(self) -> bool:
        return self.opening.at <= self.now

    @property
    def snoozed(self) -> bool:
        until = self.reminder.snoozed_until
        return until is not None and until > self.now

    @property
    def ready(self) -> bool:
        """Today: nothing holds it, nobody has put it off, and there are hours left in which it may be made."""
        return not self.held and not self.snoozed

    @property
    def under_way(self) -> PhoneCallRow | None:
        return self.last if self.last is not None and self.last.state in UNDER_WAY else None

    @property
    def against(self) -> tuple[str, ...]:
        """Everything that speaks against ringing in this very moment."""
        closed = () if self.open_now or self.opening.because in self.held else (self.opening.because,)
        return (*self.held, *closed)


@dataclass(frozen=True, slots=True)
class CallDay:
    """The calls of one day, the largest overdue first."""

    ready: tuple[Call, ...]
    snoozed: tuple[Call, ...]
    held: tuple[Call, ...]


def call_day(office: Office, organisation_id: int) -> CallDay:
    """All calls that wait, sorted by whether they can be made today."""
    with office.database.reading() as session:
        calls = _calls(session, office, organisation_id, None)
    ready = tuple(call for call in calls if call.ready)
    snoozed = tuple(sorted((call for call in calls if call.snoozed), key=_until))
    return CallDay(ready, snoozed, tuple(call for call in calls if call.held and not call.snoozed))


def _until(call: Call) -> datetime:
    assert call.reminder.snoozed_until is not None
    return call.reminder.snoozed_until


def the_call(office: Office, organisation_id: int, reminder_id: int) -> Call | None:
    """One call that waits; None when it does not wait any more."""
    with office.database.reading() as session:
        return the_call_in(session, office, organisation_id, reminder_id)


def the_call_in(session: Session, office: Office, organisation_id: int, reminder_id: int) -> Call | None:
    """The same within a unit of work."""
    return next(iter(_calls(session, office, organisation_id, reminder_id)), None)


def _calls(session: Session, office: Office, organisation_id: int, reminder_id: int | None) -> Sequence[Call]:
    waiting = waiting_calls(session, organisation_id, reminder_id)
    if not waiting:
        return ()
    now = office.clock()
    ground = ground_of(session, organisation_id, now=now)
    numbers = sorted({account.id or 0 for _, account in waiting})
    facts, known = facts_of(session, ground, numbers), before(session, numbers)
    stopped = frozenset(stopped_numbers(session, organisation_id, Channel.CALL))
    calls = [
        _call(office, ground, reminder, account, facts[account.id or 0], known, stopped, now)
        for reminder, account in waiting
    ]
    return sorted(calls, key=_largest_first)


def _largest_first(call: Call) -> tuple[object, ...]:
    return -max((line.overdue for line in call.owed), default=0), call.account.name, call.reminder.id


def _call(
    office: Office,
    ground: Ground,
    reminder: ReminderRow,
    account: AccountRow,
    facts: Facts,
    known: Before,
    stopped: frozenset[str],
    now: datetime,
) -> Call:
    organisation, number = ground.organisation, account.id or 0
    as_of = office.as_of(organisation)
    seen = look(facts, as_of)
    zone = ZoneInfo(account.time_zone or organisation.time_zone)
    reached_from = opening(facts, organisation, account.time_zone, Channel.CALL, now)
    rung = numbers_of(account, known.contacts.get(number, ()), home_of(organisation))
    return Call(
        reminder=reminder,
        account=account,
        owed=tuple(totals(facts.invoices, as_of)),
        oldest=_about(facts, reminder) or seen.driver,
        because=decide(facts, as_of).position.because,
        held=_held(facts, reminder, organisation, reached_from, office),
        opening=reached_from,
        now=now,
        local=now.astimezone(zone),
        numbers=tuple(one for one in rung if one.dialled not in stopped),
        stopped=tuple(one for one in rung if one.dialled in stopped),
        last=known.calls.get(number),
        conversation=known.conversations.get(number),
        promise=known.promises.get(number),
    )


def _about(facts: Facts, reminder: ReminderRow) -> OpenInvoice | None:
    """The one invoice that the call is about, on a workflow on which each walks alone."""
    return next((one for one in facts.invoices if reminder.invoice_id and one.id == reminder.invoice_id), None)


def _held(
    facts: Facts, reminder: ReminderRow, organisation: OrganisationRow, reached_from: Opening, office: Office
) -> tuple[str, ...]:
    """What speaks against the call on this day, whatever the hour."""
    as_of = office.as_of(organisation)
    step = Step(reminder.step_id, reminder.step_name, 1, Channel.CALL)
    key = ReminderKey(reminder.cycle, reminder.step_id, reminder.invoice_id or None)
    holds = holds_of(facts, look(facts, as_of), step, key)
    held = [sentence(hold) for hold in holds if hold.kind not in BESIDE_THE_POINT]
    if reached_from.at.astimezone(ZoneInfo(organisation.time_zone)).date() > as_of:
        held.append(reached_from.because)
    return tuple(held)
