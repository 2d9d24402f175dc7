"""Mirrors web/static/arrears.css: whatever is written can be read, in daylight and in the dark (WCAG 2, level AA)."""

import re
from pathlib import Path

import pytest

STYLE = (Path(__file__).parents[2] / "web" / "static" / "arrears.css").read_text()
_ROOTS = re.findall(r":root \{([^}]+)\}", STYLE)
COLOURS = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root)) for root in _ROOTS]

WORDS = ["ink", "quiet", "accent", "owed", "careful"]
GROUNDS = ["paper", "sheet"]
PAIRS = [(words, ground) for words in WORDS for ground in GROUNDS]
PAIRS += [("accent", "accent-tint"), ("owed", "owed-tint"), ("careful", "careful-tint"), ("on-accent", "accent")]
PAIRS += [("ink", "tint"), ("quiet", "tint"), ("ink", "accent-tint"), ("ink", "careful-tint"), ("ink", "owed-tint")]
PAIRS += [("sheet", "owed"), ("accent", "careful-tint"), ("quiet", "accent-tint")]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("words", "ground"), PAIRS)
def test_words_stand_out_from_their_ground(scheme: int, words: str, ground: str) -> None:
    assert contrast(COLOURS[scheme][words], COLOURS[scheme][ground]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(scheme: int) -> None:
    assert contrast(COLOURS[scheme]["strong-rule"], COLOURS[scheme]["sheet"]) >= 3


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
