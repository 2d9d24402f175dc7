"""Mirrors jobs/first_words.py: a new organisation begins in the language of its country, and may choose another."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from jobs.connect import add_workflow
from jobs.ledgers import learn_who_it_is
from jobs.reminder_settings import save_reminder_settings, settings_of
from store.tables import OrganisationRow, StepRow, WorkflowRow
from tests.jobs.firm import BY, Firm
from tests.jobs.test_ledgers import says
from wording import prewritten


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    """An organisation as it comes into being when somebody connects a ledger that has not said a word yet."""
    firm = Firm.founded(sqlite_url)
    firm.id = firm.another("New")
    firm.change(ledger_as_of=None, currency="")
    added(firm, "standard")
    yield firm
    firm.close()


def added(firm: Firm, name: str) -> int:
    with firm.office.database.unit_of_work() as unit:
        return add_workflow(unit, firm.id, name)


def words(firm: Firm) -> list[tuple[str, str, str]]:
    """Name, subject and body of each step of each workflow of the organisation."""
    query = (
        select(StepRow.name, StepRow.subject, StepRow.body)  # type: ignore[call-overload]
        .join(WorkflowRow, col(WorkflowRow.id) == col(StepRow.workflow_id))
        .where(col(WorkflowRow.organisation_id) == firm.id)
        .order_by(col(WorkflowRow.id), col(StepRow.day), col(StepRow.step_id))
    )
    with firm.office.database.reading() as session:
        return [tuple(row) for row in session.execute(query)]


def of(name: str, language: str) -> list[tuple[str, str, str]]:
    return [(step.name, step.subject, step.body) for step in prewritten(name, language).steps]


def row(firm: Firm) -> OrganisationRow:
    (found,) = [one for one in firm.rows(OrganisationRow) if one.id == firm.id]
    return found


def learn(firm: Firm, country: str) -> None:
    ledger: Any = says(country, currency="EUR", timezone="Europe/Berlin")
    learn_who_it_is(firm.office, firm.id, ledger)


@pytest.mark.parametrize(
    ("country", "locale", "language"),
    [
        ("DE", "de_DE", "de"),
        ("AT", "de_AT", "de"),
        ("CH", "de_CH", "de"),
        ("GB", "en_GB", "en"),
        ("AU", "en_AU", "en"),
        ("FR", "en_GB", "en"),
    ],
)
def test_workflow_and_formats_come_in_the_language_of_the_country(
    firm: Firm, country: str, locale: str, language: str
) -> None:
    learn(firm, country)

    assert row(firm).locale == locale
    assert words(firm) == of("standard", language)


def test_a_workflow_that_is_added_later_comes_in_the_organisations_language(firm: Firm) -> None:
    learn(firm, "AT")
    added(firm, "gentle")

    assert words(firm) == [*of("standard", "de"), *of("gentle", "de")]


def test_words_that_somebody_has_changed_are_their_own(firm: Firm) -> None:
    with firm.office.database.unit_of_work() as unit:
        mine = select(WorkflowRow.id).where(col(WorkflowRow.organisation_id) == firm.id)
        unit.execute(update(StepRow).where(col(StepRow.workflow_id).in_(mine)).values(subject="Please"))
    before = words(firm)
    learn(firm, "DE")

    assert row(firm).locale == "de_DE"
    assert words(firm) == before


def test_a_language_that_a_person_has_chosen_stays_theirs(firm: Firm) -> None:
    learn(firm, "DE")
    save_reminder_settings(firm.office, firm.id, replace(settings_of(row(firm)), locale="en_GB"), by=BY)
    learn(firm, "DE")
    added(firm, "gentle")

    assert row(firm).locale == "en_GB"
    assert words(firm)[-len(of("gentle", "en")) :] == of("gentle", "en")


def test_the_ledger_of_another_organisation_changes_nobodys_words(firm: Firm) -> None:
    other = firm.id
    firm.id = firm.another("Newer")
    firm.change(currency="")
    learn(firm, "DE")
    firm.id = other

    assert words(firm) == of("standard", "en")
