"""Mirrors jobs/connect.py for a ledger that names its organisation in the browser's answer alone: QuickBooks Online."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from connector import settings_of
from jobs import connect, sync
from store.tables import ConnectionRow, InvoiceRow, OrganisationRow
from tests.connector.intuit import press_connect
from town import Town

BACK = "http://127.0.0.1:8000/connections/quickbooks/callback"


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    town = a_town(company=False)
    doors = {
        name: getattr(town.world.quickbooks, name) for name in ("api_url", "authorize_url", "token_url", "revoke_url")
    }
    app = settings_of("quickbooks")(client_id="sandbox-app", client_secret="sandbox-secret", **doors)
    town.office.ledgers["quickbooks"] = app  # type: ignore[index]
    return town


def begun(town: Town) -> dict[str, str]:
    return press_connect(connect.begin(town.office, kind="quickbooks", session="browser", redirect_uri=BACK))


def finish(town: Town, answer: dict[str, str]) -> connect.Connected:
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
    return done


def test_a_quickbooks_company_is_connected_read_and_let_go(town: Town) -> None:
    town.control.add_contact("Fern", "joan@fern.example")
    town.control.add_invoice("Fern", "2025-12-01", "120.10", "INV-1")
    answer = begun(town)

    done = finish(town, answer)
    run = sync.sync(town.office, done.organisation_id, trigger="test")

    assert run is not None and run.state == "done"
    with town.office.database.reading() as session:
        connection = session.scalars(select(ConnectionRow)).one()
        organisation = session.get(OrganisationRow, done.organisation_id)
        invoices = [(row.number, str(row.balance)) for row in session.scalars(select(InvoiceRow))]
    assert (connection.kind, connection.tenant) == ("quickbooks", answer["realmId"])
    assert organisation is not None and organisation.name == "Brightwater Joinery Ltd"
    assert [(number, float(balance)) for number, balance in invoices] == [("INV-1", 120.10)]

    connect.disconnect(town.office, done.organisation_id, by="Olive Owner")
    with town.office.database.reading() as session:
        assert session.scalars(select(ConnectionRow)).one().why == "disconnected by Olive Owner"


def test_a_browser_that_names_another_company_than_the_consent_opens_is_turned_away(town: Town) -> None:
    town.control.add_organisation("Another firm")
    answer = begun(town)
    realms = [row["realm_id"] for row in town.control.organisations()]
    other = next(realm for realm in realms if realm != answer["realmId"])

    with pytest.raises(connect.ConsentProblem, match="The connection could not be made"):
        finish(town, {**answer, "realmId": other})
    with town.office.database.reading() as session:
        assert session.scalars(select(ConnectionRow)).all() == []


def test_the_state_is_checked_before_the_company_is_looked_at(town: Town) -> None:
    with pytest.raises(connect.ConsentProblem, match="does not belong"):
        finish(town, {**begun(town), "state": "made-up"})
