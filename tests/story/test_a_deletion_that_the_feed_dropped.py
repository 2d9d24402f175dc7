"""A credit that QuickBooks deleted, and whose deletion its overfull list of changes dropped: found the same night."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from connector import WHOLE_CHECK_DUE
from jobs import nightly
from store.tables import ConnectionRow, CreditRow, OrganisationRow, SyncRunRow
from town import Town

FERN, OAK = "Fern & Fig", "Oak Hotels"
MAIL = "fern@fig.example"
INVOICES, EACH = 20, 50
"""So many payments of so many invoices fill an answer of QuickBooks, which has room for 1,000 rows."""


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    """Fern owes an invoice and has paid another that was then deleted: that money is hers, and she is not chased."""
    founded = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    control = founded.control
    control.add_contact(FERN, email=MAIL)
    control.add_invoice(FERN, due="2026-01-06", amount="10.00", number="INV-1")
    paid = control.add_invoice(FERN, due="2026-01-06", amount="20.00", number="INV-2")
    control.pay(paid)
    control.remove(paid)
    control.add_contact(OAK, email="oak@hotels.example")
    for number in range(INVOICES):
        control.add_invoice(OAK, due="2026-12-31", amount="100.00", number=f"OAK-{number}")
    founded.connect("quickbooks")
    with founded.office.database.unit_of_work() as unit:
        unit.execute(update(OrganisationRow).values(pause_when_in_credit=True))
    return founded


def in_favour(town: Town) -> list[Decimal]:
    with town.office.database.reading() as session:
        return [row.remaining for row in session.scalars(select(CreditRow)) if row.remaining]


def check_is_due(town: Town) -> bool:
    with town.office.database.reading() as session:
        return WHOLE_CHECK_DUE in (session.scalars(select(ConnectionRow)).one().cursor or {})


def overflow(town: Town) -> None:
    """The payment behind the credit is deleted, and a bank import of a thousand others pushes that off the list."""
    (payment,) = [row for row in town.control.payments() if row["status"] == "AUTHORISED"]
    town.control.delete_payment(payment["id"])
    for number in range(INVOICES):
        for _ in range(EACH):
            town.control.pay(f"OAK-{number}", "1.00")


def test_a_stale_credit_holds_nobody_longer_than_until_the_check_that_the_full_list_asks_for(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    assert in_favour(town) == [Decimal(20)]
    assert town.mails_to(MAIL) == []
    assert "credit" in town.position(FERN).held_because

    town.move(town.clock() + timedelta(hours=4))
    overflow(town)
    run = town.sync()
    assert run.state == "done"
    assert in_favour(town) == [Decimal(20)], "the list was full, and the deletion was not in it"
    assert check_is_due(town)

    nightly.check_due(town.office)

    assert in_favour(town) == []
    assert not check_is_due(town), "once is enough"
    town.walk(date(2026, 1, 14), date(2026, 1, 15))
    assert len(town.mails_to(MAIL)) == 1


def test_the_check_after_a_full_list_says_in_the_sync_log_what_it_mended(town: Town) -> None:
    overflow(town)
    town.sync()
    nightly.check_due(town.office)
    with town.office.database.reading() as session:
        runs = list(session.scalars(select(SyncRunRow).order_by(col(SyncRunRow.id))))
    assert runs[-1].trigger == "nightly check" and runs[-1].state == "done"
    assert runs[-1].gone == 1
    assert sum(row["status"] == "AUTHORISED" for row in town.control.payments()) == INVOICES * EACH
