"""Mirrors engine/suggestions.py: what a reply seems to say, with the words that made it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.replies import Keyword, keyword_of
from engine.suggestions import SuggestionKind, suggestions

ON = date(2026, 3, 4)


def kinds(text: str) -> list[SuggestionKind]:
    return [one.kind for one in suggestions(text, on=ON)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Hi Tom,\nWe will pay INV-7 next Friday.\nRegards", date(2026, 3, 13)),
        ("Payment is scheduled for 20 March.", date(2026, 3, 20)),
        ("It goes in our payment run on the 15th", date(2026, 3, 15)),
        ("I can pay half of it on Monday", date(2026, 3, 9)),
        ("Wir zahlen am Freitag.", date(2026, 3, 6)),
        ("Die Zahlung erfolgt bis 15.03.2026. Mit freundlichen Grüßen", date(2026, 3, 15)),
        ("Wird am Montag überwiesen", date(2026, 3, 9)),
        ("We will pay as soon as we can.", None),
    ],
)
def test_a_promise_is_suggested_with_its_day(text: str, day: date | None) -> None:
    (found,) = suggestions(text, on=ON)

    assert (found.kind, found.day) == (SuggestionKind.PROMISE, day)


@pytest.mark.parametrize(
    "text",
    [
        "This was paid last Friday by BACS.",
        "We paid on 2 March",
        "I have already settled this invoice",
        "Payment was sent this morning.",
        "Wir haben die Rechnung bereits überwiesen.",
        "Der Betrag wurde am 2. März beglichen.",
    ],
)
def test_already_paid_is_no_promise(text: str) -> None:
    assert kinds(text) == [SuggestionKind.PAID]


@pytest.mark.parametrize(
    "text",
    [
        "The price on INV-7 is wrong.",
        "We never received the goods.",
        "We dispute this invoice",
        "We will not pay until you send a credit note",
        "Die Lieferung war unvollständig",
        "Wir widersprechen der Rechnung.",
        "Der Betrag stimmt nicht, bitte prüfen",
    ],
)
def test_a_dispute_is_suggested(text: str) -> None:
    assert kinds(text) == [SuggestionKind.DISPUTE]


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "Please stop emailing me.",
        "stop texting us",
        "Do not contact me again",
        "don’t call me",
        "No more reminders please",
        "Unsubscribe",
        "Please take us off your list",
        "Bitte keine weiteren E-Mails.",
        "Schreiben Sie mir nicht mehr",
        "Hören Sie auf damit",
        "Wir möchten nicht mehr kontaktiert werden",
    ],
)
def test_somebody_who_wants_no_more_messages_is_heard(text: str) -> None:
    assert SuggestionKind.STOP in kinds(text)


@pytest.mark.parametrize("text", ["Sarah is no longer with the company.", "Frau Meier ist nicht mehr bei uns tätig"])
def test_that_somebody_has_left_is_suggested(text: str) -> None:
    assert kinds(text) == [SuggestionKind.NEW_CONTACT]


@pytest.mark.parametrize(
    "text",
    [
        "Could you ring me?",
        "Please send us a copy of the invoice, we have not received the invoice.",
        "Please do not hesitate to contact us.",
        "How can we pay this?",
        "Have you been paid?",
        "We have not paid yet.",
        "Thanks, noted.",
        "Please stop the delivery of the oak boards.",
        "Danke, wir kümmern uns darum.",
        "Könnten Sie uns bitte eine Kopie der Rechnung schicken?",
    ],
)
def test_where_nothing_of_the_kind_is_said_nothing_is_suggested(text: str) -> None:
    assert kinds(text) == []


def test_each_suggestion_says_which_words_made_it() -> None:
    found = suggestions("Hello.\nINV-7 is wrong. The rest we will pay on 12 March!\nMia", on=ON)

    assert [(one.kind, one.words) for one in found] == [
        (SuggestionKind.DISPUTE, "INV-7 is wrong"),
        (SuggestionKind.PROMISE, "The rest we will pay on 12 March!"),
    ]


@given(st.text(max_size=400))
def test_no_words_at_all_bring_it_down_and_nothing_is_said_that_is_not_there(text: str) -> None:
    for one in suggestions(text, on=ON):
        assert one.words.replace("'", "’") in " ".join(text.split()).replace("'", "’")


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_plain_stop_on_a_line_of_its_own_is_never_overheard(before: str, after: str) -> None:
    assert SuggestionKind.STOP in kinds(f"{before}\nplease stop emailing me\n{after}")


def test_words_without_end_take_no_time() -> None:
    assert suggestions("we will " * 500_000, on=ON) == ()


@pytest.mark.parametrize("text", ["STOP", " stop. ", "Stop!", "STOPP", "unsubscribe", "Opt out", "ARRÊT"])
def test_a_keyword_alone_stops(text: str) -> None:
    assert keyword_of(text) is Keyword.STOP


@pytest.mark.parametrize("text", ["stop please", "Yes", "I will stop by tomorrow", "", "the end of the month", "?"])
def test_a_keyword_among_other_words_is_none(text: str) -> None:
    assert keyword_of(text) is None


def test_start_and_help_are_keywords_too() -> None:
    assert (keyword_of("START"), keyword_of("Hilfe")) == (Keyword.START, Keyword.HELP)
