"""Mirrors jobs/ledgers.py: what is learnt of an organisation, and what it keeps of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connector import LedgerInfo
from jobs.ledgers import learn_who_it_is
from store.tables import OrganisationRow
from tests.jobs.firm import Firm


@dataclass
class Saying:
    """A ledger that says who it is, and nothing else."""

    info: LedgerInfo

    def check(self) -> LedgerInfo:
        return self.info


def says(country: str, currency: str = "GBP", timezone: str = "Europe/London") -> Any:
    return Saying(LedgerInfo("Brightwater", currency, timezone, country))


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    firm.change(ledger_as_of=None, currency="", contact_rules="", holiday_calendar="")
    yield firm
    firm.close()


def learnt(firm: Firm, ledger: Any) -> OrganisationRow:
    learn_who_it_is(firm.office, firm.id, ledger)
    with firm.office.database.reading() as session:
        row = session.get(OrganisationRow, firm.id)
        assert row is not None
        return row


@pytest.mark.parametrize(
    ("country", "holidays"),
    [("GB", "GB"), ("AU", "AU"), ("ZZ", ""), ("", "")],
)
def test_a_new_organisation_begins_with_the_holidays_of_its_country_and_chooses_contact_limits_itself(
    firm: Firm, country: str, holidays: str
) -> None:
    row = learnt(firm, says(country))

    assert (row.name, row.currency, row.country) == ("Brightwater", "GBP", country)
    assert (row.holiday_calendar, row.contact_rules) == (holidays, "")


def test_what_an_organisation_has_chosen_since_is_kept(firm: Firm) -> None:
    learnt(firm, says("GB"))
    firm.change(holiday_calendar="", contact_rules="eu")
    row = learnt(firm, says("GB"))

    assert (row.country, row.holiday_calendar, row.contact_rules) == ("GB", "", "eu")


def test_an_organisation_that_was_connected_before_gets_its_country_and_nothing_else(firm: Firm) -> None:
    firm.change(ledger_as_of=firm.now, currency="GBP", time_zone="UTC")
    row = learnt(firm, says("GB"))

    assert (row.country, row.holiday_calendar, row.contact_rules, row.time_zone) == ("GB", "", "", "UTC")
