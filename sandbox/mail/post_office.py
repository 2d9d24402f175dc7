"""Where all letters lie: those the firm sent, and those in its reply mailbox.

A letter is kept as the raw bytes that came over the line, with the envelope it came in and the hour it arrived;
nothing is read into it until somebody asks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter as the firm's mail server took it."""

    index: int
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    received_at: datetime


@dataclass(slots=True, eq=False)
class Delivered:
    """A letter in the firm's INBOX."""

    uid: int
    raw: bytes
    received_at: datetime
    flags: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Mailbox:
    user: str
    password: str
    validity: int
    letters: list[Delivered] = field(default_factory=list)
    next_uid: int = 1

    def deliver(self, raw: bytes, at: datetime) -> Delivered:
        letter = Delivered(self.next_uid, raw, at)
        self.next_uid += 1
        self.letters.append(letter)
        return letter


class PostOffice:
    def __init__(self, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now, self.new_id = now, new_id
        self.sent: list[Sent] = []
        self.home_domains: set[str] = set()
        self.mailbox = Mailbox("replies", "sandbox", validity=1)

    def take(self, sender: str, recipients: list[str], raw: bytes) -> Sent:
        """A letter came in by SMTP. Addressed to the firm itself, it also lies in the INBOX."""
        letter = Sent(len(self.sent), sender, tuple(recipients), raw, self._now())
        self.sent.append(letter)
        if any(address.rpartition("@")[2].lower() in self.home_domains for address in recipients):
            self.mailbox.deliver(b"Return-Path: <%s>\r\n" % sender.encode() + raw, letter.received_at)
        return letter

    def deliver(self, raw: bytes) -> Delivered:
        return self.mailbox.deliver(raw, self._now())

    def renumber(self) -> None:
        """A mailbox rebuilt by its provider: another UIDVALIDITY, and every letter has a new number."""
        box = self.mailbox
        box.validity += 1
        for uid, letter in enumerate(box.letters, 1):
            letter.uid = uid
        box.next_uid = len(box.letters) + 1
