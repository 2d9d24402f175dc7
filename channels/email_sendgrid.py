"""Email by SendGrid: reminders leave by its API, and it tells of deliveries and hands answers in at our doors.

SendGrid takes no key that would make a second try harmless. So each mail carries marks of ours that come back with
every event and stand in SendGrid's logs: a mail whose answer was lost is found by them, and never sent again by itself.

The doors are `<public_url>/hooks/email_sendgrid/events` (Event Webhook) and `…/inbound` (Inbound Parse). Posts are
believed when they are signed, or, without a public key in the settings, when their address ends in the secret.
"""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels import (
    Channel,
    Clock,
    Collected,
    DeliveryEvent,
    Heard,
    Message,
    NotLetIn,
    Outcome,
    Posted,
    Receipt,
    Refused,
    Unavailable,
    Unsure,
)
from channels._letter import NotSendable, on_the_wire
from channels._mail_reading import read_mail
from channels._sendgrid_answers import Broken, Unreached, outcome_of
from channels._sendgrid_doors import Doors
from channels._sendgrid_events import read_event
from channels._sendgrid_mail import body_of, is_of
from channels._sendgrid_sign_in import sign_in
from channels._sendgrid_signature import read_keys
from engine.replies import Reply

MEDIUM = "email"
FAR_BACK = timedelta(days=3)
CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Settings:
    """What to know of the account at SendGrid. In Europe `host` is https://api.eu.sendgrid.com.

    Public keys may be several, separated by blanks, while one replaces another. `door_secret` closes the doors for an
    account that signs nothing. A `{day}` in `category` becomes the day of sending. `evidence`: a mail in doubt is
    looked for in the Email Logs, at these distances in minutes, because they are late by an unknown time.
    """

    api_key: str = field(repr=False, metadata={"secret": True})
    from_address: str = ""
    from_name: str = ""
    reply_mailbox: str = ""
    host: str = "https://api.sendgrid.com"
    subuser: str = ""
    event_public_key: str = ""
    inbound_public_key: str = ""
    door_secret: str = field(default="", repr=False, metadata={"secret": True})
    category: str = ""
    suppress_out_of_office: bool = False
    evidence: bool = True
    evidence_waits: tuple[int, ...] = (2, 10, 30, 120)
    evidence_candidates: int = 20
    inbound_megabytes: int = 35
    connect_seconds: float = 10.0
    answer_seconds: float = 30.0
    keep_line_seconds: float = 45.0

    def __post_init__(self) -> None:
        if "@" not in self.from_address:
            raise ValueError("from_address is missing: write the address that your reminders come from")
        if not re.fullmatch(r"[!-~]+", self.api_key):
            raise ValueError("api_key is no key of SendGrid's: it has letters, digits, dots and dashes only")
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9./-]*)?", self.host):
            raise ValueError(f"host must be an address such as https://api.sendgrid.com, not '{self.host}'")
        for keys in (self.event_public_key, self.inbound_public_key):
            read_keys(keys)


def channel(settings: Settings, *, clock: Clock, doors: str = "") -> Channel:  # noqa: ARG001 - they are set at SendGrid
    return _SendGrid(settings, clock)


