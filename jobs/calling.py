"""Click-to-call: the person's own telephone rings first, and the debtor's only once they have picked up.

A call is a line in our books before anything is dialled, so that a second click, a second person or a crash never rings
anybody twice; what nobody knows of is said to be unknown, until evidence or a person settles it. Before a telephone
rings the ledger is asked once more, because nobody is rung about what they have paid in the last hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from channels import Caller, ClickToCall, Outcome, Receipt, Refused, Unavailable, Unsure, token_of
from connector import LedgerFailure
from engine.receivables import InvoiceStatus
from engine.workflow import Channel
from jobs.acting import NotAllowed, organisation_in
from jobs.call_day import the_call_in
from jobs.call_results import waiting_call
from jobs.calls import UNDER_WAY, CallState
from jobs.ledgers import connection_of, remember
from jobs.looked import Looked, log_the_look
from jobs.looking_up import plan_looks
from jobs.looks import Looks
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.speaking import tongue_of
from jobs.unknown_calls import ask_a_person, nobody_need_ask
from store.changes import Changes
from store.ledger_copy import TakenIn, take_in_invoices
from store.numbers import Number, dialled, home_of
from store.tables import InvoiceRow, MessageRow, OrganisationRow, PhoneCallRow, ReminderRow, UserRow

LOST = timedelta(minutes=2)
"""A call that was being handed over for so long was left behind by a process that died."""

LONGEST = timedelta(hours=4)
"""No call takes longer (https://www.twilio.com/docs/voice/api/call-resource, TimeLimit). An older one is over, even
where the word that it ended never came."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the ledger said just now, or why it could not be asked."""

    fresh: Looked | None = None
    silent: str = ""


@dataclass(frozen=True, slots=True)
class _Begun:
    """The call that is to be put through (`dial`), or that is under way already, or why there is none."""

    call: int = 0
    dial: ClickToCall | None = None
    problem: str = ""


def can_ring(office: Office) -> bool:
    """Whether a channel is set up that puts calls through."""
    return _carrier(office) is not None


def under_way(call: PhoneCallRow, now: datetime) -> bool:
    """Somebody's telephone rings, or they speak."""
    return call.state in UNDER_WAY and call.begun_at > now - LONGEST and not doubtful(call, now)


def doubtful(call: PhoneCallRow, now: datetime) -> bool:
    """Nobody knows whether it was put through."""
    lost = call.state == CallState.DIALLING and call.begun_at <= now - LOST
    return call.settled_at is None and (call.state == CallState.UNSURE or lost)


def ring(
    office: Office, organisation_id: int, reminder_id: int, *, number: str, agent: str, by: str, nevertheless: str = ""
) -> int:
    """Rings the person's own telephone (`agent`, E.164), which puts them through. Answers with the number of the call.

    While their call for this step is under way, that is the call, and nothing is dialled. `nevertheless`: why they ring
    although something speaks against it. Raises NotAllowed with a sentence.
    """
    carrier = _carrier(office)
    if carrier is None:
        raise NotAllowed("No channel that puts calls through is set up. Ring them from your own telephone.")
    with office.database.reading() as session:
        standing = _standing(session, office, reminder_id, by)
    if standing is not None:
        return standing
    asked = _ask_once_more(office, organisation_id, reminder_id)
    begun = _begin(office, organisation_id, reminder_id, carrier, asked, number, agent, by, nevertheless.strip())
    if begun.problem:
        raise NotAllowed(begun.problem)
    if begun.dial is not None:
        channel = office.channel(carrier)
        assert isinstance(channel, Caller)
        settle_call(office, begun.call, channel.connect(begun.dial))
    return begun.call


def set_own_number(office: Office, user_id: int, organisation: OrganisationRow, number: str) -> None:
    """The telephone at which a person is rung first. Empty: none. Raises NotAllowed for what is no number."""
    home = home_of(organisation)
    wanted = dialled(number, home) if number.strip() else ""
    if number.strip() and not wanted:
        raise NotAllowed(f"'{number.strip()}' is not a telephone number. Write it like +44 20 7946 0018.")
    with office.database.unit_of_work() as unit:
        user = unit.get(UserRow, user_id)
        assert user is not None
        user.phone = wanted


def _carrier(office: Office) -> str | None:
    kind = office.carrier_of(Channel.CALL)
    return kind if kind is not None and isinstance(office.channel(kind), Caller) else None


def _standing(session: Session, office: Office, reminder_id: int, by: str) -> int | None:
    """The call for this step that is under way or in doubt. Raises NotAllowed when it is somebody else's, and when the
    person is on the telephone about another account.
    """
    now = office.clock()
    recent = select(PhoneCallRow).where(
        col(PhoneCallRow.settled_at).is_(None),
        col(PhoneCallRow.begun_at) > now - LONGEST,
        col(PhoneCallRow.message_id).is_not(None),
    )
    for call in session.scalars(recent.where(col(PhoneCallRow.reminder_id) == reminder_id)):
        if under_way(call, now) or doubtful(call, now):
            if call.by == by:
                return int(call.id or 0)
            raise NotAllowed(f"{call.by or 'A machine'} is ringing them already.")
    mine = (col(PhoneCallRow.by) == by, col(PhoneCallRow.reminder_id) != reminder_id)
    if any(under_way(call, now) for call in session.scalars(recent.where(*mine))):
        raise NotAllowed("You are on the telephone about another account. Ring off first.")
    return None


def _ask_once_more(office: Office, organisation_id: int, reminder_id: int) -> _Asked:
    with office.database.reading() as session:
        connection = connection_of(session, organisation_id)
        reminder = session.get(ReminderRow, reminder_id)
        invoices = session.scalars(
            select(InvoiceRow.ledger_id).where(
                col(InvoiceRow.account_id) == (reminder.account_id if reminder is not None else 0),
                col(InvoiceRow.status) == InvoiceStatus.OPEN,
            )
        ).all()
    if connection is None or connection.state != "active":
        return _Asked(silent="the ledger is not connected, so nobody knows what was paid since")
    if connection.not_before is not None and connection.not_before > office.clock():
        return _Asked(silent="the ledger has asked us to wait, so nobody knows what was paid since")
    try:
        look = Looks(office).of(connection, reminder_id, invoices)
    except LedgerFailure as failure:
        remember(office, connection, failure)
        return _Asked(silent=f"the ledger could not be asked once more: {failure}")
    return _Asked(Looked(look.only(invoices), look.ledger.calls, int(connection.id or 0), look.at))


def _begin(
    office: Office,
    organisation_id: int,
    reminder_id: int,
    carrier: str,
    asked: _Asked,
    number: str,
    agent: str,
    by: str,
    nevertheless: str,
) -> _Begun:
    """Writes the call down, if it may be made. What the ledger said is kept whatever becomes of the call."""
    with office.database.unit_of_work() as unit:
        reminder, account, organisation = waiting_call(unit, reminder_id)
        standing = _standing(unit, office, reminder_id, by)
        if standing is not None:
            return _Begun(standing)
        if asked.fresh is not None:
            _take_in(unit, office, organisation_id, account.id or 0, asked.fresh)
        call = the_call_in(unit, office, organisation_id, reminder_id)
        if call is None:
            return _Begun(problem=f"Do not ring: {account.name} has nothing to be rung about any more.")
        if organisation.sending_mode != "live":
            return _Begun(problem="Nothing leaves while sending is only tried out, so nobody is rung from here.")
        to = next((one for one in call.numbers if one.dialled and one.dialled == number), None)
        if to is None:
            return _Begun(problem="That is not a number of this account that may be rung. Load the page again.")
        against = [*call.against, *([asked.silent] if asked.silent else [])]
        if against and not nevertheless:
            return _Begun(problem=f"{_capital(against[0])}. Say why you ring nevertheless.")
        row, message = _rows(unit, office, reminder, carrier, to, agent, by, nevertheless if against else "")
        return _Begun(int(row.id or 0), dial_of(office, row, message, language=tongue_of(organisation)))


def _take_in(unit: Session, office: Office, organisation_id: int, account_id: int, fresh: Looked) -> None:
    now = office.clock()
    taken = TakenIn(changes=Changes(calls=fresh.records.carried_by))
    take_in_invoices(unit, organisation_id, fresh.records.invoices, taken, now=now)
    log_the_look(unit, organisation_id, fresh, taken, now=now)
    recalculate_in(unit, office, organisation_id, {account_id, *taken.touched})
    unit.flush()
    unit.expire_all()


def _rows(
    unit: Session,
    office: Office,
    reminder: ReminderRow,
    carrier: str,
    to: Number,
    agent: str,
    by: str,
    nevertheless: str,
) -> tuple[PhoneCallRow, MessageRow]:
    """The call and its attempt, as they are kept before anything is dialled."""
    now = office.clock()
    message = MessageRow(
        id=office.high_water.free_number(unit) if office.high_water is not None else None,
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        reminder_id=reminder.id,
        channel=carrier,
        to=to.dialled,
        to_name=to.whose,
        reply_to=agent,
        created_at=now,
    )
    unit.add(message)
    unit.flush()
    row = PhoneCallRow(
        organisation_id=reminder.organisation_id,
        account_id=reminder.account_id,
        reminder_id=reminder.id,
        message_id=message.id,
        number=to.dialled,
        name=to.whose,
        by=by,
        begun_at=now,
        state=CallState.DIALLING,
        nevertheless=nevertheless,
    )
    unit.add(row)
    unit.flush()
    if office.high_water is not None:
        office.high_water.rise(int(message.id or 0))
    return row, message


def dial_of(office: Office, call: PhoneCallRow, message: MessageRow, *, language: str = "") -> ClickToCall:
    """The call as its channel is asked for it, or asked about it, when nothing is said in any language."""
    attempt = int(message.id or 0)
    return ClickToCall(
        attempt=str(attempt),
        token=token_of(account=call.account_id, attempt=attempt, key=office.reply_keys[0]),
        debtor=call.number,
        debtor_name=call.name,
        agent=message.reply_to,
        language=language,
        since=message.created_at,
    )


def settle_call(office: Office, call_id: int, outcome: Outcome) -> None:
    """What the provider said when it was asked. Its later word may have come before this one, and counts for more."""
    with office.database.unit_of_work() as unit:
        call = unit.get(PhoneCallRow, call_id)
        assert call is not None
        organisation_in(unit, call.organisation_id)
        unit.refresh(call)
        message = unit.get(MessageRow, call.message_id)
        assert message is not None
        early = call.state in (CallState.DIALLING, CallState.UNSURE)
        match outcome:
            case Receipt():
                message.sent_at, message.provider_id, message.outcome = outcome.at, outcome.provider_id, "sent"
                message.evidence_next_at = None
                call.provider_id = outcome.provider_id
                if early:
                    call.state = CallState.ENDED if outcome.over else CallState.RINGING_US
                    call.ended_at = office.clock() if outcome.over else None
            case Refused(why=why) | Unavailable(why=why):
                message.outcome = f"did not leave: {why}"
                call.state, call.why, call.settled_at = CallState.NOT_MADE, why, office.clock()
            case Unsure(why=why):
                message.outcome = f"unsure: {why}"
                if early:
                    call.state, call.why = CallState.UNSURE, why
                    plan_looks(office, message, office.clock())
                    if message.evidence_next_at is None and call.settled_at is None:
                        ask_a_person(unit, office, call, message)
        if call.state != CallState.UNSURE:
            nobody_need_ask(unit, office, call)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
