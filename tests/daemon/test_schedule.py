"""Mirrors daemon/schedule.py: every act comes round, a poke comes soon, a clock set back silences nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from daemon.config import Config
from daemon.config import Schedule as Timing
from daemon.schedule import Schedule
from jobs import receive, write_back
from jobs.office import real_clock
from store.tables import SyncRunRow
from town import Town


@contextmanager
def running(schedule: Schedule) -> Iterator[Schedule]:
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def runs(town: Town) -> list[str]:
    with town.office.database.reading() as session:
        return list(session.scalars(select(SyncRunRow.trigger)))  # type: ignore[call-overload]


def test_each_act_comes_round_and_one_that_fails_comes_round_again(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = a_town(company=False)
    rounds: dict[str, int] = {"receive": 0, "write_back": 0}

    def counted(name: str) -> Callable[[object], None]:
        def act(_: object) -> None:
            rounds[name] += 1
            raise RuntimeError("it failed this time")

        return act

    monkeypatch.setattr(receive, "receive", counted("receive"))
    monkeypatch.setattr(write_back, "write_back", counted("write_back"))
    with running(Schedule(town.office, Config(schedule=Timing(receive=1, write_back=1)))):
        assert eventually(lambda: all(count >= 2 for count in rounds.values()))


def test_a_poke_syncs_soon_and_the_first_sync_needs_none(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    with running(Schedule(town.office, Config())) as schedule:
        schedule.poke("sync", str(town.organisation))
        assert eventually(lambda: "by hand" in runs(town))


def test_the_first_sync_after_connecting_is_told_apart_from_somebody_s_button(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    with running(Schedule(town.office, Config())) as schedule:
        schedule.poke("connected", str(town.organisation))
        assert eventually(lambda: "connected" in runs(town))
        assert "by hand" not in runs(town)


def test_a_clock_that_is_set_back_two_hours_silences_nothing(a_town: Callable[..., Town]) -> None:
    """Without the watcher nothing would happen for two hours: the next round would lie in the old future."""
    town = a_town(company=False)
    shift = [timedelta(0)]
    schedule = Schedule(town.office, Config(), wall=lambda: real_clock() + shift[0], look_every=0.05)
    with running(schedule):
        jobs = schedule._engine.get_jobs
        for job in jobs():
            job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=2))
        shift[0] = -timedelta(hours=2)
        frequent = [job.id for job in jobs() if job.trigger.interval < timedelta(hours=1)]
        soon = datetime.now(UTC) + timedelta(hours=1)
        assert {"sync", "deliver", "doorbell", "check"} <= {*frequent}
        assert eventually(lambda: all(job.next_run_time < soon for job in jobs() if job.id in frequent))
