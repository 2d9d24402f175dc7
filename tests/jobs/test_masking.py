"""Mirrors jobs/masking.py: only plain words, small numbers and times are ever let through."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.masking import Mask, plain_words

MASK = Mask(b"k" * 32, ["The Payment Company", "INV-7"])
LET_THROUGH = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?|\d\d:\d\d(?::\d\d)?"
    r"|(?:x|id|key|account|invoice)-[0-9a-f]{10}"
)
SEPARATE = st.sampled_from([" ", ", ", " (", ": ", "='", "\n", "; ", " – ", "&"])


def is_no_plain_word(name: str) -> bool:
    """Also not several that stand together, as in `InvoiceNumber`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|.", name)
    return not all(part.lower() in plain_words() or (part.isdigit() and len(part) < 4) for part in parts)


NAMES = st.text(st.characters(categories=["L"]), min_size=2, max_size=14).filter(is_no_plain_word)
EMAILS = st.from_regex(r"[a-z0-9]{1,8}(\.[a-z]{1,6})?@[a-z0-9]{1,8}\.(com|example|org)", fullmatch=True)
PHONES = st.from_regex(r"(\+\d{2} ?)?\(?0?\d{2,4}\)?[ -]\d{3,4}[ -]?\d{3,4}", fullmatch=True)
NUMBERS = st.from_regex(r"[A-Z]{2,4}-?\d{4,6}", fullmatch=True)
SECRETS = st.from_regex(r"[A-Za-z0-9_-]{20,40}", fullmatch=True).filter(is_no_plain_word)
PERSONAL = NAMES | EMAILS | PHONES | NUMBERS | SECRETS
PLAIN = st.sampled_from(sorted(plain_words()))


@given(st.text())
def test_whatever_comes_in_nothing_comes_out_but_plain_words_small_numbers_times_and_stand_ins(text: str) -> None:
    left = LET_THROUGH.sub(" ", MASK.text(text))
    for run in re.findall(r"\w+", left):
        for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|.", run):
            assert part == "_" or part.lower() in plain_words() or (part.isdigit() and len(part) <= 3), (text, left)


def is_left(planted: str, masked: str) -> bool:
    """Whether it stands there by itself; a stand-in or a longer plain word may hold the same letters by chance."""
    left = re.sub(r"(?:x|id|key)-[0-9a-f]{10}", "\N{BULLET}", masked)
    return re.search(rf"(?<!\w){re.escape(planted)}(?!\w)", left, re.IGNORECASE) is not None


@given(st.lists(st.tuples(PLAIN | PERSONAL, SEPARATE), max_size=12), PERSONAL, st.integers(0, 12))
def test_no_name_address_number_or_secret_is_ever_left_in_a_sentence(
    around: list[tuple[str, str]], planted: str, place: int
) -> None:
    words = [*around[:place], (planted, " "), *around[place:]]
    masked = MASK.text("".join(word + between for word, between in words))

    assert not is_left(planted, masked)


@given(PERSONAL, st.sampled_from(["where", "contactIDs", "searchTerm", "page", "order", "query", "anything"]))
def test_no_value_in_the_address_of_a_call_is_ever_left(planted: str, name: str) -> None:
    from urllib.parse import quote

    masked = MASK.path(f"/api.xro/2.0/Invoices/{quote(planted, safe='')}?{name}={quote(planted, safe='')}&page=2")

    assert not is_left(planted, masked)
    assert masked.startswith("/api.xro/2.0/Invoices/")
    assert masked.endswith("&page=2")


KEYS = st.sampled_from(["Name", "Notes", "InvoiceNumber", "PhoneNumber", "AmountDue", "TaxNumber", "ContactID"])
ROWS = st.recursive(
    st.none() | st.booleans() | PERSONAL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(ROWS)
def test_no_text_of_a_raw_row_is_ever_left(row: Any) -> None:
    masked = MASK.raw(json.dumps(row))

    for planted in _texts(row):
        assert not is_left(planted, repr(json.loads(masked)))


def _texts(row: Any) -> list[str]:
    match row:
        case str():
            return [row]
        case list():
            return [text for one in row for text in _texts(one)]
        case dict():
            return [text for key, one in row.items() for text in (*([] if key in _KEYS else [key]), *_texts(one))]
        case _:
            return []


_KEYS = {"Name", "Notes", "InvoiceNumber", "PhoneNumber", "AmountDue", "TaxNumber", "ContactID"}


@given(PERSONAL)
def test_the_same_name_always_has_the_same_stand_in_and_another_key_gives_another(planted: str) -> None:
    assert MASK.ref("x", planted) == MASK.ref("x", f" {planted} ") == Mask(b"k" * 32).ref("x", planted)
    assert MASK.ref("x", planted) != Mask(b"j" * 32).ref("x", planted)


@pytest.mark.parametrize(
    "sentence",
    [
        "Xero could not be reached while reading invoices. It will be asked again; if this goes on, check "
        "status.xero.com and the network between here and Xero.",
        "Nothing to do: the next sync waits until 14:05 UTC, as the ledger asks.",
        "The sync was cut short: the process ended. Nothing of it was kept.",
        "Something went wrong inside arrears: SealBroken",
        "QuickBooks' answer while reading Invoice was cut short or is not QuickBooks' at all (a "
        "proxy's page, perhaps).",
    ],
)
def test_our_own_sentences_stay_as_they_are(sentence: str) -> None:
    assert MASK.text(sentence) == sentence


def test_a_name_made_of_plain_words_is_masked_because_it_is_known() -> None:
    assert "Payment Company" not in MASK.text("Xero refused: The Payment Company is archived")


def test_a_name_in_a_sentence_has_the_stand_in_that_it_has_everywhere() -> None:
    assert MASK.ref("x", "Fern & Fig Café") in MASK.text("Xero refused the invoice of 'Fern & Fig Café', so it waits.")


def test_a_row_keeps_the_shape_that_explains_why_it_was_set_aside() -> None:
    raw = '{"InvoiceID": "b7f1", "Contact": {"Name": "Fern"}, "DueDate": null, "Date": "2026-05-01", "Total": "12.50", '
    raw += '"SubTotal": 10, "AmountDue": "<b>12</b>", "Status": "AUTHORISED"}'
    shape = json.loads(MASK.raw(raw))

    assert shape["DueDate"] is None
    assert (shape["Date"], shape["Total"], shape["SubTotal"], shape["Status"]) == (
        "2026-05-01",
        "12.50",
        10,
        "AUTHORISED",
    )
    assert shape["Contact"]["Name"] == f"{MASK.ref('x', 'Fern')} (4 characters)"
    assert shape["AmountDue"].endswith("(9 characters)")
