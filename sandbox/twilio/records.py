"""What the practice Twilio writes down: texts, calls, and how each person behaves on the phone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

VALID_FOR = 36000  # seconds that a text may wait at Twilio, unless its sender says less


@dataclass(slots=True, eq=False)
class Text:
    """One message, out or in. `callback` is where its sender wants to hear of it."""

    sid: str
    direction: str
    to: str
    from_: str
    body: str
    status: str
    created: datetime
    segments: int
    service: str = ""
    callback: str = ""
    valid_for: int = VALID_FOR
    send_at: datetime | None = None
    sent: datetime | None = None
    updated: datetime | None = None
    error_code: int | None = None
    untold: list[str] = field(default_factory=list)

    @property
    def expires(self) -> datetime:
        return (self.send_at or self.created) + timedelta(seconds=self.valid_for)


@dataclass(slots=True, eq=False)
class PhoneCall:
    """One leg of a call. `wishes` are the parameters it was asked for with."""

    sid: str
    direction: str
    to: str
    from_: str
    created: datetime
    parent: str = ""
    status: str = "queued"
    callback: str = ""
    events: tuple[str, ...] = ("completed",)
    wishes: dict[str, str] = field(default_factory=dict)
    started: datetime | None = None
    seconds: int = 0
    answered_by: str = ""
    told: int = 0
    troubles: list[str] = field(default_factory=list)
    answered: bool = False
    ended: bool = False

    @property
    def finished(self) -> datetime | None:
        return self.started + timedelta(seconds=self.seconds) if self.ended and self.started else None


TAKEN_IN = ("heard", "voices")
"""What happens to a person, and is no behaviour of theirs."""


@dataclass(slots=True)
class Person:
    """Whoever has this number, and what they do when it rings or buzzes.

    answers: yes, busy, no-answer or failed. presses: what is pressed at each question, in turn; "" is silence.
    machine: "" for a person, else what is detected, as machine or fax. texts_end: delivered, sent (no receipt comes),
    undelivered or failed, with `code`. refuses: the number of the error with which Twilio will not even take a text or
    call for this phone. replies: what is texted back, one for each text, `reply_after` seconds later. heard: what was
    said to them, and voices: the language in which each of it was spoken.
    """

    answers: str = "yes"
    presses: list[str] = field(default_factory=list)
    machine: str = ""
    talks: int = 30
    texts_end: str = "delivered"
    code: int | None = None
    refuses: int = 0
    replies: list[str] = field(default_factory=list)
    reply_after: int = 600
    heard: list[str] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Number:
    """A number of ours, with the addresses that are told of what comes in."""

    number: str
    sms_url: str = ""
    in_service: bool = True


@dataclass(slots=True)
class Habits:
    """What Twilio does otherwise than one would hope, and may.

    queue_seconds: how long each text waits at Twilio. callbacks_doubled: each comes twice. callbacks_reversed: those of
    one text come last first. callbacks_lost: none comes. advanced_opt_out: posts of texts that came in say OptOutType,
    and free words such as "STOP PLEASE" are keywords too.
    """

    queue_seconds: int = 0
    callbacks_doubled: bool = False
    callbacks_reversed: bool = False
    callbacks_lost: bool = False
    advanced_opt_out: bool = False
