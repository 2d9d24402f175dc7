"""A call being played: it rings, somebody picks up or does not, and what the app says is done, verb by verb.

It runs on a thread of its own and asks the app for its TwiML over real HTTP, without holding the world's lock. How the
people on the line behave was said beforehand, in `Person`.
"""

from typing import NamedTuple
from urllib.parse import urljoin

from sandbox.twilio import twiml
from sandbox.twilio.account import ACCOUNT, API_VERSION, Twilio
from sandbox.twilio.calls import events_in
from sandbox.twilio.records import Person, PhoneCall
from sandbox.twilio.refusals import Refusal
from sandbox.twilio.twiml import NotTwiml, Verb

MOST_DOCUMENTS = 50  # a call that goes round in circles ends
FINAL = {"busy": "busy", "no-answer": "no-answer", "failed": "failed"}
SPOKEN = 5  # seconds that a sentence takes
UNASKED = "en-US"  # what is spoken where no language was asked for


class Next(NamedTuple):
    """Where the app is asked what to do next, and what it is told there."""

    url: str
    fields: dict[str, str]


class Conversation:
    def __init__(self, twilio: Twilio, call: PhoneCall) -> None:
        self._twilio, self._call = twilio, call
        self._person: Person = twilio.person(call.to)

    def play(self) -> None:
        try:
            if self._picked_up():
                self._talk()
            self._end(self._call, FINAL.get(self._person.answers, "completed"))
        finally:
            with self._twilio.lock:
                self._twilio.talking -= 1

    def _picked_up(self) -> bool:
        call, person, twilio = self._call, self._person, self._twilio
        self._tell(call, "initiated")
        if person.answers == "failed":
            return False
        with twilio.lock:
            call.status, call.started = "ringing", twilio.now()
        self._tell(call, "ringing")
        if person.answers != "yes" or call.ended:
            return False
        with twilio.lock:
            call.status, call.answered = "in-progress", True
            call.answered_by = _detected(person, call.wishes.get("MachineDetection", ""))
        self._tell(call, "answered")
        return True

    def _talk(self) -> None:
        call = self._call
        try:
            if not (url := call.wishes.get("Url", "")):
                later = self._carried_out(twiml.read(call.wishes.get("Twiml", "")), "")
            else:
                later = Next(url, {})
            for _ in range(MOST_DOCUMENTS):
                if later is None or call.ended:
                    return
                later = self._carried_out(self._document(later), later.url)
            raise NotTwiml("the call went round in circles")
        except NotTwiml as trouble:
            call.troubles.append(str(trouble))

    def _document(self, asked: Next) -> tuple[Verb, ...]:
        heard = self._twilio.posts.ask(self._twilio.posts.written(asked.url, self._fields(asked.fields).items()))
        if not 200 <= heard.status < 300:
            raise NotTwiml(f"11200: HTTP retrieval failure ({asked.url} answered {heard.status or 'nothing'})")
        if heard.status == 204 or not heard.text.strip():
            raise NotTwiml("12101: Invalid TwiML document (it is empty)")
        if "xml" not in heard.kind:
            raise NotTwiml(f"12300: Invalid Content-Type ({heard.kind})")
        return twiml.read(heard.text)

    def _carried_out(self, verbs: tuple[Verb, ...], url: str) -> Next | None:
        """None when nothing is left to be done, and the call ends."""
        for verb in verbs:
            match verb.name:
                case "Say":
                    self._hear(verb)
                case "Gather":
                    if (later := self._gathered(verb, url)) is not None:
                        return later
                case "Dial":
                    fields = self._dialled(verb)
                    if action := verb.wishes.get("action"):
                        return Next(urljoin(url, action), fields)
                case "Redirect":
                    return Next(urljoin(url, verb.text), {})
                case "Record":
                    self._twilio.recordings += 1
                case "Hangup" | "Reject":
                    return None
        return None

    def _hear(self, said: Verb) -> None:
        with self._twilio.lock:
            self._person.heard.append(said.text)
            self._person.voices.append(said.wishes.get("language", UNASKED))
            self._call.seconds += SPOKEN

    def _gathered(self, verb: Verb, url: str) -> Next | None:
        for inner in verb.inside:
            if inner.name == "Say":
                self._hear(inner)
        with self._twilio.lock:
            pressed = self._person.presses.pop(0) if self._person.presses and not self._person.machine else ""
        wanted = int(verb.wishes.get("numDigits") or len(pressed) or 1)
        if not pressed and verb.wishes.get("actionOnEmptyResult", "false") != "true":
            return None
        return Next(urljoin(url, verb.wishes.get("action", url)), {"Digits": pressed[:wanted], "msg": "Gather End"})

    def _dialled(self, verb: Verb) -> dict[str, str]:
        """The other leg is rung, and the two are joined until one of them hangs up."""
        noun = next((inner for inner in verb.inside if inner.name == "Number"), verb)
        twilio, wishes = self._twilio, noun.wishes if noun is not verb else {}
        caller = verb.wishes.get("callerId", self._call.from_)
        if caller not in twilio.numbers:
            raise NotTwiml(f"13214: Dial: Invalid callerId value ({caller})")
        if verb.wishes.get("record", "do-not-record") != "do-not-record":
            twilio.recordings += 1
        try:
            events = events_in((wishes.get("statusCallbackEvent", ""),))
        except Refusal as refusal:
            raise NotTwiml(f"12200: Schema validation warning ({refusal})") from None
        with twilio.lock:
            leg = PhoneCall(
                twilio.new_sid("CA"), "outbound-dial", noun.text, caller, twilio.now(), parent=self._call.sid
            )
            leg.callback, leg.events = wishes.get("statusCallback", ""), events
            twilio.calls.append(leg)
            person = twilio.person(noun.text)
        status = self._joined(leg, person)
        return {
            "DialCallSid": leg.sid,
            "DialCallStatus": status,
            "DialCallDuration": str(leg.seconds),
            "DialBridged": "true" if leg.answered else "false",
        }

    def _joined(self, leg: PhoneCall, person: Person) -> str:
        self._tell(leg, "initiated")
        if person.answers != "failed":
            leg.status, leg.started = "ringing", self._twilio.now()
            self._tell(leg, "ringing")
        if person.answers == "yes":
            with self._twilio.lock:
                leg.status, leg.answered, leg.seconds = "in-progress", True, person.talks
                self._call.seconds += person.talks
            self._tell(leg, "answered")
        return self._end(leg, FINAL.get(person.answers, "completed"))

    def _end(self, call: PhoneCall, status: str) -> str:
        with self._twilio.lock:
            if not call.ended:
                call.status = status
            call.ended = True
        self._tell(call, "completed")
        return call.status

    def _tell(self, call: PhoneCall, event: str) -> None:
        """What happened goes to whoever asked for it; the status of an answered call is in-progress."""
        twilio, habits = self._twilio, self._twilio.habits
        if not call.callback or event not in call.events or habits.callbacks_lost:
            return
        with twilio.lock:
            status = call.status if event == "completed" else {"answered": "in-progress"}.get(event, event)
            fields = self._fields({"CallStatus": status}, call) | {
                "Timestamp": f"{twilio.now():%a, %d %b %Y %H:%M:%S} +0000",
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(call.told),
            }
            if event == "completed":
                fields |= {"CallDuration": str(call.seconds), "Duration": str(-(-call.seconds // 60))}
            call.told += 1
            post = twilio.posts.written(call.callback, fields.items())
        for _ in range(2 if habits.callbacks_doubled else 1):
            twilio.posts.take(post)

    def _fields(self, more: dict[str, str], call: PhoneCall | None = None) -> dict[str, str]:
        call = call or self._call
        fields = {
            "CallSid": call.sid,
            "AccountSid": ACCOUNT,
            "From": call.from_,
            "Caller": call.from_,
            "To": call.to,
            "Called": call.to,
            "CallStatus": call.status,
            "ApiVersion": API_VERSION,
            "Direction": call.direction,
            "ToCity": "",
            "FromCity": "",
        }
        if call.parent:
            fields["ParentCallSid"] = call.parent
        if call.answered_by:
            fields["AnsweredBy"] = call.answered_by
        return fields | more


def _detected(person: Person, wish: str) -> str:
    if not wish:
        return ""
    if not person.machine:
        return "human"
    if person.machine != "machine":
        return person.machine
    return "machine_end_beep" if wish == "DetectMessageEnd" else "machine_start"
