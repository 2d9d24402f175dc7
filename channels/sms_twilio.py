"""Text messages by Twilio: one number or messaging service of the firm's own, and the answers that come back to it.

Twilio takes no key that would make a second sending harmless. So each text carries the address of a door of ours with
the attempt in it, and what Twilio tells there is the evidence; without it the list of texts is looked through for the
very words. No text waits at Twilio longer than the debtor's hours of contact last.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from channels import (
    Channel,
    Clock,
    Collected,
    Delivery,
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
from channels._twilio import EVIDENCE_WAITS, check_keys, check_number, hour, is_number, reachable
from channels._twilio_failures import BAD_NUMBER, DOUBT, OPTED_OUT, why_not_delivered
from channels._twilio_line import HOME, Failed, TwilioLine
from channels._twilio_posts import Said, genuine, kept, raw_of, read_raw, said_in
from channels._twilio_sign_in import sign_in
from engine.replies import Keyword, Reply, ReplyKind

MEDIUM = "sms"
LONGEST = 1600
LONGEST_WAIT = 36000
NOTHING = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
OVERLAP = timedelta(seconds=30)
"""Twilio's clock and ours may differ by so much, where two tries must not be taken for one another."""

LATE = timedelta(hours=1)
"""A text may show up in the list so much later than it was sent."""

