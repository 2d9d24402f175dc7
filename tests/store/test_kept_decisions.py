"""Mirrors store/kept_decisions.py: what was decided years ago can still be read, whatever has been learnt since."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from engine.decide import decide
from engine.facts import Facts
from engine.workflow import Channel
from store.kept_decisions import all_kept, kept_on, outcome
from store.tables import DecisionRow
from tests.jobs.firm import START, Firm

LATER = datetime(2030, 1, 1, tzinfo=UTC)
NEWEST = ("tried_out", "stopped", "sending_ahead", "contacted")
"""Fields of `Facts` that came last, the newest first. Decisions from before each of them are in somebody's books."""


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    firm.account("Ivy", START)
    firm.walk(START + timedelta(days=6), START + timedelta(days=9))
    yield firm
    firm.close()


def older(firm: Firm, without: int) -> None:
    """Every decision as it was kept before the newest fields existed: the list of its facts ends sooner."""
    with firm.office.database.unit_of_work() as unit:
        for row in unit.scalars(select(DecisionRow)).all():
            known = json.loads(row.facts)
            assert len(known) == len(Facts._fields) - 2, "rules and workflows are kept apart"
            text = json.dumps(known[: len(known) - without])
            unit.execute(update(DecisionRow).where(col(DecisionRow.id) == row.id).values(facts=text))


def test_the_fields_that_came_last_are_those_of_which_this_speaks() -> None:
    assert Facts._fields[: -len(NEWEST) - 1 : -1] == NEWEST, "a field that came since belongs at the end, and in here"


@pytest.mark.parametrize("without", range(1, len(NEWEST) + 1))
def test_a_decision_from_before_a_fact_existed_is_read_and_made_again_alike(firm: Firm, without: int) -> None:
    with firm.office.database.reading() as session:
        before = list(all_kept(session, firm.id))
    older(firm, without)
    with firm.office.database.reading() as session:
        kept = list(all_kept(session, firm.id))

    assert [one.facts for one in kept] == [
        one.facts._replace(**{name: Facts._field_defaults[name] for name in NEWEST[:without]}) for one in before
    ]
    assert [one.outcome for one in kept] == [outcome(decide(one.facts, one.as_of)) for one in kept]


def test_why_on_a_day_before_addresses_could_be_stopped_knows_of_no_stop(firm: Firm) -> None:
    older(firm, 1)
    with firm.office.database.reading() as session:
        kept = kept_on(session, 1, START + timedelta(days=8), until=LATER)

    assert kept is not None and kept.facts.stopped == ()
    assert Channel.EMAIL in kept.facts.reachable
