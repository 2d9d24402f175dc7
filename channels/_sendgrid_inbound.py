"""A mail as SendGrid's Inbound Parse hands it in, made into the mail that it was, with its envelope written on top.

Whole mails (the setting "POST the raw, full MIME message") stay as they are, byte for byte. A mail that comes taken
apart is put together again, each text in its own alphabet. Either gets the lines that every mail server writes on top
when it delivers a mail: who sent it, to whom, and what was found about the sender.
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/inbound-email
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from channels import Kept
from channels._form_post import Part

WHOLE = ("email", "rawEmail")
"""The field is called `email`; one of SendGrid's guides says `rawEmail`."""

WITNESS = "mx.sendgrid.net"
HANDED_IN = "X-Handed-In-By: SendGrid Inbound Parse"
"""Begins every mail that is kept, so that none can begin as an event does."""

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^<>\s]{1,250})>", re.IGNORECASE | re.MULTILINE)
LONGEST_NOTE = 1_000_000
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]\\@]{1,200}@[^\s<>,;:\"()\[\]\\@]{1,255}")
_DKIM = re.compile(r"@([A-Za-z0-9.-]{1,255})\s*:\s*([A-Za-z]{1,20})")
_ALPHABET = re.compile(r"[A-Za-z0-9._:+-]{1,40}")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*/[A-Za-z0-9][A-Za-z0-9.+-]*")
_OF_THE_WHOLE = (b"content-type", b"content-transfer-encoding", b"mime-version")


class Envelope(NamedTuple):
    sender: str
    recipients: tuple[str, ...]


def kept(form: Mapping[str, Part]) -> Kept:
    """The mail and its name: its Message-ID, whom it came to, and its fingerprint. Raises ValueError."""
    mail, envelope = _mail(form), _envelope(form)
    named = _MESSAGE_ID.search(mail[:100_000])
    name = named[1].decode("ascii", "replace") if named else ""
    print_ = sha256("\0".join(envelope.recipients).encode() + b"\0" + mail).hexdigest()[:32]
    return Kept(f"mail:{name}:{print_}", _on_top(envelope, form) + mail)


def _mail(form: Mapping[str, Part]) -> bytes:
    for name in WHOLE:
        if name in form and form[name].content.strip():
            return form[name].content
    if "headers" not in form:
        raise ValueError("The form that was posted holds no mail.")
    return _put_together(form)


def _envelope(form: Mapping[str, Part]) -> Envelope:
    written = _read_json(form, "envelope")
    to = written.get("to") or []
    recipients = [str(one) for one in (to if isinstance(to, list) else [to])]
    sender = str(written.get("from") or "")
    known = tuple(one for one in recipients if _ADDRESS.fullmatch(one))
    return Envelope(sender if _ADDRESS.fullmatch(sender) else "", known[:50])


def _on_top(envelope: Envelope, form: Mapping[str, Part]) -> bytes:
    """The mail itself may say other things of these matters; they come below, and are its writer's word."""
    lines = [HANDED_IN, *([f"Return-Path: <{envelope.sender}>"] if "envelope" in form else [])]
    lines += [f"Delivered-To: {recipient}" for recipient in envelope.recipients]
    lines.append(f"Authentication-Results: {'; '.join([WITNESS, *(list(_found(envelope, form)) or ['none'])])}")
    return "".join(f"{line}\r\n" for line in lines).encode()


def _found(envelope: Envelope, form: Mapping[str, Part]) -> Iterator[str]:
    spf = form["SPF"].text.strip().lower() if "SPF" in form else ""
    if spf.isalpha():
        yield f"spf={spf[:20]}" + (f" smtp.mailfrom={envelope.sender}" if envelope.sender else "")
    for domain, verdict in _DKIM.findall(form["dkim"].text[:2_000] if "dkim" in form else "")[:10]:
        yield f"dkim={verdict.lower()} header.d={domain.lower()}"


def _put_together(form: Mapping[str, Part]) -> bytes:
    """A mail again out of its headers, its texts and its files."""
    head, report = _head(form["headers"].content)
    charsets = _read_json(form, "charsets")
    texts = [
        _text_part(kind, form[name].content, str(charsets.get(name, "")))
        for name, kind in (("text", "plain"), ("html", "html"))
        if name in form and form[name].content
    ]
    files = list(_files(form))
    seal = sha256(b"\0".join([head, *texts, *files])).hexdigest()[:32]
    whole = "multipart/report; report-type=delivery-status" if report else "multipart/mixed"
    both = _several("multipart/alternative", f"=_a{seal}", texts)
    return head + b"MIME-Version: 1.0\r\n" + _several(whole, f"=_m{seal}", [both, *files])


def _head(written: bytes) -> tuple[bytes, bool]:
    """The headers without those about the form of the whole, and whether the mail was a delivery report."""
    fields: list[list[bytes]] = []
    for line in re.split(rb"\r\n|\r|\n", written[:LONGEST_NOTE].strip(b"\r\n")):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)
        elif re.match(rb"[!-9;-~]{1,100}:", line):
            fields.append([line])
    report = any(re.match(rb"content-type:\s*multipart/report", one[0], re.IGNORECASE) for one in fields)
    kept_fields = [one for one in fields if one[0].partition(b":")[0].strip().lower() not in _OF_THE_WHOLE]
    return b"".join(line + b"\r\n" for one in kept_fields for line in one), report


def _text_part(kind: str, content: bytes, charset: str) -> bytes:
    alphabet = charset if _ALPHABET.fullmatch(charset) else "utf-8"
    return _encoded(f"Content-Type: text/{kind}; charset={alphabet}", content)


def _files(form: Mapping[str, Part]) -> Iterator[bytes]:
    told = _read_json(form, "attachment-info")
    for name, part in form.items():
        if not re.fullmatch(r"attachment\d{1,4}", name):
            continue
        info = _dict(told.get(name))
        kind = str(info.get("type") or part.content_type).partition(";")[0].strip()
        file = re.sub(r"[\x00-\x1f\"\\]", "_", str(info.get("filename") or part.filename or name))[:200]
        lines = [f"Content-Type: {kind if _TYPE.fullmatch(kind) else 'application/octet-stream'}"]
        lines.append(f'Content-Disposition: attachment; filename="{file}"')
        cid = str(info.get("content-id") or "").strip("<> ")
        if cid and not re.search(r"[\s<>]", cid):
            lines.append(f"Content-ID: <{cid[:200]}>")
        if kind.lower().startswith("message/"):  # these may not be encoded (RFC 2046, 5.2)
            yield "\r\n".join(lines).encode() + b"\r\n\r\n" + part.content
        else:
            yield _encoded("\r\n".join(lines), part.content)


def _encoded(head: str, content: bytes) -> bytes:
    return f"{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(content)


def _several(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    mark = f"--{boundary}".encode()
    pieces = [piece for part in parts for piece in (mark + b"\r\n", part, b"\r\n")]
    return f'Content-Type: {kind}; boundary="{boundary}"\r\n\r\n'.encode() + b"".join(pieces) + mark + b"--\r\n"


def _read_json(form: Mapping[str, Part], name: str) -> dict[str, Any]:
    try:
        return _dict(json.loads(form[name].content[:LONGEST_NOTE]))
    except (KeyError, ValueError, RecursionError):
        return {}


def _dict(read: Any) -> dict[str, Any]:
    return read if isinstance(read, dict) else {}
