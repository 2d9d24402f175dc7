"""The way in and the way out: does the world reach our doors, do mailbox and mail server let us in, is our clock right?

Everything here waits a few seconds at most, and says so where nobody answered. That the public address answers is asked
from this machine; a firewall that keeps others out is not seen from inside.
"""

import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, runtime_checkable
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from channels import Message, NotLetIn, Outcome, Receipt, Refused, Unavailable, Unsure
from engine.workflow import Channel
from jobs.doctor import Finding, look, ok, wrong
from jobs.office import Office
from store import inbox

LATE, FAR_OFF = timedelta(seconds=5), timedelta(seconds=60)
OURS = "default-src 'none'"
"""How each answer of our pages begins its content policy; an answer without it is somebody else's."""


@runtime_checkable
class Signs(Protocol):
    """A channel that can say whether its provider lets us in, without sending anything."""

    def sign_in(self) -> str:
        """Who let us in. Raises OSError with a sentence when nobody did; NotLetIn says also what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP, whatever its status. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Nobody is followed elsewhere: what is to be found out is who answers here."""
        return


def ask(url: str, seconds: float, *, post: bool = False) -> Answer:
    """One question over HTTP. Raises OSError with a sentence when nobody answers."""
    opener = build_opener(_Stay(), HTTPSHandler(context=ssl.create_default_context()))
    request = Request(url, data=b"" if post else None, headers={"user-agent": "arrears doctor"})  # noqa: S310
    try:
        with opener.open(request, timeout=seconds) as response:
            return Answer(response.status, _headers(response), response.read(10_000))
    except HTTPError as answered:
        with closing(answered):
            return Answer(answered.code, _headers(answered))
    except URLError as problem:
        raise OSError(f"{urlsplit(url).netloc} does not answer: {problem.reason}") from problem
    except (OSError, ValueError) as problem:
        raise OSError(f"{urlsplit(url).netloc} does not answer: {problem}") from problem


