"""Mirrors jobs/connect.py: a person connects a ledger in the browser, and nobody else can finish the dance."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs import connect
from jobs.ledgers import KeptGrant, grant_from, text_of
from store.people import add_user
from store.tables import ConnectionRow, OrganisationRow, StepRow
from town import CALLBACK, Town, consent


def begin(town: Town, session: str = "browser") -> dict[str, str]:
    return consent(connect.begin(town.office, kind="xero", session=session, redirect_uri=CALLBACK))


def finish(town: Town, answer: dict[str, str], session: str = "browser") -> connect.Connected | connect.Choice:
    return connect.finish(
        town.office,
        session=session,
        state=answer["state"],
        code=answer["code"],
        redirect_uri=CALLBACK,
        user_id=town.owner,
    )


def test_connecting_founds_an_organisation_that_starts_paused_with_a_workflow(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    done = finish(town, begin(town))

    assert isinstance(done, connect.Connected)
    with town.office.database.reading() as session:
        organisation = session.get(OrganisationRow, done.organisation_id)
        steps = session.scalars(select(StepRow)).all()
    assert organisation is not None
    assert (organisation.name, organisation.time_zone, organisation.currency) == (
        "Brightwater Joinery Ltd",
        "Europe/London",
        "GBP",
    )
    assert organisation.paused_at is not None
    assert (organisation.reassess_on_payment, organisation.reassess_locked) == (True, True)
    assert [step.day for step in steps] == [7, 21, 35, 42, 56]


def test_a_state_that_was_never_given_out_is_refused(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    answer = begin(town)

    with pytest.raises(connect.ConsentProblem, match="does not belong to a connection that you have just asked for"):
        finish(town, {**answer, "state": "made-up"})


def test_a_state_works_once(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    answer = begin(town)
    finish(town, answer)

    with pytest.raises(connect.ConsentProblem, match="used before"):
        finish(town, answer)


def test_another_browser_cannot_finish_what_this_one_began(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    answer = begin(town, session="browser")

    with pytest.raises(connect.ConsentProblem):
        finish(town, answer, session="another browser")


def test_a_state_that_is_too_old_is_refused(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    answer = begin(town)
    town.clock.move(town.clock() + timedelta(minutes=16))

    with pytest.raises(connect.ConsentProblem):
        finish(town, answer)


def test_a_code_that_the_ledger_does_not_accept_is_a_sentence(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    answer = begin(town)

    with pytest.raises(connect.ConsentProblem, match="The connection could not be made"):
        finish(town, {**answer, "code": "wrong"})


def test_connecting_the_same_ledger_again_renews_the_connection_and_founds_nothing(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    first = finish(town, begin(town))
    again = finish(town, begin(town))

    assert first == again
    with town.office.database.reading() as session:
        assert len(session.scalars(select(ConnectionRow)).all()) == 1


def test_a_login_that_does_not_work_for_an_organisation_cannot_replace_its_grant(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    before = _sealed(town)
    with town.office.database.unit_of_work() as unit:
        stranger = add_user(unit, email="s@x.example", name="S", password="correct horse", now=town.clock())
    town.owner = int(stranger.id or 0)

    with pytest.raises(connect.ConsentProblem, match="this login does not work for it"):
        finish(town, begin(town))
    assert _sealed(town) == before


def test_the_grant_is_nowhere_readable_in_the_database(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    with town.office.database.reading() as session:
        row = session.scalars(select(ConnectionRow)).one()
    town.office.database.close()
    path = town.office.database.engine.url.database
    raw = Path(str(path)).read_bytes()
    grant, _ = KeptGrant(town.office, int(row.id or 0), row.organisation_id).load()
    assert grant.refresh_token
    assert grant.refresh_token.encode() not in raw
    assert grant.access_token.encode() not in raw
    assert grant.access_token not in repr(grant)


def test_a_consent_that_ends_for_good_asks_a_person_in_time_and_a_new_one_closes_the_task(
    a_town: Callable[..., Town],
) -> None:
    town = a_town(company=False)
    town.connect()
    keeper = _keeper(town)
    grant, generation = keeper.load()

    assert keeper.keep(generation, replace(grant, hard_expires_at=town.clock() + timedelta(days=400)))
    assert town.tasks() == []
    assert keeper.keep(generation + 1, replace(grant, hard_expires_at=town.clock() + timedelta(days=30)))
    assert [task.key for task in town.tasks()] == ["connection-ends"]
    assert keeper.load()[0].hard_expires_at == town.clock() + timedelta(days=30)

    finish(town, begin(town))
    assert town.tasks() == []


def test_a_grant_that_was_kept_before_they_had_a_last_day_is_read_still(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    grant, _ = _keeper(town).load()
    older = {name: value for name, value in json.loads(text_of(grant)).items() if name != "hard_expires_at"}

    assert grant_from(json.dumps(older)) == replace(grant, hard_expires_at=None)


def _keeper(town: Town) -> KeptGrant:
    with town.office.database.reading() as session:
        row = session.scalars(select(ConnectionRow)).one()
    return KeptGrant(town.office, int(row.id or 0), row.organisation_id)


def _sealed(town: Town) -> str:
    with town.office.database.reading() as session:
        return session.scalars(select(ConnectionRow)).one().sealed_grant


def test_after_a_disconnect_nothing_is_read_or_sent_and_the_grant_is_gone(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    connect.disconnect(town.office, town.organisation, by="Olive Owner")

    assert town.sync() is None
    with town.office.database.reading() as session:
        row = session.scalars(select(ConnectionRow)).one()
    assert (row.state, row.sealed_grant, row.why) == ("disconnected", "", "disconnected by Olive Owner")


def test_a_grant_that_died_asks_a_person_and_connecting_again_closes_the_task(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    town.connect()
    town.control.end_grants()
    town.move(town.clock() + timedelta(hours=1))
    run = town.sync()

    assert run.state == "failed"
    assert run.next_act == "Connect again on the page Connections."
    assert [task.kind for task in town.tasks()] == ["connection"]

    finish(town, begin(town))
    assert town.tasks() == []
    assert town.sync().state == "done"


def a_town_with_a_custom_connection(a_town: Callable[..., Town]) -> Town:
    town = a_town(company=False)
    ours = replace(town.office.ledgers["xero"], client_id="sandbox-custom", custom_connection=True)
    town.office = replace(town.office, ledgers={"xero": ours})
    return town


def test_an_app_made_for_one_organisation_is_connected_without_a_browser_and_synced(
    a_town: Callable[..., Town],
) -> None:
    town = a_town_with_a_custom_connection(a_town)
    town.control.add_invoice(town.control.add_contact("Fern"), due="2026-01-19", amount="120")

    offered = connect.begin(town.office, kind="xero", session="browser", redirect_uri=CALLBACK)
    assert isinstance(offered, connect.Direct)
    town.organisation = connect.connect_directly(town.office, kind="xero", user_id=town.owner).organisation_id
    run = town.sync()
    town.move(town.clock() + timedelta(days=90))
    later = town.sync()

    assert offered.tenant.name == "Brightwater Joinery Ltd"
    assert (run.state, run.seen, later.state) == ("done", 2, "done")


def test_where_a_person_consents_nobody_is_connected_directly(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)

    with pytest.raises(connect.ConsentProblem, match="in the browser"):
        connect.connect_directly(town.office, kind="xero", user_id=town.owner)
