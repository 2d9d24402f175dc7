"""Mirrors jobs/previews.py and jobs/speaking.py: a reminder as a real account would get it, before anybody does."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select
from sqlmodel import col

from engine.workflow import Channel
from jobs.drafts import Draft, DraftStep
from jobs.previews import Preview, first_invoice, looked_at, preview, samples
from jobs.speaking import Written, look_of
from store.tables import AccountRow, HoldRow, InvoiceRow, LogoRow, OrganisationRow
from tests.jobs.firm import START, Firm

AS_OF = START + timedelta(days=20)
LETTER = Written(
    "email", "For {{ account.name }}", "Hello {{ contact.first_name | default: 'there' }}\n\n{{ statement }}"
)


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    firm = Firm.founded(f"sqlite:///{tmp_path / 'arrears.db'}")
    yield firm
    firm.close()


def shown(firm: Firm, account: int, written: Written = LETTER) -> Preview:
    with firm.office.database.reading() as session:
        organisation = session.get(OrganisationRow, firm.id)
        assert organisation is not None
        return preview(session, organisation, account, written, AS_OF)


def test_a_preview_shows_the_account_as_it_stands(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    seen = shown(firm, ivy)

    assert seen.words is not None and seen.problem == "" and seen.account == "Ivy"
    assert seen.words.subject == "For Ivy" and "20 days overdue" in seen.words.text
    assert "20 days overdue" in seen.words.html


def test_a_preview_about_one_invoice_says_nothing_of_the_others(firm: Firm) -> None:
    ivy = firm.account("Ivy", START + timedelta(days=2), START, START)
    with firm.office.database.reading() as session:
        organisation = session.get(OrganisationRow, firm.id)
        assert organisation is not None
        first = first_invoice(session, ivy)
        words = preview(session, organisation, ivy, LETTER, AS_OF, invoice=first).words

    assert words is not None
    assert "Ivy 2" in words.text and "Ivy 1" not in words.text and "Ivy 3" not in words.text


def test_where_nothing_is_owed_there_is_no_invoice_to_speak_of(firm: Firm) -> None:
    with firm.office.database.reading() as session:
        assert first_invoice(session, firm.account("Ivy")) == 0


def test_what_is_in_dispute_is_marked_as_it_would_be_in_the_message(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    with firm.office.database.unit_of_work() as unit:
        invoice = unit.scalars(select(InvoiceRow.id).where(col(InvoiceRow.account_id) == ivy)).one()
        unit.add(HoldRow(organisation_id=firm.id, account_id=ivy, invoice_id=invoice, kind="dispute", since=START))

    assert "(disputed)" in shown(firm, ivy).words.text


def test_a_preview_has_the_look_of_the_firm(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    file = BytesIO()
    Image.new("RGB", (200, 60), "#146e5a").save(file, "PNG")
    firm.change(accent="#146e5a", pay_details="Severn Bank 00-00-00", phone="0117 1")
    with firm.office.database.unit_of_work() as unit:
        unit.add(LogoRow(organisation_id=firm.id, content=file.getvalue(), set_at=firm.office.clock()))
    words = shown(firm, ivy, Written("email", "x", "Call {{ organisation.phone }}")).words

    assert words is not None
    assert "#146e5a" in words.html and "Severn Bank 00-00-00" in words.html and "Call 0117 1" in words.text
    (logo,) = words.pictures
    assert f"cid:{logo.content_id}" in words.html and logo.content == file.getvalue()
    with firm.office.database.reading() as session:
        assert look_of(session, session.get(OrganisationRow, firm.id)).logo == file.getvalue()


def test_a_text_message_is_shown_as_it_goes_out_with_what_it_comes_to(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    seen = shown(firm, ivy, Written("sms", "", "“{{ account.name }}” – {{ account.days_overdue }} days"))

    assert seen.words.text == '"Ivy" - 20 days' and seen.words.html == ""
    assert seen.segments is not None and (seen.segments.segments, seen.segments.encoding) == (1, "GSM-7")


def test_words_that_cannot_be_filled_in_are_told_and_not_shown(firm: Firm) -> None:
    seen = shown(firm, firm.account("Ivy", START), Written("email", "x", "{{ acount.name }}"))

    assert seen.words is None and "`acount.name` is not known" in seen.problem


def test_an_account_of_somebody_else_cannot_be_previewed(firm: Firm) -> None:
    with firm.office.database.unit_of_work() as unit:
        other = OrganisationRow(name="Other", created_at=firm.office.clock())
        unit.add(other)
        unit.flush()
        stranger = AccountRow(organisation_id=other.id, ledger_id="x", name="Stranger")
        unit.add(stranger)
        unit.flush()
        number = stranger.id

    with pytest.raises(LookupError):
        shown(firm, number)


def test_the_account_that_owes_most_is_offered_first(firm: Firm) -> None:
    small, large = firm.account("Small", START), firm.account("Large", START, START + timedelta(days=40))
    with firm.office.database.reading() as session:
        assert [sample.account_id for sample in samples(session, firm.id)] == [large, small]


def test_what_is_unknown_in_a_step_is_told_while_it_is_written(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    draft = Draft(
        "New",
        (
            DraftStep("A", 7, subject="{{ statement }}", body="{{ foo }} {{ invoice.number }}"),
            DraftStep("B", 14, Channel.SMS, body="{{ account.name }} łódź"),
            DraftStep("C", 21, subject="x", body="{{ open"),
        ),
    )
    with firm.office.database.reading() as session:
        organisation = session.get(OrganisationRow, firm.id)
        steps = [(step.name, step.written) for step in draft.steps]
        first, second, third = looked_at(session, organisation, steps, per_invoice=False, account_id=ivy, as_of=AS_OF)
        (regular, *_) = looked_at(session, organisation, steps[:1], per_invoice=True, account_id=ivy, as_of=AS_OF)

    assert first.unknown == ("foo", "invoice.number", "statement") and first.problem == ""
    assert regular.unknown == ("foo", "statement")
    assert second.segments is not None and second.segments.encoding == "UCS-2" and second.segments.outside == "łóź"
    assert "not closed" in third.problem
