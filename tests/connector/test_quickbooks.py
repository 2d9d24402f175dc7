"""Mirrors connector/quickbooks.py: what the rest of arrears asks of one company."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from connector import Budget, Refused, Unreachable, budget_of, settings_of
from tests.connector.intuit import REALM, connect_quickbooks, fault, found
from tests.connector.surroundings import Say

COMPANY = {"Id": "1", "CompanyName": "Brightwater Joinery", "Country": "US", "DefaultTimeZone": "America/Chicago"}
PREFS = {"Id": "1", "CurrencyPrefs": {"HomeCurrency": {"value": "USD"}}}


@pytest.fixture
def at_intuit(xero, clock):
    return connect_quickbooks(xero, clock)


@pytest.mark.parametrize(
    ("fields", "zone"),
    [
        ({}, "America/Chicago"),
        ({"DefaultTimeZone": "Nowhere/At All"}, "America/New_York"),
        ({"DefaultTimeZone": None, "Country": "GB"}, "Europe/London"),
        ({"DefaultTimeZone": None, "Country": None}, "UTC"),
    ],
)
def test_a_company_says_who_it_is(xero, at_intuit, fields, zone):
    xero.script = [Say(found("CompanyInfo", COMPANY | fields)), Say(found("Preferences", PREFS))]

    info = at_intuit.ledger.check()

    assert (info.name, info.currency, info.timezone) == ("Brightwater Joinery", "USD", zone)


def test_a_company_without_a_currency_is_not_guessed_one(xero, at_intuit):
    xero.script = [Say(found("CompanyInfo", COMPANY)), Say(found("Preferences"))]

    with pytest.raises(Unreachable, match="home currency"):
        at_intuit.ledger.check()


def test_the_link_to_pay_is_asked_for_with_the_invoice_alone(xero, at_intuit):
    xero.script = [Say({"Invoice": {"Id": "10", "InvoiceLink": "https://connect.intuit.com/t/scs"}})]

    assert at_intuit.ledger.online_link("10") == "https://connect.intuit.com/t/scs"
    assert xero.asked[0].path == f"/v3/company/{REALM}/invoice/10"
    assert xero.asked[0].query == {"include": "invoiceLink", "minorversion": "75"}


@pytest.mark.parametrize(
    "say", [Say({"Invoice": {"Id": "10"}}), Say(fault(610, "Object Not Found"), status=400)], ids=["off", "unknown"]
)
def test_an_invoice_that_cannot_be_paid_online_has_no_link(xero, at_intuit, say):
    xero.script = [say]

    assert at_intuit.ledger.online_link("10") is None


def test_a_refusal_that_says_nothing_of_the_invoice_does_not_mean_that_it_has_no_link(xero, at_intuit):
    xero.script = [Say(fault(4000, "Error parsing query"), status=400)]

    with pytest.raises(Refused, match="Error parsing query"):
        at_intuit.ledger.online_link("10")


def test_an_id_cannot_lead_elsewhere(xero, at_intuit):
    xero.script = [Say({"Invoice": {"Id": "10"}})]
    at_intuit.ledger.online_link("../customer/1?x=")

    assert xero.asked[0].path == f"/v3/company/{REALM}/invoice/..%2Fcustomer%2F1%3Fx%3D"


def test_an_invoice_comes_as_quickbooks_prints_it(xero, at_intuit):
    xero.script = [Say(b"%PDF-1.4 \xe9 /Default", headers={"Content-Type": "application/pdf"})]

    assert at_intuit.ledger.invoice_pdf("10") == b"%PDF-1.4 \xe9 /Default"
    assert xero.asked[0].path == f"/v3/company/{REALM}/invoice/10/pdf"
    assert xero.asked[0].headers["accept"] == "application/pdf"


def test_an_invoice_that_is_not_there_has_no_pdf_and_a_page_is_none(xero, at_intuit):
    xero.script = [Say(fault(610, "Object Not Found"), status=400), Say(b"<html>Sign in</html>")]

    assert at_intuit.ledger.invoice_pdf("10") is None
    with pytest.raises(Unreachable):
        at_intuit.ledger.invoice_pdf("10")


def test_a_pdf_too_large_to_mail_is_refused(xero, clock):
    at_intuit = connect_quickbooks(xero, clock, largest_pdf_megabytes=0)
    xero.script = [Say(b"%PDF-1.4")]

    with pytest.raises(Refused, match="largest_pdf_megabytes"):
        at_intuit.ledger.invoice_pdf("10")


def test_quickbooks_has_no_place_for_an_expected_day(xero, at_intuit):
    assert at_intuit.ledger.write_expected("10", None, key="k") is False
    assert xero.asked == []


def test_people_open_the_customer_in_quickbooks(xero, clock):
    assert connect_quickbooks(xero, clock).ledger.account_link("5").endswith("/app/customerdetail?nameId=5")
    elsewhere = connect_quickbooks(xero, clock, account_link="https://qbo.example/{realm}/{id}").ledger
    assert elsewhere.account_link("5") == f"https://qbo.example/{REALM}/5"


def test_every_setting_is_in_the_example_with_its_default():
    text = (Path(__file__).parents[2] / "config.example.toml").read_text()
    block = text[text.index("#[quickbooks]") :].split("\n\n")[0]
    written = tomllib.loads("\n".join(line[1:] for line in block.splitlines()))["quickbooks"]
    settings = settings_of("quickbooks")

    assert settings(**written) == settings()
    assert set(written) == {field.name for field in fields(settings)}


def test_the_budget_stays_below_what_intuit_allows():
    settings = settings_of("quickbooks")

    assert budget_of("quickbooks", settings()) == Budget(at_once=8, a_minute=400, a_day=None)
    assert budget_of("quickbooks", settings(calls_a_day=16_000)).a_day == 16_000
