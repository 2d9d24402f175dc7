"""Doors: where providers post what became of our messages, and what debtors answered.

A post is checked on its raw bytes, stored as it came, and only then answered: a provider that has its answer never
sends it again. What it means is found out later, by `receive`. Nobody may fill our disk or our memory from here, and
nothing is turned away without a person being told.
"""

from http import HTTPStatus
from typing import NamedTuple

import structlog
from sqlmodel import Session

from channels import Forged, Kept, NoSuchDoor, Posted, medium_of
from jobs.matching import first_organisation
from jobs.office import Office
from store import inbox
from store.tasks import is_open, open_task

log = structlog.get_logger()

_MOST = {"email": 40_000_000, "sms": 256_000, "call": 256_000}
"""Bytes of one post. A mail may have 30 MB at SendGrid, and its provider adds to it."""

MOST_ASIDE, MOST_BYTES_ASIDE = 500, 200_000_000
"""So many posts of one channel may wait for a person, and so many bytes of them. Then no more are taken in."""


class Answer(NamedTuple):
    """What to say to whoever knocked. `stored`: something new may wait to be understood."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    stored: bool = False


TROUBLE = Answer(503)
"""We have trouble of our own, so it has to come again. A mail answered with 4xx would be lost for good."""


def most(office: Office, kind: str) -> int | None:
    """How many bytes a post to this channel may have; None when there is no such channel."""
    return _MOST[medium_of(kind)] if kind in office.channels else None


def knock(office: Office, kind: str, posted: Posted) -> Answer:
    """One post. What it holds is stored for good before this returns. Raises whatever goes wrong on our own side."""
    if kind not in office.channels:
        return Answer(404)
    try:
        heard = office.channel(kind).hear(posted)
    except NoSuchDoor:
        return Answer(404)
    except Forged as forged:
        log.warning("a post was not signed by its provider", channel=kind, why=str(forged))
        _tell(office, f"forged:{kind}", "unsigned post", _FORGED.format(kind))
        return Answer(401)
    if heard.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:  # by the channel's own setting
        return too_large(office, kind, len(posted.body))
    if heard.keep and not _keep(office, kind, heard.keep):
        return TROUBLE
    return Answer(heard.status, heard.body, heard.content_type, stored=bool(heard.keep))


def too_large(office: Office, kind: str, size: int) -> Answer:
    """A post that nobody will take. Its provider does not try again, so a person has to know."""
    log.warning("a post was too large", channel=kind, bytes=size)
    _tell(office, f"large:{kind}", "post too large", _TOO_LARGE.format(kind, size))
    return Answer(413)


_FORGED = (
    "Something was posted to the door of {} that its provider had not signed, and was turned away. If the provider's "
    "key was changed, put the new one into the configuration: until then no reply gets in."
)
_TOO_LARGE = (
    "Something was posted to the door of {} that is larger than what is taken in there ({:,} bytes or more), and was "
    "turned away. If a customer says that they have sent a large file, ask for it by another way."
)
_ASIDE = "{} to the door of {} {} for a person. {}{}. Look at the end of the page Replies{}."
_FULL = "; until some are dealt with, no more of them are taken in"


def _keep(office: Office, kind: str, keep: tuple[Kept, ...]) -> bool:
    """Stores all of a post, or nothing of it. False when too much of this channel waits for a person already."""
    doubtful = [kept for kept in keep if kept.problem]
    with office.database.unit_of_work() as unit:
        full = bool(doubtful) and _is_full(inbox.set_aside(unit, kind), doubtful)
        if not full:
            inbox.keep_posts(unit, kind, keep, office.clock())
        if doubtful:
            _ask_a_person(unit, office, kind, doubtful[0].problem, full=full)
    return not full


def _is_full(aside: inbox.Aside, more: list[Kept]) -> bool:
    size = sum(len(kept.raw) for kept in more)
    return aside.posts + len(more) > MOST_ASIDE or aside.bytes + size > MOST_BYTES_ASIDE


def _ask_a_person(unit: Session, office: Office, kind: str, problem: str, *, full: bool) -> None:
    posts = inbox.set_aside(unit, kind).posts
    count, wait, about = ("1 post", "waits", "") if posts == 1 else (f"{posts:,} posts", "wait", "About the newest: ")
    text = _ASIDE.format(count, kind, wait, about, problem.rstrip("."), _FULL if full else "")
    _open(unit, office, f"aside:{kind}", "unreadable reply", text)


def _tell(office: Office, key: str, kind: str, text: str) -> None:
    """One task for all that is turned away for the same reason. Anybody can knock, so it is written only once."""
    with office.database.reading() as session:
        organisation = first_organisation(session)
        if organisation is None or is_open(session, organisation_id=organisation, key=key):
            return
    with office.database.unit_of_work() as unit:
        _open(unit, office, key, kind, text)


def _open(unit: Session, office: Office, key: str, kind: str, text: str) -> None:
    organisation = first_organisation(unit)
    if organisation is not None:
        open_task(unit, organisation_id=organisation, key=key, kind=kind, text=text, at=office.clock())
