"""The next 30 days: what would go out on each of them, if nobody pays or if everybody pays as usual."""

from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from fastapi import APIRouter, Response

from engine.message_calendar import CalendarDay, by_account, by_channel, by_day
from engine.workflow import Channel
from jobs.foretelling import assumptions, costs, headline
from jobs.simulate import Payers, simulate
from store.past import accounts_that_owe
from web._pages import page
from web._visit import Looking

router = APIRouter()

DAYS = 30
MOST_ACCOUNTS = 5_000
"""More than these take longer than anybody waits for a page; the command line has the time."""

WIDTH = 1000
SHOWN = 12

_one_at_a_time = Lock()
"""A simulation keeps a processor busy for seconds. Whoever reloads the page does not get another one for it."""


class Row(NamedTuple):
    """One day: how many by each of the channels that are used at all, and the width of its bar, of a thousand."""

    day: CalendarDay
    counts: tuple[int, ...]
    width: int


@router.get("/plan")
def plan(desk: Looking, payers: str = Payers.NOBODY) -> Response:
    chosen = Payers(payers) if payers in {one.value for one in Payers} else Payers.NOBODY
    with desk.office.database.reading() as session:
        owing = accounts_that_owe(session, desk.id)
    if owing > MOST_ACCOUNTS or desk.organisation.default_workflow_id is None:
        return page(desk, "plan.html", payers=chosen, owing=owing, most=MOST_ACCOUNTS, told=None)
    with _one_at_a_time:
        told = simulate(desk.office, desk.id, days=DAYS, payers=chosen)
    channels = tuple(by_channel(told.messages))
    lines = by_account(told.messages)
    return page(
        desk,
        "plan.html",
        payers=chosen,
        owing=owing,
        most=MOST_ACCOUNTS,
        told=told,
        lead=headline(told),
        assumed=assumptions(told),
        costs=costs(told),
        channels=channels,
        rows=_rows(by_day(told.messages, told.start, told.until), channels),
        lines=lines[:SHOWN],
        more=max(0, len(lines) - SHOWN),
    )


def _rows(calendar: Sequence[CalendarDay], channels: Sequence[Channel]) -> tuple[Row, ...]:
    most = max((day.messages for day in calendar), default=0) or 1
    return tuple(
        Row(day, tuple(day.counts.get(channel, 0) for channel in channels), round(day.messages / most * WIDTH))
        for day in calendar
    )
