"""A message as SendGrid's API wants it: one mail to one account, with our marks on it and nothing tracked.

The limits are those of https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations. What cannot be sent
is refused here, before anybody is called.
"""

import base64
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from channels import Attachment, Message
from channels._letter import NotSendable, checked, marks, message_id_of, on_the_wire

ATTEMPT, MAIL, TOKEN = "arrears_attempt", "arrears_mail", "arrears_token"
"""What comes back with every event and stands in the logs. Not `attempt`: SendGrid's own word for its tries."""

LARGEST = 30 * 1024 * 1024
MOST_REFERENCES = 20
UNTRACKED = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
"""Rewritten links to pay look like phishing, and who opens what is nobody's business."""


def body_of(message: Message, *, category: str, suppress_out_of_office: bool) -> dict[str, Any]:
    """The body of POST /v3/mail/send. Raises NotSendable with a sentence."""
    checked(message)
    if not message.from_address.isascii():
        raise NotSendable(f"'{message.from_address}' cannot send by SendGrid: its letters must all be ASCII.")
    body: dict[str, Any] = {
        "personalizations": [_people(message)],
        "from": _person(message.from_name, message.from_address),
        "subject": message.subject,
        "content": _content(message),
        "headers": _headers(message, suppress_out_of_office),
        "custom_args": arguments(message),
        "tracking_settings": UNTRACKED,
    }
    if message.reply_to:
        body["reply_to"] = _person("", message.reply_to)
    if message.attachments:
        body["attachments"] = [_attached(attachment) for attachment in message.attachments]
    if category:
        body["categories"] = [category[:255]]
    _refuse_too_large(body)
    return body


def arguments(message: Message) -> dict[str, str]:
    """Our own marks, which mean nothing to anybody else: SendGrid does not treat them as private."""
    marks = {ATTEMPT: message.attempt, MAIL: message_id_of(message).strip("<>").partition("@")[0]}
    return marks | ({TOKEN: message.token} if message.token else {})


def is_of(message: Message, arguments_found: Mapping[str, Any]) -> bool:
    """Are these the marks of this very message? The token is left out: it may be signed with a newer key by now."""
    return all(arguments_found.get(name) == arguments(message)[name] for name in (ATTEMPT, MAIL))


def _people(message: Message) -> dict[str, Any]:
    """Each address may be there once only, in whatever spelling."""
    copies = {address.lower(): address for address in reversed(message.cc) if address.lower() != message.to.lower()}
    people: dict[str, Any] = {"to": [_person(message.to_name, message.to)]}
    if copies:
        people["cc"] = [_person("", address) for address in reversed(copies.values())]
    return people


def _person(name: str, address: str) -> dict[str, str]:
    """Names may have neither commas nor semicolons."""
    name = " ".join(re.sub("[,;]", " ", name).split())
    return {"email": on_the_wire(address)} | ({"name": name} if name else {})


def _content(message: Message) -> list[dict[str, str]]:
    given = (("text/plain", message.text), ("text/html", message.html))
    content = [{"type": kind, "value": words} for kind, words in given if words.strip()]
    if not content:
        raise NotSendable("The message has no words.")
    return content


def _headers(message: Message, suppress_out_of_office: bool) -> dict[str, str]:
    headers = marks(message, suppress_out_of_office=suppress_out_of_office)
    if "References" in headers:
        known = headers["References"].split()
        headers["References"] = " ".join([*known[:1], *known[1:][-MOST_REFERENCES + 1 :]])
    return {name: value for name, value in headers.items() if value.isascii()}


def _attached(attachment: Attachment) -> dict[str, str]:
    file = {
        "content": base64.b64encode(attachment.content).decode("ascii"),
        "type": attachment.content_type,
        "filename": ascii_name(attachment.name),
        "disposition": "attachment",
    }
    if attachment.content_id:
        file |= {"disposition": "inline", "content_id": attachment.content_id.strip("<>")}
    return file


def ascii_name(name: str) -> str:
    """SendGrid garbles names of files outside ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    plain = re.sub(r"[^A-Za-z0-9._() -]", "_", plain).strip()
    return plain if plain.strip("._ ") else "attachment"


def _refuse_too_large(body: dict[str, Any]) -> None:
    texts = [part["value"] for part in body["content"]] + [file["content"] for file in body.get("attachments", ())]
    if sum(map(len, texts)) > LARGEST:
        raise NotSendable("The mail is larger than the 30 MB that SendGrid takes.")
