"""Letters as debtors and their mail servers write them: replies, bounces, and "I am on holiday".

Each is a real message, built as an ordinary mail client builds it, quoted original and all, since that is what has to
be understood at the other end.
"""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from html import escape

from sandbox.mail.post_office import Sent
from sandbox.mail.reading import opened, plain_text

POLICY = SMTP.clone(max_line_length=200)


def reply(
    letter: Sent,
    *,
    text: str,
    now: datetime,
    id: str,
    html: str | None = None,
    from_: str | None = None,
    as_new_thread: bool = False,
    subject: str | None = None,
    attachments: tuple[str, ...] = (),
) -> bytes:
    """What the recipient of that letter answers. A new thread has no threading headers, no quote and, like a person who
    takes the address from their address book, goes to From instead of Reply-To."""
    original = opened(letter.raw)
    message, asked = _begun(letter, now, id, from_), str(original.get("Subject", ""))
    if as_new_thread:
        message["To"] = str(original["From"])
        message["Subject"] = subject or "A question"
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
    else:
        message["To"] = str(original["Reply-To"] or original["From"])
        message["Subject"] = subject or (asked if asked.lower().startswith("re:") else f"Re: {asked}")
        _thread(message, original)
        who, said = _attribution(original, letter), plain_text(original)
        quoted = "\n".join(f"> {line}".rstrip() for line in said.rstrip().splitlines())
        message.set_content(f"{text}\n\n{who}\n\n{quoted}\n")
        if html is not None:
            inner = escape(said).replace("\n", "<br>")
            quote = f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{escape(who)}<br></div>'
            quote += f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{inner}</blockquote></div>'
            message.add_alternative(f'<div dir="ltr">{html}</div><br>{quote}', subtype="html")
    for name in attachments:
        message.add_attachment(b"%PDF-1.4\n%%EOF\n", maintype="application", subtype="pdf", filename=name)
    return message.as_bytes(policy=POLICY)


def out_of_office(letter: Sent, *, text: str, now: datetime, id: str, from_: str | None = None) -> bytes:
    """Sent by a machine to the envelope's sender, as RFC 3834 asks, and saying so."""
    original = opened(letter.raw)
    message = _begun(letter, now, id, from_)
    message["To"] = letter.sender or str(original["From"])
    message["Subject"] = f"Automatic reply: {original.get('Subject', '')}"
    _thread(message, original)
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text + "\n")
    return message.as_bytes(policy=POLICY)


def bounce(letter: Sent, *, recipient: str, status: str, diagnostic: str, action: str, now: datetime, id: str) -> bytes:
    """The delivery report of RFC 3464: in words, in fields for machines, and the letter's own headers."""
    domain = recipient.rpartition("@")[2]
    message = EmailMessage(policy=POLICY)
    message["Return-Path"] = "<>"
    message["From"] = f"Mail Delivery System <MAILER-DAEMON@mx.{domain}>"
    message["To"] = letter.sender or str(opened(letter.raw)["From"])
    late = action == "delayed"
    message["Subject"] = "Delayed Mail (still being retried)" if late else "Undelivered Mail Returned to Sender"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{id}@mx.{domain}>"
    message["Auto-Submitted"] = "auto-replied"
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "multipart/report; report-type=delivery-status"
    words = EmailMessage(policy=POLICY)
    said = "has not been delivered yet" if late else "could not be delivered"
    words.set_content(
        f"This is the mail system at mx.{domain}.\n\nYour message to <{recipient}> {said}:\n\n{diagnostic}\n"
    )
    message.attach(words)
    message.attach(_report(recipient, status, diagnostic, action, now))
    headers = EmailMessage(policy=POLICY)
    headers.set_content(letter.raw.partition(b"\r\n\r\n")[0] + b"\r\n", "text", "rfc822-headers", cte="8bit")
    message.attach(headers)
    return message.as_bytes(policy=POLICY)


def _report(recipient: str, status: str, diagnostic: str, action: str, now: datetime) -> EmailMessage:
    domain = recipient.rpartition("@")[2]
    whole, single = EmailMessage(policy=POLICY), EmailMessage(policy=POLICY)
    whole["Reporting-MTA"] = f"dns; mx.{domain}"
    whole["Arrival-Date"] = format_datetime(now)
    single["Final-Recipient"] = f"rfc822; {recipient}"
    single["Original-Recipient"] = f"rfc822; {recipient}"
    single["Action"] = action
    single["Status"] = status
    single["Diagnostic-Code"] = f"smtp; {diagnostic}"
    report = EmailMessage(policy=POLICY)
    report["Content-Type"] = "message/delivery-status"
    report.set_payload([whole, single])
    return report


def _begun(letter: Sent, now: datetime, id: str, from_: str | None) -> EmailMessage:
    sender = from_ or _recipient(letter)
    message = EmailMessage(policy=POLICY)
    message["Return-Path"] = f"<{parseaddr(sender)[1]}>"
    message["From"] = sender
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{id}@{parseaddr(sender)[1].rpartition('@')[2] or 'debtor.example'}>"
    return message


def _recipient(letter: Sent) -> str:
    """The person the letter went to, with the name it was addressed by."""
    header = opened(letter.raw)["To"]
    address = header.addresses[0] if header is not None and header.addresses else None
    if address is not None:
        return formataddr((address.display_name, address.addr_spec))
    return letter.recipients[0]


def _thread(message: EmailMessage, original: EmailMessage) -> None:
    if (known := str(original.get("Message-ID", "")).strip()) != "":
        message["In-Reply-To"] = known
        message["References"] = " ".join([*str(original.get("References", "")).split(), known])


def _attribution(original: EmailMessage, letter: Sent) -> str:
    name, address = parseaddr(str(original["From"]))
    at = letter.received_at
    return f"On {at:%a}, {at.day} {at:%b} {at.year} at {at:%H:%M}, {name or address} <{address}> wrote:"
