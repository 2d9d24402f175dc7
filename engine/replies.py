"""What came back: who wrote it, a person or a machine, and what does it mean for the next reminder?

A reply may hold the next step until a person has read it. It never changes money, addresses or consent; but whoever
says "stop" by the agreed word is taken at that word, at once.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ReplyKind(StrEnum):
    HUMAN = "human"
    OUT_OF_OFFICE = "out of office"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    RECEIPT = "read receipt"
    BULK = "bulk"
    MACHINE = "machine"


class MatchedBy(StrEnum):
    """The evidence that a reply belongs to an account, strongest first. Two different answers are no answer."""

    TOKEN = "token"  # noqa: S105 - a word, not a secret
    THREAD = "thread"
    INVOICE_NUMBER = "invoice number"
    SENDER = "sender"
    PERSON = "person"


class Keyword(StrEnum):
    """A text message that consists of the one word by which people leave, come back, or ask what this is."""

    STOP = "stop"
    START = "start"
    HELP = "help"


class Attached(NamedTuple):
    """A file that came with a reply. `place` is its place among the mail's parts, `size` its bytes when unpacked."""

    place: int
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One message from outside, read but not yet matched. `text` is the whole, `said` what is new in it.

    `tokens` are the recipients that may be signed addresses of ours, as they are written, those of the envelope first;
    `answers` the Message-IDs it refers to. `recipient` is the mailbox or number of ours that it came to, `html` what an
    HTML mail shows, made harmless. `keyword` is what the provider made of the text, if it said so. `authentic` says in
    a few words what the mail servers found about the sender; it is never proof. `why` is what a mail server says of a
    mail that came back.
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
    recipient: str = ""
    html: str = ""
    attachments: tuple[Attached, ...] = ()
    keyword: Keyword | None = None
    authentic: str = ""
    why: str = ""


def holds_the_next_step(kind: ReplyKind) -> bool:
    """Only what a person wrote waits for a person. A bounce holds by itself, as a stopped address."""
    return kind is ReplyKind.HUMAN


def keyword_of(text: str) -> Keyword | None:
    """The keyword that a text message consists of, in any of several languages.

    The word has to stand alone, as the networks themselves demand it: "stop please" is for a person to read. YES is
    none either, although some networks take it for START: it is what people write who mean to pay.
    """
    word = re.sub(r"[\W_]+", "", text).casefold()
    return _KEYWORDS.get(word)


_WORDS = {
    Keyword.STOP: (
        *("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout", "stopp", "abmelden"),
        *("abbestellen", "arret", "arrêt", "desabonner", "désabonner", "baja", "parar", "alto", "basta", "cancella"),
        *("afmelden", "avsluta", "sluta", "pare", "sair", "lopeta", "koniec"),
    ),
    Keyword.START: ("start", "unstop", "optin", "anmelden", "reprendre", "alta"),
    Keyword.HELP: ("help", "info", "hilfe", "aide", "ayuda", "aiuto"),
}
_KEYWORDS = {word: keyword for keyword, words in _WORDS.items() for word in words}
