"""What came back: whose reply is this, and what does it mean for the next reminder?

A reply may hold the next step until a person has read it. It never changes money, addresses or consent.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReplyKind(StrEnum):
    HUMAN = "human"
    OUT_OF_OFFICE = "out of office"
    BOUNCE = "bounce"
    MACHINE = "machine"


class MatchedBy(StrEnum):
    """The evidence that a reply belongs to an account, strongest first. Two different answers are no answer."""

    TOKEN = "token"  # noqa: S105 - a word, not a secret
    THREAD = "thread"
    INVOICE_NUMBER = "invoice number"
    SENDER = "sender"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message from outside, read but not yet matched. `text` is the whole, `said` what is new in it.

    `tokens` are signed addresses found in any recipient field; `answers` the Message-IDs it refers to.
    """

    kind: ReplyKind
    sender: str
    sender_name: str
    subject: str
    text: str
    said: str
    sent_at: datetime | None
    message_id: str = ""
    tokens: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    failed_recipient: str = ""


def holds_the_next_step(kind: ReplyKind) -> bool:
    """Only what a person wrote waits for a person. A bounce holds by itself, as a refused address."""
    return kind is ReplyKind.HUMAN
