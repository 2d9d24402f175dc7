"""The front page: is it safe to send, what goes out next, what came in, and what needs a person."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from engine.calendars import SendingDays, civil_date, moment_of
from engine.reminders import ReminderState
from jobs import acts, brakes
from store import screens
from store.ground import rules_of
from store.screens import Coming, Planned
from store.tables import TaskRow
from store.tasks import asked_about
from web._ageing import bars
from web._pages import back, page
from web._safety import verdict
from web._say import Say
from web._visit import Deciding, Desk, Said, Visiting, Working, looking
from web.rooms.connections import offered

router = APIRouter()

_AHEAD = timedelta(days=14)


class Plan(NamedTuple):
    """What leaves next: at the next sending moment, what is held and why, and what the days after bring."""

    moment: object
    going: tuple[Planned, ...]
    going_count: int
    held: tuple[Planned, ...]
    held_count: int
    days: tuple[tuple[date, tuple[tuple[str, int], ...]], ...]


@router.get("/")
def front(visit: Visiting) -> Response:
    if visit.signed.organisation is None:
        return page(visit, "welcome.html", offered=offered(visit.office))
    desk = looking(visit)
    organisation, as_of = desk.organisation, desk.as_of
    say = Say(organisation.locale, organisation.time_zone, as_of)
    with desk.office.database.reading() as session:
        doubts = screens.reminders(session, desk.id, ReminderState.UNSURE, limit=12)
        refusals = screens.reminders(session, desk.id, ReminderState.REFUSED, limit=12)
        connection = screens.connection(session, desk.id)
        plan = _plan(
            desk,
            screens.reminders(session, desk.id, ReminderState.QUEUED, ReminderState.SENDING),
            screens.queued(session, desk.id),
            screens.coming(session, desk.id, after=as_of, until=as_of + _AHEAD),
        )
        last_run = screens.last_reading(session, desk.id)
        facts = {
            "ageing": [bars(line) for line in screens.ageing(session, desk.id, as_of)],
            "tasks": screens.tasks(session, desk.id),
            "doubts": doubts,
            "refusals": refusals,
            "asked": asked_about(session, [one.reminder for one in (*doubts, *refusals)]),
            "replies": screens.replies(session, desk.id, limit=5),
            "settled": screens.settled(session, desk.id, since=desk.office.clock() - timedelta(days=30)),
        }
    paused_at = organisation.paused_at
    since = str(say.day(civil_date(paused_at, say.zone)).striptags()) if paused_at else ""
    return page(
        desk,
        "front.html",
        verdict=verdict(organisation, connection, desk.needs, as_of, since),
        plan=plan,
        last_run=last_run,
        **facts,
    )


def _plan(desk: Desk, queue: tuple[Planned, ...], counts: tuple[int, int], coming: tuple[Coming, ...]) -> Plan:
    """While the whole organisation is paused, the plan shows what would go if it were not."""
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    sending = rules_of(desk.organisation, around=desk.as_of).sending
    for one in coming:
        by_day[sending.first_from(one.day)][one.step] += one.accounts
    return Plan(
        moment=_next_moment(desk, sending),
        going=tuple(one for one in queue if not one.held),
        going_count=counts[0],
        held=tuple(one for one in queue if one.held),
        held_count=counts[1],
        days=tuple((day, tuple(sorted(steps.items()))) for day, steps in sorted(by_day.items())),
    )


def _next_moment(desk: Desk, sending: SendingDays) -> object:
    """The next time of day at which reminders leave."""
    organisation, now = desk.organisation, desk.office.clock()
    zone = ZoneInfo(organisation.time_zone)
    today = moment_of(sending.first_from(desk.as_of), organisation.sending_time, zone)
    if today > now:
        return today
    return moment_of(sending.first_from(desk.as_of + timedelta(days=1)), organisation.sending_time, zone)


@router.post("/sending/start")
def start(desk: Deciding) -> Response:
    acts.resume_organisation(desk.office, desk.id, by=desk.by)
    return back("/", "sending")


@router.post("/sending/release")
def release(desk: Deciding) -> Response:
    """A person has looked at what made the brake stop sending."""
    brakes.release(desk.office, desk.id, by=desk.by)
    return back("/", "released")


@router.post("/sending/pause")
def pause(desk: Deciding, why: Said = "") -> Response:
    acts.pause_organisation(desk.office, desk.id, by=desk.by, why=why.strip())
    return back("/", "stopped")


@router.post("/tasks/{task_id}/close")
def close(desk: Working, task_id: int) -> Response:
    task = desk.own(TaskRow, task_id)
    acts.close_task(desk.office, task_id, by=desk.by)
    return back(f"/accounts/{task.account_id}" if task.account_id else "/", "closed")
