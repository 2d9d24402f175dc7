"""Mirrors sandbox/books.py: what payments, credits and edits do to an invoice, seen through the API."""

from datetime import timedelta

import pytest

from sandbox import ControlRefused


@pytest.fixture
def control(app):
    app.world.control.add_contact("Fern & Fig Café", "fay@fern-and-fig.example", "Fay", "Lowe", "+44 7700 900123")
    return app.world.control


def _row(app, invoice):
    return app.get("Invoices", IDs=invoice, page=1)["Invoices"][0]


def _tick(control):
    control.move_clock(control.now() + timedelta(minutes=10))


def test_a_payment_lowers_the_balance_and_the_last_penny_pays_the_invoice(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    _tick(control)
    control.pay(invoice, "20.00")
    row = _row(app, invoice)
    assert (row["AmountDue"], row["AmountPaid"], row["Status"]) == (100, 20, "AUTHORISED")
    assert "FullyPaidOnDate" not in row
    control.pay(invoice, on="2026-01-04")
    row = _row(app, invoice)
    assert (row["AmountDue"], row["AmountPaid"], row["Status"]) == (0, 120, "PAID")
    assert [payment["Amount"] for payment in row["Payments"]] == [20, 100] and "FullyPaidOnDate" in row


def test_payment_and_invoice_are_stamped_with_the_same_instant(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    _tick(control)
    control.pay(invoice, 5)
    payment = app.get("Payments", page=1)["Payments"][0]
    assert payment["UpdatedDateUTC"] == _row(app, invoice)["UpdatedDateUTC"]


def test_deleting_a_payment_opens_the_invoice_again(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    payment = control.pay(invoice)
    assert control.balances() == {}
    before = _row(app, invoice)["UpdatedDateUTC"]
    _tick(control)
    control.delete_payment(payment)
    row = _row(app, invoice)
    assert (row["Status"], row["AmountDue"], row["Payments"]) == ("AUTHORISED", 120, [])
    assert row["UpdatedDateUTC"] > before
    assert app.get("Payments", page=1)["Payments"][0]["Status"] == "DELETED"


def test_a_credit_note_works_like_a_payment_from_the_other_side(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    control.credit(invoice, "30.00")
    row = _row(app, invoice)
    assert (row["AmountCredited"], row["AmountDue"]) == (30, 90)
    assert row["CreditNotes"][0]["AppliedAmount"] == 30
    note = app.get("CreditNotes", where='Type=="ACCRECCREDIT"', page=1)["CreditNotes"][0]
    assert (note["RemainingCredit"], note["Status"]) == (0, "PAID")
    assert note["Allocations"][0]["Invoice"]["InvoiceID"] == invoice


def test_an_overpayment_lies_open_until_it_is_allocated(app, control):
    credit = control.add_overpayment("Fern & Fig Café", "50.00")
    assert app.get("Overpayments", page=1)["Overpayments"][0]["RemainingCredit"] == 50
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "20.00")
    control.allocate(credit, invoice)
    assert app.get("Overpayments", page=1)["Overpayments"][0]["RemainingCredit"] == 30
    assert _row(app, invoice)["Status"] == "PAID"


def test_whether_an_allocation_stamps_the_invoice_can_be_chosen(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    before = _row(app, invoice)["UpdatedDateUTC"]
    _tick(control)
    control.habits(allocation_moves_invoice=False)
    control.credit(invoice, 10)
    row = _row(app, invoice)
    assert (row["AmountDue"], row["UpdatedDateUTC"]) == (110, before)


def test_a_new_due_date_on_a_part_paid_invoice_is_not_stamped(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    _tick(control)
    control.edit_invoice(invoice, due="2026-01-20")
    control.pay(invoice, 1)
    before = _row(app, invoice)["UpdatedDateUTC"]
    _tick(control)
    control.edit_invoice(invoice, due="2026-02-20")
    row = _row(app, invoice)
    assert (row["DueDateString"], row["UpdatedDateUTC"]) == ("2026-02-20T00:00:00", before)
    control.edit_invoice(invoice, reference="PO 7")
    assert _row(app, invoice)["UpdatedDateUTC"] > before


def test_a_void_invoice_owes_nothing_and_one_with_payments_cannot_be_voided(app, control):
    void, paid = (control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00") for _ in range(2))
    control.void(void)
    row = _row(app, void)
    assert (row["Status"], row["AmountDue"], row["Total"]) == ("VOIDED", 0, 120)
    control.pay(paid, 1)
    with pytest.raises(ControlRefused, match="only an authorised invoice without payments"):
        control.void(paid)


def test_a_draft_is_approved_or_deleted(app, control):
    one, other = (control.add_invoice("Fern & Fig Café", "2026-01-19", 9, status="DRAFT") for _ in range(2))
    assert control.balances() == {}
    control.approve(one)
    control.delete_draft(other)
    assert control.balances() == {one: "9.00"}
    assert _row(app, other)["Status"] == "DELETED"


def test_more_than_the_balance_cannot_be_paid(control):
    control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00", number="A-1")
    with pytest.raises(ControlRefused, match=r"120\.01 cannot be paid on A-1: its balance is 120\.00\."):
        control.pay("A-1", "120.01")


def test_a_contact_keeps_its_mobile_in_the_ledgers_three_parts(app, control):
    contact = app.get("Contacts", page=1)["Contacts"][0]
    mobile = next(phone for phone in contact["Phones"] if phone["PhoneType"] == "MOBILE")
    assert (mobile["PhoneCountryCode"], mobile["PhoneAreaCode"], mobile["PhoneNumber"]) == ("44", "7700", "900123")
    control.edit_contact("Fern & Fig Café", email=None, archived=True)
    assert app.get("Contacts")["Contacts"] == []
    assert app.get(f"Contacts/{contact['ContactID']}")["Contacts"][0]["EmailAddress"] == ""


def test_an_odd_row_is_shown_exactly_as_given(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    _tick(control)
    control.raw_row("Invoices", {"DueDate": None, "AmountDue": "120.00", "CurrencyCode": "XCG"}, like=invoice)
    row = _row(app, invoice)
    assert (row["DueDate"], row["AmountDue"], row["CurrencyCode"], row["Total"]) == (None, "120.00", "XCG", 120)
    control.raw_row("Contacts", {"Name": "x" * 300, "ContactStatus": "ACTIVE"})
    since = {"If-Modified-Since": "2026-01-05T09:05:00"}
    assert [len(row["Name"]) for row in app.get("Contacts", headers=since, page=1)["Contacts"]] == [300]


def test_the_expected_payment_date_can_be_written_by_the_api(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    answer = app.call("POST", f"Invoices/{invoice}", body={"ExpectedPaymentDate": "2026-01-30"})
    assert answer.status == 200
    assert control.invoices()[0]["expected"] == "2026-01-30"
    assert _row(app, invoice)["ExpectedPaymentDate"] == "/Date(1769731200000+0000)/"
    assert app.call("POST", f"Invoices/{invoice}", body={"Status": "VOIDED"}).status == 400


def test_an_odd_row_hides_a_real_invoice_only_until_that_is_changed(app, control):
    invoice = control.add_invoice("Fern & Fig Café", "2026-01-19", "120.00")
    control.raw_row("Invoices", {"Status": "UNHEARD OF"}, like=invoice)
    assert _row(app, invoice)["Status"] == "UNHEARD OF"
    assert control.balances() == {invoice: "120.00"}
    control.pay(invoice, 20)
    row = _row(app, invoice)
    assert (row["Status"], row["AmountDue"]) == ("AUTHORISED", 100)
