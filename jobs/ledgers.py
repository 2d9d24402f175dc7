"""The way to one organisation's ledger: its connection, its grant, and what to do when the grant is gone."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from connector import ConsentNeeded, Governor, Grant, Ledger, LedgerFailure, Purpose, RateLimited, open_ledger
from engine.words import in_words
from jobs.first_words import LOCALES, speak
from jobs.governors import OutOfTurns, governor_of
from jobs.office import Office
from store import SealBroken, grants
from store.holidays_of import calendars
from store.tables import ConnectionRow, OrganisationRow
from store.tasks import close_task, is_open, open_task


@dataclass(frozen=True, slots=True)
class KeptGrant:
    """The connector's `GrantKeeper`, kept in our store. Each method is one committed transaction."""

    office: Office
    connection_id: int
    organisation_id: int

    def load(self) -> tuple[Grant, int]:
        try:
            text, generation = grants.load_grant(self.office.database, self.office.vault, self.connection_id)
        except (SealBroken, LookupError) as problem:
            raise ConsentNeeded(f"{CANNOT_OPEN}{problem}") from problem
        return grant_from(text), generation

    def begin_refresh(self, generation: int, now: datetime, until: datetime) -> bool:
        return grants.begin_refresh(
            self.office.database, self.connection_id, generation=generation, now=now, until=until
        )

    def keep(self, generation: int, grant: Grant) -> bool:
        kept = grants.keep_grant(
            self.office.database,
            self.office.vault,
            self.connection_id,
            generation=generation,
            grant=text_of(grant),
            access_expires_at=grant.access_expires_at,
            refresh_expires_at=grant.refresh_expires_at,
        )
        if kept:
            heed_the_end(self.office, self.organisation_id, grant)
        return kept

    def end_refresh(self, generation: int) -> None:
        grants.end_refresh(self.office.database, self.connection_id, generation=generation)

    def lost(self, why: str) -> None:
        with self.office.database.unit_of_work() as unit:
            needs_consent(unit, self.office, self.connection_id, self.organisation_id, why)


def needs_consent(unit: Session, office: Office, connection_id: int, organisation_id: int, why: str) -> None:
    """The connection is marked and a person is asked to connect again."""
    grants.mark_lost(unit, connection_id, why)
    open_task(
        unit,
        organisation_id=organisation_id,
        key="connection",
        kind="connection",
        text=f"The connection to the ledger has ended. Connect again, or nothing can be synced or sent. ({why})",
        at=office.clock(),
    )


def heed_the_end(office: Office, organisation_id: int, grant: Grant) -> None:
    """Asks a person in good time before this grant dies. Once its end has moved away, nobody is asked any more."""
    now = office.clock()
    end = grant.dies_soon(now)
    with office.database.reading() as session:
        asked = is_open(session, organisation_id=organisation_id, key=CONSENT_ENDS)
    if end is None and not asked:
        return
    with office.database.unit_of_work() as unit:
        if end is None:
            close_task(unit, organisation_id=organisation_id, key=CONSENT_ENDS, at=now, by="arrears")
            return
        text = _about_the_end(end, at_last=end == grant.hard_expires_at)
        open_task(unit, organisation_id=organisation_id, key=CONSENT_ENDS, kind="connection", text=text, at=now)


def _about_the_end(end: datetime, *, at_last: bool) -> str:
    day = in_words(end.date())
    if at_last:
        return (
            f"The ledger's consent ends on {day}, however much it is used. Renew it on the page Connections before "
            "that day, or nothing can be synced or sent after it."
        )
    return (
        f"The ledger's consent ends on {day} if nothing is read from the ledger before. See the sync log for why "
        "nothing is read, or connect again on the page Connections."
    )


@dataclass(frozen=True, slots=True)
class ConsentEnd:
    """When a person has to connect again: `unused` if nothing is read until then, `at_last` whatever is done.

    Instants in UTC, None where the ledger sets no such end; `soon` is the one of which a task warns.
    """

    unused: datetime | None = None
    at_last: datetime | None = None
    soon: datetime | None = None


def consent_end(office: Office, connection: ConnectionRow) -> ConsentEnd:
    """The ends of this connection's consent, as far as they are known: a grant that cannot be opened tells of none."""
    assert connection.id is not None
    try:
        grant, _ = KeptGrant(office, connection.id, connection.organisation_id).load()
    except ConsentNeeded:
        return ConsentEnd(unused=connection.refresh_expires_at)
    return ConsentEnd(grant.refresh_expires_at, grant.hard_expires_at, grant.dies_soon(office.clock()))


