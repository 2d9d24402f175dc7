"""What SendGrid checks before it takes a mail, and the sentence with which it refuses each.

The limits are those of the reference (…/api-reference/mail-send/limitations and …/mail-send/errors), the sentences
those that its API answers.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sandbox.sendgrid.refusals import HELP, Wrong

LARGEST = 30 * 1024 * 1024
ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
FORBIDDEN_HEADERS = frozenset(
    {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"}
    | {"to", "from", "subject", "reply-to", "cc", "bcc"}
)
ORDER = ("text/plain", "text/html")


def wrongs(body: Any, *, now: datetime) -> list[Wrong]:
    """Everything that is wrong with this body of mail/send."""
    if not isinstance(body, dict):
        return [Wrong(None, "Bad Request")]
    return [*_people(body), *_words(body), *_extras(body, now)]


def _people(body: dict[str, Any]) -> Iterator[Wrong]:
    yield from _sender(body.get("from"))
    letters = body.get("personalizations")
    if not isinstance(letters, list) or not letters:
        message = "The personalizations field is required and must have at least one personalization."
        yield Wrong("personalizations", message, f"{HELP}-Personalizations-Errors-personalizations")
        return
    if len(letters) > 1000:
        yield Wrong("personalizations", "The personalizations field cannot contain more than 1000 personalizations.")
    total = 0
    for number, letter in enumerate(letters):
        where = f"personalizations.{number}"
        if not isinstance(letter, dict) or not isinstance(letter.get("to"), list) or not letter["to"]:
            message = "The to array is required for all personalization objects, and must have at least one email "
            yield Wrong(f"{where}.to", message + "object with a valid email address.", f"{HELP}personalizations.to")
            continue
        yield from _addressees(letter, where)
        total += sum(len(letter.get(kind) or ()) for kind in ("to", "cc", "bcc"))
        yield from _headers(letter.get("headers"), f"{where}.headers")
        yield from _arguments(letter.get("custom_args"), f"{where}.custom_args")
    if total > 1000:
        yield Wrong("personalizations", "The total number of recipients may not exceed 1000.")
    if body.get("reply_to") is not None and body.get("reply_to_list") is not None:
        yield Wrong("reply_to", "Only one of reply_to and reply_to_list may be used.")
    for person in [body["reply_to"]] if body.get("reply_to") is not None else body.get("reply_to_list") or []:
        if not _is_address(person):
            yield Wrong("reply_to.email", "The reply_to email does not contain a valid address.")


def _sender(sender: Any) -> Iterator[Wrong]:
    if not isinstance(sender, dict) or not sender.get("email"):
        message = "The from object must be provided for every email send. It is an object that requires the email "
        yield Wrong("from.email", message + "parameter, but may also contain a name parameter.", f"{HELP}from")
    elif not _is_address(sender):
        yield Wrong("from.email", "The from email does not contain a valid address.", f"{HELP}from")
    elif not str(sender["email"]).isascii():
        yield Wrong("from.email", "Unicode characters are not supported in the from email.", f"{HELP}from")


def _addressees(letter: dict[str, Any], where: str) -> Iterator[Wrong]:
    seen: set[str] = set()
    for kind in ("to", "cc", "bcc"):
        for index, person in enumerate(letter.get(kind) or ()):
            if not _is_address(person):
                help_ = f"{HELP}personalizations.{kind}"
                yield Wrong(f"{where}.{kind}.{index}.email", "Does not contain a valid address.", help_)
                continue
            if any(mark in str(person.get("name") or "") for mark in ",;"):
                yield Wrong(f"{where}.{kind}.{index}.name", "The name may not contain a comma or a semicolon.")
            address = person["email"].lower()
            if address in seen:
                message = "Each email address in the personalization block should be unique between to, cc, and bcc. "
                message += f"We found the first duplicate instance of [{address}] in the {where}.{kind} field."
                yield Wrong(where, message, f"{HELP}-Recipient-Errors")
            seen.add(address)


def _is_address(person: Any) -> bool:
    return (
        isinstance(person, dict)
        and isinstance(person.get("email"), str)
        and ADDRESS.fullmatch(person["email"]) is not None
        and len(person["email"]) <= 320
    )


def _words(body: dict[str, Any]) -> Iterator[Wrong]:
    letters = [letter for letter in body.get("personalizations") or () if isinstance(letter, dict)]
    if not body.get("subject") and not all(letter.get("subject") for letter in letters):
        message = "The subject is required. You can get around this requirement if you use a template with a subject "
        message += "defined or if every personalization has a subject defined."
        yield Wrong("subject", message, f"{HELP}subject")
    if any(mark in str(body.get("subject") or "") for mark in "\r\n"):
        yield Wrong("subject", "The subject may not contain a line break.", f"{HELP}subject")
    content = body.get("content")
    if not isinstance(content, list) or not content:
        message = "Unless a valid template_id is provided, the content parameter is required. There must be at least "
        message += "one defined content block. We typically suggest both text/plain and text/html blocks are included,"
        yield Wrong("content", message + " but only one block is required.", f"{HELP}content")
        return
    for number, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("value"), str) or not part["value"]:
            message = "The content value must be a string at least one character in length."
            yield Wrong(f"content.{number}.value", message, f"{HELP}content.value")
    kinds = [str(part.get("type")) for part in content if isinstance(part, dict)]
    if len(set(kinds)) != len(kinds):
        yield Wrong("content", "If present, text/plain and text/html may only be provided once.", f"{HELP}content")
    known = [kind for kind in kinds if kind in ORDER]
    if kinds[: len(known)] != known or known != sorted(known, key=ORDER.index):
        message = "If present, text/plain must be first, followed by text/html, followed by any other content."
        yield Wrong("content", message, f"{HELP}content")


def _extras(body: dict[str, Any], now: datetime) -> Iterator[Wrong]:
    yield from _headers(body.get("headers"), "headers")
    yield from _arguments(body.get("custom_args"), "custom_args")
    categories = body.get("categories") or []
    if not isinstance(categories, list) or not all(isinstance(category, str) for category in categories):
        yield Wrong("categories", "Categories must be an array of strings.", f"{HELP}categories")
    else:
        if len(categories) > 10:
            yield Wrong("categories", "You may not have more than 10 categories.", f"{HELP}categories")
        if any(len(category) > 255 for category in categories):
            yield Wrong("categories", "A category may not exceed 255 characters.", f"{HELP}categories")
        if len(set(categories)) != len(categories):
            yield Wrong("categories", "Categories must be unique.", f"{HELP}categories")
    send_at = body.get("send_at")
    if send_at is not None:
        if not isinstance(send_at, int) or isinstance(send_at, bool):
            yield Wrong("send_at", "The send_at parameter must be an integer.", f"{HELP}send_at")
        elif send_at > (now + timedelta(hours=72)).timestamp():
            yield Wrong("send_at", "Scheduling more than 72 hours in advance is forbidden.", f"{HELP}send_at")
    for number, attachment in enumerate(body.get("attachments") or ()):
        yield from _attachment(attachment, f"attachments.{number}")


def _headers(headers: Any, where: str) -> Iterator[Wrong]:
    if headers is None:
        return
    if not isinstance(headers, dict):
        yield Wrong(where, "Headers must be an object.", f"{HELP}headers")
        return
    for name, value in headers.items():
        if name.lower() in FORBIDDEN_HEADERS:
            yield Wrong(where, f"You may not override the header {name}.", f"{HELP}headers")
        if not isinstance(value, str) or "\n" in value or "\r" in value:
            yield Wrong(f"{where}.{name}", "A header must be a string without line breaks.", f"{HELP}headers")


def _arguments(arguments: Any, where: str) -> Iterator[Wrong]:
    if arguments is None:
        return
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        yield Wrong(where, "The custom_args must be an object of strings.", f"{HELP}custom_args")
    elif sum(len(name.encode()) + len(value.encode()) for name, value in arguments.items()) > 10_000:
        yield Wrong(where, "The custom_args may not exceed 10,000 bytes.", f"{HELP}custom_args")


def _attachment(attachment: Any, where: str) -> Iterator[Wrong]:
    given = attachment if isinstance(attachment, dict) else {}
    content = given.get("content")
    if not isinstance(content, str) or not content or not _is_base64(content):
        message = "The attachment content must be base64 encoded."
        yield Wrong(f"{where}.content", message, f"{HELP}attachments.content")
    if not isinstance(given.get("filename"), str) or not given["filename"]:
        message = "The filename is required for every attachment."
        yield Wrong(f"{where}.filename", message, f"{HELP}attachments.filename")
    if given.get("disposition", "attachment") not in ("attachment", "inline"):
        message = "The disposition of an attachment must be inline or attachment."
        yield Wrong(f"{where}.disposition", message, f"{HELP}attachments.disposition")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
