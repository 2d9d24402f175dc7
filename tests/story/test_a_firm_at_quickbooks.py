"""The whole way at a firm whose books are at QuickBooks Online: connected, read, reminded, paid, and written down."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import urllib3
from sqlalchemy import select

from jobs.ledgers import KeptGrant
from store.tables import ConnectionRow, InvoiceRow
from town import Town


def notes_of(town: Town, account_id: str) -> str:
    """What a bookkeeper reads in the customer's notes."""
    town.sync()  # so that the key is a fresh one
    with town.office.database.reading() as session:
        row = session.scalars(select(ConnectionRow)).one()
    grant, _ = KeptGrant(town.office, int(row.id or 0), row.organisation_id).load()
    url = f"{town.world.quickbooks.api_url}/v3/company/{row.tenant}/customer/{account_id}"
    headers = {"Authorization": f"Bearer {grant.access_token}", "Accept": "application/json"}
    return str(urllib3.request("GET", url, headers=headers).json()["Customer"].get("Notes", ""))


def test_an_overdue_invoice_is_asked_for_once_written_down_and_left_alone_when_it_is_paid(
    a_town: Callable[..., Town],
) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact("Fern & Fig", "joan@fern.example", notes="Call before noon.")
    town.control.add_invoice("Fern & Fig", "2026-01-02", "120.10", "INV-1")
    town.connect("quickbooks")

    town.walk(date(2026, 1, 5), date(2026, 1, 14))

    (mail,) = town.mails_to("joan@fern.example")
    assert "INV-1" in mail["text"] and "120.10" in mail["text"]
    notes = notes_of(town, town.account("Fern & Fig").ledger_id)
    assert notes.startswith("Call before noon.\n--- arrears:")
    assert notes.count("[arrears ") >= 1
    assert town.tasks() == []

    town.control.pay("INV-1")
    town.walk(date(2026, 1, 15), date(2026, 2, 12))

    assert len(town.mails_to("joan@fern.example")) == 1
    with town.office.database.reading() as session:
        assert session.scalars(select(InvoiceRow)).one().status == "paid"
