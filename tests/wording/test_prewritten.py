"""Mirrors wording/prewritten.py: workflows and letters that a small firm can send as they are, in each language."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from wording import Line, Statement, placeholders, prewritten, prewritten_letter, render, said, texted
from wording.prewritten import LANGUAGES, ORDER, language_of, prewritten_names
from wording.segments import count

DAY = date(2025, 6, 30)
LINE = Line("INV-1", "", DAY, date(2025, 5, 19), Decimal(1200), Decimal(1200), "GBP", 42, link="https://pay.example/1")
FULL = Statement(
    *("Brightwater Joinery", "Harbour Café", DAY, (LINE,), "en_GB", "HC-17", "Mia", "O'Neill", "mia@cafe.example"),
    sender_name="Tom Ashby",
    organisation_phone="0117 496 0000",
)
BARE = Statement("Brightwater Joinery", "Harbour Café", DAY, (replace(LINE, link=""),))
NOTHING = Statement("Brightwater Joinery", "Harbour Café", DAY, ())
LOCALE = {"en": "en_GB", "de": "de_DE"}
TABLE = {"en": "Statement of", "de": "Kontoauszug –"}

STEPS = [
    pytest.param(language, step, id=f"{name}-{language}-{step.id}")
    for name, language in prewritten_names()
    for step in prewritten(name, language).steps
]
EMAILS = [parameter for parameter in STEPS if parameter.values[1].channel == "email"]
TEXTS = [parameter for parameter in STEPS if parameter.values[1].channel == "sms"]
LETTERS = [(name, language) for name in ("statement", "thank-you") for language in LANGUAGES]


def put(language: str, step, statement: Statement) -> str:
    """The step's subject and words, as its channel takes them."""
    statement = replace(statement, locale=LOCALE[language])
    match step.channel:
        case "email":
            letter = render(step.subject, step.body, statement)
            return f"{letter.subject}\n{letter.text}"
        case "sms":
            return texted(step.body, statement)
        case _:
            return said(step.body, statement)


def reads_well(words: str) -> bool:
    """No hole where a fact was missing, and nothing left of the template."""
    holes = r"[{}]| ,|\(\)|  \w| \.(\s|$)|^,|,,|\.\.|: \.|\n\n\n"
    return not re.search(holes, words, re.MULTILINE)


def test_the_standard_workflow_has_five_emails_in_eight_weeks():
    steps = prewritten().steps

    assert [(step.id, step.name, step.day) for step in steps] == [
        ("r1", "Reminder 1", 7),
        ("r2", "Reminder 2", 21),
        ("r3", "Reminder 3", 35),
        ("r4", "Reminder 4", 42),
        ("r5", "Reminder 5", 56),
    ]
    assert {(step.channel, step.manual) for step in steps} == {("email", False)}


def test_every_workflow_exists_in_every_language():
    assert set(prewritten_names()) == {(name, language) for name in ORDER for language in LANGUAGES}


@pytest.mark.parametrize("name", ORDER)
def test_a_workflow_has_the_same_steps_in_every_language(name):
    in_each = [
        [(step.id, step.day, step.channel, step.manual) for step in prewritten(name, language).steps]
        for language in LANGUAGES
    ]

    assert all(steps == in_each[0] for steps in in_each)


@pytest.mark.parametrize("name", ORDER)
def test_a_translation_names_the_same_amounts_as_the_original(name):
    for ours, theirs in zip(prewritten(name, "en").steps, prewritten(name, "de").steps, strict=True):
        amounts = [
            {one for one in placeholders(step.body).used if one.startswith("account.total")} for step in (ours, theirs)
        ]
        assert amounts[0] == amounts[1]


@pytest.mark.parametrize(("name", "language"), prewritten_names())
def test_steps_come_in_the_order_of_their_days_with_ids_and_names_of_their_own(name, language):
    workflow = prewritten(name, language)
    days = [step.day for step in workflow.steps]

    assert days == sorted(set(days)) and len({step.id for step in workflow.steps}) == len(days)
    assert len({step.name for step in workflow.steps}) == len(days)
    assert workflow.name and workflow.description.endswith(".")


@pytest.mark.parametrize(("language", "step"), STEPS)
@pytest.mark.parametrize("statement", [FULL, BARE, NOTHING], ids=["full", "bare", "nothing open"])
def test_every_reminder_reads_well_with_all_facts_with_the_fewest_and_with_nothing_open(language, step, statement):
    words = put(language, step, statement).split(TABLE[language])[0]

    assert reads_well(words), words


@pytest.mark.parametrize(("language", "step"), EMAILS)
def test_every_email_shows_the_amount_and_who_writes(language, step):
    letter = render(step.subject, step.body, replace(FULL, locale=LOCALE[language]))

    assert {"en": "£1,200.00", "de": "1.200,00\xa0£"}[language] in letter.text
    assert "Brightwater Joinery" in letter.text and "Tom Ashby" in letter.text and "0117 496 0000" in letter.text
    assert len(letter.subject) < 100


