"""Calls by Twilio: a person of ours is rung, and puts themselves through to the debtor with one key.

`connect` makes such a call, and what becomes of it is told at our doors, leg by leg, in the words of
`channels._calling`. `send` makes a call by machine, to countries for which that was allowed in the configuration and
to people who have agreed to it: it says who calls and for whom, and what the call is about only to whoever has
confirmed that they are the right person. Nothing is recorded. Twilio asks at our doors what to do next on each call, so
it must be able to reach this server; the address of each door says in sealed words what the call is about, and in which
language the firm speaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers

from channels import (
    Channel,
    ClickToCall,
    Clock,
    Collected,
    DeliveryEvent,
    Forged,
    Heard,
    Message,
    NoSuchDoor,
    Outcome,
    Posted,
    Receipt,
    Refused,
    Unavailable,
)
from channels._call_events import event_id, event_of
from channels._call_script import Script
from channels._sealed import sealed, unsealed
from channels._twilio import EVIDENCE_WAITS, check_keys, check_number, hour, is_number, reachable
from channels._twilio_line import HOME, Failed, TwilioLine
from channels._twilio_posts import Said, genuine, kept, read_raw, said_in
from channels._twilio_sign_in import sign_in
from engine.replies import Reply

MEDIUM = "call"
XML = "text/xml; charset=utf-8"
EVENTS = ["initiated", "ringing", "answered", "completed"]
OVERLAP = timedelta(seconds=5)
"""Twilio's clock and ours may differ by so much, where two calls in a row must not be taken for one another."""

LONGEST_SAID = 1000
LONGEST_ADDRESS = 2000
OVER = ("completed", "busy", "no-answer", "failed", "canceled")
"""How a call may have ended (https://www.twilio.com/docs/voice/api/call-resource, Status)."""

ASKED = ("agent", "joined", "hello", "who", "choice")
"""Doors at which Twilio asks what to do next; their address is sealed. At `leg` and `done` it tells what has happened,
and the address has the signed token of the attempt."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The account at Twilio and the number that calls come from.

    `agent_number` is rung where a person of ours has no number of their own, and is where debtors are put through to.
    `callback_number` is what a voicemail is asked to ring; without one, the number that calls. `automatic_countries`
    are those (ISO 3166, as `GB DE`) to whose numbers a machine may speak, if the person has agreed. `leave_message`: a
    voicemail hears a name and a number. `most_minutes` ends a call that was forgotten.
    """

    account_sid: str
    auth_token: str = field(repr=False, metadata={"secret": True})
    from_number: str
    api_key: str = ""
    api_secret: str = field(default="", repr=False, metadata={"secret": True})
    webhook_key: str = field(default="", repr=False, metadata={"secret": True})
    sender_name: str = ""
    agent_number: str = ""
    callback_number: str = ""
    automatic_countries: str = ""
    leave_message: bool = True
    agent_ring_seconds: int = 25
    ring_seconds: int = 30
    most_minutes: int = 60
    connect_seconds: float = 5.0
    answer_seconds: float = 15.0
    base_url: str = HOME

    def __post_init__(self) -> None:
        check_keys(self)
        if not self.from_number:
            raise ValueError("from_number is missing: write the number that calls come from")
        for name in ("from_number", "agent_number", "callback_number"):
            check_number(name, getattr(self, name))
        for country in self.countries:
            if country not in phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(f"automatic_countries has '{country}'; write countries as in 'GB DE'")

    @property
    def countries(self) -> tuple[str, ...]:
        """Where a machine may call."""
        return tuple(self.automatic_countries.replace(",", " ").split())


def channel(settings: Settings, *, clock: Clock, doors: str) -> Channel:
    return _Calls(settings, clock, doors)


