"""Mirrors connector/_quickbooks_rows.py, _quickbooks_pages.py and _quickbooks_meaning.py: rows as they come."""

import json
from decimal import Decimal

import pytest

from connector._quickbooks_meaning import addresses, day, instant
from connector._quickbooks_pages import INVOICES
from engine.receivables import InvoiceStatus
from tests.connector.intuit import connect_quickbooks, customer, found, invoice
from tests.connector.surroundings import MONDAY, Say


@pytest.fixture
def at_intuit(xero, clock):
    return connect_quickbooks(xero, clock)


def looked_at(xero, at_intuit, *rows):
    xero.script = [Say(found("Invoice", *rows))]
    return at_intuit.ledger.look_again(["1"])


def test_an_invoice_is_read_to_the_cent(xero, at_intuit):
    row = json.dumps(invoice()).replace('"TotalAmt": 120.0', '"TotalAmt": 362.07').replace("120.0", "100.10")
    xero.script = [Say(f'{{"QueryResponse":{{"Invoice":[{row}]}},"time":"2026-01-05T01:00:00-08:00"}}'.encode())]

    (read,) = at_intuit.ledger.look_again(["10"]).invoices

    assert (read.total, read.balance, read.paid) == (Decimal("362.07"), Decimal("100.10"), Decimal("261.97"))
    assert (read.number, read.account_ledger_id, read.account_name, read.currency) == (
        "INV-10",
        "1",
        "Fern & Fig Café",
        "USD",
    )
    assert (read.issued_on.isoformat(), read.due_on.isoformat()) == ("2025-12-01", "2025-12-31")
    assert (read.status, read.changed_at) == (InvoiceStatus.OPEN, MONDAY)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Balance": 0}, InvoiceStatus.PAID),
        ({"Balance": 0, "TotalAmt": 0, "PrivateNote": "Voided - wrong customer"}, InvoiceStatus.VOIDED),
        ({"Balance": 0, "TotalAmt": 0}, InvoiceStatus.PAID),
        ({"Balance": 0, "PrivateNote": "Voided is a word"}, InvoiceStatus.PAID),
        ({"EmailStatus": "SomethingNew", "status": "Draft"}, InvoiceStatus.OPEN),
    ],
)
def test_where_an_invoice_stands_is_read_from_its_amounts(xero, at_intuit, fields, status):
    assert [each.status for each in looked_at(xero, at_intuit, invoice(**fields)).invoices] == [status]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"DueDate": None}, "no due date"),
        ({"DueDate": "None"}, "“None” cannot be read"),
        ({"Balance": -5}, "less than nothing"),
        ({"CustomerRef": None}, "the customer is missing"),
        ({"TotalAmt": "12,50"}, "not written as QuickBooks describes it"),
        ({"TotalAmt": 1e30}, "not one that money has"),
        ({"Balance": None}, "does not say what is owed"),
        ({"Id": 10}, "not written as QuickBooks describes it"),
    ],
)
def test_an_odd_row_is_put_aside_raw_with_the_reason_and_the_rows_beside_it_go_on(xero, at_intuit, fields, reason):
    read = looked_at(xero, at_intuit, invoice("9"), invoice(**fields), invoice("11"))

    assert [each.ledger_id for each in read.invoices] == ["9", "11"]
    (aside,) = read.set_aside
    assert (aside.list, aside.ledger_id) == ("Invoice", "10")
    assert reason in aside.reason
    assert json.loads(aside.raw)["DocNumber"] == "INV-10"


def test_amounts_as_text_long_names_and_emoji_are_read_as_they_are(xero, at_intuit):
    name = "Fern 😀" * 60
    row = invoice(TotalAmt="120.00", Balance="80.50", CustomerRef={"value": "1", "name": name})

    (read,) = looked_at(xero, at_intuit, row).invoices

    assert (read.balance, read.account_name) == (Decimal("80.50"), name)


def test_letters_of_eight_bits_are_taken_for_latin_1_and_the_others_stay():
    body = (
        json.dumps(found("Invoice", invoice(DocNumber="Łódź CAF?")), ensure_ascii=False).encode().replace(b"?", b"\xe9")
    )

    assert INVOICES.read(body).rows[0].doc_number == "Łódź CAFé"


def test_a_currency_of_the_row_goes_before_the_companys(xero, at_intuit):
    read = looked_at(xero, at_intuit, invoice(CurrencyRef={"value": "EUR"}))

    assert [each.currency for each in read.invoices] == ["EUR"]


def test_several_addresses_in_one_field_are_the_accounts_and_its_contacts(xero, at_intuit):
    both = customer(PrimaryEmailAddr={"Address": "joan@fern.example, pay@fern.example;  x@fern.example ; none"})
    xero.script = [Say(found("Customer", both))]

    (account,) = at_intuit.ledger.fetch_accounts(["1"]).accounts

    assert account.email == "joan@fern.example"
    assert [(each.email, each.receives_reminders) for each in account.contacts] == [
        ("pay@fern.example", True),
        ("x@fern.example", True),
    ]
    assert (account.first_name, account.last_name, account.phone) == ("Joan", "Fern", "(555) 010-0199")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (None, []),
        ("", []),
        ("None", []),
        ("a@b.example", ["a@b.example"]),
        ("a@b.example,,a@b.example", ["a@b.example"]),
        ("Joan <a@b.example>", []),
        ("a@b, c@d.example", ["c@d.example"]),
    ],
)
def test_what_is_no_address_is_left_out(text, read):
    assert addresses(text) == read


def test_times_carry_their_offset():
    assert instant("2026-01-05T01:00:00-08:00") == MONDAY
    assert instant("yesterday") is None
    assert day("2026-01-05").isoformat() == "2026-01-05"
