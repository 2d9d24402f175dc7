"""A raw mail understood: who wrote it, what is new in it, which of our mails it answers, and whether a person wrote it.

Nothing here decides what a reply does. The whole text is kept beside the part that is new, because taking quoted text
away is for reading only.
"""

import re
from collections.abc import Sequence
from email.message import Message

from channels import _machine_mail
from channels._authenticity import authenticity
from channels._html_text import QUOTED_FROM_HERE, text_of
from channels._mail_files import attached, without_files
from channels._mail_parts import addresses, decoded, header, headers, inside, opened, parts, sender, sent_at
from channels._quoted_text import said
from channels._safe_html import harmless
from engine.replies import Reply, ReplyKind

_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
"""Those of the envelope first: they say where the mail really came in."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_FORWARDED = re.compile(r"^\s*(fwd?|wg|tr|rv|i|enc|doorst|vb|vs|pd)\s*:", re.IGNORECASE)
_LONGEST_TEXT = 1_000_000


def read_mail(raw: bytes, *, ours: Sequence[str] = ()) -> Reply:
    """`ours` are our own addresses, which help to tell quoted text. Raises ValueError with a sentence."""
    try:
        mail = opened(without_files(raw))
        return _read(raw, mail, ours)
    except ValueError:
        raise
    except Exception as problem:  # a stranger's mail may break the standard library anywhere; it stays stored
        raise ValueError(f"The mail cannot be understood: {problem}.") from problem


def _read(raw: bytes, mail: Message, ours: Sequence[str]) -> Reply:
    kind = _machine_mail.kind_of(mail)
    bodies = _bodies(mail)
    text = _text(bodies)[:_LONGEST_TEXT]
    shown = text.replace(QUOTED_FROM_HERE, "")
    subject = header(mail, "Subject")
    address, name = sender(mail)
    came_back = kind in (ReplyKind.BOUNCE, ReplyKind.COMPLAINT)
    enclosed = _machine_mail.enclosed(mail, shown) if came_back else None
    recipients = _recipients(mail, enclosed.reply_to if enclosed else ())
    return Reply(
        kind=kind,
        sender=address,
        sender_name=name,
        subject=subject,
        text=shown,
        said=shown if _FORWARDED.match(subject) else said(text, ours=ours),
        sent_at=sent_at(mail),
        message_id=next(iter(_MESSAGE_ID.findall(header(mail, "Message-ID"))), ""),
        tokens=recipients,
        answers=_answers(mail, enclosed.message_ids if enclosed else ()),
        failed_recipient=_machine_mail.failed_recipient(mail, shown) if came_back else "",
        recipient=next(iter(recipients), ""),
        html=_html(mail),
        attachments=attached(raw),
        authentic=authenticity(mail),
        why=_machine_mail.why_it_failed(mail) if came_back else "",
    )


def _recipients(mail: Message, more: Sequence[str]) -> tuple[str, ...]:
    """Every address the mail was meant for, as it is written; who signed which is for others to check."""
    found = [address for name in _RECIPIENTS for text in headers(mail, name) for address in addresses(text)]
    return tuple(dict.fromkeys([*found, *more]))


def _answers(mail: Message, more: Sequence[str]) -> tuple[str, ...]:
    found = [
        name
        for label in ("In-Reply-To", "References")
        for text in headers(mail, label)
        for name in _MESSAGE_ID.findall(text)
    ]
    return tuple(dict.fromkeys([*found, *more]))


def _html(mail: Message) -> str:
    """What a mail programme would show of it, made harmless; empty for a mail without HTML."""
    found = [part for part in parts(mail) if _is_body(part) and part.get_content_type() == "text/html"]
    return harmless("\n".join(decoded(part) for part in found)) if found else ""


def _text(bodies: Sequence[Message]) -> str:
    """All the text a person would see. Plain text where there is any, else text made from the HTML."""
    pieces = [_shown(part) for part in bodies]
    return "\n\n".join(piece.strip("\n") for piece in pieces if piece.strip()).strip()


def _bodies(mail: Message) -> list[Message]:
    bodies = [part for part in parts(mail) if _is_body(part)]
    choices = {
        id(inner): choice
        for choice in parts(mail)
        if choice.get_content_type() == "multipart/alternative"
        for inner in parts(choice)
    }
    chosen: dict[int, list[Message]] = {}
    for part in bodies:
        chosen.setdefault(id(choices.get(id(part), part)), []).append(part)
    return [part for group in chosen.values() for part in _best(group)]


def _best(group: list[Message]) -> list[Message]:
    """Of the same words in two forms, the plain ones, unless they are empty."""
    plain = [part for part in group if part.get_content_type() != "text/html" and decoded(part).strip()]
    return plain or [part for part in group if part.get_content_type() == "text/html"]


def _is_body(part: Message) -> bool:
    """Text; and so is a mail that says it has parts and shows no border between them."""
    return (
        (part.get_content_type() in ("text/plain", "text/html") or part.get_content_maintype() == "multipart")
        and not inside(part)
        and header(part, "Content-Disposition").partition(";")[0].strip().lower() != "attachment"
    )


def _shown(part: Message) -> str:
    written = decoded(part).replace(QUOTED_FROM_HERE, "")
    return text_of(written) if part.get_content_type() == "text/html" else written