class _Calls:
    def __init__(self, settings: Settings, clock: Clock, doors: str) -> None:
        self.sender = settings.from_number
        self.sender_name = settings.sender_name
        self.replies_to = settings.callback_number or settings.from_number
        self.evidence_waits = EVIDENCE_WAITS
        self._settings, self._clock, self._doors = settings, clock, doors
        self._line = TwilioLine(settings, block="call_twilio", clock=clock)
        self._script = Script(
            doors=doors,
            agent_number=settings.agent_number,
            callback_number=self.replies_to,
            leave_message=settings.leave_message,
            ring_seconds=settings.ring_seconds,
        )

    # --- a call that a person makes

    def connect(self, call: ClickToCall) -> Outcome:
        agent, caller = call.agent or self._settings.agent_number, call.caller_id or self.sender
        if not is_number(agent):
            why = f"'{agent}' is not a number with its country, such as +447700900123" if agent else "nobody said where"
            return Refused(f"your own telephone cannot be rung: {why}. Write your number into your settings")
        if not is_number(call.debtor):
            return Refused(f"'{call.debtor}' is not a number with its country, such as +447700900123")
        about = {
            "token": call.token,
            "debtor": call.debtor,
            "name": call.debtor_name,
            "caller": caller,
            "language": call.language,
        }
        return self._ring("agent", agent, about, ring_for=self._settings.agent_ring_seconds)

    def look_up(self, call: ClickToCall) -> Receipt | None:
        return self._found(call.agent or self._settings.agent_number, call.since)

    # --- a call by machine

    def send(self, message: Message) -> Outcome:
        if (problem := self._not_for_a_machine(message)) is not None:
            return problem
        if message.valid_for is not None and message.valid_for < timedelta(minutes=1):
            return Unavailable("the debtor's hours of contact are over for today")
        about = {
            "token": message.token,
            "firm": message.from_name or self.sender_name,
            "name": message.to_name,
            "text": message.text,
            "caller": self.sender,
            "language": message.language,
        }
        detection = "DetectMessageEnd" if self._settings.leave_message else "Enable"
        return self._ring("hello", message.to, about, ring_for=self._settings.ring_seconds, machine_detection=detection)

    def find(self, message: Message) -> Receipt | None:
        return self._found(message.to, message.since)

    def sign_in(self) -> str:
        """Who lets us in to make calls; nobody is rung. Raises NotLetIn."""
        base_url = self._settings.base_url

        def newest(client: Any) -> object:
            return client.calls.list(limit=1, page_size=1)

        sign_in(self._line, newest, block="call_twilio", base_url=base_url, what="calls")
        return f"Twilio at {base_url}"

    def collect(self, bookmark: str | None) -> Iterator[Collected]:  # noqa: ARG002
        """Nothing waits for us: calls that come in are answered by people."""
        yield from ()

    # --- what Twilio asks and tells

    def hear(self, posted: Posted) -> Heard:
        door, _, address = posted.door.partition("/")
        leg = address.partition("/")[0]
        known = bool(address) and (door in (*ASKED, "done") or (door == "leg" and leg in ("agent", "debtor")))
        if not self._doors or not known:
            raise NoSuchDoor(f"calls have no door “{posted.door}”")
        settings = self._settings
        if not genuine(posted, doors=self._doors, auth_token=settings.auth_token, shared_key=settings.webhook_key):
            raise Forged("the post is not signed by Twilio, or public_url is not the address that Twilio was given")
        said = said_in(posted)
        if door == "leg":
            return Heard((kept(event_id(said), posted),), 204)
        if door == "done":
            return Heard((kept(event_id(said), posted),), 200, self._script.done(), XML)
        return self._asked(door, address, posted, said)

    def read(self, raw: bytes) -> Reply | DeliveryEvent:
        return event_of(read_raw(raw))

    def close(self) -> None:
        self._line.close()

    def _ring(self, door: str, to: str, about: dict[str, str], *, ring_for: int, **wishes: Any) -> Outcome:
        settings, doors = self._settings, self._doors
        if not reachable(doors, settings.base_url):
            return Unavailable(
                "Twilio cannot reach this server, and has to for every call: set public_url in [server] to an https "
                "address that the world can reach"
            )
        written = sealed(about, secret=settings.auth_token, at=int(self._clock().timestamp()))
        leg = "agent" if door == "agent" else "debtor"
        url = f"{doors}/{door}/{written}"
        if len(url) > LONGEST_ADDRESS:
            return Refused(f"what is to be said is too long for a call; keep it under {LONGEST_SAID} characters")
        given = {
            "to": to,
            "from_": settings.from_number,
            "url": url,
            "status_callback": f"{doors}/leg/{leg}/{about['token']}",
            "status_callback_event": EVENTS,
            "timeout": ring_for,
            "time_limit": settings.most_minutes * 60,
            "record": False,
        } | wishes
        try:
            sid: str = self._line.ask("making a call", lambda client: client.calls.create(**given).sid)
        except Failed as failed:
            return failed.outcome
        return Receipt(sid, self._clock())

    def _found(self, to: str, since: datetime | None) -> Receipt | None:
        """A call carries no words to know it by: only one single call to that number, begun while we were asking for
        it, is evidence.
        """
        if since is None or not is_number(to):
            return None
        asking = timedelta(seconds=self._settings.connect_seconds + self._settings.answer_seconds)
        since, until = since.astimezone(UTC) - OVERLAP, since.astimezone(UTC) + asking + OVERLAP
        wanted = {"to": to, "from_": self.sender, "start_time_after": since.date().isoformat(), "limit": 50}
        try:
            calls = self._line.ask("looking for a call", lambda client: client.calls.list(**wanted))
        except Failed:
            return None
        fitting = [
            call
            for call in calls
            if call.direction == "outbound-api" and since <= (hour(call.date_created) or since) <= until
        ]
        if len(fitting) != 1:
            return None
        (call,) = fitting
        return Receipt(call.sid, hour(call.date_created) or self._clock(), over=call.status in OVER)

    def _not_for_a_machine(self, message: Message) -> Refused | None:
        if not is_number(message.to):
            return Refused(f"'{message.to}' is not a number with its country, such as +447700900123")
        country = _country_of(message.to)
        if country not in self._settings.countries:
            return Refused(
                f"no machine may call numbers in {country or 'an unknown country'}: a person has to make this call, or "
                "the country has to be added to automatic_countries in [call_twilio]"
            )
        if not message.consent:
            return Refused("nobody has written down that this person agreed to be called by a machine")
        if not message.text.strip() or len(message.text) > LONGEST_SAID:
            return Refused(f"what is said on a call has 1 to {LONGEST_SAID} characters; this has {len(message.text)}")
        return None

    def _asked(self, door: str, address: str, posted: Posted, said: Said) -> Heard:
        """What to do next. What has happened is kept under the token of the attempt, which outlives our keys."""
        try:
            about = unsealed(address, secret=self._settings.auth_token)
        except ValueError as problem:
            raise NoSuchDoor(str(problem)) from problem
        event = event_id(said)
        keep = (kept(event, replace(posted, door=f"{door}/{about['token']}")),) if event else ()
        return Heard(keep, 200, self._next(door, address, about, said), XML)

    def _next(self, door: str, address: str, about: dict[str, str], said: Said) -> bytes:
        digits = said.fields.get("Digits", "")
        match door:
            case "agent":
                return self._script.agent(address, about)
            case "joined":
                return self._script.joined(about, digits)
            case "hello":
                return self._script.hello(address, about, said.fields.get("AnsweredBy", ""))
            case "who":
                return self._script.who(address, about, digits)
        return self._script.choice(address, about, digits)


def _country_of(number: str) -> str:
    """The country of a number; where it belongs to none of a shared code, the one that the code is known for."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
