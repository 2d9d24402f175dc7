"""Mirrors jobs/connections.py: a consent that ends soon is told in time, and the right key file mends what it broke."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from connector import settings_of
from jobs import connect, sync
from jobs.connections import look_at_connections
from jobs.ledgers import KeptGrant
from store.secrets import Vault
from store.tables import AuditRow, ConnectionRow
from tests.connector.intuit import press_connect
from town import Town

ANOTHER = Vault((("k9", b"9" * 32),))
BACK = "http://127.0.0.1:8000/connections/quickbooks/callback"


def at_xero(a_town: Callable[..., Town]) -> Town:
    town = a_town(company=False)
    town.connect()
    return town


def at_quickbooks(a_town: Callable[..., Town]) -> Town:
    town = a_town(company=False)
    doors = {
        name: getattr(town.world.quickbooks, name) for name in ("api_url", "authorize_url", "token_url", "revoke_url")
    }
    app = settings_of("quickbooks")(client_id="sandbox-app", client_secret="sandbox-secret", **doors)
    town.office.ledgers["quickbooks"] = app  # type: ignore[index]
    quickbooks_again(town)
    return town


def quickbooks_again(town: Town) -> None:
    answer = press_connect(connect.begin(town.office, kind="quickbooks", session="browser", redirect_uri=BACK))
    done = connect.finish(
        town.office,
        session="browser",
        state=answer["state"],
        code=answer["code"],
        redirect_uri=BACK,
        user_id=town.owner,
        callback=answer,
    )
    assert isinstance(done, connect.Connected)
    town.organisation = done.organisation_id


def connection(town: Town) -> ConnectionRow:
    with town.office.database.reading() as session:
        return session.scalars(select(ConnectionRow)).one()


def keeper(town: Town) -> KeptGrant:
    row = connection(town)
    return KeptGrant(town.office, int(row.id or 0), row.organisation_id)


def asked(town: Town) -> list[str]:
    return [task.text for task in town.tasks() if task.key == "connection-ends"]


@pytest.mark.parametrize("connected", [at_xero, at_quickbooks])
def test_a_consent_that_dies_unused_is_told_by_the_round_although_no_key_is_renewed(
    a_town: Callable[..., Town], connected: Callable[..., Town]
) -> None:
    town = connected(a_town)
    grant, _ = keeper(town).load()
    assert grant.refresh_expires_at is not None
    look_at_connections(town.office)
    assert asked(town) == []

    town.move(grant.refresh_expires_at - timedelta(days=13))
    look_at_connections(town.office)
    (text,) = asked(town)
    assert "if nothing is read from the ledger before" in text
    look_at_connections(town.office)
    assert asked(town) == [text], "one matter is one task"

    assert sync.sync(town.office, connection(town).organisation_id, trigger="test") is not None
    assert asked(town) == [], "the reading has renewed it"


def test_a_consent_that_ends_for_good_is_told_by_the_round_and_a_new_one_closes_the_task(
    a_town: Callable[..., Town],
) -> None:
    town = at_quickbooks(a_town)
    grant, generation = keeper(town).load()
    assert keeper(town).keep(generation, replace(grant, hard_expires_at=town.clock() + timedelta(days=46)))
    look_at_connections(town.office)
    assert asked(town) == []

    town.move(town.clock() + timedelta(days=2))
    look_at_connections(town.office)
    assert "however much it is used" in asked(town)[0]

    quickbooks_again(town)
    look_at_connections(town.office)
    assert asked(town) == []


def test_a_wrong_key_file_puts_a_connection_aside_and_the_right_one_takes_it_up_again(
    a_town: Callable[..., Town],
) -> None:
    town = at_xero(a_town)
    right, town.office.vault = town.office.vault, ANOTHER
    town.sync()
    assert connection(town).state == "needs consent"
    assert [task.key for task in town.tasks()] == ["connection"]
    look_at_connections(town.office)
    assert connection(town).state == "needs consent", "with the wrong key nothing has changed"

    town.office.vault = right
    with capture_logs() as told:
        look_at_connections(town.office)
    assert (connection(town).state, connection(town).why) == ("active", "")
    assert town.tasks() == []
    assert "the connection is taken up" in told[0]["event"]
    with town.office.database.reading() as session:
        whats = list(session.scalars(select(AuditRow.what)))  # type: ignore[call-overload]
    assert any(what.startswith("connection taken up again") for what in whats)

    run = sync.sync(town.office, connection(town).organisation_id, trigger="test")
    assert run is not None and run.state == "done"


@pytest.mark.parametrize("state", ["needs consent", "disconnected"])
def test_a_connection_that_was_ended_for_another_reason_is_left_as_it_is(
    a_town: Callable[..., Town], state: str
) -> None:
    town = at_xero(a_town)
    with town.office.database.unit_of_work() as unit:
        row = unit.scalars(select(ConnectionRow)).one()
        row.state, row.why = state, "Xero has ended the grant (invalid_grant)"
    look_at_connections(town.office)

    assert connection(town).state == state
