"""Email by any SMTP server, replies by IMAP: what a firm that runs its own mailbox already has.

Mails leave over one kept connection and replies are read from one mailbox, without marking anything there as seen.
SMTP keeps no record that could be asked afterwards, so a mail whose fate is unknown stays unknown to this channel.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from channels import Channel, Clock, Collected, Heard, Message, NoSuchDoor, Outcome, Posted, Receipt, Refused, _mailbox
from channels._letter import NotSendable, domain, letter, message_id_of, on_the_wire, wire_form
from channels._mail_reading import read_mail
from channels._smtp_line import SECURITY, Envelope, Failed, SmtpLine
from engine.replies import Reply

MEDIUM = "email"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach the firm's mail servers. `security` is `none`, `starttls` or `tls`.

    Without `imap_host` nothing is collected. An empty IMAP user name or password means the same as for sending. With
    `bounces_to_reply_address`, undeliverable mails come back to the reply address too; some providers allow no envelope
    sender but the mailbox itself, so it is off at first.
    """

    host: str
    port: int = 587
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False, metadata={"secret": True})
    from_address: str = ""
    from_name: str = ""
    reply_mailbox: str = ""
    imap_host: str = ""
    imap_port: int = 993
    imap_security: str = "tls"
    imap_username: str = ""
    imap_password: str = field(default="", repr=False, metadata={"secret": True})
    imap_folder: str = "INBOX"
    timeout_seconds: float = 30.0
    helo_name: str = ""
    suppress_out_of_office: bool = False
    bounces_to_reply_address: bool = False

    def __post_init__(self) -> None:
        if "@" not in self.from_address:
            raise ValueError("from_address is missing: write the address that your reminders come from")
        for security in (self.security, self.imap_security):
            if security not in SECURITY:
                raise ValueError(f"'{security}' is not a way to secure a connection; use {', '.join(SECURITY)}")


def channel(settings: Settings, *, clock: Clock, doors: str = "") -> Channel:  # noqa: ARG001 - it has none
    return _Smtp(settings, clock)


class _Smtp:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.sender = settings.from_address
        self.sender_name = settings.from_name
        self.replies_to = settings.reply_mailbox or settings.from_address
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._line = SmtpLine(
            host=settings.host,
            port=settings.port,
            security=settings.security,
            username=settings.username,
            password=settings.password,
            timeout=settings.timeout_seconds,
        )

    def send(self, message: Message) -> Outcome:
        chosen = self._settings
        message = replace(
            message,
            from_address=message.from_address or chosen.from_address,
            from_name=message.from_name or chosen.from_name,
        )
        try:
            mail = letter(message, at=self._clock(), suppress_out_of_office=chosen.suppress_out_of_office)
            envelope = self._envelope(message, wire_form(mail))
        except NotSendable as problem:
            return Refused(str(problem))
        try:
            with self._lock:
                answer, note = self._line.deliver(envelope)
        except Failed as failed:
            return failed.outcome
        return Receipt(answer or message_id_of(message), self._clock(), note)

    def sign_in(self) -> str:
        """Who lets us in to send; nothing is sent. Raises OSError with a sentence when nobody does."""
        chosen = self._settings
        try:
            with self._lock:
                self._line.sign_in(chosen.helo_name or domain(chosen.from_address))
        except Failed as failed:
            raise OSError(str(failed)) from failed
        return f"the mail server {chosen.host}:{chosen.port}"

    def find(self, message: Message) -> Receipt | None:  # noqa: ARG002
        """SMTP keeps no record that could be asked."""
        return None

    def collect(self, bookmark: str | None) -> Iterator[Collected]:
        chosen = self._settings
        if not chosen.imap_host:
            return
        yield from _mailbox.collect(
            host=chosen.imap_host,
            port=chosen.imap_port,
            security=chosen.imap_security,
            username=chosen.imap_username or chosen.username,
            password=chosen.imap_password or chosen.password,
            folder=chosen.imap_folder,
            timeout=chosen.timeout_seconds,
            bookmark=bookmark,
        )

    def hear(self, posted: Posted) -> Heard:
        """Nobody posts to a mail server's channel: it is collected from."""
        raise NoSuchDoor(posted.door)

    def read(self, raw: bytes) -> Reply:
        return read_mail(raw, ours=(self._settings.from_address, self._settings.reply_mailbox))

    def close(self) -> None:
        with self._lock:
            self._line.close()

    def _envelope(self, message: Message, content: bytes) -> Envelope:
        back = message.reply_to if self._settings.bounces_to_reply_address else ""
        return Envelope(
            helo=self._settings.helo_name or domain(message.from_address),
            sender=on_the_wire(back or message.from_address),
            recipient=on_the_wire(message.to),
            copies=tuple(dict.fromkeys(map(on_the_wire, message.cc))),
            content=content,
        )
