"""QuickBooks' adapter against the practice company, over HTTP, from the consent to the last note.

Mirrors connector/quickbooks.py: each numbered behaviour of the change feed, the walks and the notes as a whole.
"""

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest
import urllib3

from connector import (
    WHOLE_CHECK_DUE,
    ConsentNeeded,
    Forged,
    LedgerNote,
    RateLimited,
    Records,
    Refused,
    Unreachable,
    open_doorbell,
    settings_of,
)
from connector._quickbooks_memory import memory_of
from connector._quickbooks_notes import BEGIN
from engine.receivables import Account, Credit, Invoice, InvoiceStatus
from tests.connector.intuit import consent_at_the_company
from tests.connector.surroundings import Connected, MovableClock, Say

DUE = date(2025, 12, 1)


@dataclass
class Copy:
    """What is known of the ledger, kept as whoever uses an adapter keeps it."""

    accounts: dict[str, Account] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    credits: dict[str, Credit] = field(default_factory=dict)
    applied: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    """By document and invoice."""
    cursor: dict[str, str] | None = None

    def take_in(self, pages: Iterable[Records]) -> None:
        for page in pages:
            self.accounts |= {each.ledger_id: each for each in page.accounts}
            self.invoices |= {each.ledger_id: each for each in page.invoices}
            self.credits |= {each.ledger_id: each for each in page.credits}
            for one in page.settled_by:
                on_it = {name: did for name, did in self.applied.items() if one.invoice_ledger_id in did}
                for name in on_it.keys() - one.documents:
                    del self.applied[name][one.invoice_ledger_id]
            for done in page.applied:
                self.applied[done.ledger_id] = did = {}
                for part in done.to:
                    did[part.invoice_ledger_id] = did.get(part.invoice_ledger_id, Decimal(0)) + part.amount
            for gone in page.gone:
                {"invoices": self.invoices, "credits": self.credits, "accounts": self.accounts}[gone.list].pop(
                    gone.ledger_id, None
                )
            self.cursor = dict(page.cursor) if page.cursor is not None else self.cursor

    def sync(self, connected: Connected) -> int:
        """One reading, and the whole check where it is due. Gives how many calls it took."""
        before = len(connected.ledger.calls)
        self.take_in(connected.ledger.pull(self.cursor))
        if self.cursor and self.cursor.pop(WHOLE_CHECK_DUE, ""):
            in_favour = [each.ledger_id for each in self.credits.values() if each.remaining]
            self.take_in(connected.ledger.whole_check(self.open, in_favour))
        return len(connected.ledger.calls) - before

    @property
    def open(self) -> list[str]:
        return [each.ledger_id for each in self.invoices.values() if each.status is InvoiceStatus.OPEN]

    def settled(self) -> dict[str, Decimal]:
        """What is settled of the open invoices, by what the documents say."""
        return {
            each.number: sum((did.get(each.ledger_id, Decimal(0)) for did in self.applied.values()), Decimal(0))
            for each in self.invoices.values()
            if each.status is InvoiceStatus.OPEN
        }

    def balances(self) -> dict[str, Decimal]:
        return {each.number: each.balance for each in self.invoices.values() if each.status is InvoiceStatus.OPEN}

    def invoice(self, number: str) -> Invoice:
        return next(each for each in self.invoices.values() if each.number == number)

    def account(self, name: str) -> Account:
        return next(each for each in self.accounts.values() if each.name == name)


@pytest.fixture
def copy() -> Copy:
    return Copy()


@pytest.fixture
def connected(company, clock) -> Connected:
    return consent_at_the_company(company, clock)


def owed(company) -> dict[str, Decimal]:
    by_id = {row["id"]: row["number"] for row in company.control.invoices()}
    return {by_id[id_]: Decimal(balance) for id_, balance in company.control.balances().items() if Decimal(balance)}


def notes_of(company, connected: Connected, account_id: str) -> str:
    """The customer's notes, read past the adapter."""
    url = f"{company.quickbooks.api_url}/v3/company/{realm_of(company)}/customer/{account_id}"
    key = {"Authorization": f"Bearer {connected.keeper.load()[0].access_token}", "Accept": "application/json"}
    return urllib3.request("GET", url, headers=key).json()["Customer"].get("Notes", "")


def realm_of(company) -> str:
    return company.control.organisations()[0]["realm_id"]


def later(company, clock: MovableClock, **by: float) -> None:
    company.control.move_clock(clock.move(**by))


