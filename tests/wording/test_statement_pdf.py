"""Mirrors wording/statement_pdf.py: the statement on paper, with every row, in any alphabet that we can print."""

import re
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.wording.reading_pdf import pages, words_of
from wording import Line, Look, Statement, statement_name, statement_pdf

AS_OF = date(2026, 11, 26)


def a_line(number: str, age: int, balance: str = "100.00", currency: str = "GBP", **more) -> Line:
    due_on = AS_OF - timedelta(age)
    return Line(
        number, more.pop("reference", ""), due_on, due_on, Decimal(balance), Decimal(balance), currency, age, **more
    )


def a_statement(*lines: Line, account: str = "Harbour Café", **more) -> Statement:
    return Statement("Brightwater Joinery", account, AS_OF, lines, **more)


def test_a_statement_says_who_owes_what_since_when_and_how_to_pay():
    look = Look(address="12 Quay Street\nBristol", pay_details="Severn Bank 00-00-00", small_print="Reg. 0123")
    pdf = statement_pdf(
        a_statement(
            a_line("INV-1", 42, "1200.00", reference="PO 7781"),
            a_line("INV-2", -3, "75.50"),
            a_line("CR-9", 0, "-20.00"),
            account_number="HC-17",
            contact_address="1 Pier\nBristol",
        ),
        look,
    )
    words = words_of(pdf)

    assert pdf.startswith(b"%PDF-1.") and pages(pdf) == 1
    for said in (
        "Brightwater Joinery",
        "Harbour Café",
        "HC-17",
        "1 Pier",
        "as at 26 November 2026",
        "INV-1",
        "PO 7781",
    ):
        assert said in words
    assert "42 days overdue" in words and "not yet due" in words and "credit" in words
    assert "£1,200.00" in words and "£1,255.50" in words and "-£20.00" in words
    assert "How to pay\nSevern Bank 00-00-00" in words and "12 Quay Street\nBristol" in words
    assert "Reg. 0123" in words and "Page 1 of 1" in words


def test_names_outside_western_europe_are_printed_and_not_lost():
    words = words_of(statement_pdf(a_statement(a_line("Č-1", 3), account="Müller & Söhne Łódź, Αθήνα, Київ")))

    assert "Müller & Söhne Łódź, Αθήνα, Київ" in words and "Č-1" in words


def test_every_row_is_there_over_as_many_pages_as_it_takes():
    pdf = statement_pdf(a_statement(*(a_line(f"INV-{n:04}", n) for n in range(1, 2001))))
    words = words_of(pdf)

    assert len(set(re.findall(r"INV-\d{4}", words))) == 2000
    assert f"Page {pages(pdf)} of {pages(pdf)}" in words and pages(pdf) > 30
    assert words.count("Balance") == pages(pdf)  # the head stands above the rows of every page


def test_each_currency_is_added_up_by_itself():
    words = words_of(statement_pdf(a_statement(a_line("A", 3, "10"), a_line("B", 3, "20", "EUR"), a_line("C", 9, "5"))))

    assert "British Pound (GBP)" in words and "Euro (EUR)" in words
    assert "£15.00" in words and "€20.00" in words and "35.00" not in words


@pytest.mark.parametrize("rows", range(18, 46))
def test_no_table_begins_at_the_foot_of_a_page_and_no_sum_stands_alone_at_the_head(rows):
    lines = [a_line(f"G{n:03}", n + 1) for n in range(rows)] + [a_line("E1", 5, currency="EUR")]
    words = words_of(statement_pdf(a_statement(*lines)))
    by_page = re.split(r"Page \d of \d", words)

    for page in by_page:
        if "Euro (EUR)" in page:
            assert "E1" in page.partition("Euro (EUR)")[2]
        if "British" not in page and "Total owed" in page.partition("Euro")[0]:
            assert re.search(r"G\d{3}", page.partition("Euro")[0])


def test_nobody_who_owes_nothing_gets_an_empty_table():
    words = words_of(statement_pdf(a_statement()))

    assert "Nothing is owed." in words and "Balance" not in words


def test_the_words_and_the_paper_are_those_of_the_country():
    german = statement_pdf(a_statement(a_line("R-1", 3, currency="EUR"), locale="de_DE"))
    american = statement_pdf(a_statement(a_line("1", 3, currency="USD"), locale="en_US"))

    assert "Kontoauszug" in words_of(german) and "Stand 26. November 2026" in words_of(german)
    assert b"595.2" in german and b"612 792" in american
    assert "as at November 26, 2026" in words_of(american)


def test_the_logo_is_printed_and_one_that_cannot_be_read_is_left_out():
    file = BytesIO()
    Image.new("RGBA", (300, 90), "#146e5a").save(file, "PNG")

    assert b"/Subtype /Image" in statement_pdf(a_statement(a_line("1", 3)), Look(logo=file.getvalue()))
    broken = statement_pdf(a_statement(a_line("1", 3)), Look(logo=file.getvalue()[:60]))
    assert b"/Subtype /Image" not in broken and "Brightwater Joinery" in words_of(broken)


def test_the_same_statement_makes_the_same_file():
    one = a_statement(a_line("1", 3), a_line("2", 40))

    assert statement_pdf(one) == statement_pdf(one)


@pytest.mark.parametrize(
    ("number", "account", "name"),
    [
        ("HC-17", "Harbour Café", "statement-hc-17-2026-11.pdf"),
        ("", "Müller & Söhne Łódź", "statement-muller-sohne-lodz-2026-11.pdf"),
        ("", "北京", "statement-account-2026-11.pdf"),
        ("../../x", "", "statement-x-2026-11.pdf"),
    ],
)
def test_the_file_has_a_name_that_every_mail_programme_passes_on(number, account, name):
    assert statement_name(a_statement(account=account, account_number=number)) == name


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_an_account_is_called_its_file_has_a_plain_name(number, account):
    name = statement_name(a_statement(account=account, account_number=number))

    assert re.fullmatch(r"statement-[a-z0-9]+(-[a-z0-9]+)*-2026-11\.pdf", name)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=120), st.integers(-900, 900), st.decimals(-(10**12), 10**12, places=2))
def test_no_name_and_no_amount_breaks_the_statement(text, age, balance):
    line = Line(text, text, None, AS_OF - timedelta(age), balance, balance, "GBP", age)
    look = Look(address=text, pay_details=text, small_print=text)

    assert statement_pdf(a_statement(line, account=text, account_number=text, contact_address=text), look)
