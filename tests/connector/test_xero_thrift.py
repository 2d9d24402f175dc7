"""Mirrors connector/_xero_reading.py: how many calls it takes, and never more than were promised.

The free tier of Xero allows a thousand calls a day for each organisation, people's own and other programs' among them.
"""

from datetime import timedelta

import pytest

import sandbox
from connector import open_ledger
from tests.connector.surroundings import KeeperInMemory, MovableClock, consent


def connected(world, clock):
    used, authoriser, grant = consent(world, clock)
    tenant = authoriser.tenants(grant, {})[0].id
    return open_ledger("xero", used, tenant=tenant, keeper=KeeperInMemory(grant), clock=clock)


@pytest.mark.parametrize(
    ("invoices", "open_share", "contacts", "most"),
    [
        (1_000, 0.06, 150, 6),
        (3_000, 0.20, 500, 6),  # as many open ones as 10,000 invoices have
        (2_000, 1.00, 2_500, 10),  # as many open ones as 50,000 invoices have
    ],
)
def test_a_first_reading_takes_no_more_calls_than_promised(invoices, open_share, contacts, most):
    clock = MovableClock()
    with sandbox.start(clock=clock.at, company=False) as world:
        counts = world.control.xero.fill_large(invoices, contacts=contacts, open_share=open_share)
        ledger = connected(world, clock)
        ledger.check()
        found = {invoice.ledger_id for page in ledger.pull(None) for invoice in page.invoices}

        assert len(found) == counts["open"]
        assert len(world.control.calls()) <= most


def test_an_idle_hour_takes_eight_calls_read_every_quarter_and_five_read_hourly():
    clock = MovableClock()
    with sandbox.start(clock=clock.at, company=False) as world:
        world.control.xero.fill_large(300, contacts=20)
        ledger = connected(world, clock)
        *_, last = ledger.pull(None)

        def an_hour(readings):
            nonlocal last
            world.control.calls(reset=True)
            for _ in range(readings):
                world.control.move_clock(clock.move(minutes=60 / readings))
                *_, last = ledger.pull(last.cursor)
            return len(world.control.calls())

        assert [an_hour(4) for _ in range(3)] == [8, 8, 8]
        assert [an_hour(1) for _ in range(3)] == [5, 5, 5]


def test_a_whole_day_without_webhooks_stays_below_two_hundred_calls():
    """Read every quarter of an hour, checked whole at night, and looked at again before two hundred reminders."""
    clock = MovableClock()
    with sandbox.start(clock=clock.at, company=False) as world:
        world.control.xero.fill_large(1_000, contacts=50, open_share=0.3)
        ledger = connected(world, clock)
        *_, last = ledger.pull(None)
        open_ids = list(world.control.balances())
        world.control.calls(reset=True)

        for quarter in range(96):
            world.control.move_clock(clock.move(minutes=15))
            if quarter % 8 == 0:
                world.control.pay(open_ids[quarter])
            *_, last = ledger.pull(last.cursor)
        list(ledger.whole_check(list(world.control.balances())))
        ledger.look_again(open_ids[:200])

        assert len(world.control.calls()) <= 200


def test_the_night_takes_one_call_for_a_thousand_open_invoices():
    clock = MovableClock()
    with sandbox.start(clock=clock.at, company=False) as world:
        world.control.xero.fill_large(900, contacts=20, open_share=1.0)
        ledger = connected(world, clock)
        (page,) = ledger.whole_check(list(world.control.balances()))

        assert len(page.invoices) == 900
        assert len(ledger.calls) == 1


def test_a_week_brings_one_reading_of_all_contacts_and_no_call_more():
    clock = MovableClock()
    with sandbox.start(clock=clock.at, company=False) as world:
        world.control.xero.fill_large(20, contacts=20)
        ledger = connected(world, clock)
        *_, last = ledger.pull(None)
        met = []
        for _ in range(8):
            world.control.move_clock(clock.move(days=1))
            before = len(ledger.calls)
            *pages, last = ledger.pull(last.cursor)
            met.append((len(ledger.calls) - before, sum(len(page.accounts) for page in pages)))

        assert met == [(5, 0)] * 6 + [(5, 20), (5, 0)]
        assert last.cursor["contacts_whole"] == (clock() - timedelta(days=1)).isoformat()
