"""Mirrors connector/xero.py: the nightly check, invoices that a doorbell named, expected dates and PDFs."""

from datetime import date, timedelta

import pytest

from connector import Gone, LedgerNote, Refused, Unreachable
from engine.receivables import InvoiceStatus
from tests.connector.surroundings import MONDAY, Say, connect_to, cursor_at, invoice_row, listing

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def checked(ledger, open_ids):
    pages = list(ledger.whole_check(open_ids))
    return {one.ledger_id: one for page in pages for one in page.invoices}, [one for page in pages for one in page.gone]


def a_part_paid_invoice(world):
    invoice = world.add_invoice(world.add_contact("Fern"), due="2026-01-19", amount="100")
    world.pay(invoice, "40")
    return invoice


def test_a_new_due_date_on_a_part_paid_invoice_is_no_change_to_xero_and_is_found_by_the_nightly_check(
    company, at_the_company, clock
):
    world, ledger = company.control, at_the_company.ledger
    invoice = a_part_paid_invoice(world)
    world.move_clock(clock.move(minutes=10))
    *_, last = ledger.pull(None)
    world.move_clock(clock.move(hours=2))
    world.edit_invoice(invoice, due="2026-03-31")

    changed = [one for page in ledger.pull(last.cursor) for one in page.invoices]
    found, gone = checked(ledger, [invoice])

    assert changed == []
    assert found[invoice].due_on == date(2026, 3, 31)
    assert found[invoice].payments is None
    assert gone == []


def test_the_nightly_check_tells_how_those_stand_that_are_open_here_and_not_there(company, at_the_company):
    world, ledger = company.control, at_the_company.ledger
    fern = world.add_contact("Fern")
    still_open, paid, voided = (world.add_invoice(fern, due="2026-01-19", amount="100") for _ in range(3))
    world.pay(paid)
    world.void(voided)

    found, gone = checked(ledger, [still_open, paid, voided, UNKNOWN])

    assert {one: invoice.status for one, invoice in found.items()} == {
        still_open: InvoiceStatus.OPEN,
        paid: InvoiceStatus.PAID,
        voided: InvoiceStatus.VOIDED,
    }
    assert [payment.amount for payment in found[paid].payments] == [100]
    assert [(one.list, one.ledger_id) for one in gone] == [("invoices", UNKNOWN)]
    assert all(page.cursor is None for page in ledger.whole_check([]))


def test_an_invoice_that_was_put_aside_is_not_called_gone(company, at_the_company):
    world = company.control
    good = world.add_invoice(world.add_contact("Fern"), due="2026-01-19", amount="100")
    odd = world.raw_row("Invoices", {"InvoiceID": UNKNOWN, "AmountDue": "a lot"}, like=good)

    _, gone = checked(at_the_company.ledger, [good, odd])

    assert gone == []


def test_the_open_ledger_is_checked_in_one_call_for_a_thousand_and_one_for_forty_that_are_missing(xero, connected):
    xero.rule = lambda asked: Say(listing("Invoices", *([] if "IDs" in asked.query else [invoice_row("i1")])))

    _, gone = checked(connected.ledger, ["i1", *(f"x{n}" for n in range(50))])

    first, *by_ids = xero.asked
    assert (first.query["Statuses"], first.query["summaryOnly"]) == ("AUTHORISED", "true")
    assert [len(asked.query["IDs"].split(",")) for asked in by_ids] == [40, 10]
    assert gone[0] == Gone("invoices", "x0", MONDAY)


def test_an_invoice_that_a_doorbell_named_is_fetched_when_the_changes_do_not_bring_it(company, at_the_company, clock):
    world, ledger = company.control, at_the_company.ledger
    invoice = a_part_paid_invoice(world)
    world.move_clock(clock.move(minutes=10))
    *_, last = ledger.pull(None)
    world.move_clock(clock.move(minutes=10))
    world.edit_invoice(invoice, due="2026-03-31")

    pages = list(ledger.pull(last.cursor, also=[invoice]))

    assert [one.due_on for page in pages for one in page.invoices] == [date(2026, 3, 31)]
    assert pages[-1].cursor["invoices"] == clock().isoformat()


