"""Inbound Parse: mails to a firm's reply domain are posted to the firm, whole or taken apart, as it asked.

A post answered 2xx is done with. One answered 5xx, or not at all, comes again for three days; one answered 4xx or 3xx
is dropped at once, and nobody is told (https://support.sendgrid.com/hc/en-us/articles/46513815674395). Mails that are
posted whole go out byte for byte; in the parts of a mail taken apart each field is in the mail's own alphabet, which
`charsets` names (https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/inbound-email).
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import compat32
from typing import Any

from sandbox.documents import NotPossible
from sandbox.doorbells import Post, Postman
from sandbox.mail.post_office import PostOffice
from sandbox.mail.reading import opened
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.signing import Signer

LARGEST = 30 * 1024 * 1024
LASTS = timedelta(hours=72)
PATIENCE = 20.0
HOURLY = 8
"""So many tries come in the first hour, then one every three hours."""


@dataclass(slots=True, eq=False)
class Policy:
    id: str
    name: str
    signer: Signer | None = None


@dataclass(slots=True, eq=False)
class ParseSetting:
    """`field` is the name under which the whole mail is posted: `email`, or `rawEmail` as one of the guides has it."""

    hostname: str
    url: str
    spam_check: bool = False
    send_raw: bool = False
    security_policy: str = ""
    field: str = "email"


@dataclass(slots=True)
class Handed:
    """One mail on its way to the firm."""

    at: datetime
    hostname: str
    body: bytes
    boundary: str
    tries: int = 0
    statuses: list[int] = field(default_factory=list)
    state: str = "waiting"  # waiting, done, dropped


class Inbound:
    def __init__(self, account: Account, post: PostOffice, postman: Postman) -> None:
        self._account, self._post_office, self._postman = account, post, postman
        self.settings: dict[str, ParseSetting] = {}
        self.policies: dict[str, Policy] = {}
        self.handed: list[Handed] = []

    def register(self, setting: ParseSetting) -> None:
        """From now on mails to this hostname come here instead of into the INBOX."""
        self.settings[setting.hostname] = setting
        self._post_office.exchanges[setting.hostname] = lambda sender, recipients, raw: self.take(
            setting.hostname, sender, recipients, raw
        )

    def forget(self, hostname: str) -> None:
        self.settings.pop(hostname, None)
        self._post_office.exchanges.pop(hostname, None)

    def take(self, hostname: str, sender: str, recipients: list[str], raw: bytes) -> None:
        setting = self.settings[hostname]
        if len(raw) > LARGEST:
            return  # sent back to whoever wrote it, and never seen here
        fields = _fields(setting, sender, recipients, raw)
        boundary = f"xYzZY{self._account.id_of(12)}"
        handed = Handed(self._account.now(), hostname, _form(fields, boundary), boundary)
        self.handed.append(handed)
        self._send(handed)

    def again(self, number: int) -> None:
        if not 0 <= number < len(self.handed):
            raise NotPossible(f"There is no mail number {number}; {len(self.handed)} were handed in so far.")
        self._send(self.handed[number])

    def _send(self, handed: Handed) -> None:
        setting = self.settings.get(handed.hostname)
        if setting is None:
            handed.state = "dropped"
            return
        headers = {"Content-Type": f"multipart/form-data; boundary={handed.boundary}", "User-Agent": "Sendlib/1.0"}
        policy = self.policies.get(setting.security_policy)
        if policy is not None and policy.signer is not None:
            headers |= policy.signer.headers(handed.body, timestamp=str(int(self._account.now().timestamp())))
        handed.tries += 1
        post = Post(setting.url, handed.body, headers, lambda status: self._answered(handed, status), PATIENCE)
        self._postman.take(post)

    def _answered(self, handed: Handed, status: int) -> None:
        with self._account.lock:
            handed.statuses.append(status)
            if 200 <= status <= 299:
                handed.state = "done"
            elif status == 0 or status >= 500:
                wait = timedelta(minutes=7) if handed.tries <= HOURLY else timedelta(hours=3)
                at = self._account.now() + wait
                if at > handed.at + LASTS:
                    handed.state = "dropped"
                else:
                    self._account.timetable.add(at, "SendGrid hands a mail in once more", lambda: self._send(handed))
            else:
                handed.state = "dropped"


def _fields(setting: ParseSetting, sender: str, recipients: list[str], raw: bytes) -> list[tuple[str, bytes, str, str]]:
    """(name, content, file name, content type) of each part of the form."""
    mail = opened(raw)
    envelope = json.dumps({"to": recipients, "from": sender}).encode()
    domain = sender.rpartition("@")[2]
    signed = f"{{@{domain} : pass}}".encode() if domain else b"none"
    common = [
        ("dkim", signed),
        ("to", str(mail.get("To", "")).encode()),
        ("from", str(mail.get("From", "")).encode()),
        ("sender_ip", b"203.0.113.25"),
        ("envelope", envelope),
        ("subject", str(mail.get("Subject", "")).encode()),
        ("SPF", b"pass" if domain else b"none"),
    ]
    if setting.spam_check:
        common += [("spam_score", b"0.011"), ("spam_report", b"Spam detection software has looked at this.")]
    charsets = dict.fromkeys(("to", "from", "subject", "filename"), "UTF-8")
    parts = [(name, content, "", "") for name, content in common]
    if setting.send_raw:
        parts.insert(1, (setting.field, raw, "", ""))
    else:
        parts += _taken_apart(mail, raw, charsets)
    return [*parts, ("charsets", json.dumps(charsets).encode(), "", "")]


def _taken_apart(mail: EmailMessage, raw: bytes, charsets: dict[str, str]) -> list[tuple[str, bytes, str, str]]:
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    parts = [("headers", head, "", "")]
    for kind, name in (("plain", "text"), ("html", "html")):
        body = mail.get_body((kind,))
        if body is not None:
            parts.append((name, _payload(body), "", ""))
            charsets[name] = str(body.get_content_charset() or "us-ascii")
    files = [part for part in mail.iter_attachments() if part.get_content_type() != "text/html"]
    info: dict[str, Any] = {}
    for number, part in enumerate(files, 1):
        kind, name = part.get_content_type(), part.get_filename() or f"attachment{number}"
        info[f"attachment{number}"] = {"filename": name, "name": name, "type": kind}
        if part["Content-ID"]:
            info[f"attachment{number}"]["content-id"] = str(part["Content-ID"]).strip("<> ")
        parts.append((f"attachment{number}", _payload(part), name, kind))
    parts.append(("attachments", str(len(files)).encode(), "", ""))
    if files:
        parts.append(("attachment-info", json.dumps(info).encode(), "", ""))
    return parts


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    inner = part.get_payload()
    blocks = inner if isinstance(inner, list) else []
    return b"\n".join(one.as_bytes(policy=compat32) for one in blocks if isinstance(one, Message))


def _form(fields: list[tuple[str, bytes, str, str]], boundary: str) -> bytes:
    pieces = []
    for name, content, file, kind in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if file:
            head += f'; filename="{file}"\r\nContent-Type: {kind}'
        pieces += [head.encode(), b"\r\n\r\n", content, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])
