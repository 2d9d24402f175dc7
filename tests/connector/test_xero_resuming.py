"""Mirrors connector/_xero_cursor.py: a reading that is cut short goes on, and ends with the same books."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandbox
from connector import RateLimited, Refused, Unreachable, open_ledger
from engine.receivables import InvoiceStatus
from tests.connector.surroundings import MONDAY, KeeperInMemory, MovableClock, consent


@dataclass
class Firm:
    """A practice firm, our copy of its books, and the cursor of that copy."""

    world: sandbox.Sandbox
    clock: MovableClock
    page_size: int = 2
    invoices: dict = field(default_factory=dict)
    credits: dict = field(default_factory=dict)
    accounts: dict = field(default_factory=dict)
    cursor: dict | None = None

    def __post_init__(self):
        used, authoriser, grant = consent(self.world, self.clock, page_size=self.page_size)
        self.tenant = authoriser.tenants(grant, {})[0].id
        keeper = KeeperInMemory(grant)
        self.ledger = open_ledger("xero", used, tenant=self.tenant, keeper=keeper, clock=self.clock)

    def read(self, pages=None):
        """Reads on; cut short after so many pages. True when it came to the end."""
        for number, page in zip(count(1), self.ledger.pull(self.cursor), strict=False):
            self.take_in(page)
            kept = page.cursor if page.cursor is not None else page.resume
            assert kept is not None
            self.cursor = json.loads(json.dumps(kept))
            if page.cursor is not None:
                return True
            if number == pages:
                return False
        raise AssertionError("a reading ended without a cursor")

    def take_in(self, page):
        self.invoices |= {invoice.ledger_id: invoice for invoice in page.invoices}
        self.credits |= {credit.ledger_id: credit for credit in page.credits}
        self.accounts |= {account.ledger_id: account for account in page.accounts}

    def pass_by(self, seconds):
        self.world.control.move_clock(self.clock.move(seconds=seconds))

    def assert_same_books(self):
        open_here = {
            one: invoice.balance for one, invoice in self.invoices.items() if invoice.status is InvoiceStatus.OPEN
        }
        assert open_here == {one: Decimal(left) for one, left in self.world.control.balances().items()}
        assert {invoice.account_ledger_id for invoice in self.invoices.values()} <= set(self.accounts)
        left = sum(credit.remaining for credit in self.credits.values())
        assert left == sum(self.unused_credits, Decimal(0))

    unused_credits: list = field(default_factory=list)

    def fill(self, gaps):
        """As many customers, invoices and credits as there are gaps, which are the seconds between them."""
        control = self.world.control
        for number, gap in enumerate(gaps):
            contact = control.add_contact(f"Customer {number}")
            control.add_invoice(contact, due="2026-01-19", amount=100 + number, number=f"A-{number}")
            add = (control.add_credit_note, control.add_overpayment, control.add_prepayment)[number % 3]
            add(contact, 10 + number)
            self.unused_credits.append(Decimal(10 + number))
            self.pass_by(gap)

    def change(self, which, how):
        """Something happens to one of the first invoices, or a new one is raised."""
        control, number = self.world.control, f"A-{which}"
        invoice = next(one for one in control.invoices() if one["number"] == number)
        if invoice["status"] != "AUTHORISED" or how == "new":
            control.add_invoice(invoice["contact_id"], due="2026-02-01", amount="7.77")
        elif how == "pay":
            control.pay(invoice["id"])
        elif how == "part":
            control.pay(invoice["id"], "1.00")
        elif how == "credit":
            control.credit(invoice["id"])


GAPS = st.lists(st.sampled_from([0, 0, 1, 30, 300]), min_size=5, max_size=8)
CHANGES = st.tuples(st.integers(0, 4), st.sampled_from(["pay", "part", "credit", "new"]))
CUTS = st.lists(st.tuples(st.integers(1, 9), st.lists(CHANGES, max_size=3), st.sampled_from([0, 5, 4000])), max_size=4)
thrifty = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_firm():
    clock = MovableClock()
    return sandbox.start(clock=clock.at, company=False), clock


@pytest.mark.parametrize("pages", range(1, 18))
def test_a_first_reading_cut_short_after_any_page_ends_with_the_same_books(pages):
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill([60, 0, 0, 0, 60, 60, 0])
        ended = firm.read(pages)
        firm.change(pages % 5, "pay")
        firm.pass_by(3600)

        if not ended:
            assert firm.read()
        firm.pass_by(3600)
        firm.read()

        firm.assert_same_books()


@given(GAPS, CUTS)
@thrifty
def test_a_first_reading_cut_short_again_and_again_while_people_pay_always_ends_with_the_same_books(gaps, cuts):
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill(gaps)
        for pages, changes, seconds in cuts:
            firm.read(pages)
            for change in changes:
                firm.change(*change)
            firm.pass_by(seconds)
        firm.read()
        firm.pass_by(1)
        firm.read()

        firm.assert_same_books()


@given(GAPS, CUTS)
@thrifty
def test_a_reading_of_changes_cut_short_again_and_again_always_ends_with_the_same_books(gaps, cuts):
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.read()
        firm.pass_by(7200)
        firm.fill(gaps)
        for pages, changes, seconds in cuts:
            firm.read(pages)
            for change in changes:
                firm.change(*change)
            firm.pass_by(seconds)
        firm.pass_by(3600)
        firm.read()

        firm.assert_same_books()


FAULTS = [
    "503",
    "500html",
    "html",
    "drop_before",
    "drop_after",
    "truncated",
    "fault_in_200",
    "429min",
    "429conc",
    "401",
]


def read_through(firm, faults):
    """Reads on after every failure, as the schedule would, until the end."""
    for fault in (*faults, None):
        firm.world.control.faults(next=[{"fault": fault[0], "path": fault[1]}] if fault else [])
        try:
            if firm.read():
                return
        except RateLimited as limited:
            firm.pass_by((limited.until - firm.clock()).total_seconds())
        except (Unreachable, Refused):
            firm.pass_by(900)
    raise AssertionError("the reading never came to its end")


LISTS = st.sampled_from(["Invoices", "CreditNotes", "Overpayments", "Prepayments", "Contacts"])


@given(GAPS, st.lists(st.tuples(st.sampled_from(FAULTS), LISTS), max_size=6), st.lists(CHANGES, max_size=3))
@thrifty
def test_whatever_goes_wrong_on_the_way_the_reading_always_ends_with_the_same_books(gaps, faults, changes):
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill(gaps)
        read_through(firm, faults)
        for change in changes:
            firm.change(*change)
        firm.pass_by(4000)
        read_through(firm, faults)

        firm.assert_same_books()


def test_a_first_reading_that_meets_the_limit_of_a_minute_goes_on_minute_by_minute():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill([60, 60, 0, 60, 60, 60, 60])
        world.control.limits(minute=3, day=1000)
        minutes = 0
        while True:
            try:
                firm.read()
                break
            except RateLimited as limited:
                assert timedelta(0) < limited.until - clock() <= timedelta(minutes=1)
                firm.pass_by((limited.until - clock()).total_seconds())
                minutes += 1

        firm.assert_same_books()
        assert 4 <= minutes <= 12


def test_a_first_reading_that_goes_on_does_not_read_again_what_it_has_read():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill([60] * 7)
        firm.read()
        at_once = invoice_calls(firm)
        firm.cursor = None
        firm.read(3)
        firm.read()

        assert invoice_calls(firm) == 2 * at_once


def invoice_calls(firm):
    return sum("/Invoices?" in call.path for call in firm.ledger.calls)


def test_a_page_of_a_first_reading_is_no_end_even_when_it_is_the_last_of_its_list():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock, page_size=1000)
        firm.fill([1])
        pages = list(firm.ledger.pull(None))

        assert [page.cursor is None for page in pages] == [True] * 5 + [False]
        assert [page.resume["list"] for page in pages[:-1]] == [
            "credit notes",
            "overpayments",
            "prepayments",
            "contacts",
            "end",
        ]
        assert {page.resume["first"] for page in pages[:-1]} == {(MONDAY + timedelta(seconds=1)).isoformat()}
