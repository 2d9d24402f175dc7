"""Mirrors connector/_quickbooks_cursor.py: a first reading that is cut short goes on, and ends with the same books."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandbox
from connector import WHOLE_CHECK_DUE, RateLimited, Refused, Unreachable
from engine.receivables import InvoiceStatus
from tests.connector.intuit import consent_at_the_company
from tests.connector.surroundings import MovableClock


@dataclass
class Firm:
    """A practice firm, our copy of its books, and the cursor of that copy."""

    world: sandbox.Sandbox
    clock: MovableClock
    page_size: int = 3
    invoices: dict = field(default_factory=dict)
    credits: dict = field(default_factory=dict)
    accounts: dict = field(default_factory=dict)
    cursor: dict | None = None
    part_paid: set = field(default_factory=set)

    def __post_init__(self):
        self.ledger = consent_at_the_company(self.world, self.clock, page_size=self.page_size, ids_at_once=2).ledger

    def read(self, pages=None):
        """Reads on; cut short after so many pages. True when it came to the end."""
        for number, page in zip(count(1), self.ledger.pull(self.cursor), strict=False):
            self.take_in(page)
            kept = page.cursor if page.cursor is not None else page.resume
            # A reading of changes is one answer, and is read again as a whole.
            self.cursor = json.loads(json.dumps(kept)) if kept is not None else self.cursor
            if page.cursor is not None:
                self.ask_for_whoever_is_named()
                return True
            if number == pages:
                return False
        raise AssertionError("a reading ended without a cursor")

    def ask_for_whoever_is_named(self):
        """What whoever keeps the pages does at the end of a reading."""
        while missing := sorted(self.named() - self.accounts.keys()):
            self.take_in(self.ledger.fetch_accounts(missing))

    def named(self):
        payers = {account.billed_with for account in self.accounts.values() if account.billed_with}
        return {invoice.account_ledger_id for invoice in self.invoices.values()} | payers

    def take_in(self, page):
        self.invoices |= {invoice.ledger_id: invoice for invoice in page.invoices}
        self.credits |= {credit.ledger_id: credit for credit in page.credits}
        self.accounts |= {account.ledger_id: account for account in page.accounts}
        for gone in page.gone:
            {"invoices": self.invoices, "credits": self.credits, "accounts": self.accounts}[gone.list].pop(
                gone.ledger_id, None
            )

    def pass_by(self, seconds):
        self.world.control.move_clock(self.clock.move(seconds=seconds))

    def fill(self, gaps):
        """As many customers, invoices and credits as there are gaps, which are the seconds between them. The last
        customer has more in its favour than it owes.
        """
        control = self.world.control
        for number, gap in enumerate(gaps):
            contact = control.add_contact(f"Customer {number}", "c@debtor.example")
            control.add_invoice(contact, due="2026-01-19", amount=100 + number, number=f"A-{number}")
            add = (control.add_credit_note, control.add_overpayment)[number % 2]
            add(contact, 500 if number == len(gaps) - 1 else 10 + number)
            self.pass_by(gap)

    def change(self, which, how):
        """Something happens to one of the first invoices, or a new one is raised."""
        control, number = self.world.control, f"A-{which}"
        invoice = next((one for one in control.invoices() if one["number"] == number), None)
        if invoice is None or invoice["status"] != "AUTHORISED" or how == "new":
            control.add_invoice(f"Customer {which}", due="2026-02-01", amount="7.77")
        elif how == "pay":
            control.pay(invoice["id"])
        elif how == "part":
            control.pay(invoice["id"], "1.00")
            self.part_paid.add(number)
        elif how == "remove" and number not in self.part_paid:  # what was paid on it would be money to use again
            control.remove(invoice["id"])

    def assert_same_books(self):
        assert self.owed_here() == self.owed_there()
        assert self.named() <= set(self.accounts)
        left = sorted(credit.remaining for credit in self.credits.values() if credit.remaining)
        assert left == sorted(self.unused())

    def owed_here(self):
        return {one.number: one.balance for one in self.invoices.values() if one.status is InvoiceStatus.OPEN}

    def owed_there(self):
        numbers = {row["id"]: row["number"] for row in self.world.control.invoices()}
        there = self.world.control.balances()
        return {numbers[one]: Decimal(left) for one, left in there.items() if Decimal(left)}

    def unused(self):
        """The credits as the firm entered them: nobody uses one here."""
        firms = [row for row in self.world.control.contacts() if row["name"].startswith("Customer ")]
        return [Decimal(500 if number == len(firms) - 1 else 10 + number) for number in range(len(firms))]


GAPS = st.lists(st.sampled_from([0, 0, 1, 30, 300]), min_size=5, max_size=8)
CHANGES = st.tuples(st.integers(0, 4), st.sampled_from(["pay", "part", "new", "remove"]))
CUTS = st.lists(st.tuples(st.integers(1, 9), st.lists(CHANGES, max_size=3), st.sampled_from([0, 5, 4000])), max_size=4)
thrifty = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_firm():
    clock = MovableClock()
    return sandbox.start(clock=clock.at, company=False), clock


@pytest.mark.parametrize("pages", range(1, 14))
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


FAULTS = ["503", "500html", "html", "drop_before", "drop_after", "truncated", "fault_in_200", "429", "401"]


@given(GAPS, st.lists(st.sampled_from([*FAULTS, ""]), max_size=12), st.lists(CHANGES, max_size=3))
@thrifty
def test_whatever_goes_wrong_on_the_way_a_first_reading_always_ends_with_the_same_books(gaps, faults, changes):
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill(gaps)
        for fault in (*faults, ""):
            # A question on a broken line is put again at once, and so is one whose key was refused.
            world.control.faults(quickbooks=[fault] * (1 if fault == "401" else 2) if fault else [])
            try:
                firm.read(None if fault else 2)
            except RateLimited as limited:
                firm.pass_by((limited.until - clock()).total_seconds())
            except (Unreachable, Refused):
                firm.pass_by(900)
        for change in changes:
            firm.change(*change)
        world.control.faults(clear=True)
        firm.pass_by(4000)
        firm.read()

        firm.assert_same_books()


def test_a_first_reading_that_goes_on_does_not_read_again_what_it_has_read():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill([60] * 7)
        firm.read()
        at_once = calls_for(firm, "Invoice")
        firm.cursor = None
        firm.read(4)
        firm.read()

        assert calls_for(firm, "Invoice") == 2 * at_once


def calls_for(firm, entity):
    return sum(f"FROM {entity} " in call.path for call in firm.ledger.calls)


def test_every_page_of_a_first_reading_says_where_another_may_go_on_and_none_but_the_last_is_an_end():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock, page_size=1000)
        firm.fill([1])
        pages = list(firm.ledger.pull(None))

        assert [page.cursor is None for page in pages] == [True] * (len(pages) - 1) + [False]
        lists = [page.resume["list"] for page in pages[:-1]]
        assert lists == sorted(lists, key=["invoices", "payments", "credit memos", "end"].index)
        assert lists[-1] == "end"


def test_a_first_reading_left_for_a_month_begins_again_and_a_whole_check_falls_due():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill([60] * 5)
        firm.read(3)
        firm.change(0, "pay")
        firm.pass_by(31 * 86_400)

        assert firm.read()

        assert firm.cursor[WHOLE_CHECK_DUE] == "due"
        assert firm.owed_there().items() <= firm.owed_here().items()


def test_what_falls_due_while_the_open_ledger_is_read_anew_is_not_forgotten_when_that_is_cut_short():
    world, clock = a_firm()
    with world:
        firm = Firm(world, clock)
        firm.fill([60] * 5)
        firm.read()
        firm.pass_by(31 * 86_400)

        assert not firm.read(12)
        assert "first" in firm.cursor
        assert firm.read()

        assert firm.cursor[WHOLE_CHECK_DUE] == "due"
        firm.assert_same_books()
