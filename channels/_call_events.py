"""What Twilio tells of a call, leg by leg and key by key, in our own words (see `channels._calling`)."""

from channels import Delivery, DeliveryEvent
from channels._call_script import NO_MORE, choice_at
from channels._twilio import hour
from channels._twilio_posts import Said

KINDS = {
    "queued": Delivery.ACCEPTED,
    "initiated": Delivery.ACCEPTED,
    "ringing": Delivery.RINGING,
    "in-progress": Delivery.ANSWERED,
    "answered": Delivery.ANSWERED,
    "completed": Delivery.ENDED,
    "busy": Delivery.ENDED,
    "no-answer": Delivery.ENDED,
    "canceled": Delivery.ENDED,
    "failed": Delivery.FAILED,
}


def event_of(said: Said) -> DeliveryEvent:
    """What one stored post tells. Raises ValueError with a sentence."""
    door, _, address = said.door.partition("/")
    if door == "leg":
        leg, _, token = address.partition("/")
        return _of_a_leg(said, leg, token, said.field("CallSid"), said.field("CallStatus"))
    if door == "done":
        return _of_a_leg(said, "debtor", address, said.field("CallSid"), said.field("DialCallStatus"))
    return _of_a_key(said, door, address)


def event_id(said: Said) -> str:
    """What makes this post one of its kind; empty where nothing has happened that anybody needs to know."""
    door, call, digits = said.door.partition("/")[0], said.fields.get("CallSid", ""), said.fields.get("Digits", "")
    match door:
        case "leg":
            return f"{call} {said.fields.get('CallStatus', '')}"
        case "done":
            # The same event as the other leg tells itself; a leg that was never begun has no name of its own.
            return f"{said.fields.get('DialCallSid') or f'{call} dialled'} {said.fields.get('DialCallStatus', '')}"
        case "hello" if said.fields.get("AnsweredBy"):
            return f"{call} answered by"
        case "who" | "choice" if choice_at(door, digits):
            return f"{call} {door} {digits}"
    return ""


def _of_a_leg(said: Said, leg: str, token: str, sid: str, status: str) -> DeliveryEvent:
    kind = KINDS.get(status)
    if kind is None:
        raise ValueError(f"Twilio tells of a call that it is “{status}”, which is no word that we know")
    if leg == "agent":
        # Our own telephone ringing is no contact; only how the whole call ends is news.
        kind = Delivery.ENDED if kind in (Delivery.ENDED, Delivery.FAILED) else Delivery.ACCEPTED
    seconds = said.fields.get("CallDuration") or said.fields.get("DialCallDuration", "")
    return DeliveryEvent(
        kind=kind,
        token=token,
        provider_id=said.fields.get("ParentCallSid") or said.fields.get("CallSid", sid),
        recipient="" if said.fields.get("DialCallStatus") else said.fields.get("To", ""),
        why="Twilio cannot call this number" if kind is Delivery.FAILED else "",
        at=hour(said.fields.get("Timestamp")),
        details={"leg": leg, "status": status}
        | ({"seconds": seconds} if seconds else {})
        | _by(said.fields.get("AnsweredBy", "")),
    )


def _of_a_key(said: Said, door: str, token: str) -> DeliveryEvent:
    choice = choice_at(door, said.fields.get("Digits", ""))
    return DeliveryEvent(
        kind=Delivery.OPTED_OUT if choice == NO_MORE else Delivery.ANSWERED,
        token=token,
        provider_id=said.field("CallSid"),
        recipient=said.fields.get("To", ""),
        stops_address=choice == NO_MORE,
        details={"leg": "debtor", "status": "in-progress"}
        | ({"choice": choice} if choice else {})
        | _by(said.fields.get("AnsweredBy", "")),
    )


def _by(answered_by: str) -> dict[str, str]:
    """Whether a person or a machine has picked up. What Twilio is not sure of counts as a person."""
    if not answered_by:
        return {}
    return {"answered_by": answered_by.partition("_")[0] if answered_by.startswith(("machine", "fax")) else "human"}
