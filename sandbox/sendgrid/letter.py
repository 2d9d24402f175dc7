"""The letter that SendGrid makes of a mail/send body: an ordinary mail with its own marks on it."""

import base64
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

POLICY = SMTP.clone(max_line_length=200)


def written(body: dict[str, Any], letter: dict[str, Any], *, smtp_id: str, x_sg_id: str, at: datetime) -> bytes:
    """One personalisation as it goes out. `smtp_id` is its Message-ID where the sender gave none."""
    mail = EmailMessage(policy=POLICY)
    headers = {**(body.get("headers") or {}), **(letter.get("headers") or {})}
    mail["From"] = _address(letter.get("from") or body["from"])
    mail["To"] = [_address(person) for person in letter["to"]]
    if letter.get("cc"):
        mail["Cc"] = [_address(person) for person in letter["cc"]]
    mail["Subject"] = letter.get("subject") or body["subject"]
    mail["Date"] = format_datetime(at)
    if answers := [body["reply_to"]] if body.get("reply_to") else body.get("reply_to_list"):
        mail["Reply-To"] = [_address(person) for person in answers]
    if "message-id" not in {name.lower() for name in headers}:
        mail["Message-ID"] = smtp_id
    for name, value in headers.items():
        mail[name] = value
    mail["X-SG-EID"] = x_sg_id
    _fill(mail, body)
    return mail.as_bytes(policy=POLICY)


def _fill(mail: EmailMessage, body: dict[str, Any]) -> None:
    content = {part["type"]: part["value"] for part in body["content"]}
    files = [part | {"file": base64.b64decode(part["content"])} for part in body.get("attachments") or ()]
    inline = [part for part in files if part.get("disposition") == "inline" and part.get("content_id")]
    if "text/plain" in content:
        mail.set_content(content["text/plain"])
    if "text/html" in content:
        if "text/plain" in content:
            mail.add_alternative(content["text/html"], subtype="html")
        else:
            mail.set_content(content["text/html"], subtype="html")
        shown = mail.get_body(("html",))
        for part in inline:
            kind, _, subtype = part.get("type", "application/octet-stream").partition("/")
            shown.add_related(  # type: ignore[union-attr]
                part["file"], kind, subtype, cid=f"<{part['content_id']}>", filename=part["filename"]
            )
    for part in files:
        if part not in inline:
            kind, _, subtype = part.get("type", "application/octet-stream").partition("/")
            mail.add_attachment(part["file"], kind, subtype, filename=_as_sent(part["filename"]))


def _as_sent(name: str) -> str:
    """Names outside ASCII do not survive the journey, as many users found."""
    return name.encode().decode("latin-1") if not name.isascii() else name


def _address(person: dict[str, Any]) -> Address:
    local, _, domain = person["email"].rpartition("@")
    return Address(display_name=str(person.get("name") or ""), username=local, domain=domain)
