"""First contacts: a backlog is written to over days, so that those who answer can be answered.

Whoever starts with a ledger full of old debts would write to hundreds of people on the first morning who have never
heard of it, and the telephone would not stand still. With a number of first contacts a day the others wait for their
turn. The oldest debt comes first: it needs no comparison of currencies, and nobody is overtaken by a newer debt, so
every turn comes. An account that pays meanwhile drops out, and the others move up.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlmodel import Session, col

from engine.calendars import SENDING_WINDOW, SendingDays, moment_of
from engine.contact_hours import MIDNIGHT
from engine.holds import Hold, HoldKind, sentence
from engine.notes import Note, NoteKind
from engine.reminders import ReminderState
from engine.words import in_words
from jobs.containing import contained
from jobs.last_gates import Leaving
from jobs.office import Office
from jobs.trying_out import SendingMode
from store import departed
from store.decisions import sending_moment
from store.facts import ground_of
from store.ground import Ground
from store.history import write_for_ourselves
from store.leases import one_at_a_time
from store.tables import OrganisationRow, PositionRow, ReminderRow

TURN = "it is a first contact, of which only so many are made on one day; its turn comes on "
FAR = 3_660
"""Further ahead than that many sending days nobody plans."""


_HELD_ALL = tuple(
    sentence(Hold(kind, date.min)) for kind in (HoldKind.ORGANISATION_PAUSED, HoldKind.BRAKE, HoldKind.CAP)
)


class Turn(NamedTuple):
    """One account that was never written to, and the day on which its first reminder may leave."""

    account: int
    on: date


def spread(office: Office) -> None:
    """Gives each first contact that is queued its day."""
    with office.database.reading() as session:
        query = select(OrganisationRow.id).where(col(OrganisationRow.first_contacts_a_day) > 0)
        organisations = [int(number) for number in session.scalars(query) if number is not None]
    for organisation_id in organisations:
        planning = contained("first contacts not planned", organisation=organisation_id)
        with planning, office.database.unit_of_work() as unit:
            one_at_a_time(unit, organisation_id)
            _spread_in(unit, office, organisation_id)


def turns(session: Session, office: Office, ground: Ground) -> tuple[Turn, ...]:
    """The first contacts that are queued, held or not, each with its day; empty where no number is set."""
    organisation = ground.organisation
    if not organisation.first_contacts_a_day:
        return ()
    waiting = _never_written_to(session, organisation)
    start, taken = next_start(session, office, ground)
    days = _days(ground.rules.sending, start, (taken + len(waiting)) // organisation.first_contacts_a_day + 1)
    return tuple(
        Turn(account, days[(taken + place) // organisation.first_contacts_a_day])
        for place, account in enumerate(waiting)
    )


def next_start(session: Session, office: Office, ground: Ground) -> tuple[date, int]:
    """The next day on which something may leave, and how many first contacts it has had already."""
    organisation, now = ground.organisation, office.clock()
    today = office.as_of(organisation)
    if sending_moment(ground, today, now, window=SENDING_WINDOW) == _at(ground, today):
        midnight, trying = _midnight(office, organisation), _trying(organisation)
        return today, departed.first_heard_since(session, ground.number, midnight, diverted=trying)
    return today + timedelta(days=1), 0


def not_its_turn(leaving: Leaving) -> bool:
    """One that became due after the plan was made: as many have heard today for the first time as may."""
    organisation, account = leaving.organisation, leaving.claimed.account_id
    if not organisation.first_contacts_a_day:
        return False
    if departed.written_to(leaving.unit, [account], diverted=_trying(organisation)):
        return False
    number = int(organisation.id or 0)
    midnight, trying = _midnight(leaving.office, organisation), _trying(organisation)
    heard = departed.first_heard_since(leaving.unit, number, midnight, diverted=trying)
    if heard < organisation.first_contacts_a_day:
        return False
    ground = ground_of(leaving.unit, number, now=leaving.now)
    turn = next((turn for turn in turns(leaving.unit, leaving.office, ground) if turn.account == account), None)
    on = turn.on if turn is not None else leaving.as_of + timedelta(days=1)
    leaving.wait(f"{TURN}{in_words(on)}", _at(ground, on))
    return True


def _spread_in(unit: Session, office: Office, organisation_id: int) -> None:
    ground = ground_of(unit, organisation_id, now=office.clock())
    turn_of = {turn.account: turn.on for turn in turns(unit, office, ground)}
    query = select(ReminderRow).where(
        col(ReminderRow.organisation_id) == organisation_id,
        col(ReminderRow.state) == ReminderState.QUEUED,
        col(ReminderRow.held_because) == "",
    )
    queued = [row for row in unit.scalars(query) if row.account_id in turn_of or row.why.startswith(TURN)]
    write_for_ourselves(unit, organisation_id, _planned(queued, turn_of, ground, office), office.clock())


def _planned(
    queued: Sequence[ReminderRow], turn_of: Mapping[int, date], ground: Ground, office: Office
) -> list[tuple[int, Note]]:
    """Moves what is not at its turn, and answers with the notes about those that have to wait from now on."""
    today, told = office.as_of(ground.organisation), []
    for row in queued:
        on, ours = turn_of.get(row.account_id), row.why.startswith(TURN)
        if on is None or on <= today:
            if ours:  # its turn is now, or it needs none any more
                row.why, row.send_after, row.next_attempt_at = "", _at(ground, today), None
            continue
        if not ours:
            text = f"{row.step_name} was not sent yet: {TURN}{in_words(on)}."
            told.append((row.account_id, Note(NoteKind.HELD, text)))
        row.why, row.send_after = f"{TURN}{in_words(on)}", max(row.send_after, _at(ground, on))
    return told


def _never_written_to(session: Session, organisation: OrganisationRow) -> list[int]:
    """The accounts with something queued that were never sent anything, the oldest debt first.

    One that is held for a reason of its own has no turn, or a few disputes would keep everybody else waiting.
    """
    query = (
        select(col(PositionRow.account_id), col(PositionRow.driver_due_on))  # type: ignore[call-overload]
        .join(ReminderRow, col(ReminderRow.account_id) == col(PositionRow.account_id))
        .where(
            col(PositionRow.organisation_id) == organisation.id,
            col(ReminderRow.state) == ReminderState.QUEUED,
            col(ReminderRow.channel) != "call",
            or_(
                col(ReminderRow.held_because) == "",
                *(col(ReminderRow.held_because).startswith(why, autoescape=True) for why in _HELD_ALL),
            ),
        )
        .distinct()
    )
    oldest = {account: due_on or date.max for account, due_on in session.execute(query)}
    known = departed.written_to(session, oldest, diverted=_trying(organisation))
    return sorted(oldest.keys() - known, key=lambda account: (oldest[account], account))


def _days(sending: SendingDays, start: date, count: int) -> list[date]:
    """The first so many sending days from there on."""
    days = [sending.first_from(start)]
    while len(days) < min(count, FAR):
        days.append(sending.first_from(days[-1] + timedelta(days=1)))
    return days


def _at(ground: Ground, on: date) -> datetime:
    organisation = ground.organisation
    return moment_of(on, organisation.sending_time, ZoneInfo(organisation.time_zone))


def _midnight(office: Office, organisation: OrganisationRow) -> datetime:
    return moment_of(office.as_of(organisation), MIDNIGHT, ZoneInfo(organisation.time_zone))


def _trying(organisation: OrganisationRow) -> bool:
    return organisation.sending_mode != SendingMode.LIVE
