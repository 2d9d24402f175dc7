"""Caps: how many reminders may leave at once, and on one day, whatever the workflows say. A circuit breaker.

A mistake in a workflow, or a ledger that shows everything as overdue, would write to everybody within minutes. Before
that, as many have left as may, and sending stops: what is over the cap waits, says why, and a person is asked to look
at the plan. They release the rest, or raise the cap. It never goes on by itself, not the next day either, because
nothing that was wrong at noon is right at midnight. To spread a backlog over days there is the plan of first contacts.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import Session, col

from engine.calendars import SENDING_WINDOW, civil_date, moment_of
from engine.contact_hours import MIDNIGHT
from engine.holds import Hold, HoldKind, sentence
from engine.words import in_words
from jobs.acting import NotAllowed, organisation_in
from jobs.last_gates import Leaving
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.trying_out import SendingMode
from store import audit, departed, outbox
from store.decisions import sending_moment
from store.facts import ground_of
from store.tables import OrganisationRow, ReminderRow
from store.tasks import close_task, open_task

ROUND = timedelta(hours=1)
"""What leaves within an hour is one round. A slower trickle than the cap allows is no mass mistake."""


def too_many(leaving: Leaving) -> bool:
    """As many have left as may: nothing more leaves until a person has looked."""
    why = reached(leaving.unit, leaving.office, leaving.organisation)
    if not why:
        return False
    _stop(leaving.unit, leaving.office, leaving.organisation, why)
    leaving.release("")
    return True


def reached(session: Session, office: Office, organisation: OrganisationRow) -> str:
    """Which cap is reached, in words: `200 have left within an hour, and no more may`; empty when none is."""
    now, number = office.clock(), int(organisation.id or 0)
    midnight = moment_of(office.as_of(organisation), MIDNIGHT, ZoneInfo(organisation.time_zone))
    released = organisation.cap_released_at
    allowed = organisation.cap_released_for if released is not None and released >= midnight else 0
    caps = (
        (organisation.most_a_run, now - ROUND, "within an hour"),
        (organisation.most_a_day, midnight, "today"),
    )
    trying = organisation.sending_mode != SendingMode.LIVE
    for most, since, when in caps:
        if not most:
            continue
        if allowed and released is not None:
            since = max(since, released + timedelta(microseconds=1))
        left = departed.since(session, number, since, diverted=trying)
        if left >= max(most, allowed):
            return f"{left:,} have left {when}, and no more may"
    return ""


def _stop(unit: Session, office: Office, organisation: OrganisationRow, why: str) -> None:
    now, number = office.clock(), int(organisation.id or 0)
    waiting = outbox.count_ready(unit, number, now=now)
    why = f"{why}; {waiting:,} {'waits' if waiting == 1 else 'wait'}"
    organisation.capped_at, organisation.capped_why = now, why
    audit.record(unit, organisation_id=number, at=now, by="arrears", what="cap reached", why=why)
    text = f"{why[:1].upper()}{why[1:]}. Look at the plan. Then release them on the front page, or raise the cap."
    open_task(unit, organisation_id=number, key="cap", kind="cap", text=text, at=now)
    unit.flush()
    recalculate_in(unit, office, number)


def release(office: Office, organisation_id: int, *, by: str) -> int:
    """A person has looked: what waits because of the cap may leave, now if it is a time for it. Returns how many."""
    with office.database.unit_of_work() as unit:
        organisation = organisation_in(unit, organisation_id)
        if organisation.capped_at is None:
            raise NotAllowed("No cap holds anything back.")
        now = office.clock()
        waiting = outbox.held_because(unit, organisation_id, sentence(Hold(HoldKind.CAP, now.date())), now=now)
        why, since = organisation.capped_why, civil_date(organisation.capped_at, ZoneInfo(organisation.time_zone))
        organisation.capped_at, organisation.capped_why = None, ""
        organisation.cap_released_at, organisation.cap_released_for = now, len(waiting)
        what = "cap released"
        audit.record(
            unit,
            organisation_id=organisation_id,
            at=now,
            by=by,
            what=what,
            why=why,
            since=in_words(since),
            for_=len(waiting),
        )
        close_task(unit, organisation_id=organisation_id, key="cap", at=now, by=by)
        unit.flush()
        recalculate_in(unit, office, organisation_id)
        _may_leave(unit, office, organisation_id, waiting, now)
        return len(waiting)


def _may_leave(unit: Session, office: Office, organisation_id: int, reminders: list[int], now: datetime) -> None:
    """Their sending time had come before they were held; so they need not wait for the next one."""
    ground = ground_of(unit, organisation_id, now=now)
    moment = sending_moment(ground, office.as_of(ground.organisation), now, window=SENDING_WINDOW)
    for start in range(0, len(reminders), 500):
        unit.execute(
            update(ReminderRow)
            .where(
                col(ReminderRow.id).in_(reminders[start : start + 500]),
                col(ReminderRow.held_because) == "",
                col(ReminderRow.send_after) > moment,
            )
            .values(send_after=moment, next_attempt_at=None)
        )
