"""Mirrors web.rooms.letter_words: what the statement and the thank-you say, and who gets no statement."""

import pytest
from sqlalchemy import update
from sqlmodel import col

from store.tables import AccountRow, LetterRow, OrganisationRow
from tests.web.books import Books
from tests.web.nesting import problems
from tests.web.test_workflow_pages import fields
from tests.web.visitor import Visitor

PAGES = ("/settings/letters/statement", "/settings/letters/thank-you")
STATEMENT, THANKS = PAGES
BAD = "<script>alert('x')</script>"


def kept(books: Books, kind: str = "statement") -> LetterRow | None:
    with books.office.database.reading() as session:
        row = session.get(LetterRow, (books.ours, kind))
        if row is not None:
            session.expunge(row)
        return row


def settle(books: Books, **settings: object) -> None:
    with books.office.database.unit_of_work() as unit:
        unit.execute(update(OrganisationRow).where(col(OrganisationRow.id) == books.ours).values(**settings))


@pytest.mark.parametrize("page", PAGES)
def test_a_letter_stands_in_the_pre_written_words_until_it_is_saved_and_can_go_back(
    anna: Visitor, books: Books, page: str
) -> None:
    shown = anna.get(page)
    assert shown.status == 200 and problems(shown.text) == []
    assert "In the pre-written words" in shown.words and "It is off at present." in shown.words
    assert "Take the pre-written words again" not in shown.words

    typed = fields(shown) | {"step-1-subject": "Yours", "step-1-body": "Hello\r\n\r\n{{ statement }}"}
    assert anna.post(page, **typed, act="save").headers["location"] == f"{page}?said=letter-saved"
    row = kept(books, page.rpartition("/")[2])
    assert row is not None and (row.subject, row.body) == ("Yours", "Hello\n\n{{ statement }}")
    assert "In your own words, by Anna Reed" in anna.get(page).words

    assert anna.post(page, act="prewritten").headers["location"] == f"{page}?said=letter-prewritten"
    assert kept(books, page.rpartition("/")[2]) is None
    assert fields(anna.get(page)) == fields(shown)


def test_saving_the_page_as_it_was_opened_changes_nothing(anna: Visitor, books: Books) -> None:
    assert anna.post(STATEMENT, **fields(anna.get(STATEMENT)), act="save").status == 303
    assert kept(books) is None


def test_words_that_cannot_be_filled_in_are_told_beside_their_field_and_nothing_is_kept(
    anna: Visitor, books: Books
) -> None:
    typed = fields(anna.get(STATEMENT)) | {"step-1-subject": " ", "step-1-body": f"{BAD} {{{{ acount.name }}}}"}
    answer = anna.post(STATEMENT, **typed, act="save")
    assert answer.status == 422 and "Nothing was saved." in answer.words
    assert "An email needs a subject." in answer.words and "acount.name" in answer.words
    assert 'href="#step-1-subject"' in answer.text and BAD not in answer.text
    assert kept(books) is None

    looked = anna.post(STATEMENT, **typed, act="look")
    assert looked.status == 200 and "Nothing will ever fill in acount.name" in looked.words


def test_a_preview_shows_the_letter_as_a_real_account_would_get_it(anna: Visitor, books: Books) -> None:
    settle(books, locale="de_DE")
    for page, subject in ((STATEMENT, "Kontoauszug von Harbour"), (THANKS, "Vielen Dank von Harbour")):
        typed = fields(anna.get(page)) | {"preview_account": str(books.accounts["due"])}
        shown = anna.post("/settings/workflows/preview?step=1", **typed)
        assert shown.status == 200 and f"Subject: {subject}" in shown.words
        assert "as Ivy Cottage Interiors would get it today. Nothing was sent." in shown.words
        assert "sandbox" in shown.headers["content-security-policy"]


def test_a_sample_of_a_letter_needs_a_channel_that_could_carry_it(anna: Visitor, books: Books) -> None:
    typed = fields(anna.get(STATEMENT)) | {"preview_account": str(books.accounts["due"])}
    assert "No email channel is set up." in anna.post("/settings/workflows/sample?step=1", **typed).words


def test_support_staff_read_the_letters_and_change_none(sam: Visitor, books: Books) -> None:
    page = sam.get(STATEMENT)
    assert "Only an owner or a manager may change this." in page.words
    assert "<button" not in page.text.split('id="editor"')[1].split("</form>")[0]
    assert sam.post(STATEMENT, act="save", **{"step-1-subject": "x", "step-1-body": "x"}).status == 403
    assert kept(books) is None


def test_the_letters_are_found_from_the_settings_of_letters_and_of_sending(anna: Visitor, books: Books) -> None:
    settle(books, statement_day=31, thanks=True)
    for place in ("/settings/letters", "/settings/sending"):
        assert all(f'href="{page}"' in anna.get(place).text for page in PAGES)
    assert "on the last day, with the statement as a PDF" in anna.get(STATEMENT).words
    assert "It goes once to whoever was reminded" in anna.get(THANKS).words


def test_an_account_is_left_out_of_the_statements_and_taken_in_again(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]
    page = f"/accounts/{number}"
    assert "No monthly statement" not in anna.get(page).words, "there are no statements at all"
    settle(books, statement_day=15)
    assert "No monthly statement" in anna.get(page).words

    anna.post(f"{page}/no-statements", why="they have asked " + BAD)
    shown = anna.get(page)
    assert "No monthly statement goes to this account. Anna Reed, since 14 Jul" in shown.words
    assert "they have asked" in shown.words and BAD not in shown.text and problems(shown.text) == []
    listed = anna.get("/settings/sending")
    assert "No statement to Ivy Cottage Interiors" in listed.words and problems(listed.text) == []

    anna.post(f"{page}/no-statements", why="twice")
    assert "twice" not in anna.get(page).words
    anna.post(f"{page}/statements")
    assert "Monthly statements again, says Anna Reed." in anna.get(page).words
    assert "No statement to" not in anna.get("/settings/sending").words
    with books.office.database.reading() as session:
        row = session.get(AccountRow, number)
        assert row is not None and (row.no_statements_since, row.no_statements_by) == (None, "")
