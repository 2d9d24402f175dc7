"""Mirrors wording/_labels.py: the table's own words."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import wording
from wording._labels import Labels, labels

LANGUAGES = tomllib.loads((Path(wording.__file__).parent / "labels.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language):
    assert set(LANGUAGES[language]) == {field.name for field in fields(Labels)}
    assert all(word.strip() for word in LANGUAGES[language].values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_names_a_number_or_a_date_shows_it(language):
    words = labels(language)

    assert "42" in words.lateness(42) and "1" in words.lateness(1) and words.lateness(0) == words.due_today
    assert "7" in words.more.format(count=7) and "£9" in words.of_total.format(amount="£9")
    assert "June" in words.as_at.format(date="June")


def test_a_language_we_have_no_words_for_gets_english():
    assert labels("sv") == labels("en")
