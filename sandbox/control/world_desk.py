"""The other half of the desk: the clock, the post, and everything that can go wrong."""

from dataclasses import asdict
from typing import Any

from sandbox.control import reading
from sandbox.control.views import call_row
from sandbox.documents import NotPossible
from sandbox.faults import (
    API_FAULTS,
    QUICKBOOKS_FAULTS,
    TOKEN_FAULTS,
    TWILIO_FAULTS,
    Faults,
    SmtpFaults,
    read_faults,
    read_smtp_faults,
)
from sandbox.mail import letters
from sandbox.mail.post_office import Sent
from sandbox.mail.reading import described
from sandbox.world import World


class WorldDesk:
    def __init__(self, world: World) -> None:
        self.world = world

    # --- the clock

    def now(self) -> str:
        return self.world.clock.now().isoformat()

    def move_clock(self, to: str) -> dict[str, Any]:
        happened = self.world.move(reading.hour(to))
        return {"now": self.now(), "happened": happened, "skipped": list(self.world.skipped)}

    def timetable(self, count: int = 20) -> list[dict[str, str]]:
        return [{"at": event.at.isoformat(), "says": event.says} for event in self.world.timetable.coming(int(count))]

    # --- the post

    def mails(self, since: int = 0) -> list[dict[str, Any]]:
        return [described(letter) for letter in self.world.post.sent[int(since) :]]

    def inbox(self) -> list[dict[str, Any]]:
        return [
            {"uid": letter.uid, "flags": sorted(letter.flags)}
            | described(Sent(letter.uid, "", (), letter.raw, letter.received_at))
            for letter in self.world.post.mailbox.letters
        ]

    def reply(
        self,
        to_mail: int | str,
        text: str,
        html: str | None = None,
        from_: str | None = None,
        as_new_thread: bool = False,
        subject: str | None = None,
        attachments: list[str] | None = None,
    ) -> int:
        raw = letters.reply(
            self._letter(to_mail),
            text=text,
            html=html,
            from_=from_,
            as_new_thread=as_new_thread,
            subject=subject,
            attachments=tuple(attachments or ()),
            **self._stamp(),
        )
        return self.world.post.deliver(raw).uid

    def bounce(
        self,
        to_mail: int | str,
        recipient: str | None = None,
        status: str = "5.1.1",
        diagnostic: str = "550 5.1.1 The email account that you tried to reach does not exist",
        action: str = "failed",
    ) -> int:
        if action not in ("failed", "delayed"):
            raise NotPossible(f"A report says that delivery failed or is delayed, not “{action}”.")
        letter = self._letter(to_mail)
        whom = recipient or letter.recipients[0]
        raw = letters.bounce(
            letter, recipient=whom, status=status, diagnostic=diagnostic, action=action, **self._stamp()
        )
        return self.world.post.deliver(raw).uid

    def out_of_office(
        self,
        to_mail: int | str,
        text: str = "I am out of the office until Monday and will read your message then.",
        from_: str | None = None,
    ) -> int:
        raw = letters.out_of_office(self._letter(to_mail), text=text, from_=from_, **self._stamp())
        return self.world.post.deliver(raw).uid

    def deliver(self, raw: str) -> int:
        """A letter written elsewhere, byte for byte, into the INBOX."""
        return self.world.post.deliver(raw.encode("utf-8", "surrogateescape")).uid

    def renumber_mailbox(self) -> int:
        self.world.post.renumber()
        return self.world.post.mailbox.validity

    # --- what goes wrong

    def faults(self, **switches: Any) -> dict[str, Any]:
        faults = self.world.faults
        for name, value in switches.items():
            match name:
                case "next":
                    faults.next = read_faults(value or (), API_FAULTS)
                case "token":
                    faults.token = read_faults(value or (), TOKEN_FAULTS)
                case "quickbooks":
                    faults.quickbooks = read_faults(value or (), QUICKBOOKS_FAULTS)
                case "quickbooks_token":
                    faults.quickbooks_token = read_faults(value or (), TOKEN_FAULTS)
                case "twilio":
                    faults.twilio = read_faults(value or (), TWILIO_FAULTS)
                case "smtp":
                    faults.smtp = read_smtp_faults(value or {})
                case "down":
                    faults.down = {True: "503", False: "", None: ""}.get(value, value)
                    if faults.down not in ("", "503", "drop"):
                        raise NotPossible(f"A ledger is down as true, false, “503” or “drop”, not “{value}”.")
                case "clear":
                    faults.next, faults.token, faults.smtp, faults.down = [], [], SmtpFaults(), ""
                    self.world.sendgrid.account.faults.clear()
                    faults.quickbooks, faults.quickbooks_token, faults.twilio = [], [], []
                case _:
                    known = ", ".join(Faults.__dataclass_fields__)
                    raise NotPossible(f"There is no switch “{name}”; there are {known}, clear.")
        return asdict(faults)

    def limits(self, **wanted: int | None) -> dict[str, int | None]:
        limits = self.world.limits
        for name, value in wanted.items():
            if name not in ("minute", "day", "concurrent"):
                raise NotPossible(f"There is no limit “{name}”; there are minute, day, concurrent.")
            setattr(limits, name, int(value) if value else None)
        if wanted:
            limits.reset()
        return {"minute": limits.minute, "day": limits.day, "concurrent": limits.concurrent}

    def end_grants(self) -> None:
        self.world.identity.end_grants()
        self.world.quickbooks.identity.end_grants()

    def calls(self, door: str | None = "api", reset: bool = False) -> list[dict[str, Any]]:
        rows = [call_row(call) for call in self.world.calls if door in (None, call.door)]
        if reset:
            self.world.calls.clear()
        return rows

    def _letter(self, key: int | str) -> Sent:
        sent = self.world.post.sent
        if isinstance(key, int):
            if not 0 <= key < len(sent):
                raise NotPossible(f"There is no mail number {key}; {len(sent)} were sent so far.")
            return sent[key]
        for letter in reversed(sent):
            if described(letter)["message_id"] == key:
                return letter
        raise NotPossible(f"No mail with the message id {key} was sent.")

    def _stamp(self) -> dict[str, Any]:
        return {"now": self.world.clock.now(), "id": self.world.post.new_id()}
