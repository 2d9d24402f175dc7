"""The doctor: is everything in order that has to be, for a reminder to arrive and for an answer to be heard?

It looks at the house (disk, keys, clock), at the names that mail servers look up before they believe us, at the way in
from outside, at each ledger's grant, and at what waits for a person. Each finding is one sentence, with what to do.
Nothing is changed; a test message is sent only when somebody asks for one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine.reminders import ReminderState
from engine.words import days, in_words
from jobs.office import Office
from store import inbox
from store.tables import ConnectionRow, MessageRow, OrganisationRow, ReminderRow

GRANT_SOON = timedelta(days=14)
"""A grant that runs out so soon is renewed by a person who connects again."""


class Verdict(StrEnum):
    OK = "ok"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, one sentence about it, and what to do where something is to be done."""

    about: str
    verdict: Verdict
    says: str
    do: str = ""


def ok(about: str, says: str) -> Finding:
    return Finding(about, Verdict.OK, says)


def look(about: str, says: str, do: str) -> Finding:
    return Finding(about, Verdict.LOOK, says, do)


def wrong(about: str, says: str, do: str) -> Finding:
    return Finding(about, Verdict.WRONG, says, do)


Examination = Callable[[], Iterator[Finding]]


def all_findings(examinations: Sequence[tuple[str, Examination]]) -> Iterator[Finding]:
    """One examination after the other. One that trips is a finding of its own, and the others go on."""
    for about, examine in examinations:
        try:
            yield from examine()
        except Exception as trouble:
            says = f"this could not be looked at: {type(trouble).__name__}: {trouble}"
            yield wrong(about, says, "Tell whoever maintains this installation, with the log of the daemon.")


def books(office: Office) -> Iterator[Finding]:
    """The grants, the age of what is known, what was sent last, and what waits for a person."""
    now = office.clock()
    with office.database.reading() as session:
        organisations = session.scalars(select(OrganisationRow).order_by(col(OrganisationRow.id))).all()
        if not organisations:
            yield look("ledger", "no organisation is connected yet", "Open the pages and connect a ledger.")
        for organisation in organisations:
            yield from _organisation(session, organisation, now)
        yield from _mailboxes(session, office, now)
        yield from _posts(session)


def _organisation(session: Session, organisation: OrganisationRow, now: datetime) -> Iterator[Finding]:
    name = organisation.name
    mine = col(ConnectionRow.organisation_id) == organisation.id
    yield _grant(name, session.scalars(select(ConnectionRow).where(mine)).one_or_none(), now)
    yield _last_sync(organisation, now)
    yield _last_send(session, organisation)
    yield _doubts(session, organisation)


def _grant(name: str, connection: ConnectionRow | None, now: datetime) -> Finding:
    about, again = f"{name}: ledger", "Connect again under Connections."
    if connection is None:
        return wrong(about, "it is not connected to a ledger", again)
    if connection.state != "active":
        return wrong(about, f"its connection does not work: {connection.why or connection.state}", again)
    ends = connection.refresh_expires_at
    if ends is None:
        return ok(about, f"connected to {connection.tenant_name or connection.kind} since {_ago(now, connection)} ago")
    if ends <= now:
        return wrong(about, "its grant has run out", again)
    left = days((ends - now).days)
    if ends - now < GRANT_SOON:
        return look(about, f"its grant runs out in {left} if it is not used", f"{again} Or see why it is not synced.")
    return ok(about, f"its grant is good for {left} more, and is renewed by each sync")


def _ago(now: datetime, connection: ConnectionRow) -> str:
    return days((now - connection.connected_at).days)


def _last_sync(organisation: OrganisationRow, now: datetime) -> Finding:
    about, read = f"{organisation.name}: last sync", organisation.ledger_as_of
    if read is None:
        return wrong(about, "its ledger has never been read", "Run arrears sync, or see the sync log for the reason.")
    age = now - read
    if age > timedelta(days=organisation.stale_after_days):
        says = f"its ledger was read {_in_words(age)} ago, which is too old to send on"
        return wrong(about, says, "See the sync log; is the daemon running?")
    if age > max(timedelta(hours=2), timedelta(minutes=4 * organisation.sync_every_minutes)):
        return look(about, f"its ledger was read {_in_words(age)} ago", "See the sync log; is the daemon running?")
    return ok(about, f"its ledger was read {_in_words(age)} ago")


def _last_send(session: Session, organisation: OrganisationRow) -> Finding:
    about = f"{organisation.name}: sending"
    if organisation.braked_at is not None:
        says = f"the brake is on: {organisation.braked_why or 'a reading of the ledger looked wrong'}"
        return wrong(about, says, "Look at the books on the front page, then release the brake.")
    if organisation.paused_at is not None:
        return look(about, "sending is paused", "Start it on the front page when you are ready.")
    if organisation.sending_mode != "live":
        says = f"sending is only tried out ({organisation.sending_mode})"
        return look(about, says, "Switch it to live in the settings when you have seen enough.")
    mine = col(MessageRow.organisation_id) == organisation.id
    last = session.scalars(select(func.max(MessageRow.sent_at)).where(mine)).one()
    if last is None:
        return ok(about, "sending is on; nothing has been sent yet")
    return ok(about, f"sending is on; the last message left on {in_words(last.date())} at {last:%H:%M} UTC")


def _doubts(session: Session, organisation: OrganisationRow) -> Finding:
    about = f"{organisation.name}: doubts"
    mine = col(ReminderRow.organisation_id) == organisation.id

    def count(state: ReminderState) -> int:
        return session.scalars(select(func.count()).where(mine, col(ReminderRow.state) == state)).one()

    unsure, refused = count(ReminderState.UNSURE), count(ReminderState.REFUSED)
    if not unsure and not refused:
        return ok(about, "no reminder is in doubt or refused")
    says = f"reminders in doubt: {unsure}, refused: {refused}; nothing more goes to those accounts"
    return look(about, says, "Settle them on the front page.")


def _mailboxes(session: Session, office: Office, now: datetime) -> Iterator[Finding]:
    for kind in office.channels:
        since = inbox.bookmark(session, f"{kind} silent since")
        if since:
            age = _in_words(now - datetime.fromisoformat(since))
            says = f"answers could not be fetched for {age}; after a day nothing is sent any more"
            yield wrong(f"[{kind}] answers", says, "See the finding about its mailbox.")


def _posts(session: Session) -> Iterator[Finding]:
    if unread := inbox.count_aside(session):
        says = f"mails, texts and posts of providers that nobody could read: {unread:,}"
        yield look("answers", says, "See the end of the page Replies: save them as they came, or have them read again.")


def _in_words(age: timedelta) -> str:
    if age >= timedelta(days=2):
        return days(age.days)
    hours, rest = divmod(max(0, int(age.total_seconds())), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"
