"""Mirrors wording/segments.py: what a text message comes to, and how plain letters keep it cheap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.message_calendar import segments_of
from wording.segments import count, normalised

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
TYPED = st.text(st.sampled_from("aB 1€[]~^’‘“”–—‑…\u00a0\u202f\u200béèçŁ😀é\r\n\t"), max_size=400)


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("a", "GSM-7", 1, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("é£Ω\n", "GSM-7", 4, 1),
        ("ç", "UCS-2", 1, 1),
        ("Ł" * 70, "UCS-2", 70, 1),
        ("Ł" * 71, "UCS-2", 71, 2),
        ("Ł" * 134, "UCS-2", 134, 2),
        ("Ł" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
    ],
)
def test_a_text_is_counted_as_the_network_counts_it(text, encoding, characters, segments):
    counted = count(text)

    assert (counted.encoding, counted.characters, counted.segments) == (encoding, characters, segments)


def test_a_letter_that_counts_twice_is_never_cut_in_two():
    assert count("a" * 152 + "€" + "a" * 151).segments == 2
    assert count("a" * 152 + "€" + "a" * 152).segments == 3  # 306 letters, but the first part has 152 of them
    assert count("😀" * 67).segments == 3  # 33 of them in each part, 134 units altogether


def test_the_letters_that_make_a_text_dear_are_named():
    assert count("Łódź’s “bill”").outside == "Łóź’“”"
    assert count("Lodz's bill").outside == ""


def test_room_is_what_fits_before_another_segment_is_charged():
    assert count("a" * 150).room == 10
    assert count("a" * 161).room == 306 - 161


def test_what_only_looks_different_becomes_plain():
    typed = "Don’t wait – it’s\u00a0“due”…\u2011 1.200,00\u202f€\u200b‚x‘"

    assert normalised(typed) == "Don't wait - it's \"due\"...- 1.200,00 €'x'"
    assert count(normalised(typed)).encoding == "GSM-7"


def test_a_name_keeps_its_letters():
    assert normalised("Müller & Söhne, Łódź, François") == "Müller & Söhne, Łódź, François"


def test_letters_written_in_two_pieces_become_one():
    assert normalised("Cafe\u0301") == "Café" and count(normalised("Cafe\u0301")).encoding == "GSM-7"


@given(TEXT | TYPED)
def test_plain_letters_never_cost_more(text):
    assert count(normalised(text)).segments <= count(text).segments


@given(TEXT | TYPED)
def test_what_is_plain_already_stays_as_it_is(text):
    assert normalised(normalised(text)) == normalised(text)


@given(TYPED)
def test_every_letter_finds_room_and_no_segment_more_is_charged_than_needed(text):
    counted = count(text)
    each = 153 if counted.encoding == "GSM-7" else 67
    alone = 160 if counted.encoding == "GSM-7" else 70

    assert (counted.segments == 0) == (not text)
    assert (counted.segments <= 1) == (counted.characters <= alone)
    if counted.segments > 1:
        assert -(-counted.characters // each) <= counted.segments <= -(-counted.characters // (each - 1))
    assert counted.room >= 0


@given(st.text(st.sampled_from("aé1 ’Ł"), min_size=1, max_size=500))
def test_where_no_letter_counts_twice_the_forecast_of_the_engine_agrees(text):
    assert count(text).segments == segments_of(text)