CONSENT_ENDS = "connection-ends"
"""The key of the task that asks for a new consent before the old one ends."""

CANNOT_OPEN = "the grant cannot be used: "
"""How the reason begins where a grant could not be opened; with the right key file it can be again."""


def remember(office: Office, connection: ConnectionRow, failure: LedgerFailure) -> None:
    """What a failure says about the connection itself: wait until then, or ask a person to connect again."""
    with office.database.unit_of_work() as unit:
        remember_in(unit, office, connection, failure)


def remember_in(unit: Session, office: Office, connection: ConnectionRow, failure: LedgerFailure) -> None:
    """The same in a unit of work that is already open."""
    assert connection.id is not None
    match failure:
        case OutOfTurns():
            pass  # our own count: other calls of this connection may still have their turn
        case RateLimited(until=until):
            unit.execute(update(ConnectionRow).where(col(ConnectionRow.id) == connection.id).values(not_before=until))
        case ConsentNeeded():
            needs_consent(unit, office, connection.id, connection.organisation_id, str(failure))


def learn_who_it_is(office: Office, organisation_id: int, ledger: Ledger) -> None:
    """Name, currency, country, time zone and language as the ledger has them. Raises LedgerFailure.

    The public holidays and the language of the country are where a new organisation starts. One that is known keeps
    what it has chosen.
    """
    info = ledger.check()
    with office.database.unit_of_work() as unit:
        organisation = unit.get(OrganisationRow, organisation_id)
        assert organisation is not None
        if organisation.ledger_as_of is None:
            organisation.time_zone = info.timezone
        if not organisation.currency:  # nobody has been asked before, so nobody has chosen anything
            speak(unit, organisation, LOCALES.get(info.country, organisation.locale))
            organisation.holiday_calendar = info.country if info.country in calendars() else ""
        organisation.name, organisation.currency = info.name, info.currency
        organisation.country = info.country or organisation.country


def ledger_of(office: Office, connection: ConnectionRow, governor: Governor | None = None) -> Ledger:
    """The ledger behind this connection. Raises LookupError when its kind has no settings.

    Without a governor of its own it is one for reading.
    """
    assert connection.id is not None
    governor = governor or governor_of(office, connection, Purpose.READING)
    keeper = KeptGrant(office, connection.id, connection.organisation_id)
    return open_ledger(
        connection.kind,
        office.ledgers[connection.kind],
        tenant=connection.tenant,
        keeper=keeper,
        clock=office.clock,
        governor=governor,
    )


def connection_of(session: Session, organisation_id: int) -> ConnectionRow | None:
    """The organisation's connection, whatever its state."""
    return session.scalars(
        select(ConnectionRow).where(col(ConnectionRow.organisation_id) == organisation_id)
    ).one_or_none()


def organisations(session: Session) -> list[OrganisationRow]:
    """Every organisation of this installation."""
    return list(session.scalars(select(OrganisationRow).order_by(col(OrganisationRow.id))))


def text_of(grant: Grant) -> str:
    """The grant as it is sealed."""
    return json.dumps(
        {
            "access": grant.access_token,
            "refresh": grant.refresh_token,
            "access_expires_at": grant.access_expires_at.isoformat(),
            "refresh_expires_at": grant.refresh_expires_at.isoformat() if grant.refresh_expires_at else None,
            "scopes": list(grant.scopes),
            "hard_expires_at": grant.hard_expires_at.isoformat() if grant.hard_expires_at else None,
        }
    )


def grant_from(text: str) -> Grant:
    """The grant as it was sealed."""
    kept = json.loads(text)
    ends, at_last = kept["refresh_expires_at"], kept.get("hard_expires_at")  # older texts do not have the second
    return Grant(
        access_token=kept["access"],
        refresh_token=kept["refresh"],
        access_expires_at=datetime.fromisoformat(kept["access_expires_at"]),
        refresh_expires_at=datetime.fromisoformat(ends) if ends else None,
        scopes=tuple(kept["scopes"]),
        hard_expires_at=datetime.fromisoformat(at_last) if at_last else None,
    )
