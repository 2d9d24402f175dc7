"""Taking mails in: what POST /v3/mail/send does once a body is found in order.

Each recipient has a mail of its own in the logs; the letter itself lies once in the post office. What then becomes of
it is told in events: it is processed, and delivered, put off, sent back or complained about, as it was ordered for
that address. An address that came back or complained is not written to again: the next mail to it is dropped.
"""

import json
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parseaddr
from typing import Any

from sandbox.exchange import Answer, Request
from sandbox.mail.post_office import PostOffice
from sandbox.mail.reading import opened
from sandbox.sendgrid.account import FATES, Account, Mail
from sandbox.sendgrid.checking import LARGEST, wrongs
from sandbox.sendgrid.letter import written
from sandbox.sendgrid.refusals import Wrong, refused, single, too_large
from sandbox.sendgrid.telling import Telling

RETURNS = "bounces.sendgrid.example"
"""Where undeliverable mails come back to: SendGrid's own house, not the sender's."""

STOPS = {"bounce": "Bounced Address", "spamreport": "Spam Reporting Address", "unsubscribe": "Unsubscribed Address"}
NO_SUCH_MAILBOX = "550 5.1.1 The email account that you tried to reach does not exist"


class Sending:
    def __init__(self, account: Account, post: PostOffice, telling: Telling) -> None:
        self._account, self._post, self._telling = account, post, telling
        post.exchanges[RETURNS] = self.came_back

    def answer(self, request: Request, key: str) -> Answer:
        if len(request.body) > LARGEST:
            return too_large()
        if "application/json" not in request.headers.get("content-type", ""):
            return single(415, "Content-Type should be application/json.")
        try:
            body = json.loads(request.body)
        except ValueError:
            return single(400, "Bad Request")
        account = self._account
        if wrong := wrongs(body, now=account.now()):
            return refused(400, wrong)
        sender = body["from"]["email"].lower()
        if not account.authenticated(sender) and sender not in account.senders:
            return refused(403, [_unverified()])
        if body.get("batch_id") and body["batch_id"] not in account.batches:
            return single(400, "The batch_id is not valid.", "batch_id")
        if (body.get("mail_settings") or {}).get("sandbox_mode", {}).get("enable"):
            return Answer(200, b"", "text/plain; charset=utf-8")
        return Answer(202, b"", "text/plain; charset=utf-8", {"X-Message-Id": self._take(body, key)})

    def _take(self, body: dict[str, Any], key: str) -> str:
        account, received = self._account, self._account.id_of(22)
        events: list[dict[str, Any]] = []
        count = 0
        for letter in body["personalizations"]:
            people = [person["email"] for kind in ("to", "cc", "bcc") for person in letter.get(kind) or ()]
            smtp_id = f"<{received}@geopod-ismtpd-{len(account.mails)}>"
            mails = []
            for person in people:
                number = f"{received}.recvd-{account.id_of(10).lower()}-{count}.{count}"
                mails.append(self._mail(number, person, body, letter, smtp_id, key))
                count += 1
            account.mails += mails
            raw = written(body, letter, smtp_id=smtp_id, x_sg_id=account.id_of(40), at=account.now())
            events += self._send(mails, raw)
        self._telling.tell(events)
        return received

    def _mail(self, number: str, to: str, body: dict[str, Any], letter: dict[str, Any], smtp_id: str, key: str) -> Mail:
        sender = (letter.get("from") or body["from"])["email"]
        headers = {**(body.get("headers") or {}), **(letter.get("headers") or {})}
        own = next((value for name, value in headers.items() if name.lower() == "message-id"), "")
        send_at = letter.get("send_at") or body.get("send_at")
        return Mail(
            sg_message_id=number,
            # A Message-ID of the sender's own is told in events only where its domain is authenticated.
            smtp_id=own if own and self._account.authenticated(sender) else smtp_id,
            to=to,
            from_=sender,
            subject=letter.get("subject") or body["subject"],
            custom_args={**(body.get("custom_args") or {}), **(letter.get("custom_args") or {})},
            categories=list(body.get("categories") or ()),
            at=self._account.now(),
            api_key_id=key[-8:],
            batch_id=body.get("batch_id") or "",
            send_at=datetime.fromtimestamp(send_at, UTC) if send_at else None,
        )

    def _send(self, mails: list[Mail], raw: bytes) -> list[dict[str, Any]]:
        """Hands the letter over now, or at its hour. Gives the events of this moment."""
        events = [self._event(mail, "processed") for mail in mails if not self._stopped(mail)]
        events += [self._dropped(mail) for mail in mails if self._stopped(mail)]
        going = [mail for mail in mails if not self._stopped(mail)]
        if not going:
            return events
        hour = going[0].send_at
        if hour is not None and hour > self._account.now():
            later = lambda: self._telling.tell(self._leave(going, raw))  # noqa: E731
            self._account.timetable.add(hour, "SendGrid sends a mail that was scheduled", later)
            return events
        return events + self._leave(going, raw)

    def _leave(self, mails: list[Mail], raw: bytes) -> list[dict[str, Any]]:
        account = self._account
        status = account.stopped.get(mails[0].batch_id, "")
        if status == "cancel":
            return [self._event(mail, "dropped", reason="Cancelled") for mail in mails]
        if status == "pause":
            again = lambda: self._telling.tell(self._leave(mails, raw))  # noqa: E731
            account.timetable.add(account.now() + timedelta(minutes=1), "SendGrid looks at a paused batch", again)
            return []
        fates = {mail.to: account.fates.get(mail.to.lower(), "delivered") for mail in mails}
        arriving = [mail.to for mail in mails if fates[mail.to] in ("delivered", "spamreport")]
        if arriving:
            back = f"bounces+{account.id_of(6)}@{RETURNS}"
            number = self._post.take(back, arriving, raw).index
            for mail in mails:
                mail.letter = number
        return [event for mail in mails for event in self._fate(mail, fates[mail.to])]

    def _fate(self, mail: Mail, fate: str) -> list[dict[str, Any]]:
        match fate:
            case "bounce":
                return [self.bounced(mail, NO_SUCH_MAILBOX, "5.1.1")]
            case "blocked":
                why = "554 5.7.1 Message blocked by our policy"
                return [self._event(mail, "bounce", reason=why, status="5.7.1", type="blocked")]
            case "deferred":
                return [self._event(mail, "deferred", response="451 4.7.1 Greylisted, try again later", attempt="1")]
            case "dropped":
                return [self._event(mail, "dropped", reason="Invalid")]
        delivered = self._event(mail, "delivered", response="250 2.0.0 OK", ip="167.89.0.1", tls=1)
        return [delivered, self.complained(mail)] if fate == "spamreport" else [delivered]

    def bounced(self, mail: Mail, reason: str, status: str) -> dict[str, Any]:
        self._account.suppressed[mail.to.lower()] = STOPS["bounce"]
        kind = "Invalid Address" if status.startswith("5.1") else "Unclassified"
        return self._event(
            mail, "bounce", reason=reason, status=status, type="bounce", bounce_classification=kind, ip="167.89.0.1"
        )

    def complained(self, mail: Mail) -> dict[str, Any]:
        self._account.suppressed[mail.to.lower()] = STOPS["spamreport"]
        return self._event(mail, "spamreport")

    def happens(self, mail: Mail, what: str) -> None:
        """Something becomes of a mail later on: a fate, or `open`, `click`, `unsubscribe`."""
        if what in FATES:
            events = self._fate(mail, what)
            self._telling.tell(events[-1:] if what == "spamreport" else events)
            return
        if what in STOPS:
            self._account.suppressed[mail.to.lower()] = STOPS[what]
        self._telling.tell([self._event(mail, what, useragent="Mozilla/5.0", ip="203.0.113.7")])

    def came_back(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """A mail to our own bounce address: a report becomes an event, an absence notice is nobody's business."""
        reports = [part for part in opened(raw).walk() if part.get_content_type() == "message/delivery-status"]
        for block in (block for part in reports for block in part.get_payload() if isinstance(block, Message)):
            whom = parseaddr(str(block.get("Final-Recipient", "")).partition(";")[2])[1].lower()
            mail = next((mail for mail in reversed(self._account.mails) if mail.to.lower() == whom), None)
            if mail is not None and str(block.get("Action", "")).strip() == "failed":
                why = str(block.get("Diagnostic-Code", "")).partition(";")[2].strip()
                self._telling.tell([self.bounced(mail, why, str(block.get("Status", "")).strip())])

    def _stopped(self, mail: Mail) -> bool:
        return mail.to.lower() in self._account.suppressed

    def _dropped(self, mail: Mail) -> dict[str, Any]:
        return self._event(mail, "dropped", reason=self._account.suppressed[mail.to.lower()])

    def _event(self, mail: Mail, kind: str, **more: Any) -> dict[str, Any]:
        event = {
            "email": mail.to,
            "timestamp": int(self._account.now().timestamp()),
            "smtp-id": mail.smtp_id,
            "event": kind,
            "sg_event_id": self._account.id_of(22),
            "sg_message_id": mail.sg_message_id,
            **({"category": mail.categories} if mail.categories else {}),
            **more,
        }
        if kind in ("open", "click", "spamreport", "unsubscribe"):
            del event["smtp-id"]
        mail.events.append(event)
        return {**mail.custom_args, **event}  # its own words go before those of the sender


def _unverified() -> Wrong:
    message = "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
    message += "resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the "
    return Wrong("from", message + "Sender Identity requirements")
