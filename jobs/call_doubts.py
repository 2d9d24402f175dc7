"""Doubts about calls that a person makes: the line to the provider broke, or a process died, and nobody knows whether
anything rang.

No telephone is ever rung a second time over a doubt. The provider is asked whether it took the call, at the distances
that its channel names, and after the last time a person is; what it tells of the call by itself settles the doubt too
(see `jobs.calls`), and so does a person. A call by machine is a reminder like any other, and its doubts are settled in
`jobs.stranded`.
"""

from sqlmodel import Session

from channels import Caller, Receipt, Unsure
from jobs.acting import NotAllowed, organisation_in
from jobs.calling import LOST, dial_of, doubtful, settle_call
from jobs.calls import CallState
from jobs.containing import contained
from jobs.looking_up import plan_next_look
from jobs.office import Office
from jobs.unknown_calls import ask_a_person, nobody_need_ask
from store import outbox
from store.tables import MessageRow, PhoneCallRow

DIED = "the process ended while it was being put through"


def settle_doubtful_calls(office: Office) -> None:
    """Asks the provider about each call whose next look has come, and marks those that a dead process has left."""
    now = office.clock()
    with office.database.reading() as session:
        doubts = outbox.doubtful_calls(session, now=now, lost_before=now - LOST)
    for call_id in doubts:
        if office.stopping.is_set():
            return
        with contained("evidence about a call not sought", call=call_id):
            _seek(office, call_id)


def ask_the_provider(office: Office, call_id: int) -> bool:
    """Looks for evidence now that a doubtful call was put through. False proves nothing. Raises NotAllowed."""
    with office.database.reading() as session:
        call, message = _doubt(session, office, call_id)
    found = _found(office, call, message)
    if found is not None:
        settle_call(office, call_id, found)
    return found is not None


def settle_doubt(office: Office, call_id: int, *, rang: bool, by: str) -> None:
    """A person knows whether the call was put through. If it was, they write down what came of it."""
    with office.database.unit_of_work() as unit:
        call = unit.get(PhoneCallRow, call_id)
        if call is None:
            raise NotAllowed("There is no such call.")
        organisation_in(unit, call.organisation_id)
        unit.refresh(call)
        if not doubtful(call, office.clock()):
            raise NotAllowed("There is no doubt about this call any more.")
        call.state = CallState.ENDED if rang else CallState.NOT_MADE
        call.why = f"{by} says that it {'was' if rang else 'was not'} put through"
        call.ended_at = office.clock()
        call.settled_at = None if rang else office.clock()
        nobody_need_ask(unit, office, call, by=by)


def _doubt(session: Session, office: Office, call_id: int) -> tuple[PhoneCallRow, MessageRow]:
    call = session.get(PhoneCallRow, call_id)
    message = session.get(MessageRow, call.message_id) if call is not None and call.message_id else None
    if call is None or message is None or not doubtful(call, office.clock()):
        raise NotAllowed("There is no doubt about this call any more.")
    return call, message


def _seek(office: Office, call_id: int) -> None:
    with office.database.reading() as session:
        call, message = _doubt(session, office, call_id)
    if (found := _found(office, call, message)) is not None:
        settle_call(office, call_id, found)
    elif call.state == CallState.DIALLING:
        settle_call(office, call_id, Unsure(DIED))
    else:
        _found_nothing(office, call_id)


def _found_nothing(office: Office, call_id: int) -> None:
    with office.database.unit_of_work() as unit:
        call = unit.get(PhoneCallRow, call_id)
        assert call is not None
        organisation_in(unit, call.organisation_id)
        unit.refresh(call)
        message = unit.get(MessageRow, call.message_id, populate_existing=True)
        assert message is not None
        if not doubtful(call, office.clock()) or message.evidence_next_at is None:
            return  # somebody has settled it while the provider was asked
        plan_next_look(office, message, office.clock())
        if message.evidence_next_at is None:
            ask_a_person(unit, office, call, message)


def _found(office: Office, call: PhoneCallRow, message: MessageRow) -> Receipt | None:
    """The provider's record of this call. One that is known to be of another call is none."""
    if message.channel not in office.channels:
        return None
    channel = office.channel(message.channel)
    found = channel.look_up(dial_of(office, call, message)) if isinstance(channel, Caller) else None
    with office.database.reading() as session:
        return None if found is None or outbox.is_of_another(session, message, found.provider_id) else found
