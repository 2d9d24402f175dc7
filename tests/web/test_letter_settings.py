"""Mirrors web/rooms/letter_settings.py and jobs/letter_settings.py: how letters look is chosen and kept."""

import base64
from io import BytesIO

import pytest
from PIL import Image
from sqlmodel import col, select

from jobs.acting import NotAllowed
from jobs.letter_settings import LetterSettings, save_letter_settings
from store.tables import AuditRow, LogoRow, MessageRow, OrganisationRow
from tests.web.books import Books
from tests.web.nesting import problems
from tests.web.visitor import Visitor

PAGE = "/settings/letters"


def picture(colour: str = "#146e5a") -> bytes:
    file = BytesIO()
    Image.new("RGB", (300, 90), colour).save(file, "PNG")
    return file.getvalue()


def kept(books: Books) -> OrganisationRow:
    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
        assert row is not None
        session.expunge(row)
        return row


def last_audit(books: Books) -> AuditRow:
    with books.office.database.reading() as session:
        row = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc())).first()
        assert row is not None
        session.expunge(row)
        return row


def save(books: Books, *, logo: bytes | None = None, **said: str) -> None:
    save_letter_settings(books.office, books.ours, LetterSettings(**said), by="Anna Reed", logo=logo)


def test_what_is_typed_is_kept_and_shown_again(anna: Visitor, books: Books) -> None:
    typed = {"accent": "#146E5A", "pay_details": "Severn Bank\r\n00-00-00  123", "phone": " 0117  1 ", "website": ""}
    assert anna.post(PAGE, **typed).headers["location"] == f"{PAGE}?said=saved"

    row = kept(books)
    assert (row.accent, row.pay_details, row.phone) == ("#146e5a", "Severn Bank\n00-00-00 123", "0117 1")
    page = anna.get(PAGE)
    assert "Severn Bank\n00-00-00 123</textarea>" in page.text and problems(page.text) == []


def test_the_audit_log_says_who_changed_how_to_pay_and_from_what(books: Books) -> None:
    save(books, pay_details="Severn Bank")
    save(books, pay_details="Other Bank")
    row = last_audit(books)

    assert (row.by, row.what) == ("Anna Reed", "letter settings saved")
    assert row.details == {"pay_details": "Other Bank", "pay_details_before": "Severn Bank"}


def test_saving_what_is_there_already_is_no_change(books: Books) -> None:
    save(books, phone="0117 1")
    before = last_audit(books).id
    save(books, phone="0117 1")

    assert last_audit(books).id == before


def test_a_logo_is_kept_shown_exchanged_and_taken_away(anna: Visitor, books: Books) -> None:
    save(books, logo=picture())
    shown = anna.get(f"{PAGE}/logo")
    assert shown.body == picture() and shown.headers["content-type"] == "image/png"
    assert 'src="/settings/letters/logo"' in anna.get(PAGE).text

    save(books, logo=picture("#ffffff"))
    assert anna.get(f"{PAGE}/logo").body == picture("#ffffff")
    save(books, phone="1")  # no word of the logo: it stays
    assert anna.get(f"{PAGE}/logo").status == 200
    anna.post(PAGE, **{"no-logo": "on"})
    assert anna.get(f"{PAGE}/logo").status == 303
    with books.office.database.reading() as session:
        assert session.get(LogoRow, books.ours) is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"accent": "red"}, "'red' is not a colour"),
        ({"website": "javascript:alert(1)"}, "https://"),
        ({"contact_email": "nobody"}, "'nobody' is not an email address"),
        ({"small_print": "x" * 1001}, "Small print is longer than 1000"),
        ({"phone": "1\x1b2"}, "cannot be printed"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_kept(
    books: Books, said: dict[str, str], sentence: str
) -> None:
    before = kept(books).model_dump()
    with pytest.raises(NotAllowed, match=sentence):
        save(books, **{"registration": "1", **said})

    assert kept(books).model_dump() == before


def test_what_is_no_picture_is_no_logo(books: Books) -> None:
    with pytest.raises(NotAllowed, match="cannot be read as a picture"):
        save(books, logo=b"<svg onload='x'/>", phone="0117")

    assert kept(books).phone == ""


def test_a_message_that_was_sent_with_a_logo_is_shown_with_it(anna: Visitor, books: Books) -> None:
    save(books, logo=picture())
    number = books.ids["message"][0]
    with books.office.database.unit_of_work() as unit:
        row = unit.get(MessageRow, number)
        assert row is not None
        row.html = '<p><img src="cid:logo@letter" alt=""> Hello</p>'
    answer = anna.get(f"/messages/{number}/letter")

    inside = base64.b64encode(picture()).decode()
    assert answer.text == f'<p><img src="data:image/png;base64,{inside}" alt=""> Hello</p>'
    assert "img-src data:" in answer.headers["content-security-policy"]


def test_another_organisations_logo_is_not_shown(anna: Visitor, carl: Visitor, books: Books) -> None:
    save(books, logo=picture())

    assert carl.get(f"{PAGE}/logo").status == 303