DELIVERIES = {
    "accepted": Delivery.ACCEPTED,
    "scheduled": Delivery.ACCEPTED,
    "queued": Delivery.ACCEPTED,
    "sending": Delivery.ACCEPTED,
    "sent": Delivery.ACCEPTED,
    "delivered": Delivery.DELIVERED,
    "partially_delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The account at Twilio, and the number or messaging service that texts come from.

    `valid_minutes`: a text that has waited so long at Twilio is not sent any more; the debtor's hours may make it less.
    `collect_minutes`: how often the list of texts is looked through for answers that were not posted to us (0: never);
    where Twilio cannot reach us that is the only way, and is done at every round. `webhook_key` is the secret of
    a SharedKey, if Twilio signs its posts with one instead of the auth token.
    """

    account_sid: str
    auth_token: str = field(repr=False, metadata={"secret": True})
    from_number: str = ""
    messaging_service_sid: str = ""
    api_key: str = ""
    api_secret: str = field(default="", repr=False, metadata={"secret": True})
    webhook_key: str = field(default="", repr=False, metadata={"secret": True})
    sender_name: str = ""
    valid_minutes: int = 240
    collect_minutes: int = 60
    connect_seconds: float = 5.0
    answer_seconds: float = 15.0
    base_url: str = HOME

    def __post_init__(self) -> None:
        check_keys(self)
        check_number("from_number", self.from_number)
        if not self.from_number and not self.messaging_service_sid:
            raise ValueError("from_number is missing: write the number, or the messaging_service_sid, that texts from")
        if not 1 <= self.valid_minutes <= LONGEST_WAIT // 60:
            raise ValueError(f"valid_minutes is {self.valid_minutes}; Twilio lets a text wait from 1 to 600 minutes")


def channel(settings: Settings, *, clock: Clock, doors: str) -> Channel:
    return _Texts(settings, clock, doors)


class _Texts:
    def __init__(self, settings: Settings, clock: Clock, doors: str) -> None:
        self.sender = settings.from_number or settings.messaging_service_sid
        self.sender_name = settings.sender_name
        self.replies_to = self.sender
        self.evidence_waits = EVIDENCE_WAITS
        self._settings, self._clock, self._doors = settings, clock, doors
        self._reachable = reachable(doors, settings.base_url)
        self._line = TwilioLine(settings, block="sms_twilio", clock=clock)
        self._collected_at: datetime | None = None
        self.begun: str | None = None

    def send(self, message: Message) -> Outcome:
        if (problem := _not_sendable(message)) is not None:
            return problem
        valid = self._valid_seconds(message)
        if valid < 1:
            return Unavailable("the debtor's hours of contact are over for today")
        settings = self._settings
        given: dict[str, Any] = {
            "to": message.to,
            "body": message.text,
            "validity_period": valid,
            # Words are made to fit beforehand, where their length can be seen; nobody else changes them.
            "smart_encoded": False,
        }
        if settings.from_number:
            given["from_"] = settings.from_number
        if settings.messaging_service_sid:
            given["messaging_service_sid"] = settings.messaging_service_sid
        if self._reachable and message.token:
            given["status_callback"] = f"{self._doors}/status/{message.token}"
        try:
            sid: str = self._line.ask("sending a text", lambda client: client.messages.create(**given).sid)
        except Failed as failed:
            return failed.outcome
        return Receipt(sid, self._clock())

    def find(self, message: Message) -> Receipt | None:
        """Looks through the texts to that number for the very words, taken in while we were handing this attempt over.

        Only one that fits is evidence: two alike could be of two attempts. A text that waits has no day yet, so the
        newest are looked through without one as well.
        """
        if message.since is None:
            return None
        handing = timedelta(seconds=self._settings.connect_seconds + self._settings.answer_seconds)
        since, until = message.since.astimezone(UTC) - OVERLAP, message.since.astimezone(UTC) + handing + OVERLAP
        try:
            dated = self._line.ask(
                "looking for a text",
                lambda client: client.messages.list(to=message.to, date_sent_after=since.date().isoformat(), limit=200),
            )
            newest = self._line.ask(
                "looking for a text", lambda client: client.messages.list(to=message.to, limit=50, page_size=50)
            )
        except Failed:
            return None
        fitting = {
            text.sid: text
            for text in (*dated, *newest)
            if text.direction == "outbound-api"
            and (text.body or "").strip() == message.text.strip()
            and since <= (hour(text.date_created) or since) <= until
        }
        if len(fitting) != 1:
            return None
        (text,) = fitting.values()
        lost = text.status in ("failed", "undelivered")
        note = f"it did not arrive: {why_not_delivered(text.error_code or 0)}" if lost else ""
        return Receipt(text.sid, hour(text.date_created) or self._clock(), note)

    def sign_in(self) -> str:
        """Who lets us in to send; nothing is sent. Raises NotLetIn."""
        base_url = self._settings.base_url

        def newest(client: Any) -> object:
            return client.messages.list(limit=1, page_size=1)

        sign_in(self._line, newest, block="sms_twilio", base_url=base_url, what="messages")
        return f"Twilio at {base_url}"

    def collect(self, bookmark: str | None) -> Iterator[Collected]:
        """Answers by the list of texts, for those that no post has told us of, because we were away."""
        now, before = self._clock(), self._collected_at
        wait = timedelta(minutes=self._settings.collect_minutes if self._reachable else 0)
        if not self._settings.collect_minutes or (before is not None and now < before + wait):
            return
        # Whatever came before the last time is stored; a bookmark may be of an answer that came weeks ago.
        since = max(_hour_in(bookmark) or now - timedelta(days=1), before or datetime.min.replace(tzinfo=UTC))
        wanted: dict[str, Any] = {
            "date_sent_after": (since - LATE).date().isoformat(),
            "limit": 5000,
            "page_size": 1000,
        }
        if self._settings.from_number and not self._settings.messaging_service_sid:
            wanted["to"] = self._settings.from_number
        try:
            found = self._line.ask("collecting answers", lambda client: client.messages.list(**wanted))
        except Failed as failed:
            raise ConnectionError(str(failed).removesuffix(DOUBT)) from failed
        inbound = [(hour(text.date_sent) or since, text) for text in reversed(found) if text.direction == "inbound"]
        for at, text in sorted(inbound, key=lambda pair: pair[0]):
            if at >= since - LATE:
                yield Collected(text.sid, raw_of("reply", _fields_of(text, at)), max(at, since).isoformat())
        self._collected_at, self.begun = now, self.begun or now.isoformat()

    def hear(self, posted: Posted) -> Heard:
        door, _, token = posted.door.partition("/")
        if not self._doors or door not in ("reply", "status") or bool(token) != (door == "status"):
            raise NoSuchDoor(f"text messages have no door “{posted.door}”")
        settings = self._settings
        if not genuine(posted, doors=self._doors, auth_token=settings.auth_token, shared_key=settings.webhook_key):
            raise Forged("the post is not signed by Twilio, or public_url is not the address that Twilio was given")
        said = said_in(posted)
        sid, status = said.fields.get("MessageSid", ""), said.fields.get("MessageStatus", "")
        if not sid:
            return Heard()  # signed, and about no message: a test from Twilio's console
        if door == "reply":
            return Heard((kept(sid, posted),), 200, NOTHING, "text/xml; charset=utf-8")
        return Heard((kept(f"{sid} {status}", posted),), 204)

    def read(self, raw: bytes) -> Reply | DeliveryEvent:
        said = read_raw(raw)
        return _reply(said) if said.door == "reply" else _delivery(said)

    def close(self) -> None:
        self._line.close()

    def _valid_seconds(self, message: Message) -> int:
        most = timedelta(minutes=self._settings.valid_minutes)
        return int((most if message.valid_for is None else min(most, message.valid_for)).total_seconds())


def _not_sendable(message: Message) -> Refused | None:
    if not is_number(message.to):
        return Refused(f"'{message.to}' is not a number with its country, such as +447700900123")
    if not message.text.strip():
        return Refused("the text is empty")
    if len(message.text) > LONGEST:
        return Refused(f"the text has {len(message.text)} characters; a text message may have {LONGEST}")
    return None


def _reply(said: Said) -> Reply:
    body = said.fields.get("Body", "")
    files = [said.fields[name] for name in said.fields if name.startswith("MediaUrl")]
    count = said.fields.get("NumMedia", "0")
    note = "" if count in ("", "0") else f"\n[{count} file(s) came with it and are kept at Twilio: {' '.join(files)}]"
    return Reply(
        kind=ReplyKind.HUMAN,
        sender=said.field("From"),
        sender_name=said.fields.get("ProfileName", ""),
        subject="",
        text=body + note,
        said=(body + note).strip(),
        sent_at=hour(said.fields.get("DateSent")),
        message_id=said.field("MessageSid"),
        recipient=said.fields.get("To", ""),
        keyword=_keyword(said.fields.get("OptOutType", "")),
    )


def _keyword(opt_out_type: str) -> Keyword | None:
    """What Twilio's Advanced Opt-Out made of it (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out)."""
    try:
        return Keyword(opt_out_type.strip().lower())
    except ValueError:
        return None


def _delivery(said: Said) -> DeliveryEvent:
    status, written = said.field("MessageStatus"), said.fields.get("ErrorCode", "")
    code = int(written) if written.isascii() and written.isdigit() else 0
    if status not in DELIVERIES:
        raise ValueError(f"Twilio tells of a text that it is “{status}”, which is no word that we know")
    kind = DELIVERIES[status]
    failed = kind is Delivery.FAILED
    if failed and code == OPTED_OUT:
        kind = Delivery.OPTED_OUT
    return DeliveryEvent(
        kind=kind,
        token=said.door.partition("/")[2],
        provider_id=said.field("MessageSid"),
        recipient=said.fields.get("To", ""),
        why=why_not_delivered(code) if failed else "",
        stops_address=failed and (code in BAD_NUMBER or code == OPTED_OUT),
        details={"status": status} | ({"code": written} if code else {}),
    )


def _fields_of(text: Any, at: datetime) -> dict[str, str]:
    """The same fields as Twilio posts, from a row of its list."""
    return {
        "MessageSid": text.sid,
        "From": text.from_ or "",
        "To": text.to or "",
        "Body": text.body or "",
        "NumMedia": text.num_media or "0",
        "DateSent": f"{at:%a, %d %b %Y %H:%M:%S} +0000",
    }


def _hour_in(bookmark: str | None) -> datetime | None:
    return datetime.fromisoformat(bookmark) if bookmark else None