def test_a_person_lets_us_into_one_company_and_it_says_who_it_is(connected):
    info = connected.ledger.check()

    assert (info.name, info.currency, info.country) == ("Brightwater Joinery Ltd", "GBP", "GB")
    assert info.timezone == "Europe/London"


def test_the_first_reading_takes_what_is_open_and_nothing_else(company, connected, copy):
    company.control.add_contact("Fern & Fig Café", "joan@fern.example")
    company.control.add_invoice("Fern & Fig Café", DUE, "120.10", "INV-1")
    company.control.add_invoice("Fern & Fig Café", DUE, "80", "INV-2")
    company.control.pay("INV-2")

    copy.sync(connected)

    assert copy.balances() == owed(company) == {"INV-1": Decimal("120.10")}
    assert copy.account("Fern & Fig Café").email == "joan@fern.example"
    assert copy.invoice("INV-1").currency == "GBP"


@pytest.mark.parametrize("seconds", [0, 7], ids=["entered within one second", "entered one after the other"])
def test_nobody_is_lost_who_still_owes_when_others_pay_in_the_middle_of_the_first_reading(
    company, clock, copy, seconds
):
    connected = consent_at_the_company(company, clock, page_size=4)
    company.control.add_contact("Fern", "joan@fern.example")
    for number in range(23):
        company.control.add_invoice("Fern", DUE, "100", f"INV-{number:02}")
        later(company, clock, seconds=seconds)
    unpaid = iter(range(0, 23, 2))

    for page in connected.ledger.pull(None):
        copy.take_in([page])
        if page.invoices and (number := next(unpaid, None)) is not None:
            later(company, clock, seconds=1)
            company.control.pay(f"INV-{number:02}")

    assert copy.balances().items() >= owed(company).items()
    copy.sync(connected)
    assert copy.balances() == owed(company)
    assert len(copy.balances()) < 23


