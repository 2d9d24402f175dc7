"""Mirrors connector/xero.py and connector/_xero_reading.py: what is read from the ledger, and what is written there."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from connector import LedgerInfo, LedgerNote, Refused, Unreachable, open_ledger
from engine.receivables import CreditKind, InvoiceStatus
from tests.connector.surroundings import (
    MONDAY,
    KeeperInMemory,
    Say,
    a_grant,
    connect_to,
    consent,
    cursor_at,
    invoice_row,
    listing,
    xero_instant,
)

NAMELESS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(2)]


def everything(pages):
    """A pull, put together: (invoices by id, credits by id, accounts by id, set aside, cursor)."""
    pages = list(pages)
    return (
        {invoice.ledger_id: invoice for page in pages for invoice in page.invoices},
        {credit.ledger_id: credit for page in pages for credit in page.credits},
        {account.ledger_id: account for page in pages for account in page.accounts},
        [row for page in pages for row in page.set_aside],
        pages[-1].cursor,
    )


def since(asked):
    return asked.headers.get("if-modified-since")


def test_the_ledger_says_who_it_is(company, at_the_company):
    told = at_the_company.ledger.check()

    assert told == LedgerInfo(
        name=company.control.organisations()[0]["name"],
        currency="GBP",
        timezone="Europe/London",
        country="GB",
        short_code=told.short_code,
    )


# --- the first reading


def test_the_first_reading_brings_what_is_open_and_who_owes_it(company, at_the_company, clock):
    world = company.control
    fern = world.add_contact("Fern & Fig Café", email="owner@fern.example", mobile="07700 900123")
    part_paid = world.add_invoice(fern, due="2026-01-19", amount="120.00", reference="PO 7")
    world.pay(part_paid, "20.10", on="2026-01-03")
    world.pay(world.add_invoice(fern, due="2026-01-19", amount="50.00"))
    world.add_invoice(fern, due="2026-01-19", amount="9.00", status="DRAFT")
    world.add_invoice(fern, due="2026-01-19", amount="9.00", type="ACCPAY")
    left_over = world.add_overpayment(fern, "12.34")

    invoices, credits_left, accounts, set_aside, cursor = everything(at_the_company.ledger.pull(None))

    assert list(invoices) == [part_paid]
    invoice = invoices[part_paid]
    assert (invoice.total, invoice.balance, invoice.paid) == (Decimal("120.00"), Decimal("99.90"), Decimal("20.10"))
    assert (invoice.due_on, invoice.currency, invoice.reference) == (date(2026, 1, 19), "GBP", "PO 7")
    assert [(paid.amount, paid.paid_on) for paid in invoice.payments] == [(Decimal("20.10"), date(2026, 1, 3))]
    assert (invoice.account_ledger_id, invoice.account_name) == (fern, "Fern & Fig Café")
    assert [(credit.kind, credit.remaining) for credit in credits_left.values()] == [
        (CreditKind.OVERPAYMENT, Decimal("12.34"))
    ]
    assert list(credits_left) == [left_over]
    assert accounts[fern].email == "owner@fern.example"
    assert set_aside == []
    assert cursor == cursor_at(clock())


def test_a_generated_company_is_read_to_the_last_penny(clock):
    import sandbox

    with sandbox.start(clock=clock.at) as world:
        used, authoriser, grant = consent(world, clock)
        tenant = authoriser.tenants(grant, {})[0].id
        ledger = open_ledger("xero", used, tenant=tenant, keeper=KeeperInMemory(grant), clock=clock)
        invoices, _, accounts, set_aside, _ = everything(ledger.pull(None))
        open_there = {name: Decimal(balance) for name, balance in world.control.balances(organisation=tenant).items()}

    assert {name: invoice.balance for name, invoice in invoices.items()} == open_there
    assert {invoice.account_ledger_id for invoice in invoices.values()} <= set(accounts)
    assert set_aside == []


def test_a_small_company_is_read_in_six_calls(company, at_the_company):
    company.control.add_invoice(company.control.add_contact("Fern"), due="2026-01-19", amount="1")

    list(at_the_company.ledger.pull(None))

    assert len(at_the_company.ledger.calls) == 5  # and one for `check`


def test_suppliers_are_not_debtors(company, at_the_company):
    company.control.add_contact("Timber Yard", is_supplier=True)
    fern = company.control.add_contact("Fern")
    company.control.add_invoice(fern, due="2026-01-19", amount="1")

    _, _, accounts, _, _ = everything(at_the_company.ledger.pull(None))

    assert list(accounts) == [fern]


def test_with_many_contacts_and_few_debtors_only_the_debtors_are_fetched(xero, clock):
    connected = connect_to(xero, clock, page_size=2)

    def answer(asked):
        if asked.path == "/Contacts" and "IDs" in asked.query:
            return Say(listing("Contacts", *({"ContactID": one, "Name": one} for one in asked.query["IDs"].split(","))))
        if asked.path == "/Contacts":
            rows = ({"ContactID": one, "Name": one} for one in ("a", "b"))
            return Say(listing("Contacts", *rows, pageCount=30, itemCount=60))
        return Say(listing(asked.path.strip("/"), *([invoice_row("i1")] if asked.path == "/Invoices" else [])))

    xero.rule = answer
    _, _, accounts, _, _ = everything(connected.ledger.pull(None))

    assert set(accounts) == {"a", "b", "fern"}
    assert len(xero.asked_for("/Contacts")) == 2


def test_a_progress_bar_knows_how_many_are_coming(xero, clock):
    connected = connect_to(xero, clock, page_size=1)
    later = MONDAY + timedelta(minutes=1)
    xero.script = [
        Say(listing("Invoices", invoice_row("i1"), pageCount=2, itemCount=2)),
        Say(listing("Invoices", invoice_row("i2", later), pageCount=1, itemCount=1)),
    ]
    reading = connected.ledger.pull(None)

    assert [next(reading).expected, next(reading).expected] == [2, 2]


# --- what changed since


def test_only_what_changed_comes_and_nothing_twice_for_ever(company, at_the_company, clock):
    world, ledger = company.control, at_the_company.ledger
    fern = world.add_contact("Fern")
    first, second = (world.add_invoice(fern, due="2026-01-19", amount="100") for _ in range(2))
    world.move_clock(clock.move(minutes=10))
    *_, cursor = everything(ledger.pull(None))

    world.move_clock(clock.move(minutes=10))
    world.pay(first)
    world.move_clock(clock.move(minutes=10))
    invoices, _, _, _, cursor = everything(ledger.pull(cursor))
    assert {id_: invoice.status for id_, invoice in invoices.items()} == {first: InvoiceStatus.PAID}
    assert invoices[first].settled_on == date(2026, 1, 5)
    assert second not in invoices

    world.move_clock(clock.move(minutes=10))
    invoices, _, _, _, cursor = everything(ledger.pull(cursor))
    assert invoices == {}
    assert cursor["invoices"] == clock().isoformat()


def test_voiding_crediting_and_taking_a_payment_back_all_come_as_changes(company, at_the_company, clock):
    world, ledger = company.control, at_the_company.ledger
    fern = world.add_contact("Fern")
    voided, credited, bounced = (world.add_invoice(fern, due="2026-01-19", amount="100") for _ in range(3))
    payment = world.pay(bounced)
    *_, cursor = everything(ledger.pull(None))

    world.move_clock(clock.move(minutes=10))
    world.void(voided)
    world.credit(credited)
    world.delete_payment(payment)
    invoices, *_ = everything(ledger.pull(cursor))

    assert invoices[voided].status is InvoiceStatus.VOIDED
    assert invoices[credited].status is InvoiceStatus.CREDITED
    assert [used.amount for used in invoices[credited].allocations] == [Decimal("100.00")]
    assert (invoices[bounced].status, invoices[bounced].payments) == (InvoiceStatus.OPEN, ())


def test_contacts_and_credits_are_read_hourly_by_the_ledgers_clock(company, at_the_company, clock):
    ledger = at_the_company.ledger
    *_, cursor = everything(ledger.pull(None))

    def lists_read(minutes):
        nonlocal cursor
        company.control.move_clock(clock.move(minutes=minutes))
        before = len(ledger.calls)
        *_, cursor = everything(ledger.pull(cursor))
        return [call.path.split("?")[0].rpartition("/")[2] for call in ledger.calls[before:]]

    assert lists_read(59) == ["Invoices"]
    assert lists_read(1) == ["Invoices", "CreditNotes", "Overpayments", "Prepayments", "Contacts"]
    assert lists_read(15) == ["Invoices"]


@pytest.mark.parametrize("moves", [True, False])
def test_an_invoice_on_which_a_credit_was_used_is_read_whether_or_not_that_counts_as_a_change(
    company, at_the_company, clock, moves
):
    world, ledger = company.control, at_the_company.ledger
    world.habits(allocation_moves_invoice=moves)
    fern = world.add_contact("Fern")
    invoice = world.add_invoice(fern, due="2026-01-19", amount="100")
    credit = world.add_overpayment(fern, "30")
    world.move_clock(clock.move(minutes=10))
    *_, cursor = everything(ledger.pull(None))

    world.move_clock(clock.move(hours=2))
    world.allocate(credit, invoice, "30")
    invoices, credits_, *_ = everything(ledger.pull(cursor))

    assert invoices[invoice].balance == Decimal("70.00")
    assert credits_[credit].remaining == 0
    assert [used.ledger_id for used in credits_[credit].allocations] == [invoice]
    asked_by_id = [call for call in ledger.calls if "Invoices?IDs" in call.path]
    assert len(asked_by_id) == (0 if moves else 1)


def test_a_merged_contact_says_into_whom_and_an_archived_one_that_it_is(company, at_the_company, clock):
    world, ledger = company.control, at_the_company.ledger
    old, new, gone = (world.add_contact(name) for name in ("Fern Cafe", "Fern & Fig Café", "Gone"))
    *_, cursor = everything(ledger.pull(None))

    world.move_clock(clock.move(hours=1))
    world.edit_contact(old, merged_into=new)
    world.edit_contact(gone, archived=True)
    _, _, accounts, _, _ = everything(ledger.pull(cursor))

    assert accounts[old].merged_into == new
    assert accounts[gone].archived


def test_an_account_that_nobody_knows_yet_can_be_asked_for(company, at_the_company):
    fern = company.control.add_contact("Fern", email="owner@fern.example")

    records = at_the_company.ledger.fetch_accounts([fern, fern, "00000000-0000-0000-0000-000000000000"])

    assert [account.ledger_id for account in records.accounts] == [fern]


# --- nothing is lost


class ChangingBooks:
    """Invoices that change while they are being read; answers as Xero does, oldest change first."""

    def __init__(self, count, page_size):
        self.changed = {f"i{n:03}": MONDAY + timedelta(seconds=10 * n) for n in range(count)}
        self.paid: set[str] = set()
        self.page_size = page_size
        self.now = MONDAY + timedelta(hours=2)
        self.between_pages = lambda _: None
        self.pages = 0

    def answer(self, asked):
        if asked.path != "/Invoices":
            return Say(listing(asked.path.strip("/"), at=self.now))
        from_ = asked.headers.get("if-modified-since")
        rows = sorted((at, name) for name, at in self.changed.items() if not from_ or at.isoformat()[:19] >= from_)
        if "Statuses" in asked.query:
            rows = [(at, name) for at, name in rows if name not in self.paid]
        page = int(asked.query["page"])
        part = rows[(page - 1) * self.page_size : page * self.page_size]
        shown = [invoice_row(name, at) for at, name in part]
        count = {"pageCount": -(-len(rows) // self.page_size), "itemCount": len(rows), "page": page}
        answer = Say(listing("Invoices", *shown, at=self.now, **count))
        self.now += timedelta(seconds=1)
        self.pages += 1
        self.between_pages(self.pages)
        return answer

    def touch(self, name):
        self.changed[name] = self.now


def test_an_invoice_paid_while_we_read_does_not_push_its_neighbour_off_the_page(xero, clock):
    books = ChangingBooks(40, page_size=10)

    def somebody_pays(page):
        paid = f"i{page:03}"
        books.paid.add(paid)
        books.touch(paid)

    books.between_pages = somebody_pays
    xero.rule = books.answer
    invoices, *_ = everything(connect_to(xero, clock, page_size=10).ledger.pull(None))

    assert set(books.changed) - set(invoices) == set()


def test_rows_that_change_while_changes_are_read_are_all_met(xero, clock):
    books = ChangingBooks(60, page_size=10)
    books.between_pages = lambda page: [books.touch(f"i{n:03}") for n in range(page, 60, 13)] if page < 9 else None
    xero.rule = books.answer

    invoices, *_ = everything(connect_to(xero, clock, page_size=10).ledger.pull(cursor_at(MONDAY)))

    assert set(invoices) == set(books.changed)
    latest = {name: at.replace(microsecond=0) for name, at in books.changed.items()}
    assert {name: invoices[name].changed_at for name in latest} == latest


def test_an_import_that_changes_thousands_within_one_second_is_read_to_its_end(xero, clock):
    books = ChangingBooks(35, page_size=10)
    books.changed = dict.fromkeys(books.changed, MONDAY)
    books.changed["late"] = MONDAY + timedelta(minutes=5)
    xero.rule = books.answer

    invoices, *_ = everything(connect_to(xero, clock, page_size=10).ledger.pull(None))

    assert set(invoices) == set(books.changed)


def test_a_list_that_does_not_come_in_order_of_change_is_read_by_page_number(xero, clock):
    books = ChangingBooks(30, page_size=10)

    def shuffled(asked):
        say = books.answer(asked)
        if asked.path == "/Invoices":
            say.body["Invoices"].reverse()
        return say

    xero.rule = shuffled
    invoices, *_ = everything(connect_to(xero, clock, page_size=10).ledger.pull(None))

    assert set(invoices) == set(books.changed)
    assert [asked.query["page"] for asked in xero.asked_for("/Invoices")] == ["1", "2", "3"]


def test_a_page_shorter_than_asked_for_is_not_taken_for_the_last(xero, clock):
    pages = [
        listing("Invoices", *(invoice_row(f"i{n}", MONDAY + timedelta(minutes=page)) for n in range(page, page + 100)))
        for page in (0, 100)
    ]
    for page in pages:
        del page["pagination"]
    xero.script = [*(Say(page) for page in pages), Say({"Invoices": []})]
    xero.rule = lambda asked: Say(listing(asked.path.strip("/")))

    invoices, *_ = everything(connect_to(xero, clock).ledger.pull(None))

    assert len(invoices) == 200


def test_two_minutes_are_read_twice_and_the_cursor_is_the_ledgers_own_clock(xero, connected, clock):
    clock.move(hours=5)  # ours is wrong
    connected.keeper.grant = a_grant(clock)
    theirs = MONDAY + timedelta(minutes=30)
    xero.script = [Say(listing("Invoices", at=theirs))]

    *_, cursor = everything(connected.ledger.pull(cursor_at(MONDAY)))

    assert since(xero.asked[0]) == "2026-01-05T08:58:00"
    assert cursor["invoices"] == theirs.isoformat()
    assert cursor["contacts"] == MONDAY.isoformat()


def test_the_cursor_moves_only_when_everything_was_read(xero, clock):
    connected = connect_to(xero, clock, page_size=1)
    later = MONDAY + timedelta(minutes=1)
    xero.script = [Say(listing("Invoices", invoice_row("i1", later), pageCount=2, itemCount=2)), Say(status=503)]
    met = []

    with pytest.raises(Unreachable):
        met.extend(connected.ledger.pull(cursor_at(MONDAY)))

    assert [page.cursor for page in met] == [None]
    assert met[0].invoices[0].ledger_id == "i1"


def test_not_modified_is_an_empty_answer(company, at_the_company, clock):
    company.control.faults(next=["304"])

    *_, cursor = everything(at_the_company.ledger.pull(cursor_at(clock())))

    assert "invoices" in cursor


def test_an_answer_without_the_list_that_was_asked_for_does_not_move_the_cursor(xero, connected):
    xero.always(Say({"welcome": "to our hotel"}, headers={"Date": "Mon, 05 Jan 2026 10:00:00 GMT"}))

    with pytest.raises(Unreachable):
        list(connected.ledger.pull(cursor_at(MONDAY)))


def test_one_odd_row_waits_while_the_others_go_on(company, at_the_company):
    world = company.control
    fern = world.add_contact("Fern")
    good = world.add_invoice(fern, due="2026-01-19", amount="100")
    no_due_date = world.raw_row(
        "Invoices", {"InvoiceID": NAMELESS[0], "DueDate": None, "DueDateString": None}, like=good
    )
    amount_in_words = world.raw_row("Invoices", {"InvoiceID": NAMELESS[1], "AmountDue": "a lot"}, like=good)

    invoices, _, _, set_aside, cursor = everything(at_the_company.ledger.pull(None))

    assert list(invoices) == [good]
    assert {row.ledger_id for row in set_aside} == {no_due_date, amount_in_words}
    assert cursor is not None


# --- once more before sending


def test_looking_again_shows_the_second_that_it_is(company, at_the_company):
    world, ledger = company.control, at_the_company.ledger
    fern = world.add_contact("Fern")
    invoices = [world.add_invoice(fern, due="2026-01-19", amount="100") for _ in range(4)]
    world.pay(invoices[0])
    world.pay(invoices[1], "60.01")
    world.edit_invoice(invoices[2], due="2026-03-01")

    seen = {invoice.ledger_id: invoice for invoice in ledger.look_again([*invoices[:3], "unknown"]).invoices}

    assert set(seen) == set(invoices[:3])
    assert seen[invoices[0]].status is InvoiceStatus.PAID
    assert seen[invoices[1]].balance == Decimal("39.99")
    assert seen[invoices[2]].due_on == date(2026, 3, 1)
    assert seen[invoices[1]].payments is None
    assert seen[invoices[1]].allocations is None


def test_looking_again_asks_for_forty_at_a_time(xero, connected):
    xero.always(Say(listing("Invoices")))

    assert connected.ledger.look_again([f"i{n}" for n in range(81)]).invoices == ()
    assert [len(asked.query["IDs"].split(",")) for asked in xero.asked] == [40, 40, 1]
    assert connected.ledger.look_again([]).invoices == ()
    assert len(xero.asked) == 3


# --- notes and links


def test_notes_are_written_in_one_call_and_found_again(company, at_the_company):
    fern = company.control.add_contact("Fern")
    notes = [LedgerNote(f"Reminder {n} sent. [n{n}]", f"[n{n}]") for n in range(3)]

    at_the_company.ledger.write_notes(fern, notes, key="k1")

    assert at_the_company.ledger.find_notes(fern) == {note.text for note in notes}
    assert [call.method for call in at_the_company.ledger.calls] == ["PUT", "GET"]


def test_the_same_key_writes_the_same_notes_once(company, at_the_company):
    fern = company.control.add_contact("Fern")

    for _ in range(2):
        at_the_company.ledger.write_notes(fern, [LedgerNote("Sent. [n1]", "[n1]")], key="k" * 200)

    assert len(company.control.notes(fern)) == 1


def test_no_notes_need_no_call(connected):
    connected.ledger.write_notes("fern", [], key="k1")

    assert connected.ledger.calls == []


def test_a_page_of_the_hotels_wifi_is_not_taken_for_a_note_well_written(xero, connected):
    xero.always(Say(b"<html>Welcome</html>"))

    with pytest.raises(Unreachable):
        connected.ledger.write_notes("fern", [LedgerNote("Sent. [n1]", "[n1]")], key="k1")


@pytest.mark.parametrize(
    "answer",
    [
        {"HistoryRecords": [{"Details": "Sent.", "ValidationErrors": [{"Message": "Details must be text"}]}]},
        {"ErrorNumber": 10, "Message": "Details must be text"},
    ],
)
def test_a_note_refused_inside_a_good_answer_is_not_taken_for_written(xero, connected, answer):
    xero.always(Say(answer))

    with pytest.raises(Refused, match="Details must be text"):
        connected.ledger.write_notes("fern", [LedgerNote("Sent. [n1]", "[n1]")], key="k1")


def test_where_xero_takes_only_250_characters_a_note_is_shortened_to_that(xero, connected):
    too_long = {"Elements": [{"ValidationErrors": [{"Message": "The length of Details exceeds 250 characters"}]}]}
    written = Say({"HistoryRecords": []})
    xero.script = [Say(too_long, status=400), written, written]
    note = LedgerNote("Sent. " * 100 + "[n1]", "[n1]")

    connected.ledger.write_notes("fern", [note], key="k1")
    connected.ledger.write_notes("fern", [note], key="k2")

    sizes = [len(Say(asked.body).content) for asked in xero.asked]
    assert sizes[0] > 600 > sizes[1] == sizes[2]
    assert all(b"[n1]" in asked.body for asked in xero.asked)
    keys = [asked.headers["idempotency-key"] for asked in xero.asked]
    assert len(set(keys)) == 3


def test_the_debtors_own_page_is_known_for_approved_invoices_only(company, at_the_company):
    fern = company.control.add_contact("Fern")
    sent = company.control.add_invoice(fern, due="2026-01-19", amount="1")
    draft = company.control.add_invoice(fern, due="2026-01-19", amount="1", status="DRAFT")

    assert at_the_company.ledger.online_link(sent).startswith("https://in.xero.com/")
    assert at_the_company.ledger.online_link(draft) is None
    assert at_the_company.ledger.online_link("unknown") is None


@pytest.mark.parametrize(
    "refusal",
    [
        Say({"ErrorNumber": 16, "Type": "QueryParseException", "Message": "The query is wrong."}, status=400),
        Say({"Title": "Not Acceptable", "Status": 406, "Detail": "The query is wrong."}, status=406),
        Say({"ErrorNumber": 10, "Message": "The query is wrong."}),
    ],
)
def test_a_refusal_that_says_nothing_of_the_invoice_does_not_mean_that_it_has_no_page(xero, connected, refusal):
    xero.always(refusal)

    with pytest.raises(Refused, match="The query is wrong"):
        connected.ledger.online_link("i1")


def test_the_firms_own_people_are_led_to_the_account_in_the_right_organisation(at_the_company):
    ledger = at_the_company.ledger
    assert ledger.account_link("c1") == "https://go.xero.com/Contacts/View/c1"

    code = ledger.check().short_code
    deep_link = f"https://go.xero.com/organisationlogin/default.aspx?shortcode={code}&redirecturl=/Contacts/View/c1"
    assert ledger.account_link("c1") == deep_link


def test_the_clock_of_the_ledger_is_taken_from_the_header_when_the_body_lacks_it(xero, connected):
    page = listing("Invoices")
    del page["DateTimeUTC"]
    xero.script = [Say(page)]

    *_, cursor = everything(connected.ledger.pull(cursor_at(MONDAY + timedelta(days=3650))))

    assert cursor["invoices"] > "2024"
    assert xero_instant(MONDAY).startswith("/Date(1767")
