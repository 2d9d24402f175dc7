"""Mirrors connector/_quickbooks_notes.py: a block of ours in the customer's notes, and not a letter of theirs moved."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import LedgerNote
from connector._quickbooks_notes import BEGIN, END, is_plain, line_of, lines_of, merged, plain

MONDAY = date(2026, 1, 5)
FULL = {"block_cap": 700, "notes_cap": 1024}


def note(number: int, text: str = "R1 sent by email to Joan") -> LedgerNote:
    marker = f"[arrears {number}-abc123]"
    return LedgerNote(f"{text} {marker}", marker)


def put(before: str, *notes: LedgerNote, **caps: int) -> str | None:
    lines = [line_of(each, MONDAY) for each in notes]
    return merged(before, lines, [each.marker for each in notes], **(FULL | caps)).notes


ALPHABET = st.sampled_from([*"abc éÆ…😀\\'\"-\n", "\r\n", "--- arrears", "arrears:", "---"])
USERS_TEXT = st.lists(ALPHABET, max_size=60).map("".join).filter(lambda text: "--- arrears:" not in text)
TEXTS = st.text(max_size=300)


def outside(text: str) -> tuple[str, str]:
    return text[: text.index(BEGIN)], text[text.index(END) + len(END) :]


def test_the_first_note_begins_a_block_below_what_people_wrote():
    assert put("Likes calls before noon.", note(1)) == (
        f"Likes calls before noon.\n{BEGIN}\n2026-01-05 R1 sent by email to Joan [arrears 1-abc123]\n{END}"
    )


def test_the_newest_note_stands_on_top():
    text = put(put("", note(1)) or "", note(2), note(3)) or ""

    assert [line.split(" ")[-1] for line in lines_of(text)] == ["3-abc123]", "2-abc123]", "1-abc123]"]


def test_what_somebody_adds_below_and_above_the_block_stays():
    text = f"Above\r\n{put('', note(1))}\r\nBelow ü"

    assert outside(put(text, note(2)) or "") == ("Above\r\n", "\r\nBelow ü")


def test_a_note_that_is_there_already_changes_nothing():
    once = put("x", note(1), note(2)) or ""

    assert put(once, note(1), note(2)) == once


@pytest.mark.parametrize(
    "touched",
    [
        f"x\n{BEGIN}\nline",
        f"x\n{END}",
        f"{END}\n{BEGIN}",
        f"{BEGIN}\n{BEGIN}\na\n{END}",
        f"{BEGIN}\na\n{END}\n{END}",
        f"! {BEGIN}\na\n{END}",
        f"{BEGIN}\na\n{END} and more",
        "--- arrears: something of ours",
    ],
)
def test_where_somebody_touched_our_markers_nothing_is_written_and_the_reason_says_what_to_do(touched):
    line = line_of(note(1), MONDAY)
    result = merged(touched, [line], [note(1).marker], **FULL)

    assert result.notes is None
    assert "Delete what is left of them" in result.why


def test_full_notes_are_left_alone():
    result = merged("x" * 1000, [line_of(note(1), MONDAY)], [note(1).marker], **FULL)

    assert (result.notes, "Shorten them" in result.why) == (None, True)


def test_a_note_that_names_our_markers_does_not_break_the_block():
    text = put("", note(1, f"He wrote: {END}")) or ""

    assert put(text, note(2)) is not None


@given(before=USERS_TEXT, after=USERS_TEXT, texts=st.lists(TEXTS, min_size=1, max_size=12))
def test_whatever_people_wrote_around_our_block_is_never_changed_by_a_letter(before, after, texts):
    after = f"\n{after}" if after else ""
    text = put(before, note(0))
    if text is None:
        return
    head, _ = outside(text)
    text += after
    assert head.removesuffix("\n") == before.removesuffix("\n")

    for number, words in enumerate(texts, start=1):
        following = put(text, note(number, words))
        if following is None:
            continue
        assert outside(following) == (head, after)
        text = following


@given(before=USERS_TEXT, texts=st.lists(TEXTS, min_size=1, max_size=12), cap=st.integers(250, 700))
def test_our_block_never_grows_over_its_cap_nor_the_notes_over_theirs(before, texts, cap):
    text = before
    for number, words in enumerate(texts):
        text = put(text, note(number, words), block_cap=cap) or text

    if text != before:
        assert len(text[text.index(BEGIN) :]) <= cap
        assert len(text) <= 1024


@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_a_block_that_took_a_note_always_shows_it_first_and_whole_by_its_marker(texts):
    text = ""
    for number, words in enumerate(texts):
        text = put(text, note(number, words)) or ""
        assert lines_of(text)[0].endswith(note(number).marker)


@given(text=st.text(max_size=200))
def test_what_goes_to_an_american_company_is_always_in_latin_1(text):
    assert is_plain(plain(text))
    assert "".join(plain(text)).encode("latin-1") is not None


def test_quotes_and_letters_become_what_is_nearest():
    assert plain("“Łódź’s” – 50 € … 😀 日") == '"Lódz\'s" - 50 EUR ... ?'
