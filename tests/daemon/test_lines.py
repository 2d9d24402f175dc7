"""Mirrors daemon/lines.py: a sentence on a screen, and in a pipe."""

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.markup import escape

from daemon.lines import tell


def told(said: str, behind: str = "", *, width: int = 40, screen: bool = True) -> list[str]:
    out = StringIO()
    tell(Console(file=out, width=width, force_terminal=screen, color_system=None), said, behind=behind)
    return out.getvalue().rstrip("\n").split("\n")


def test_on_a_screen_a_sentence_goes_on_below_its_own_beginning() -> None:
    assert told("Reminder 3 follows on 27 November 2026, if nothing holds it.", "  Because   ") == [
        "  Because   Reminder 3 follows on 27",
        "            November 2026, if nothing",
        "            holds it.",
    ]


def test_in_a_pipe_a_sentence_stays_one_line() -> None:
    assert told("word " * 30 + "end", "  Because   ", screen=False) == ["  Because   " + "word " * 30 + "end"]


def test_what_others_have_written_is_shown_as_it_is() -> None:
    assert told(escape("[red]Odd[/red] :smile:")) == ["[red]Odd[/red] :smile:"]


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=20), min_size=1, max_size=40), st.integers(40, 120))
def test_no_word_is_ever_broken_or_lost_and_no_line_is_too_long(words: list[str], width: int) -> None:
    lines = told(" ".join(words), " " * 10, width=width)

    assert " ".join(lines).split() == words
    assert all(len(line) <= width for line in lines)
