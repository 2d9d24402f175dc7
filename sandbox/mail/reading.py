"""A letter opened and laid out: who, to whom, about what, and in which words."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses

from sandbox.mail.post_office import Sent

MADE_FOR_READING = default.clone(raise_on_defect=False)


def opened(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=MADE_FOR_READING)


def plain_text(message: EmailMessage) -> str:
    return _body(message, "plain")


def described(letter: Sent) -> dict[str, object]:
    message = opened(letter.raw)
    return {
        "index": letter.index,
        "message_id": _header(message, "Message-ID"),
        "from": _header(message, "From"),
        "to": _addresses(message, "To"),
        "cc": _addresses(message, "Cc"),
        "reply_to": _header(message, "Reply-To"),
        "subject": _header(message, "Subject"),
        "date": _header(message, "Date"),
        "headers": {name: str(value) for name, value in message.items()},
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
        "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
        "envelope_from": letter.sender,
        "envelope_to": list(letter.recipients),
        "received_at": letter.received_at.isoformat(),
        "raw": letter.raw.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode(),
    }


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, "")).strip()


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [address for _, address in getaddresses([str(value) for value in message.get_all(name, [])]) if address]


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return part.get_content()
    except (LookupError, UnicodeError, KeyError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