def test_a_payment_a_part_payment_and_a_void_come_with_one_call(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    for number in ("INV-1", "INV-2", "INV-3"):
        company.control.add_invoice("Fern", DUE, "100", number)
    copy.sync(connected)
    later(company, clock, hours=1)
    company.control.pay("INV-1")
    company.control.pay("INV-2", "40.25")
    company.control.void("INV-3")

    assert copy.sync(connected) == 1

    assert copy.balances() == owed(company) == {"INV-2": Decimal("59.75")}
    assert copy.invoice("INV-1").status is InvoiceStatus.PAID
    assert copy.settled() == {"INV-2": Decimal("40.25")}
    assert copy.invoice("INV-3").status is InvoiceStatus.VOIDED


def test_a_payment_taken_back_opens_its_invoice_again(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    paid = company.control.pay("INV-1")
    copy.sync(connected)
    later(company, clock, hours=1)
    company.control.delete_payment(paid)

    copy.sync(connected)

    assert copy.balances() == owed(company) == {"INV-1": Decimal(100)}


def test_money_on_account_is_known_from_the_first_reading_and_goes_when_it_is_used(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    over = company.control.add_overpayment("Fern", "30")
    note = company.control.add_credit_note("Fern", "20")
    copy.sync(connected)
    assert sorted(credit.remaining for credit in copy.credits.values()) == [Decimal(20), Decimal(30)]

    later(company, clock, hours=1)
    company.control.allocate(over, "INV-1")
    company.control.allocate(note, "INV-1")
    copy.sync(connected)

    assert [credit.remaining for credit in copy.credits.values()] == [Decimal(0), Decimal(0)]
    assert copy.balances() == owed(company) == {"INV-1": Decimal(50)}
    assert (copy.invoice("INV-1").paid, copy.invoice("INV-1").credited) == (Decimal(30), Decimal(20))


def test_a_customer_made_inactive_is_archived(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    later(company, clock, hours=1)
    company.control.edit_contact("Fern", archived=True)

    copy.sync(connected)

    assert copy.account("Fern").archived


def test_a_quiet_day_of_a_sync_every_quarter_of_an_hour_and_one_check_takes_97_calls(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    before = len(connected.ledger.calls)

    for _ in range(96):
        later(company, clock, minutes=15)
        copy.sync(connected)
    copy.take_in(connected.ledger.whole_check(copy.open))

    assert len(connected.ledger.calls) - before == 97
    assert company.control.quickbooks.stands()["batches"] == 0


def test_deletions_that_a_full_feed_cut_off_are_found_by_the_whole_check(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    for number in range(5):
        company.control.add_invoice("Fern", DUE, "100", f"INV-{number}")
    copy.sync(connected)
    later(company, clock, hours=1)
    company.control.remove("INV-3")
    company.control.faults(quickbooks=["truncated_cdc"] * 5)

    copy.sync(connected)

    assert copy.balances() == owed(company)
    assert "INV-3" not in copy.balances()


def test_a_payment_taken_back_while_the_feed_was_full_settles_nothing_any_more(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    later(company, clock, hours=1)
    part = company.control.pay("INV-1", "40")
    company.control.pay("INV-1", "5")
    copy.sync(connected)
    assert copy.settled() == {"INV-1": Decimal(45)}

    later(company, clock, hours=1)
    company.control.delete_payment(part)
    company.control.faults(quickbooks=["truncated_cdc"] * 5)
    copy.sync(connected)

    assert copy.settled() == {"INV-1": Decimal(5)}


def test_a_deleted_invoice_leaves_a_tombstone_and_goes(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    later(company, clock, hours=1)
    company.control.remove("INV-1")

    assert copy.sync(connected) == 1
    assert copy.invoices == {}


def test_after_a_month_away_the_open_ledger_is_read_anew(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    for number in ("INV-1", "INV-2"):
        company.control.add_invoice("Fern", DUE, "100", number)
    copy.sync(connected)
    company.control.pay("INV-1")
    later(company, clock, days=31)

    copy.sync(connected)

    assert copy.balances() == owed(company) == {"INV-2": Decimal(100)}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", RateLimited),
        ("429xml", RateLimited),
        ("500", Unreachable),
        ("500empty", Unreachable),
        ("500html", Unreachable),
        ("html", Unreachable),
        ("truncated", Unreachable),
        ("fault_in_200", Unreachable),
        ("403", ConsentNeeded),
    ],
)
def test_each_trouble_at_quickbooks_is_a_sentence_and_the_next_reading_makes_up_for_it(
    company, connected, clock, copy, fault, kind
):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    company.control.faults(quickbooks=[fault] * 2)  # a question on a broken line is put again at once

    with pytest.raises(kind) as failure:
        copy.sync(connected)
    assert str(failure.value).endswith(".")

    company.control.faults(clear=True)
    later(company, clock, minutes=2)
    copy.sync(connected)
    assert copy.balances() == owed(company)


def test_a_refused_key_is_renewed_and_nobody_notices(company, connected, copy):
    company.control.faults(quickbooks=["401"])

    copy.sync(connected)

    assert len(connected.keeper.kept) == 1
    assert connected.keeper.kept[0].hard_expires_at is not None


def test_a_day_of_keys_is_renewed_hour_by_hour_and_the_newest_is_always_kept(company, connected, clock, copy):
    for _ in range(30):
        later(company, clock, hours=1)
        copy.sync(connected)

    refresh_keys = [grant.refresh_token for grant in connected.keeper.kept]
    assert len(refresh_keys) == 30
    assert len(set(refresh_keys)) >= 2


def test_many_at_once_renew_one_key_because_two_would_end_the_grant(company, connected, clock):
    company.control.quickbooks.grants(changes_after=0, old_lasts=0, replay_ends_grant=True)
    later(company, clock, hours=2)

    with ThreadPoolExecutor(8) as pool:
        pages = [*pool.map(lambda _: connected.ledger.look_again(["1"]), range(16))]

    assert len(pages) == 16
    assert len(connected.keeper.kept) == 1


def test_a_lost_answer_to_a_renewal_is_asked_for_again_with_the_key_that_was_kept(company, connected, clock, copy):
    later(company, clock, hours=25)
    company.control.faults(quickbooks_token=["lost_answer"])

    copy.sync(connected)

    assert len(connected.keeper.kept) == 1
    assert connected.keeper.why_lost == []


def test_a_grant_ended_at_intuit_asks_a_person(company, connected, clock, copy):
    company.control.end_grants()
    later(company, clock, hours=2)

    with pytest.raises(ConsentNeeded):
        copy.sync(connected)
    assert len(connected.keeper.why_lost) == 1


def test_after_a_disconnect_the_key_opens_nothing(company, connected, copy):
    grant, _ = connected.keeper.load()
    connected.authoriser.disconnect(grant, "")

    with pytest.raises(ConsentNeeded):
        copy.sync(connected)


def note(number: int, invoice_id: str = "", text: str = "R1 sent by email to Joan") -> LedgerNote:
    marker = f"[arrears {number}-abc123]"
    return LedgerNote(f"{text} {marker}", marker, invoice_id)


def test_a_note_hangs_on_its_invoice_and_stands_in_the_customers_notes_once(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    fern, invoice = copy.account("Fern").ledger_id, copy.invoice("INV-1").ledger_id
    company.control.faults(quickbooks=[{"fault": "drop_after", "method": "POST", "path": "attachable"}])

    with pytest.raises(Unreachable):
        connected.ledger.write_notes(fern, [note(1, invoice)], key="k")
    connected.ledger.write_notes(fern, [note(1, invoice)], key="another")

    assert sum("1-abc123" in text for text in connected.ledger.find_notes(fern)) == 2
    assert company.control.quickbooks.stands()["lists"]["Attachable"] == 1
    assert notes_of(company, connected, fern).count("[arrears 1-abc123]") == 1


def test_what_people_write_into_the_notes_meanwhile_is_kept(company, connected, clock, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    fern = copy.account("Fern").ledger_id
    connected.ledger.write_notes(fern, [note(1)], key="k1")
    company.control.edit_contact("Fern", notes=f"Call before noon.\n{notes_of(company, connected, fern)}")

    connected.ledger.write_notes(fern, [note(2)], key="k2")

    notes = notes_of(company, connected, fern)
    assert notes.startswith(f"Call before noon.\n{BEGIN}\n")
    assert "[arrears 1-abc123]" in notes and "[arrears 2-abc123]" in notes


def test_the_link_to_pay_and_the_printed_invoice_come_on_demand(company, connected, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    invoice = copy.invoice("INV-1").ledger_id

    assert (connected.ledger.online_link(invoice) or "").startswith("https://connect.intuit.com/")
    assert (connected.ledger.invoice_pdf(invoice) or b"").startswith(b"%PDF")
    assert connected.ledger.online_link("999999") is None
    assert connected.ledger.invoice_pdf("999999") is None


def test_branches_are_asked_for_through_the_head_office_that_pays_for_them(company, connected, copy):
    company.control.add_contact("Head office", "head@oak.example")
    company.control.add_contact("Branch", "branch@oak.example", parent="Head office", billed_with_parent=True)
    company.control.add_contact("Kitchen", "kitchen@oak.example", parent="Branch", billed_with_parent=True)
    company.control.add_contact("Own purse", "own@oak.example", parent="Head office")
    for number, name in enumerate(("Kitchen", "Own purse")):
        company.control.add_invoice(name, DUE, "100", f"INV-{number}")

    copy.sync(connected)

    billed = {name: copy.account(name).billed_with for name in ("Kitchen", "Branch", "Head office", "Own purse")}
    assert billed == {
        "Kitchen": copy.account("Branch").ledger_id,
        "Branch": copy.account("Head office").ledger_id,
        "Head office": None,
        "Own purse": None,
    }


def test_all_the_addresses_in_one_field_are_read(company, connected, copy):
    others = [{"first_name": "P", "last_name": "Ay", "email": "pay@fern.example", "in_emails": True}]
    company.control.add_contact("Fern", "joan@fern.example", persons=others)
    company.control.add_invoice("Fern", DUE, "100", "INV-1")

    copy.sync(connected)

    fern = copy.account("Fern")
    assert (fern.email, [each.email for each in fern.contacts]) == ("joan@fern.example", ["pay@fern.example"])


def test_odd_rows_stop_nobody_and_each_has_its_reason(company, connected, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    company.control.quickbooks.odd_rows()

    pages = list(connected.ledger.pull(None))
    copy.take_in(pages)

    assert copy.balances()["INV-1"] == Decimal(100)
    aside = [odd for page in pages for odd in page.set_aside]
    assert aside
    assert all(odd.reason.endswith(".") and odd.raw.startswith("{") for odd in aside)


def test_notes_too_long_for_the_company_leave_the_firms_own_words(company, connected, copy):
    company.control.add_contact("Fern", "joan@fern.example", notes="Own words. " * 20)
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    company.control.quickbooks.habits(notes_cap=600)
    copy.sync(connected)
    fern = copy.account("Fern").ledger_id

    for number in range(9):
        connected.ledger.write_notes(fern, [note(number, text="R1 sent " * 9)], key=f"k{number}")

    notes = notes_of(company, connected, fern)
    assert notes.startswith("Own words. " * 20)
    assert len(notes) <= 600 and "[arrears 8-abc123]" in notes


def test_an_american_companys_books_take_what_a_debtor_wrote(company, connected, copy):
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    company.control.quickbooks.habits(latin1=True)
    copy.sync(connected)
    fern = copy.account("Fern").ledger_id

    with pytest.raises(Refused):
        connected.ledger.write_notes(fern, [note(1, text="She said “no” 😀")], key="k1")
    memory_of(company.quickbooks.api_url, realm_of(company)).country = "US"
    connected.ledger.write_notes(fern, [note(2, text="She said “no” 😀")], key="k2")

    assert 'She said "no" [arrears 2-abc123]' in notes_of(company, connected, fern)


@pytest.mark.parametrize("shape", ["cloudevents", "notifications"])
def test_quickbooks_rings_when_somebody_pays_and_the_ring_names_company_and_invoice(
    company, connected, clock, copy, xero, shape
):
    xero.always(Say())
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_invoice("Fern", DUE, "100", "INV-1")
    copy.sync(connected)
    company.control.quickbooks.webhooks(f"{xero.url}/hooks/quickbooks", "verifier", shape=shape)
    company.control.pay("INV-1")
    later(company, clock, minutes=5)
    doorbell = open_doorbell("quickbooks", settings_of("quickbooks")(webhook_verifier_token="verifier"))

    assert rung(xero, doorbell, ("invoices", copy.invoice("INV-1").ledger_id))

    rings = [ring for post in xero.asked for ring in doorbell.rings(post.body, post.headers)]
    assert {ring.tenant for ring in rings} == {realm_of(company)}
    with pytest.raises(Forged):
        doorbell.rings(xero.asked[0].body + b" ", xero.asked[0].headers)


def rung(server, doorbell, wanted: tuple[str, str]) -> bool:
    """Waits for this ring; posts come from a thread of the practice QuickBooks, one after the other."""
    for _ in range(200):
        posts = [*server.asked]
        if wanted in {
            (ring.list, ring.ledger_id) for post in posts for ring in doorbell.rings(post.body, post.headers)
        }:
            return True
        server.hurry.wait(0.02)
    return False


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_the_books_and_on_the_line_the_copy_is_right_to_the_cent_in_the_end(
    company, connected, clock, copy, seed
):
    chance = random.Random(seed)
    company.control.add_contact("Fern", "joan@fern.example")
    company.control.add_contact("Oak", "pay@oak.example")
    for turn in range(25):
        _something(company, chance, turn)
        later(company, clock, minutes=chance.randint(1, 40))
        if chance.random() < 0.3:
            fault = chance.choice(["429", "500", "html", "truncated", "fault_in_200", "drop_before", "truncated_cdc"])
            company.control.faults(quickbooks=[fault] * chance.randint(1, 2))
        try:
            copy.sync(connected)
        except (RateLimited, Unreachable):
            company.control.faults(clear=True)

    company.control.faults(clear=True)
    later(company, clock, minutes=10)
    copy.sync(connected)
    assert copy.balances() == owed(company)
    assert copy.settled() == {
        row["number"]: Decimal(row["total"]) - Decimal(row["balance"])
        for row in company.control.invoices("AUTHORISED")
        if Decimal(row["balance"])
    }


def _something(company, chance: random.Random, turn: int) -> None:
    open_ones = [row for row in company.control.invoices("AUTHORISED") if Decimal(row["balance"])]
    what = chance.choice(["new", "pay", "part", "void", "credit", "take back", "remove"])
    if what == "new" or not open_ones:
        company.control.add_invoice(chance.choice(["Fern", "Oak"]), DUE, f"{turn + 10}.37", f"INV-{turn}")
        return
    invoice = chance.choice(open_ones)
    match what:
        case "pay":
            company.control.pay(invoice["id"])
        case "part":
            company.control.pay(invoice["id"], "0.11")
        case "credit":
            company.control.credit(invoice["id"], "1.05")
        case "void" if Decimal(invoice["balance"]) == Decimal(invoice["total"]):
            company.control.void(invoice["id"])
        case "remove" if Decimal(invoice["balance"]) == Decimal(invoice["total"]):
            company.control.remove(invoice["id"])
        case "take back":
            payments = [row for row in company.control.payments() if row["status"] == "AUTHORISED"]
            if payments:
                company.control.delete_payment(chance.choice(payments)["id"])
