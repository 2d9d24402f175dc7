"""How we speak and listen: the one door to email, and to every other way of reaching a debtor.

A channel carries one message and says honestly what became of it: it went, it was refused, it could not be tried, or
nobody knows. What comes back it collects, or hears at its own door, where only posts are let in that their provider has
signed. Each adapter is one file in this folder; the file is its registration.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from channels._calling import Caller, ClickToCall
from channels._reply_address import Token, read_token, read_tokens, reply_address, token_of
from engine.replies import Reply

__all__ = [
    "Attachment",
    "Caller",
    "Channel",
    "ClickToCall",
    "Collected",
    "Delivery",
    "DeliveryEvent",
    "Forged",
    "Heard",
    "Kept",
    "Message",
    "NoSuchDoor",
    "NotLetIn",
    "Outcome",
    "Posted",
    "Receipt",
    "Refused",
    "Token",
    "Unavailable",
    "Unsure",
    "file_in",
    "kinds",
    "medium_of",
    "open_channel",
    "read_token",
    "read_tokens",
    "reply_address",
    "settings_of",
    "token_of",
]

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message. `name` is ASCII: some providers garble anything else.

    With a `content_id` it is a picture inside the HTML part, which shows it by `cid:`.
    """

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A reminder put into words and addressed. `attempt` is our own id of this one try, known before the call.

    For a text message or a call `to` is a number in the form of E.164 and `text` is what is sent or said. `token` is
    the account and the attempt, signed, as a callback's address carries it (see `read_token`). `valid_for`: after so
    long it may not arrive any more, because the debtor's hours of contact are over; None: at any time. `since` is when
    the attempt was written down: a look-up need not go further back. `consent` says how and when the person agreed to
    be called by a machine; without it no automatic call is made. `language` (RFC 5646, as `de-AT`) is the one that the
    firm writes in: a channel that has words of its own to say says them in it.
    """

    attempt: str
    message_id: str
    to: str
    to_name: str
    subject: str
    text: str
    html: str = ""
    from_address: str = ""
    from_name: str = ""
    reply_to: str = ""
    cc: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = field(default=())
    token: str = ""
    valid_for: timedelta | None = None
    since: datetime | None = None
    consent: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """It went: the provider took responsibility for it. `provider_id` is the provider's own name for it.

    `note` is a sentence when not all of it went, such as a refused copy. `over`: a call that has ended since.
    """

    provider_id: str
    at: datetime
    note: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not go and will not: the address is bad, the content was rejected. Tell a person.

    `opted_out`: whoever has this address does not want to hear from us by this channel.
    """

    why: str
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It certainly did not go, for a reason that passes. Try again later, not before `until` if that is known."""

    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unsure:
    """It may or may not have gone. Only evidence or a person may settle it; never send it again by yourself."""

    why: str


Outcome = Receipt | Refused | Unavailable | Unsure


class Collected(NamedTuple):
    """One raw message that was waiting for us. Once it is stored, `bookmark` says where to go on."""

    event_id: str
    raw: bytes
    bookmark: str


class Delivery(StrEnum):
    """What a provider says later of a message it took. Events come late, twice and in any order."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    FAILED = "failed"
    COMPLAINT = "complaint"
    OPTED_OUT = "opted out"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """What became of one message or call, by the provider's word, about the `attempt` (our id; "" when not said).

    `token` is the signed one of the message where the post carries it instead. `stops_address`: nothing more may be
    sent to `recipient` by this channel until a person has looked. `why` is text from a stranger. `message_id` is the
    Message-ID that the debtor's mail programme has seen, where the provider chose it. `details` are small facts of the
    adapter's own, such as the seconds that a call took or the key that was pressed.
    """

    kind: Delivery
    attempt: str = ""
    token: str = ""
    provider_id: str = ""
    recipient: str = ""
    message_id: str = ""
    why: str = ""
    at: datetime | None = None
    stops_address: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """A post from outside as it arrived. `door` is what its address says after `/hooks/<kind>/`, `query` after the `?`,

    both as they were written; header names are in lower case; `body` is the raw bytes.
    """

    door: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class Kept(NamedTuple):
    """One thing to store before the post is answered. With a `problem` it is kept for a person and read by nobody."""

    event_id: str
    raw: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a post holds, and the answer that its provider expects once that is stored."""

    keep: tuple[Kept, ...] = ()
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class Forged(Exception):
    """The post was not signed by the provider. Nothing of it is kept; the answer is 401."""


class NoSuchDoor(Exception):
    """This channel has no door of that name. The answer is 404."""


class NotLetIn(OSError):
    """A provider does not let us in, or not to all that is needed; the message says why. `do`: what to do about it.

    `partly`: messages can leave all the same.
    """

    def __init__(self, says: str, do: str, *, partly: bool = False) -> None:
        super().__init__(says)
        self.do, self.partly = do, partly


class Channel(Protocol):
    """One way of reaching people. Thread-safe; keeps its own connections.

    `sender` is the address that its messages come from and `sender_name` the name of it, for organisations that have
    chosen none; `replies_to` is the address that answers go to.
    """

    sender: str
    sender_name: str
    replies_to: str

    def send(self, message: Message) -> Outcome:
        """Tries once."""

    def find(self, message: Message) -> Receipt | None:
        """Evidence, after a crash, that this very attempt was taken by the provider. None proves nothing."""

    def collect(self, bookmark: str | None) -> Iterator[Collected]:
        """What came in since the bookmark, oldest first, each unchanged and unread. Raises OSError when unreachable."""

    def hear(self, posted: Posted) -> Heard:
        """Checks one post at its door, on its raw bytes. Raises Forged or NoSuchDoor."""

    def read(self, raw: bytes) -> Reply | DeliveryEvent:
        """Understands one raw message. Raises ValueError with a sentence when it cannot be understood."""

    def close(self) -> None:
        """Lets go of kept connections."""


@cache
def kinds() -> tuple[str, ...]:
    """The channels we have: one for each file in this folder that does not begin with an underscore."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def settings_of(kind: str) -> type[Any]:
    """The dataclass of this channel's settings. Raises LookupError for an unknown kind."""
    settings: type[Any] = _adapter(kind).Settings
    return settings


def medium_of(kind: str) -> str:
    """What this channel carries: `email`, `sms` or `call`. Raises LookupError for an unknown kind."""
    medium: str = _adapter(kind).MEDIUM
    return medium


def file_in(kind: str, raw: bytes, place: int) -> tuple[str, str, bytes]:
    """Name, type and content of one file of a raw message that this channel has stored (see `engine.replies.Attached`).

    Nothing in it has been looked at. Raises LookupError when there is no such file.
    """
    if medium_of(kind) != "email":
        raise LookupError("Only mails have files with them.")
    from channels._mail_files import file_in as file_in_mail

    return file_in_mail(raw, place)


def open_channel(kind: str, settings: Any, *, clock: Clock, public_url: str = "") -> Channel:
    """A channel ready to be used. Makes no connection yet.

    Its provider reaches its doors at `<public_url>/hooks/<kind>/…`; without a public address it has none.
    """
    doors = f"{public_url.rstrip('/')}/hooks/{kind}" if public_url else ""
    channel: Channel = _adapter(kind).channel(settings, clock=clock, doors=doors)
    return channel


def _adapter(kind: str) -> ModuleType:
    if kind not in kinds():
        raise LookupError(f"there is no channel of the kind '{kind}'; known are {', '.join(kinds())}")
    return importlib.import_module(f"channels.{kind}")
