"""How we speak and listen: the one door to email, and to every other way of reaching a debtor.

A channel carries one message and says honestly what became of it: it went, it was refused, it could not be tried, or
nobody knows. It also collects what comes back. Each adapter is one file in this folder; the file is its registration.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from channels._reply_address import Token, read_tokens, reply_address
from engine.replies import Reply

__all__ = [
    "Attachment",
    "Channel",
    "Collected",
    "Message",
    "Outcome",
    "Receipt",
    "Refused",
    "Token",
    "Unavailable",
    "Unsure",
    "kinds",
    "medium_of",
    "open_channel",
    "read_tokens",
    "reply_address",
    "settings_of",
]

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message. `name` is ASCII: some providers garble anything else."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A reminder put into words and addressed. `attempt` is our own id of this one try, known before the call."""

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


@dataclass(frozen=True, slots=True)
class Receipt:
    """It went: the provider took responsibility for it. `provider_id` is the provider's own name for it.

    `note` is a sentence when not all of it went, such as a refused copy.
    """

    provider_id: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not go and will not: the address is bad, the content was rejected. Tell a person."""

    why: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It certainly did not go, for a reason that passes. Try again later."""

    why: str


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

    def read(self, raw: bytes) -> Reply:
        """Understands one raw message. Raises ValueError with a sentence when it cannot be understood."""

    def close(self) -> None:
        """Lets go of kept connections."""


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


def open_channel(kind: str, settings: Any, *, clock: Clock) -> Channel:
    """A channel ready to be used. Makes no connection yet."""
    channel: Channel = _adapter(kind).channel(settings, clock=clock)
    return channel


def _adapter(kind: str) -> ModuleType:
    if kind not in kinds():
        raise LookupError(f"there is no channel of the kind '{kind}'; known are {', '.join(kinds())}")
    return importlib.import_module(f"channels.{kind}")