def test_an_invoice_that_the_changes_bring_anyway_is_not_fetched_again(company, at_the_company, clock):
    world, ledger = company.control, at_the_company.ledger
    invoice = a_part_paid_invoice(world)
    *_, last = ledger.pull(None)
    world.move_clock(clock.move(minutes=10))
    world.pay(invoice)
    before = len(ledger.calls)

    list(ledger.pull(last.cursor, also=[invoice]))

    assert len(ledger.calls) - before == 1


def test_contacts_are_read_from_the_first_to_the_last_once_a_week(xero, connected):
    day = timedelta(days=1)
    asked_since, cursor = [], cursor_at(MONDAY)
    for days in range(1, 9):
        xero.asked.clear()
        xero.rule = lambda asked, now=MONDAY + days * day: Say(listing(asked.path.strip("/"), at=now))
        *_, last = connected.ledger.pull(cursor)
        cursor = last.cursor
        asked_since.append(xero.asked_for("/Contacts")[0].headers.get("if-modified-since"))

    assert [since is None for since in asked_since] == [False] * 6 + [True, False]
    assert cursor["contacts_whole"] == (MONDAY + 7 * day).isoformat()


# --- the expected payment date


def test_the_expected_payment_date_is_kept_in_xero_read_back_and_taken_away(company, at_the_company):
    ledger = at_the_company.ledger
    invoice = a_part_paid_invoice(company.control)

    assert ledger.write_expected(invoice, date(2026, 2, 27), key="promise-1") is True
    (seen,) = ledger.look_again([invoice]).invoices
    assert seen.expected_on == date(2026, 2, 27)

    ledger.write_expected(invoice, None, key="promise-1-gone")
    (seen,) = ledger.look_again([invoice]).invoices
    assert seen.expected_on is None


def test_an_invoice_that_can_no_longer_be_changed_refuses_its_date_in_xeros_words(company, at_the_company):
    world = company.control
    invoice = world.add_invoice(world.add_contact("Fern"), due="2026-01-19", amount="1")
    world.void(invoice)

    with pytest.raises(Refused, match="VOIDED"):
        at_the_company.ledger.write_expected(invoice, date(2026, 2, 27), key="k")


def test_a_date_is_not_taken_for_written_when_the_row_inside_a_good_answer_says_otherwise(xero, connected):
    xero.always(Say({"Invoices": [{"InvoiceID": "i1", "ValidationErrors": [{"Message": "The period is locked"}]}]}))

    with pytest.raises(Refused, match="The period is locked"):
        connected.ledger.write_expected("i1", date(2026, 2, 27), key="k")


def test_a_date_that_xero_goes_on_showing_was_not_taken_away(xero, connected):
    xero.always(Say({"Invoices": [{"InvoiceID": "i1", "ExpectedPaymentDate": "/Date(1772150400000+0000)/"}]}))

    with pytest.raises(Refused, match="did not take the expected payment date away"):
        connected.ledger.write_expected("i1", None, key="k")
    (asked,) = xero.asked
    assert asked.body == b'{"Invoices": [{"InvoiceID": "i1", "ExpectedPaymentDate": ""}]}'


def test_only_the_date_is_sent_so_that_nothing_else_of_the_invoice_changes(xero, connected):
    xero.always(Say({"Invoices": [{"InvoiceID": "i1"}]}))
    connected.ledger.write_expected("i1", date(2026, 2, 27), key="k")

    (asked,) = xero.asked
    assert (asked.method, asked.path, asked.headers["idempotency-key"]) == ("POST", "/Invoices/i1", "k")
    assert asked.body == b'{"Invoices": [{"InvoiceID": "i1", "ExpectedPaymentDate": "2026-02-27"}]}'