class _SendGrid:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.sender = settings.from_address
        self.sender_name = settings.from_name
        self.replies_to = settings.reply_mailbox or settings.from_address
        self.evidence_waits = tuple(timedelta(minutes=wait) for wait in settings.evidence_waits if settings.evidence)
        self._settings, self._clock = settings, clock
        self._doors = Doors(
            event_keys=read_keys(settings.event_public_key),
            inbound_keys=read_keys(settings.inbound_public_key),
            secret=settings.door_secret,
            largest=settings.inbound_megabytes * 1024 * 1024,
        )
        self._lock = threading.Lock()
        self._opened: Any = None

    def send(self, message: Message) -> Outcome:
        chosen = self._settings
        message = self._from_us(message)
        category = chosen.category.replace("{day}", f"{self._clock():%Y-%m-%d}")
        try:
            body = body_of(message, category=category, suppress_out_of_office=chosen.suppress_out_of_office)
        except NotSendable as problem:
            return Refused(str(problem))
        try:
            answer = self._api().mail.send.post(request_body=body)
        except Unreached as problem:
            return Unavailable(f"SendGrid cannot be reached at {chosen.host}: {problem}")
        except Broken as problem:
            return Unsure(f"SendGrid broke off before it said whether it took the mail: {problem}")
        attempt = message.attempt
        return outcome_of(answer.status_code, answer.headers, answer.body, attempt=attempt, now=self._clock())

    def find(self, message: Message) -> Receipt | None:
        """A mail with our marks in the Email Logs. They are late, and end after thirty days."""
        if not self._settings.evidence:
            return None
        message = self._from_us(message)
        try:
            for row in self._candidates(message):
                answer = self._api().logs._(row["sg_message_id"]).get()
                marks = json.loads(answer.body).get("custom_args") if answer.status_code == 200 else None
                if isinstance(marks, dict) and is_of(message, marks):
                    return self._found(row)
        except (Unreached, Broken, NotSendable, ValueError, TypeError, AttributeError, LookupError):
            return None  # a search that fails proves as little as one that finds nothing
        return None

    def sign_in(self) -> str:
        """Who lets us in to send; nothing is sent. Raises NotLetIn."""
        chosen = self._settings
        try:
            sign_in(self._api(), host=chosen.host, evidence=chosen.evidence)
        except UnicodeError as problem:
            raise NotLetIn(f"the key cannot be a key of SendGrid's: {problem}", "Copy api_key once more.") from problem
        return f"SendGrid at {chosen.host}"

    def collect(self, bookmark: str | None) -> Iterator[Collected]:  # noqa: ARG002 - everything is handed in
        yield from ()

    def hear(self, posted: Posted) -> Heard:
        return self._doors.hear(posted)

    def read(self, raw: bytes) -> Reply | DeliveryEvent:
        """An event is stored as an object of JSON, and no mail begins with a brace."""
        if raw.startswith(b"{"):
            return read_event(raw)
        return read_mail(raw, ours=(self._settings.from_address, self._settings.reply_mailbox))

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.way_out.close()
                self._opened = None

    def _from_us(self, message: Message) -> Message:
        return replace(
            message,
            from_address=message.from_address or self._settings.from_address,
            from_name=message.from_name or self._settings.from_name,
        )

    def _api(self) -> Any:
        """SendGrid's library, which takes its time to load and is needed by those alone who use it."""
        from channels._sendgrid_client import sendgrid

        chosen = self._settings
        with self._lock:
            if self._opened is None:
                self._opened = sendgrid(
                    chosen.api_key,
                    chosen.host.rstrip("/"),
                    subuser=chosen.subuser,
                    connect=chosen.connect_seconds,
                    answer=chosen.answer_seconds,
                    keep=chosen.keep_line_seconds,
                )
            return self._opened

    # --- evidence

    def _candidates(self, message: Message) -> list[dict[str, Any]]:
        """The mails to this address since the attempt: those about the same first, then those soonest after it.

        The list shows no marks.
        """
        since = (message.since or self._clock() - FAR_BACK) - CLOCKS_DIFFER
        rows: list[dict[str, Any]] = []
        address = on_the_wire(message.to)
        for spelling in dict.fromkeys((address, address.lower())):
            query = f"to_email = {_quoted(spelling)} AND sg_message_id_created_at >= {_moment(since)}"
            answer = self._api().logs.post(request_body={"query": query, "limit": 200})
            if answer.status_code == 200:
                rows += json.loads(answer.body)["messages"]
        soonest = "sg_message_id_created_at" if message.since else ""
        rows.sort(key=lambda row: (row.get("subject") != message.subject, str(row.get(soonest))))
        return rows[: self._settings.evidence_candidates]

    def _found(self, row: dict[str, Any]) -> Receipt:
        try:
            at = datetime.fromisoformat(str(row.get("sg_message_id_created_at")))
        except ValueError:
            at = self._clock()
        at = at if at.tzinfo else self._clock()
        return Receipt(str(row["sg_message_id"]).partition(".")[0], at, "It was found in SendGrid's Email Logs.")


def _quoted(text: str) -> str:
    """As a string of the logs' language, which knows both kinds of quotes."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def _moment(at: datetime) -> str:
    return f'TIMESTAMP "{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'
