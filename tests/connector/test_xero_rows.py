"""Mirrors what connector/xero.py rests on: _xero_rows, _xero_meaning, _xero_pages, _xero_notes, _xero_timezones."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xero_python.accounting.models import TimeZone

from connector import LedgerNote
from connector import _xero_pages as pages
from connector._sense import Odd
from connector._xero_meaning import day, instant
from connector._xero_notes import fitted
from connector._xero_timezones import ZONES, iana
from engine.receivables import Allocation, CreditKind, InvoiceStatus
from tests.connector.surroundings import MONDAY, invoice_row, listing


def invoices(*rows):
    return pages.INVOICES.read(json.dumps(listing("Invoices", *rows)).encode())


def one_invoice(**fields):
    (invoice,) = invoices(invoice_row("i1", **fields)).found
    return invoice


def put_aside(**fields):
    page = invoices(invoice_row("good"), invoice_row("odd", **fields), invoice_row("also good"))
    assert [invoice.ledger_id for invoice in page.found] == ["good", "also good"]
    (row,) = page.set_aside
    assert (row.list, row.ledger_id) == ("Invoices", "odd")
    assert json.loads(row.raw)["InvoiceID"] == "odd"
    return row.reason


def one_account(**fields):
    row = {"ContactID": "c1", "Name": "Fern & Fig Café", **fields}
    (account,) = pages.CONTACTS_ASKED_FOR.read(json.dumps(listing("Contacts", row)).encode()).found
    return account


# --- dates and money


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/Date(1518685950940+0000)/", datetime(2018, 2, 15, 9, 12, 30, 940_000, tzinfo=UTC)),
        ("/Date(1518685950940+1300)/", datetime(2018, 2, 15, 9, 12, 30, 940_000, tzinfo=UTC)),
        ("/Date(1518685950940)/", datetime(2018, 2, 15, 9, 12, 30, 940_000, tzinfo=UTC)),
        ("/Date(-86400000+0000)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("/Date(-86400000-0500)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("2018-02-15T09:12:30.94", datetime(2018, 2, 15, 9, 12, 30, 940_000, tzinfo=UTC)),
        ("2018-02-15T09:12:30Z", datetime(2018, 2, 15, 9, 12, 30, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_xeros_dates_are_understood_in_both_ways_of_writing_them(written, meant):
    assert instant(written) == meant


def test_a_due_date_is_a_day_and_not_an_instant():
    assert day("/Date(1518652800000+0000)/") == date(2018, 2, 15)
    assert day("2018-02-15T00:00:00") == date(2018, 2, 15)


@pytest.mark.parametrize("nonsense", ["/Date(soon)/", "/Date(99999999999999999)/", "tomorrow", "/Date("])
def test_a_date_that_is_none_is_odd_and_not_a_crash(nonsense):
    with pytest.raises(Odd):
        instant(nonsense)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_every_instant_survives_xeros_way_of_writing_it(at):
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution * 1000)

    assert instant(f"/Date({milliseconds}+0000)/") == at


@pytest.mark.parametrize("written", ["0.1", "100.00", "12345678901234.5678", '"99.90"', "120", "12345678901234.5678"])
def test_money_is_exactly_what_was_written(written):
    row = json.dumps(invoice_row("i1")).replace('"AmountDue": 120.0', f'"AmountDue": {written}')
    (invoice,) = pages.INVOICES.read(f'{{"Invoices": [{row}]}}'.encode()).found

    assert str(invoice.balance) == written.strip('"')


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists, max_leaves=4
)

# --- invoices


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Status": "AUTHORISED"}, InvoiceStatus.OPEN),
        ({"Status": "PAID", "AmountPaid": 120}, InvoiceStatus.PAID),
        ({"Status": "PAID", "AmountPaid": 20, "AmountCredited": 100}, InvoiceStatus.PAID),
        ({"Status": "PAID", "AmountPaid": 0, "AmountCredited": 120}, InvoiceStatus.CREDITED),
        ({"Status": "VOIDED"}, InvoiceStatus.VOIDED),
        ({"Status": "DELETED"}, InvoiceStatus.DELETED),
        ({"Status": "BILLED_IN_SPACE"}, InvoiceStatus.UNKNOWN),
        ({"Status": None}, InvoiceStatus.UNKNOWN),
    ],
)
def test_every_status_has_a_meaning_and_an_unknown_one_is_called_unknown(fields, status):
    assert one_invoice(**fields).status is status


@pytest.mark.parametrize("fields", [{"Status": "DRAFT"}, {"Status": "SUBMITTED"}, {"Type": "ACCPAY"}])
def test_drafts_and_bills_are_passed_over(fields):
    page = invoices(invoice_row("i1", **fields))

    assert (page.found, page.set_aside, page.length) == ((), (), 1)


def test_what_is_missing_stays_empty_and_is_never_the_word_none():
    invoice = one_invoice(InvoiceNumber=None, Reference=None, Payments=None, CreditNotes=None, ExpectedPaymentDate=None)

    assert (invoice.number, invoice.reference, invoice.payments, invoice.expected_on) == ("", "", (), None)


def test_a_customer_called_null_keeps_the_name():
    assert one_invoice(Contact={"ContactID": "c1", "Name": "null"}).account_name == "null"
    assert one_account(Name="None", LastName="Null").last_name == "Null"


def test_payments_and_the_three_kinds_of_credit_are_listed():
    used = {"AppliedAmount": 10.5, "Date": "/Date(1767225600000+0000)/"}
    invoice = one_invoice(
        Payments=[
            {"PaymentID": "p1", "Amount": "20.10", "Date": "/Date(1767225600000+0000)/"},
            {"PaymentID": "p2", "Amount": 5, "Status": "DELETED"},
        ],
        CreditNotes=[{"CreditNoteID": "cn", **used}],
        Overpayments=[{"OverpaymentID": "op", **used}],
        Prepayments=[{"PrepaymentID": "pp", **used}],
        FullyPaidOnDate="/Date(1767225600000+0000)/",
        ExpectedPaymentDate="/Date(1768435200000+0000)/",
    )

    assert [(paid.ledger_id, paid.amount) for paid in invoice.payments] == [("p1", Decimal("20.10"))]
    new_year = date(2026, 1, 1)
    assert invoice.allocations == (
        Allocation("cn", Decimal("10.5"), new_year, CreditKind.CREDIT_NOTE),
        Allocation("op", Decimal("10.5"), new_year, CreditKind.OVERPAYMENT),
        Allocation("pp", Decimal("10.5"), new_year, CreditKind.PREPAYMENT),
    )
    assert (invoice.settled_on, invoice.expected_on) == (new_year, date(2026, 1, 15))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"DueDate": None}, "has no due date"),
        ({"AmountDue": None}, "what is owed"),
        ({"CurrencyCode": ""}, "in which currency"),
        ({"Contact": None}, "whose it is"),
        ({"AmountDue": "NaN"}, "not a number"),
        ({"AmountDue": "plenty"}, "not written as Xero describes it.*AmountDue"),
        ({"DueDate": "next Tuesday"}, "cannot be read"),
        ({"UpdatedDateUTC": "lately"}, "cannot be read"),
        ({"InvoiceNumber": 5}, "InvoiceNumber"),
        ({"Payments": {}}, "Payments"),
    ],
)
def test_an_odd_row_is_put_aside_with_its_reason_and_the_others_go_on(fields, reason):
    assert re.search(reason, put_aside(**fields))


def test_a_row_that_is_no_row_at_all_is_put_aside_too():
    page = invoices(invoice_row("good"), None, [1], {"Type": "ACCREC"})

    assert len(page.found) == 1
    assert [row.ledger_id for row in page.set_aside] == ["", "", ""]


def test_a_paid_invoice_without_a_due_date_is_still_paid():
    assert one_invoice(Status="PAID", AmountPaid=120, DueDate=None).due_on == date(2026, 1, 1)


def test_an_answer_that_is_no_list_is_no_page():
    for body in (b"[]", b"<html>", b'{"Invoices": [{"Inv', b'{"Invoices": 5}', b"{}"):
        with pytest.raises(msgspec.DecodeError):
            pages.INVOICES.read(body)


@given(ANYTHING, st.data())
def test_whatever_stands_in_a_field_the_row_is_either_understood_or_put_aside(value, data):
    field = data.draw(st.sampled_from(sorted(invoice_row("x"))))
    page = invoices(invoice_row("good"), invoice_row("odd", **{field: value}))

    assert page.found[0].ledger_id == "good"
    assert page.length == 2


# --- credits


def test_money_that_we_owe_suppliers_is_no_credit_of_a_customer():
    rows = [
        {"OverpaymentID": "o1", "Type": "RECEIVE-OVERPAYMENT"},
        {"OverpaymentID": "o2", "Type": "SPEND-OVERPAYMENT"},
    ]
    common = {"Status": "AUTHORISED", "Contact": {"ContactID": "c1"}, "Total": 10, "RemainingCredit": 10}
    body = json.dumps(listing("Overpayments", *({**row, **common} for row in rows))).encode()

    assert [credit.ledger_id for credit in pages.OVERPAYMENTS.read(body).found] == ["o1"]


def test_a_use_of_a_credit_that_was_undone_does_not_count():
    row = {
        "CreditNoteID": "cn",
        "CreditNoteNumber": "CN-1",
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": "c1"},
        "Total": 30,
        "RemainingCredit": "12.50",
        "Allocations": [
            {"Amount": 17.5, "Date": "/Date(1767225600000+0000)/", "Invoice": {"InvoiceID": "i1"}},
            {"Amount": 9, "Invoice": {"InvoiceID": "i2"}, "IsDeleted": True},
        ],
    }
    (credit,) = pages.CREDIT_NOTES.read(json.dumps(listing("CreditNotes", row)).encode()).found

    assert (credit.number, credit.remaining) == ("CN-1", Decimal("12.50"))
    assert [(used.ledger_id, used.amount) for used in credit.allocations] == [("i1", Decimal("17.5"))]


# --- contacts


def phone(kind, number, area="", country=""):
    return {"PhoneType": kind, "PhoneNumber": number, "PhoneAreaCode": area, "PhoneCountryCode": country}


@pytest.mark.parametrize(
    ("parts", "mobile"),
    [
        (("900123", "07700", "44"), "+447700900123"),
        (("07700 900123", "", "+44"), "+447700900123"),
        (("+44 7700 900123", "", ""), "+447700900123"),
        (("+44 7700 900123", "", "44"), "+447700900123"),
        (("333 123 4567", "", "39"), "+393331234567"),
        (("07700 900123", "", ""), "07700 900123"),
        (("900123", "07700", ""), "07700 900123"),
        (("", "07700", "44"), "07700"),
        ((None, None, None), ""),
    ],
)
def test_a_mobile_number_is_put_together_so_that_it_can_be_dialled(parts, mobile):
    assert one_account(Phones=[phone("MOBILE", *parts)]).mobile == mobile


def test_the_telephone_is_the_main_number_or_else_the_direct_one():
    both = [phone("DDI", "2"), phone("DEFAULT", "1")]

    assert one_account(Phones=both).phone == "1"
    assert one_account(Phones=[phone("DDI", "2"), phone("DEFAULT", "")]).phone == "2"


def test_people_at_the_account_get_reminders_only_when_xero_sends_them_mail():
    people = [
        {"FirstName": "Ada", "LastName": "Byron", "EmailAddress": "ada@fern.example", "IncludeInEmails": "true"},
        {"FirstName": "Bo", "LastName": None, "EmailAddress": None, "IncludeInEmails": False},
    ]
    ada, bo = one_account(ContactPersons=people, EmailAddress="").contacts

    assert (ada.name, ada.email, ada.receives_reminders) == ("Ada Byron", "ada@fern.example", True)
    assert (bo.name, bo.email, bo.receives_reminders) == ("Bo", "", False)


# --- notes


@given(st.text(max_size=400), st.integers(30, 300))
def test_a_note_fits_and_its_marker_is_never_cut_off(words, longest):
    note = LedgerNote(f"{words} [arrears 7f3a]", "[arrears 7f3a]")

    written = fitted(note, longest)

    assert len(written) <= longest
    assert note.marker in written


def test_a_long_note_is_cut_at_a_word():
    assert fitted(LedgerNote("We reminded them by e-mail today [n1]", "[n1]"), 25) == "We reminded them by… [n1]"


# --- time zones


def test_every_time_zone_that_xero_knows_has_a_name_in_the_rest_of_the_world():
    for zone in TimeZone:
        ZoneInfo(ZONES[zone.value])


@pytest.mark.parametrize(
    ("name", "country", "zone"),
    [
        ("GMTSTANDARDTIME", "GB", "Europe/London"),
        ("NEWZEALANDSTANDARDTIME", "NZ", "Pacific/Auckland"),
        ("LUNARSTANDARDTIME", "AU", "Australia/Sydney"),
        ("", "", "UTC"),
    ],
)
def test_an_organisation_has_a_time_zone_whatever_xero_calls_it(name, country, zone):
    assert iana(name, country) == zone


def test_the_next_page_begins_a_second_before_the_last_change():
    page = invoices(invoice_row("i1"), invoice_row("i2", MONDAY.replace(second=30, microsecond=999_000)))

    assert page.onward == MONDAY.replace(second=29)
