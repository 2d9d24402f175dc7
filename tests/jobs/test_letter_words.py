"""Mirrors jobs/letter_words.py: a letter goes in the firm's own words, once they have been looked over."""

from dataclasses import replace

import pytest
from sqlmodel import col, select

from engine.letters import LetterKind
from jobs.drafts import DraftStep
from jobs.letter_words import LetterWords, back_to_prewritten, save_letter, words_of_letter
from store.tables import AuditRow, LetterRow, OrganisationRow
from tests.jobs.firm import Firm

OWN = DraftStep("Monthly statement", 1, subject="Your  account", body="Hello\r\n\r\n{{ statement }}", layout="note")


@pytest.fixture
def firm(sqlite_url: str) -> Firm:
    return Firm.founded(sqlite_url)


def stands(firm: Firm, kind: LetterKind = LetterKind.STATEMENT) -> LetterWords:
    with firm.office.database.reading() as session:
        organisation = session.get(OrganisationRow, firm.id)
        assert organisation is not None
        return words_of_letter(session, organisation, kind)


def save(firm: Firm, step: DraftStep, kind: LetterKind = LetterKind.STATEMENT) -> list[tuple[str, str]]:
    flaws = save_letter(firm.office, firm.id, kind, step, by="Olive Owner")
    return [(flaw.field, flaw.text) for flaw in flaws]


def audited(firm: Firm) -> list[AuditRow]:
    with firm.office.database.reading() as session:
        query = select(AuditRow).where(col(AuditRow.what).startswith("letter "))
        return list(session.exec(query.order_by(col(AuditRow.id))))


def test_until_somebody_writes_their_own_the_words_are_pre_written_in_the_language_of_the_firm(firm: Firm) -> None:
    assert stands(firm).by == "" and "Statement of account" in stands(firm).step.subject
    with firm.office.database.unit_of_work() as unit:
        organisation = unit.get(OrganisationRow, firm.id)
        assert organisation is not None
        organisation.locale = "de_AT"
    assert "Kontoauszug" in stands(firm).step.subject
    assert "Vielen Dank" in stands(firm, LetterKind.THANKS).step.subject


def test_own_words_are_tidied_kept_and_audited_with_what_they_were_before(firm: Firm) -> None:
    before = stands(firm).step
    assert save(firm, OWN) == []
    now = stands(firm)
    assert (now.step.subject, now.step.body, now.step.layout) == ("Your account", "Hello\n\n{{ statement }}", "note")
    assert now.by == "Olive Owner" and now.step.attach_statement
    assert not stands(firm, LetterKind.THANKS).by, "the other letter is another one"
    assert save(firm, OWN) == []
    (row,) = audited(firm)
    assert (row.by, row.details["letter"]) == ("Olive Owner", "statement")
    assert row.details["body_before"] == before.body


def test_the_pre_written_words_come_back(firm: Firm) -> None:
    before = stands(firm)
    save(firm, OWN)
    back_to_prewritten(firm.office, firm.id, LetterKind.STATEMENT, by="Olive Owner")
    back_to_prewritten(firm.office, firm.id, LetterKind.STATEMENT, by="Olive Owner")
    assert stands(firm) == before
    assert [row.what for row in audited(firm)] == ["letter saved", "letter as pre-written again"]


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"subject": " "}, "step-1-subject", "needs a subject"),
        ({"body": " "}, "step-1-body", "needs words"),
        ({"subject": "{{ acount.name }}"}, "step-1-subject", "acount.name"),
        ({"body": "{{ contact.frist_name }}"}, "step-1-body", "contact.frist_name"),
        ({"body": "{% if %}"}, "step-1-body", ""),
        ({"body": "{{ invoice.number }}"}, "step-1-body", "belongs to a Regular workflow"),
    ],
)
def test_words_that_could_not_be_filled_in_are_refused_and_nothing_is_kept(
    firm: Firm, wrong: dict[str, str], field: str, told: str
) -> None:
    ((found, text),) = save(firm, replace(OWN, **wrong))  # type: ignore[arg-type]
    assert found == field and told in text
    with firm.office.database.reading() as session:
        assert session.get(LetterRow, (firm.id, "statement")) is None
