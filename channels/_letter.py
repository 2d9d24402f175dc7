"""A message as the mail that goes over the wire: headers that thread and name it, a text part and an HTML part.

Whatever could smuggle in a header or a second recipient is refused here, before anybody is called.
"""

import re
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime

from channels import Attachment, Message

_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*", re.IGNORECASE)


class NotSendable(Exception):
    """The message must not be sent as it is. The text is a sentence."""


class _MessageIds(UnstructuredHeader):
    """Message-IDs, folded between one another only: the standard library would encode a long one beyond recognition."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {(policy.linesep + ' ').join(self.split())}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references"):
    _HEADERS.map_to_type(_name, _MessageIds)  # type: ignore[arg-type]
_POLICY = EmailPolicy(header_factory=_HEADERS, cte_type="7bit", max_line_length=76, linesep="\r\n")
_INTERNATIONAL = EmailPolicy(header_factory=_HEADERS, cte_type="7bit", max_line_length=76, linesep="\r\n", utf8=True)


def letter(message: Message, *, at: datetime, suppress_out_of_office: bool = False) -> EmailMessage:
    """The mail, complete. Raises NotSendable with a sentence."""
    checked(message)
    try:
        return _built(message, at, suppress_out_of_office)
    except (ValueError, IndexError, LookupError) as problem:
        raise NotSendable(f"The message cannot be written as a mail: {problem}.") from problem


def checked(message: Message) -> None:
    """Raises NotSendable when something in the message would break out of its place."""
    _refuse_breaks(message)
    for address in (message.to, message.from_address, *message.cc, *filter(None, [message.reply_to])):
        if not _ADDRESS.fullmatch(address):
            raise NotSendable(f"'{address}' is not an email address.")


def marks(message: Message, *, suppress_out_of_office: bool = False) -> dict[str, str]:
    """The headers by which a mail is named, threaded, known as written by a machine, and found again."""
    headers = {"Message-ID": message_id_of(message)}
    if references := [f"<{reference.strip('<> ')}>" for reference in message.references if reference.strip("<> ")]:
        headers["In-Reply-To"] = references[-1]
        headers["References"] = " ".join(dict.fromkeys(references))
    headers["Auto-Submitted"] = "auto-generated"
    if suppress_out_of_office:
        headers["X-Auto-Response-Suppress"] = "OOF"
    return headers | {"X-Arrears-Attempt": message.attempt}


def message_id_of(message: Message) -> str:
    """Our own Message-ID, in its brackets; one made from the attempt when the message brings none."""
    given = message.message_id.strip("<> ")
    return f"<{given or f'{message.attempt}@{domain(message.from_address)}'}>"


def wire_form(mail: EmailMessage) -> bytes:
    """The mail as SMTP wants it: CRLF at every line's end, a leading dot doubled, a lone dot at the end."""
    addresses = [address.addr_spec for name in ("From", "To", "Cc") if mail[name] for address in mail[name].addresses]
    content = mail.as_bytes(policy=_POLICY if all(map(str.isascii, addresses)) else _INTERNATIONAL)
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return re.sub(rb"(?m)^\.", b"..", lines).removesuffix(b"\r\n") + b"\r\n.\r\n"


def on_the_wire(address: str) -> str:
    """The address with its domain in ASCII, as mail servers want it."""
    return f"{address.rpartition('@')[0]}@{domain(address)}"


def domain(address: str) -> str:
    host = address.rpartition("@")[2]
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as problem:
        raise NotSendable(f"'{address}' has a domain that cannot exist.") from problem


def _built(message: Message, at: datetime, suppress_out_of_office: bool) -> EmailMessage:
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(message.from_name, message.from_address)
    mail["To"] = _address(message.to_name, message.to)
    if message.cc:
        mail["Cc"] = [_address("", address) for address in message.cc]
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    if message.reply_to:
        mail["Reply-To"] = _address("", message.reply_to)
    for name, value in marks(message, suppress_out_of_office=suppress_out_of_office).items():
        mail[name] = value
    mail.set_content(message.text, cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    for attachment in message.attachments:
        _attach(mail, attachment)
    return mail


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    """As a file, or as a picture that the HTML part shows."""
    kind, _, subtype = attachment.content_type.partition("/")
    shown_in = mail.get_body(("html",)) if attachment.content_id else None
    if isinstance(shown_in, EmailMessage):
        name = f"<{attachment.content_id.strip('<>')}>"
        shown_in.add_related(
            attachment.content, kind, subtype, cid=name, filename=attachment.name, disposition="inline"
        )
    else:
        mail.add_attachment(attachment.content, maintype=kind, subtype=subtype, filename=attachment.name)


def _address(name: str, address: str) -> Address:
    return Address(display_name=name, username=address.rpartition("@")[0], domain=domain(address))


def _refuse_breaks(message: Message) -> None:
    headers = {
        "The attempt's id": [message.attempt],
        "The Message-ID": [message.message_id],
        "The recipient's address": [message.to, *message.cc],
        "The recipient's name": [message.to_name],
        "The subject": [message.subject],
        "The sender's address": [message.from_address],
        "The sender's name": [message.from_name],
        "The reply address": [message.reply_to],
        "A reference": list(message.references),
        "An attachment's name": [attachment.name for attachment in message.attachments],
        "An attachment's content id": [attachment.content_id for attachment in message.attachments],
    }
    for name, values in headers.items():
        if any(_BREAKS.search(value) for value in values):
            raise NotSendable(f"{name} contains a line break or another control character.")
    for attachment in message.attachments:
        if not _TYPE.fullmatch(attachment.content_type):
            raise NotSendable(f"'{attachment.content_type}' is not the type of an attachment.")