def _headers(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def way_in(office: Office, seconds: float) -> Iterator[Finding]:
    """Whether the public address is safe, leads to us, and has the doors that providers post to."""
    url, about = office.public_url, "public address"
    host = urlsplit(url).hostname or ""
    if host in ("localhost", "127.0.0.1", "::1"):
        does = "Set public_url in [server] when ledgers are to ring, or Twilio or SendGrid are to post here."
        yield look(about, f"{url} is this machine itself; nobody else reaches it", does)
    elif not url.startswith("https://"):
        yield wrong(about, f"{url} is not https, so passwords travel in the open", "Put a proxy with TLS before it.")
    try:
        answer = ask(f"{url}/health", seconds)
    except OSError as problem:
        yield wrong(about, str(problem), "Is the daemon running, and does the proxy lead to it? See docs/operations.")
        return
    if not _is_health(answer):
        says = f"{url}/health answers {answer.status}, and not as arrears does"
        yield wrong(about, says, "Let the proxy hand every path on, unchanged.")
        return
    yield ok(about, f"{url} leads here")
    yield from _doors(office, seconds)


def _is_health(answer: Answer) -> bool:
    try:
        return answer.status == 200 and json.loads(answer.body).get("ok") is True
    except (ValueError, AttributeError):
        return False


def _doors(office: Office, seconds: float) -> Iterator[Finding]:
    kinds = [*office.ledgers, *(f"{kind}/doctor" for kind in office.channels)]
    shut = []
    for kind in kinds:
        answer = ask(f"{office.public_url}/hooks/{kind}", seconds, post=True)
        if answer.status >= 500 or OURS not in answer.headers.get("content-security-policy", ""):
            shut.append(f"/hooks/{kind.partition('/')[0]} ({answer.status})")
    if shut:
        says = f"posts of providers do not get through to {', '.join(shut)}"
        yield wrong("doors", says, "Let the proxy hand posts below /hooks/ on, body and path unchanged.")
    elif kinds:
        yield ok("doors", "posts of providers get through, and without a signature none is let in")


def clock(office: Office, addresses: Sequence[str], seconds: float) -> Iterator[Finding]:
    """Our clock against the Date that a provider writes on its answers."""
    silent = ""
    for url in addresses:
        before = office.clock()
        try:
            said = ask(url, seconds).headers.get("date", "")
        except OSError as problem:
            silent = str(problem)
            continue
        theirs = _moment(said)
        if theirs is not None:
            yield _drift(theirs, before, office.clock(), urlsplit(url).hostname or url)
            return
    if silent:
        yield look("clock", f"it was not compared: {silent}", "Are you offline? Try again.")
    elif addresses:
        yield look("clock", "it was not compared: no provider said what time it has", "Look again in a while.")
    else:
        yield look("clock", "it was not compared: no provider is set up to compare it with", "Set up a ledger.")


def _drift(theirs: datetime, before: datetime, after: datetime, host: str) -> Finding:
    """A Date has whole seconds, and was written somewhere between our question and the answer."""
    least, most = before - theirs - timedelta(seconds=1), after - theirs
    drift = max(least, -most, timedelta(0))
    seconds = round(drift.total_seconds())
    does = "Let the machine set its clock by NTP (timedatectl set-ntp true)."
    if drift > FAR_OFF:
        return wrong("clock", f"it is {seconds} s away from that of {host}", does)
    if drift > LATE:
        return look("clock", f"it is {seconds} s away from that of {host}", does)
    return ok("clock", f"it agrees with that of {host}")


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None


def way_out(office: Office) -> Iterator[Finding]:
    """Whether each channel's provider lets us in, and whether the mailbox with the answers does."""
    if office.carrier_of(Channel.EMAIL) is None:
        does = "Add [email_smtp] or [email_sendgrid] to the configuration."
        yield wrong("email", "no email channel is set up, so no reminder can leave", does)
    for kind in office.channels:
        channel = office.channel(kind)
        if isinstance(channel, Signs):
            try:
                yield ok(f"[{kind}] sending", f"{channel.sign_in()} lets us in")
            except NotLetIn as problem:
                yield (look if problem.partly else wrong)(f"[{kind}] sending", str(problem), problem.do)
            except OSError as problem:
                does = "Mend the settings of this block, or wait and try again."
                yield wrong(f"[{kind}] sending", str(problem), does)
        yield from _mailbox(office, kind)


def _mailbox(office: Office, kind: str) -> Iterator[Finding]:
    with office.database.reading() as session:
        mark = inbox.bookmark(session, kind)
    if not getattr(office.channels[kind], "imap_host", ""):
        return
    try:
        waiting = next(iter(office.channel(kind).collect(mark)), None)
    except OSError as problem:
        yield wrong(f"[{kind}] answers", str(problem), "Mend the imap settings of this block. Nothing in it was lost.")
        return
    yield ok(f"[{kind}] answers", "the mailbox lets us in" + ("; mails wait to be read" if waiting else ""))


def test_message(office: Office, to: str) -> Iterator[Finding]:
    """One mail to oneself. Whether it arrives, and where, only its reader sees."""
    kind = office.carrier_of(Channel.EMAIL)
    if kind is None:
        return
    about, channel, now = "test message", office.channel(kind), office.clock()
    stamp = f"{now:%Y%m%d%H%M%S}"
    message = Message(
        attempt=f"doctor-{stamp}",
        message_id=f"<arrears.doctor.{stamp}@{channel.sender.rpartition('@')[2]}>",
        to=to,
        to_name="",
        subject="A test message from arrears",
        text=f"This is what a reminder's way looks like. It left on {now:%d.%m.%Y at %H:%M} UTC.\n\n"
        "If it lies among the junk, look at the findings about SPF, DKIM and DMARC.\n",
        from_address=channel.sender,
        from_name=channel.sender_name,
        reply_to=channel.replies_to,
        since=now,
    )
    yield _what_came_of_it(about, to, channel.send(message))


test_message.__test__ = False  # type: ignore[attr-defined]


def _what_came_of_it(about: str, to: str, outcome: Outcome) -> Finding:
    match outcome:
        case Receipt():
            return ok(about, f"it left for {to}; look whether it arrives, and not among the junk")
        case Refused(why=why):
            return wrong(about, f"it was refused: {why}", "Mend what it says, then try again.")
        case Unavailable(why=why):
            return wrong(about, f"it could not leave: {why}", "Mend what it says, or wait and try again.")
        case Unsure(why=why):
            return look(about, f"nobody knows whether it left: {why}", f"Look into the mailbox of {to}.")