# --- the invoice as a file


def test_an_invoice_can_be_had_as_xero_prints_it(company, at_the_company):
    invoice = a_part_paid_invoice(company.control)

    assert at_the_company.ledger.invoice_pdf(invoice).startswith(b"%PDF-")
    assert at_the_company.ledger.invoice_pdf(UNKNOWN) is None
    assert at_the_company.ledger.calls[0].path.endswith(f"/Invoices/{invoice}")


def test_a_pdf_too_large_to_mail_is_refused_before_it_was_read_to_its_end(xero, clock):
    connected = connect_to(xero, clock, largest_pdf_megabytes=1)
    xero.always(Say(b"%PDF-" + bytes(3 << 20), headers={"Content-Type": "application/pdf"}))

    with pytest.raises(Refused, match="larger than 1 MB"):
        connected.ledger.invoice_pdf("i1")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Say(b"<html>Sign in</html>"), "web page"),
        (Say(b""), "cut short"),
        (Say(b"%PDF-1.4 ...", cut=6), "before its answer was complete"),
        (Say(drop=True), "dropped the connection"),
    ],
)
def test_what_is_no_pdf_is_not_taken_for_one(xero, connected, answer, sentence):
    xero.always(answer)

    with pytest.raises(Unreachable, match=sentence):
        connected.ledger.invoice_pdf("i1")


def test_a_pdf_is_asked_for_as_such_with_the_key_and_for_the_organisation(xero, connected):
    xero.always(Say(b"%PDF-1.4 ..."))
    connected.ledger.invoice_pdf("../i 1")

    (asked,) = xero.asked
    assert asked.path == "/Invoices/..%2Fi%201"
    assert (asked.headers["accept"], asked.headers["xero-tenant-id"]) == ("application/pdf", "tenant-1")
    assert asked.headers["authorization"] == "Bearer access-1"


# --- rows that no specification foresaw


def test_every_odd_row_is_read_but_for_the_one_that_nobody_could_chase(company, at_the_company):
    odd = company.control.xero.odd_rows()
    unchaseable = {odd["no due date"]}

    pages = list(at_the_company.ledger.pull(None))
    accounts = {one.ledger_id: one for page in pages for one in page.accounts}
    invoices = {one.ledger_id: one for page in pages for one in page.invoices}
    put_aside = {row.ledger_id for page in pages for row in page.set_aside}

    assert put_aside == unchaseable
    named = {kind: one for kind, one in odd.items() if one in accounts or one in invoices}
    assert set(odd) - set(named) == {"no due date", "an invoice status nobody knows"}  # which is not in the open ledger
    assert len(accounts[odd["a name over 255 characters"]].name) > 255
    assert accounts[odd["a name in emoji"]].name == "🪴 Fern & Fig ☕️ 👩🏽‍🍳"
    assert (accounts[odd["a contact called None"]].name, accounts[odd["a contact called None"]].email) == ("None", "")
    assert (invoices[odd["the word None"]].reference, invoices[odd["the word None"]].number) == ("None", "")
    assert invoices[odd["amounts as text"]].balance == 120
    assert invoices[odd["a currency nobody knows"]].currency == "XCG"
    (strange,) = at_the_company.ledger.look_again([odd["an invoice status nobody knows"]]).invoices
    assert strange.status is InvoiceStatus.UNKNOWN


def test_where_xero_itself_takes_only_250_characters_a_note_is_there_shortened(company, at_the_company):
    company.control.xero.habits(longest_note=250)
    fern = company.control.add_contact("Fern")
    note = LedgerNote("We reminded them. " * 40 + "[n1]", "[n1]")

    at_the_company.ledger.write_notes(fern, [note], key="k1")

    (written,) = company.control.notes(fern)
    assert len(written["details"]) <= 250
    assert "[n1]" in written["details"]
