"""Mirrors sandbox/quickbooks/company.py: whatever is done to the books, QuickBooks tells the same of them."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.documents import Contact, NotPossible
from sandbox.exchange import encoded
from sandbox.filling.company import found_firm
from sandbox.quickbooks import cdc
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.query import answered, read_question
from sandbox.quickbooks.rows import row_of
from sandbox.world import World

ACTS = ("raise", "pay", "unpay", "credit", "overpay", "use", "void", "remove", "due", "rename", "archive", "below")
LISTS = "Customer,Invoice,Payment,CreditMemo"


def act(world: World, company: Company, name: str, chance: Random) -> None:
    """One thing that a bookkeeper might do, to a paper picked by chance."""
    books = company.firm.books
    contacts, invoices = list(books.papers("Contacts")), list(books.sales())
    loose = [*books.papers("CreditNotes"), *books.papers("Overpayments")]
    amount = Decimal(chance.randrange(1, 9_000)) / 100
    match name:
        case "raise":
            books.add_invoice(chance.choice(contacts), total=amount, due=books.today())
        case "pay":
            invoice = chance.choice(invoices)
            books.pay(invoice, min(amount, invoice.balance))
        case "unpay":
            books.delete_payment(chance.choice(list(books.papers("Payments"))))
        case "credit" | "overpay":
            books.add_credit("CreditNotes" if name == "credit" else "Overpayments", chance.choice(contacts), amount)
        case "use":
            credit = chance.choice(loose)
            books.allocate(credit, chance.choice([x for x in invoices if x.contact is credit.contact]))
        case "void":
            books.void(chance.choice(invoices))
        case "remove":
            books.remove(chance.choice(invoices))
        case "due":
            books.edit_invoice(chance.choice(invoices), {"due": books.today() + timedelta(days=chance.randrange(60))})
        case "rename":
            books.edit_contact(chance.choice(contacts), {"name": f"Customer {chance.randrange(1000)}"})
        case "archive":
            books.edit_contact(chance.choice(contacts), {"archived": chance.random() < 0.5})
        case "below":
            books.edit_contact(contacts[-1], {"parent": contacts[0]})


def read_changes(company: Company, since: datetime, now: datetime, copy: dict[str, dict[str, Any]]) -> None:
    """What a reader does who keeps a copy: takes over each changed row, and drops what a tombstone stands for."""
    query = {"entities": LISTS, "changedSince": since.isoformat()}
    (answer,) = json.loads(cdc.changes(company, query, now), parse_float=Decimal)
    for group in answer["QueryResponse"]:
        for name in LISTS.split(","):
            for row in group.get(name, ()):
                if row.get("status") == "Deleted":
                    copy[name].pop(row["Id"], None)
                else:
                    copy[name][row["Id"]] = row


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=5, max_size=60), seed=st.integers(0, 10_000))
def test_a_copy_kept_by_change_data_capture_always_equals_the_books_to_the_cent(acts, seed):
    world, chance = World(Clock(datetime(2026, 1, 5, 9, tzinfo=UTC)), seed), Random(seed)
    company = world.quickbooks.of(found_firm(world))
    books = company.firm.books
    for number in range(3):
        books.add_contact(Contact(books.new_id(), f"Customer {number}", world.clock.now()))
    copy: dict[str, dict[str, Any]] = {name: {} for name in LISTS.split(",")}
    since = world.clock.now()
    for name in acts:
        try:
            act(world, company, name, chance)
        except (NotPossible, IndexError):
            continue  # nothing to do it to
        if chance.random() < 0.3:
            read_changes(company, since, world.clock.now(), copy)
            since = world.clock.now()
        world.clock.set(world.clock.now() + timedelta(seconds=chance.randrange(3)))
    read_changes(company, since, world.clock.now(), copy)
    for name, rows in copy.items():
        sheets = {sheet.id: sheet for sheet in company.files[name] if not sheet.deleted}
        assert set(rows) == set(sheets)
        for id_, row in rows.items():
            # A new name is the customer's news; its papers are not stamped for that.
            told = json.loads(encoded(row_of(company, sheets[id_])), parse_float=Decimal)
            assert row | {"CustomerRef": None} == told | {"CustomerRef": None}
    assert Counter(Decimal(str(x["Balance"])) for x in copy["Invoice"].values()) == Counter(
        x.balance for x in books.sales() if x.status != "DELETED"
    )


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=5, max_size=60), seed=st.integers(0, 10_000))
def test_a_customers_balance_is_always_its_open_invoices_less_what_is_not_yet_used(acts, seed):
    world, chance = World(Clock(datetime(2026, 1, 5, 9, tzinfo=UTC)), seed), Random(seed)
    company = world.quickbooks.of(found_firm(world))
    books = company.firm.books
    for number in range(3):
        books.add_contact(Contact(books.new_id(), f"Customer {number}", world.clock.now()))
    for name in acts:
        try:
            act(world, company, name, chance)
        except (NotPossible, IndexError):
            continue
    owed: Counter[str] = Counter()
    for entity, key, sign in (
        ("Invoice", "Balance", 1),
        ("Payment", "UnappliedAmt", -1),
        ("CreditMemo", "Balance", -1),
    ):
        for sheet in company.files[entity]:
            if not sheet.deleted:
                row = row_of(company, sheet)
                owed[row["CustomerRef"]["value"]] += sign * row[key]
    everybody = read_question("SELECT * FROM Customer WHERE Active IN (true, false) MAXRESULTS 1000")
    for sheet in answered(company, everybody)[0]:
        row = row_of(company, sheet)
        assert row["Balance"] == owed[row["Id"]]
        assert row["BalanceWithJobs"] == row["Balance"] or not row["Job"]


@given(name=st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=30))
def test_any_text_can_be_asked_for_when_quotes_and_backslashes_are_escaped(name):
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    question = read_question(f"SELECT * FROM Customer WHERE DisplayName = '{escaped}' MAXRESULTS 5")
    assert (question.conditions[0].values, question.most) == ((name,), 5)
