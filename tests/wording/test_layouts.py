"""Mirrors wording/compile_layouts.py, wording/_page.py and wording/layouts: letters as mail programmes show them."""

import re
import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from wording import Line, Look, NotALogo, Rendered, Statement, checked_logo, render
from wording.compile_layouts import FOLDER, compiled

SOURCES = sorted(FOLDER.glob("*.mjml"))
DAY = date(2025, 6, 30)
LINE = Line(
    "INV-1", "PO 1", DAY, date(2025, 5, 19), Decimal(1200), Decimal(1200), "GBP", 42, link="https://x.example/1"
)
STATEMENT = Statement("Brightwater & Sons", "Harbour Café", DAY, (LINE,))


def picture(kind: str = "PNG", width: int = 400, height: int = 120) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), "#146e5a").save(file, kind)
    return file.getvalue()


def a_letter(look: Look | None = None, layout: str = "email", body: str = "Hi\n\n{{ statement }}") -> Rendered:
    return render("Reminder", body, STATEMENT, layout=layout, look=look)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_html_that_is_kept_is_what_the_source_compiles_to(source: Path):
    assert source.with_suffix(".html").read_text(encoding="utf-8") == compiled(source), "run `make layouts`"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_layout_fetches_nothing_and_runs_nothing(source: Path):
    html = re.sub(r'xmlns(:\w)?="[^"]*"', "", source.with_suffix(".html").read_text(encoding="utf-8"))

    assert not re.search(r"https?:|//fonts|@import|url\(|<script|<link|<img|<iframe", html)


@pytest.mark.parametrize("layout", ["email", "note"])
def test_a_finished_letter_fetches_nothing_but_the_logo_that_it_carries(layout):
    html = a_letter(Look(logo=picture()), layout).html
    fetched = re.findall(r'(?:src|background|srcset)\s*=\s*"([^"]*)"|url\(([^)]*)\)|@import[^;]*', html)

    assert [source for source, _ in fetched] == (["cid:logo@letter"] if layout == "email" else [])


def test_the_logo_goes_with_the_letter_in_the_size_of_a_letterhead():
    letter = a_letter(Look(logo=picture(width=1200, height=300)))
    (logo,) = letter.pictures

    assert (logo.content_type, logo.name, logo.content) == ("image/png", "logo.png", picture(width=1200, height=300))
    assert re.search(r'<img[^>]*src="cid:logo@letter"[^>]*alt="Brightwater  Sons"', letter.html)
    assert 'width="240" height="60"' in letter.html


def test_without_a_logo_the_firms_name_stands_above_and_nothing_goes_with_the_letter():
    letter = a_letter()

    assert letter.pictures == () and "Brightwater &amp; Sons</span>" in letter.html and "<img" not in letter.html
    assert a_letter(Look(logo=b"no picture")).pictures == ()


def test_a_note_has_neither_logo_nor_heading_and_says_the_same():
    letter, note = a_letter(Look(logo=picture())), a_letter(Look(logo=picture()), "note")

    assert note.pictures == () and "Brightwater" not in note.html and note.text == letter.text
    assert "INV-1" in note.html


def test_what_stands_at_the_foot_is_in_both_parts():
    look = Look(address="12 Quay St\nBristol", pay_details="Severn Bank", small_print="Reg. <no> 1")
    letter = a_letter(look)

    assert letter.text.endswith("\n-- \nSevern Bank\n\n12 Quay St\nBristol\n\nReg. <no> 1\n")
    assert "12 Quay St<br>\nBristol" in letter.html and "Reg. &lt;no&gt; 1" in letter.html


def test_styles_are_written_into_the_elements_and_the_dark_rules_stay():
    html = a_letter(Look("#aa3300")).html

    assert re.search(r'<a class="link" href="https://x.example/1" style="color: #aa3300', html)
    assert re.search(r'<td class="sum" style="[^"]*text-align: right', html)
    assert "@media (prefers-color-scheme: dark)" in html and "[[" not in html
    assert 'name="color-scheme" content="light dark"' in html and 'lang="en-GB"' in html


def test_what_a_stranger_is_called_is_never_taken_for_a_place_in_the_layout():
    statement = replace(STATEMENT, organisation="[[body]] [[foot]]", account="[[accent]]")
    letter = render("[[title]]", "[[head]] {{ account.name }}", statement)

    assert letter.html.count("INV-1") == letter.text.count("INV-1") == 1
    assert "[[body]] [[foot]]" in letter.html and "[[head]] [[accent]]" in letter.html


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_logo_is_a_picture_that_every_mail_programme_shows(kind):
    assert checked_logo(picture(kind)).content_type == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "cannot be read as a picture"),
        (b"", "cannot be read as a picture"),
        (picture()[:80], "cannot be read as a picture"),
        (picture("BMP", 20, 20), "cannot be read as a picture"),
        (picture() + b"x" * 200_000, "larger than 200 KB"),
        (picture("GIF", 4000, 4000), "pixels"),
    ],
)
def test_what_is_no_logo_is_refused_with_a_sentence(content, sentence):
    with pytest.raises(NotALogo, match=sentence):
        checked_logo(content)


def test_the_product_runs_without_the_compiler_of_layouts():
    project = tomllib.loads((FOLDER.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))

    assert not any(name.startswith("mjml") for name in project["project"]["dependencies"])
