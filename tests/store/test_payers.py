"""Mirrors store/payers.py: who pays for whom, and who of them is missing."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.receivables import Account
from fresh_books import open_books
from store import Database
from store.ledger_copy import TakenIn, take_in_accounts
from store.payers import payers_of, unknown_payers
from store.tables import OrganisationRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Two firms whose ledgers give the same ids."""
    opened = open_books(database_url)
    with opened.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
        unit.add(OrganisationRow(id=2, name="Other firm", created_at=NOW))
    yield opened
    opened.close()


def test_whoever_pays_for_a_branch_and_has_not_come_yet_is_missing_until_the_ledger_has_told_of_them(
    database: Database,
) -> None:
    branches = [Account("B1", "Kitchen", billed_with="H"), Account("B2", "Bar", billed_with="H"), Account("A", "Alone")]
    with database.unit_of_work() as unit:
        take_in_accounts(unit, 1, branches, TakenIn())
        take_in_accounts(unit, 2, [Account("H", "Somebody else")], TakenIn())
        assert unknown_payers(unit, 1) == ["H"]
        assert unknown_payers(unit, 2) == []

        take_in_accounts(unit, 1, [Account("H", "Head office")], TakenIn())
        assert unknown_payers(unit, 1) == []
        assert len(payers_of(unit, 1)) == 2