@pytest.mark.parametrize(("language", "step"), EMAILS)
def test_every_email_places_the_table_itself(language, step):
    assert "statement" in placeholders(step.body).used and step.subject


@pytest.mark.parametrize(("language", "step"), STEPS)
def test_every_reminder_names_known_facts_of_an_account_only(language, step):
    assert placeholders(step.subject + step.body, per_invoice=False).unknown == ()


@pytest.mark.parametrize(("language", "step"), TEXTS)
def test_every_text_message_is_cheap_and_says_who_writes_and_how_to_stop_it(language, step):
    words = put(language, step, FULL)
    counted = count(words)

    assert counted.encoding == "GSM-7" and counted.segments <= 2, counted
    assert words.startswith("Brightwater Joinery: ") and "HC-17" in words and "https://pay.example/1" in words
    assert re.search(r"\bSTOP\b", words) and not step.subject


LONG_NAME = "Westfälische Großhandels- und Metallbaugesellschaft Lüdenscheid"[:60]
AMOUNTS = [(Decimal("85.40"),), (Decimal("1200"),), (Decimal("48350.75"),), (Decimal("12400.50"), Decimal("3150"))]


@pytest.mark.parametrize("amounts", AMOUNTS, ids=["small", "usual", "large", "in two currencies"])
@pytest.mark.parametrize(("language", "step"), TEXTS)
def test_a_text_message_of_a_firm_with_a_long_name_still_fits_into_two_segments(language, step, amounts):
    link = f"https://in.xero.com/{'a1B2c3D4' * 5}"
    currencies = {"en": ("GBP", "EUR"), "de": ("EUR", "CHF")}[language]
    lines = tuple(
        replace(LINE, total=amount, balance=amount, currency=currency, link=link)
        for amount, currency in zip(amounts, currencies, strict=False)
    )
    firm = {"organisation": LONG_NAME, "organisation_phone": "+44 117 496 0000", "account_number": "KD-104857"}
    counted = count(put(language, step, replace(FULL, lines=lines, **firm)))

    assert len(LONG_NAME) == 60
    assert counted.encoding == "GSM-7" and counted.segments <= 2, counted


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_private_customers_telephone_shows_no_amount(language):
    for step in prewritten("consumer", language).steps:
        if step.channel == "sms":
            assert "1.200" not in put(language, step, FULL) and "1,200" not in put(language, step, FULL)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "last"), [("firm", "r4"), ("credit-stop", "r3"), ("credit-stop", "r4")])
def test_what_is_grave_waits_for_a_person(name, last, language):
    assert next(step for step in prewritten(name, language).steps if step.id == last).manual


@pytest.mark.parametrize(("language", "step"), STEPS)
def test_no_reminder_threatens(language, step):
    threats = (
        r"legal|court|solicitor|lawyer|collection agenc|credit rating|\binterest|penalt|consequence|immediately|!"
        r"|rechtlich|gericht|anwalt|inkasso|schufa|verzugszins|zinsen|konsequenz|unverzüglich"
    )

    assert not re.search(threats, put(language, step, FULL), re.IGNORECASE)


@pytest.mark.parametrize(("name", "language"), LETTERS)
@pytest.mark.parametrize("statement", [FULL, BARE, NOTHING], ids=["full", "bare", "nothing open"])
def test_every_letter_reads_well_with_all_facts_with_the_fewest_and_with_nothing_open(name, language, statement):
    written = prewritten_letter(name, language)
    letter = render(written.subject, written.body, replace(statement, locale=LOCALE[language]))
    words = f"{letter.subject}\n{letter.text}".split(TABLE[language])[0]

    assert reads_well(words), words
    assert "Brightwater Joinery" in letter.subject
    assert placeholders(written.subject + written.body, per_invoice=False).unknown == ()


@pytest.mark.parametrize(("name", "language"), LETTERS)
def test_a_letter_that_is_no_reminder_asks_for_nothing(name, language):
    written = prewritten_letter(name, language)

    assert not re.search(r"please pay|bitte zahlen|bitte überweisen", written.body, re.IGNORECASE)


def test_a_workflow_or_letter_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(LookupError, match=r"no pre-written workflow 'harsh'.*standard \(en\)"):
        prewritten("harsh")
    with pytest.raises(LookupError):
        prewritten("standard", "tlh")
    with pytest.raises(LookupError):
        prewritten("../workflows/standard", "en")
    with pytest.raises(LookupError, match=r"no letter 'greeting'.*statement.en"):
        prewritten_letter("greeting")
    with pytest.raises(LookupError):
        prewritten_letter("../letters/statement")


@pytest.mark.parametrize(("locale", "language"), [("de_AT", "de"), ("de", "de"), ("en-NZ", "en"), ("fr_FR", "en")])
def test_an_organisation_is_offered_words_in_its_own_language_where_we_have_them(locale, language):
    assert language_of(locale) == language
