"""The mailbox that replies come back to, read over IMAP without touching it: nothing is marked, moved or deleted.

The bookmark is `<uidvalidity>:<uid>:<mailbox>` of the last mail handed over. A server that renumbers its mails changes
the first part. The last part is a fingerprint of host, user and folder, because many servers give every mailbox the
same first number. Where either is another one, everything is handed over again, and whoever stores it recognises what
is already there.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from channels import Collected

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\r\n]{1,500}>)", re.IGNORECASE | re.MULTILINE)


def collect(
    host: str, port: int, security: str, username: str, password: str, folder: str, timeout: float, bookmark: str | None
) -> Iterator[Collected]:
    """Mails after the bookmark, oldest first, one in memory at a time. Raises OSError with a sentence."""
    where = f"the mailbox {username} at {host}:{port}"
    with _troubles_as_sentences(where), ExitStack() as leaving:
        mailbox = _opened(host, port, security, timeout)
        leaving.callback(_leave, mailbox)
        _sign_in(mailbox, username, password)
        which = sha256("\n".join((host.lower(), username, folder)).encode()).hexdigest()[:12]
        yield from _after(mailbox, folder, which, bookmark)


def _opened(host: str, port: int, security: str, timeout: float) -> BaseMailBox:
    """A connection whose certificate was checked: by itself, the IMAP library would trust anybody."""
    match security:
        case "tls":
            return MailBox(host, port, timeout=timeout, ssl_context=ssl.create_default_context())
        case "starttls":
            return MailBoxStartTls(host, port, timeout=timeout, ssl_context=ssl.create_default_context())
        case _:
            return MailBoxUnencrypted(host, port, timeout=timeout)


def _leave(mailbox: BaseMailBox) -> None:
    with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
        mailbox.logout()


@contextmanager
def _troubles_as_sentences(where: str) -> Iterator[None]:
    try:
        yield
    except MailboxLoginError as problem:
        raise PermissionError(f"{where} did not let us in: check the user name and the password") from problem
    except MailboxFolderSelectError as problem:
        raise FileNotFoundError(f"{where} has no such folder: {problem}") from problem
    except (ImapToolsError, imaplib.IMAP4.error, ValueError) as problem:
        raise ConnectionError(f"{where} did not answer as expected: {problem}") from problem
    except OSError as problem:
        raise ConnectionError(f"{where} cannot be reached: {problem}") from problem


def _sign_in(mailbox: BaseMailBox, username: str, password: str) -> None:
    if (username + password).isascii():
        mailbox.login(username, password, initial_folder=None)
    else:
        mailbox.login_utf8(username, password, initial_folder=None)


def _after(mailbox: BaseMailBox, folder: str, which: str, bookmark: str | None) -> Iterator[Collected]:
    mailbox.folder.set(folder, readonly=True)
    validity = _validity(mailbox)
    last = _last_uid(bookmark, validity, which)
    found = (int(uid) for uid in mailbox.uids(f"UID {last + 1}:*", charset=None))
    for uid in sorted(uid for uid in found if uid > last):
        if (raw := _raw(mailbox, uid)) is not None:
            yield Collected(_event_id(raw), raw, f"{validity}:{uid}:{which}")


def _validity(mailbox: BaseMailBox) -> str:
    _, told = mailbox.client.response("UIDVALIDITY")
    return told[-1].decode("ascii", "replace") if told and told[-1] else "0"


def _last_uid(bookmark: str | None, validity: str, which: str) -> int:
    numbering, uid, mailbox = [*(bookmark or "").split(":"), "", ""][:3]
    return int(uid) if (numbering, mailbox) == (validity, which) and uid.isdecimal() else 0


def _raw(mailbox: BaseMailBox, uid: int) -> bytes | None:
    """The mail as it is; None when somebody deleted it meanwhile. One that is there and does not come is no such mail:
    it is waited for, because the bookmark of the next one would leave it behind for good.
    """
    answer: tuple[str, list[Any]] = mailbox.client.uid("FETCH", str(uid), "(BODY.PEEK[])")
    status, parts = answer
    if status != "OK":
        raise ConnectionError(f"the mail server would not hand over mail {uid}: {status}")
    for part in parts:
        if isinstance(part, tuple) and b"BODY[" in part[0].upper():
            return bytes(part[1])
        if isinstance(part, bytes) and b'BODY[] ""' in part.upper():
            return b""
    if str(uid) in mailbox.uids(f"UID {uid}", charset=None):
        raise ConnectionError(f"the mail server has mail {uid} and does not hand it over; look at it in the mailbox")
    return None


def _event_id(raw: bytes) -> str:
    """The mail's own Message-ID and a piece of its fingerprint: two mails never share it, two copies always do."""
    head = re.split(rb"\r?\n\r?\n", raw[:100_000], maxsplit=1)[0]
    named = _MESSAGE_ID.search(head)
    name = named[1].decode("ascii", "replace") if named else ""
    return f"{name}:{sha256(raw).hexdigest()[:16]}"
