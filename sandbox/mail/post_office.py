"""Where all letters lie: those the firm sent, and those in its reply mailbox.

A letter is kept as the raw bytes that came over the line, with the envelope it came in and the hour it arrived;
nothing is read into it until somebody asks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.utils import getaddresses, parseaddr

Exchange = Callable[[str, list[str], bytes], None]
"""Whoever takes the mails for a domain: told the envelope's sender, its recipients and the mail, byte for byte."""


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
        self.exchanges: dict[str, Exchange] = {}
        self.mailbox = Mailbox("replies", "sandbox", validity=1)

    def take(self, sender: str, recipients: list[str], raw: bytes) -> Sent:
        """A letter came in by SMTP. Addressed to the firm itself, it also lies in the INBOX."""
        letter = Sent(len(self.sent), sender, tuple(recipients), raw, self._now())
        self.sent.append(letter)
        elsewhere = self._forwarded(sender, recipients, raw)
        if any(_domain(address) in self.home_domains for address in recipients if address not in elsewhere):
            self.mailbox.deliver(b"Return-Path: <%s>\r\n" % sender.encode() + raw, letter.received_at)
        return letter

    def deliver(self, raw: bytes) -> Delivered:
        """A letter from outside: into the INBOX, but for domains whose mails somebody else takes in (number 0 then)."""
        head = message_from_bytes(raw.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in raw else raw)
        people = [str(value) for name in ("To", "Cc") for value in head.get_all(name, [])]
        recipients = [address for _, address in getaddresses(people) if address]
        sender = parseaddr(str(head.get("Return-Path", head.get("From", ""))))[1]
        stamp = re.match(rb"Return-Path:[^\n]*\n", raw)
        elsewhere = self._forwarded(sender, recipients, raw[stamp.end() :] if stamp else raw)
        if recipients and len(elsewhere) == len(recipients):
            return Delivered(0, raw, self._now())
        return self.mailbox.deliver(raw, self._now())

    def _forwarded(self, sender: str, recipients: list[str], raw: bytes) -> list[str]:
        """Which of the recipients were at domains whose mails somebody else takes; each of those has them now."""
        elsewhere = [address for address in recipients if _domain(address) in self.exchanges]
        for domain in dict.fromkeys(map(_domain, elsewhere)):
            self.exchanges[domain](sender, [a for a in elsewhere if _domain(a) == domain], raw)
        return elsewhere

    def renumber(self) -> None:
        """A mailbox rebuilt by its provider: another UIDVALIDITY, and every letter has a new number."""
        box = self.mailbox
        box.validity += 1
        for uid, letter in enumerate(box.letters, 1):
            letter.uid = uid
        box.next_uid = len(box.letters) + 1


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
