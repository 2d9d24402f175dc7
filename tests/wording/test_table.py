"""Mirrors wording/_table.py: the statement in a reminder, as aligned text and as a real table."""

import re
from datetime import date, timedelta
from decimal import Decimal

from wording import Line, Rendered, Statement, has_more, render

AS_OF = date(2025, 6, 30)


def a_line(number: str, age: int, balance: str = "100.00", currency: str = "GBP", **more) -> Line:
    due_on = AS_OF - timedelta(age)
    total = Decimal(more.pop("total", balance))
    return Line(number, more.pop("reference", ""), due_on, due_on, total, Decimal(balance), currency, age, **more)


def a_letter(*lines: Line, locale: str = "en_GB") -> Rendered:
    return render("Reminder", "Hi\n\n{{ statement }}\n\nBye", Statement("Firm", "Harbour Café", AS_OF, lines, locale))


def test_the_text_table_stands_in_straight_columns_oldest_first():
    letter = a_letter(
        a_line("INV-3", -14, "410.25"),
        a_line("INV-1", 42, "1200.00", reference="PO 7781"),
        a_line("INV-2", 1, "75.00", disputed=True),
    )

    assert (
        letter.text
        == """Hi

Statement of account – Harbour Café, as at 30 June 2025

Invoice  Reference  Due          Status                      Balance
--------------------------------------------------------------------
INV-1    PO 7781    19 May 2025  42 days overdue           £1,200.00
INV-2               29 Jun 2025  1 day overdue (disputed)     £75.00
INV-3               14 Jul 2025  not yet due                 £410.25
--------------------------------------------------------------------
                                 Overdue                   £1,200.00
                                 In dispute                   £75.00
                                 Total owed                £1,685.25

Bye
"""
    )


def test_the_html_table_says_what_each_header_is_for_and_puts_amounts_to_the_right():
    html = a_letter(
        a_line("INV-1", 42, "830.50", total="1830.50", reference="PO 7781", link="https://x.example/1")
    ).html

    assert html.count('scope="col"') == 3 and html.count('scope="row"') == 3
    assert "<caption" in html and "as at 30 June 2025" in html
    assert '<a class="link" href="https://x.example/1"' in html
    assert "of £1,830.50" in html and "PO 7781" in html and "42 days overdue" in html
    assert html.count("text-align: right") == 4


def test_each_currency_has_a_section_and_a_total_of_its_own():
    letter = a_letter(a_line("INV-1", 42, "100"), a_line("INV-2", 40, "50"), a_line("INV-3", 9, "300", "EUR"))

    assert letter.html.count("<caption") == letter.text.count("Total owed") == 2
    assert "British Pound (GBP)" in letter.text and "Euro (EUR)" in letter.html
    assert "£150.00" in letter.text and "€300.00" in letter.text
    assert "450" not in letter.text


def test_a_long_statement_shows_twenty_rows_and_counts_the_rest_in_its_totals():
    letter = a_letter(*(a_line(f"INV-{age:03}", age) for age in range(1, 36)))

    assert letter.html.count('scope="row"') == 20 + 4
    assert "INV-035" in letter.text and "INV-016" in letter.text and "INV-015" not in letter.text
    assert "and 15 more in the attached statement" in letter.text and "and 15 more" in letter.html
    assert "£3,500.00" in letter.html


def test_a_letter_without_room_for_every_row_says_that_the_statement_goes_with_it():
    short, long = ([a_line(f"INV-{age:03}", age) for age in range(1, count)] for count in (21, 22))

    assert not has_more(Statement("Firm", "Account", AS_OF, tuple(short)))
    assert "attached" not in a_letter(*short).text
    assert has_more(Statement("Firm", "Account", AS_OF, tuple(long)))
    assert "and 1 more in the attached statement" in a_letter(*long).text


def test_what_is_owed_is_spread_over_its_ages_and_adds_up():
    letter = a_letter(
        a_line("A", 10, "10"),
        a_line("B", 45, "20"),
        a_line("C", 100, "30"),
        a_line("D", -5, "40"),
        a_line("E", 45, "5", disputed=True),
        a_line("F", 0, "-7"),
    )

    for label, amount in (
        ("1 to 30 days overdue", "£10.00"),
        ("31 to 60 days overdue", "£20.00"),
        ("More than 90 days overdue", "£30.00"),
        ("Overdue", "£60.00"),
        ("In dispute", "£5.00"),
        ("Credit not used yet", "-£7.00"),
        ("Total owed", "£98.00"),
    ):
        assert re.search(rf"(^|\s){label}\s+{re.escape(amount)}$", letter.text, re.MULTILINE), label
    assert "61 to 90" not in letter.text and "credit" in letter.text


def test_many_currencies_and_invoices_still_make_a_mail_that_no_reader_cuts_off():
    lines = [
        a_line(f"INVOICE-NUMBER-{n:04}", n, "123456.78", code, reference="R" * 60, link="https://x.example/" + "y" * 80)
        for code in ("GBP", "EUR", "USD", "AUD", "NZD")
        for n in range(200)
    ]

    assert len(a_letter(*lines).html.encode()) < 102_000


def test_an_invoice_due_today_is_not_overdue():
    letter = a_letter(a_line("INV-1", 0))

    assert "due today" in letter.text and "£0.00" in letter.text


def test_an_invoice_that_is_not_due_is_known_by_its_date_whatever_age_it_was_given():
    line = Line("INV-1", "", None, date(2025, 7, 14), Decimal(9), Decimal(9), "GBP", 0)

    assert "not yet due" in a_letter(line).text and "due today" not in a_letter(line).html


def test_the_tables_own_words_are_in_the_debtors_language_or_in_english():
    assert "noch nicht fällig" in a_letter(a_line("R-1", -3), locale="de_DE").text
    assert "pas encore échue" in a_letter(a_line("F-1", -3), locale="fr_FR").html
    assert "not yet due" in a_letter(a_line("F-1", -3), locale="sv_SE").text


def test_a_statement_without_open_invoices_has_no_table():
    letter = a_letter()

    assert letter.text == "Hi\n\nBye\n" and "<caption" not in letter.html
