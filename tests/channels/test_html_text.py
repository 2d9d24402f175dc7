"""Mirrors channels/_html_text.py: HTML mail as a person would read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels._html_text import text_of
from channels._quoted_text import said


def test_paragraphs_lines_and_lists_stand_on_lines_of_their_own():
    html = "<p>Dear Tom,</p><p>first<br>second</p><ul><li>one</li><li>two</li></ul><div>a</div><div>b</div>"

    assert text_of(html) == "Dear Tom,\n\nfirst\nsecond\n\n- one\n- two\n\na\nb"


def test_quotes_carry_the_marks_of_plain_mail_one_for_each_level():
    assert text_of("<div>mine</div><blockquote>yours<blockquote>older</blockquote></blockquote>after") == (
        "mine\n\n> yours\n>\n> > older\n>\n\nafter"
    )


def test_the_cells_of_a_row_stay_on_one_line():
    assert text_of("<table><tr><td>INV-1</td><td>£12</td></tr><tr><td>INV-2</td><td>£8</td></tr></table>") == (
        "INV-1  £12\nINV-2  £8"
    )


def test_code_and_titles_are_not_read_out_and_spaces_are_those_one_sees():
    html = "<head><title>t</title></head><body><style>x{}</style><script>alert(1)</script> a  \n b&nbsp;c &lt;d&gt;"

    assert text_of(html) == "a b c <d>"


def test_a_head_that_is_never_closed_does_not_hide_the_letter():
    assert text_of("<html><head><meta x><body><p>paid</p>") == "paid"


def test_what_outlook_hides_in_conditions_is_passed_over():
    assert text_of("<p>paid <![if !supportLists]>today<![endif]></p><![") == "paid today"


@given(st.text(alphabet=st.sampled_from("<>/!-[]&;ab pdivblockquote\"'= \n"), max_size=300))
def test_no_markup_at_all_brings_the_reader_down(html):
    assert isinstance(text_of(html), str)


@pytest.mark.parametrize(
    "quote",
    [
        "<div id='appendonsend'></div><hr><div id='divRplyFwdMsg'>Tom wrote</div><div>Please pay.</div>",
        "<div id='mail-editor-reference-message-container'><div>Please pay.</div></div>",
        "<div class='gmail_quote'><div class='gmail_attr'>Tom hat geschrieben</div>"
        "<blockquote class='gmail_quote'>Please<br>pay.</blockquote></div>",
        "<div class='moz-cite-prefix'>Tom, le 3 mars</div><blockquote type='cite'>Please<br>pay.</blockquote>",
        "<div class='yahoo_quoted'><div>On Monday Tom wrote:</div><div>Please pay.</div></div>",
        "<div class='protonmail_quote'><div>Please<br>pay.</div></div>",
    ],
)
def test_the_boxes_in_which_mail_programmes_quote_are_known(quote: str) -> None:
    assert said(text_of(f"<div>Paid on <b>Friday</b>.</div>{quote}")) == "Paid on Friday."


def test_answers_between_the_boxes_are_kept() -> None:
    box = "<div class='yahoo_quoted'><div>Is {} right?</div></div>"
    html = f"<div>Hello</div>{box.format('A')}<div>A is right.</div>{box.format('B')}<div>B is not.</div>"

    assert said(text_of(html)).split("\n\n") == ["Hello", "A is right.", "B is not."]


def test_what_a_telephone_boxes_as_the_mail_it_answers_is_quoted():
    written = (
        '<div name="messageBodySection">Paid on Friday.</div><div name="messageReplySection">Hi Mia, reminder.</div>'
    )

    assert text_of(written) == "Paid on Friday.\n\n> Hi Mia, reminder."


@pytest.mark.parametrize("piece", ["<td>x", "<head></script>", "<li>x", "<blockquote>x", "</blockquote>"])
def test_a_million_letters_of_the_same_markup_are_read_to_their_end(piece):
    markup = piece * (900_000 // len(piece))

    assert text_of(f"<p>Paid on Friday.</p>{markup}").startswith("Paid on Friday.")
