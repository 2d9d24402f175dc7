"""QuickBooks from end to end: it rings our real door, and is asked once more before anything is sent."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from jobs import doorbell
from serving import served
from store.tables import RingRow, SyncRunRow
from town import Town
from web import build

FERN = "Fern & Fig"


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    founded = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    founded.control.add_contact(FERN, email="fern@fig.example")
    founded.control.add_invoice(FERN, due="2026-01-06", amount="10.00", number="INV-1")
    founded.connect("quickbooks")
    return founded


@pytest.fixture
def door(town: Town) -> Iterator[str]:
    town.office.ledgers = {
        "quickbooks": replace(town.office.ledgers["quickbooks"], webhook_verifier_token="a-verifier")
    }
    with served(build(town.office, poke=lambda *_: None)) as address:
        yield f"{address}/hooks/quickbooks"


def rings(town: Town) -> list[RingRow]:
    with town.office.database.reading() as session:
        return list(session.scalars(select(RingRow)))


@pytest.mark.parametrize("shape", ["cloudevents", "notifications"])
def test_a_payment_rings_and_is_read_by_one_reading(town: Town, door: str, shape: str) -> None:
    town.control.quickbooks.webhooks(door, "a-verifier", shape=shape)
    town.control.pay("INV-1")
    for _ in range(200):
        if rings(town):
            break
        time.sleep(0.05)
    assert rings(town), town.control.quickbooks.posts()
    town.move(town.clock() + timedelta(seconds=60))
    doorbell.answer(town.office)
    with town.office.database.reading() as session:
        (run,) = [run for run in session.scalars(select(SyncRunRow)) if run.trigger == "webhook"]
    assert run.state == "done"
    assert town.position(FERN).driver_due_on is None
    assert all(ring.taken_at for ring in rings(town))


def test_what_was_paid_after_the_sync_is_not_chased(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.pay("INV-1")
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()
    assert town.mails_to("fern@fig.example") == []


def test_nothing_is_sent_while_the_ledger_cannot_be_asked(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.control.faults(down=True)
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()
    assert town.mails_to("fern@fig.example") == []
    assert "the ledger could not be asked once more" in town.reminders(FERN)[0].why
    town.control.faults(down=False)
    town.move(datetime(2026, 1, 13, 10, 40, tzinfo=UTC))
    town.work()
    assert len(town.mails_to("fern@fig.example")) == 1
