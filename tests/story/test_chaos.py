"""A bad month: people change the books, the line fails, the computer is switched off, and our copy stays true.

Whenever things are quiet again, the copy of the ledger is what the ledger says, to the cent; the grant has not been
lost on the way, and no note was written into the ledger twice.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chaos import (
    BadMonth,
    differences,
    grant_is_alive,
    is_fresh,
    marks_at_quickbooks,
    notes_at_xero,
    notes_not_written,
    our_notes,
)
from town import Town

CHANGES, SYNCS, QUIET_EVERY = 500, 200, 20


@pytest.mark.parametrize(("kind", "seed"), [("xero", 20260525), ("quickbooks", 20260526)])
def test_after_500_changes_and_200_syncs_on_a_bad_line_the_copy_is_true_to_the_cent(
    a_town: Callable[..., Town], kind: str, seed: int
) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    for number in range(8):
        town.control.add_contact(f"Customer {number}", email=f"c{number}@debtor.example")
        town.control.add_invoice(f"Customer {number}", due="2025-12-20", amount="50.00")
    town.connect(kind, start_sending=False)
    month = BadMonth(town, kind, seed)

    while month.syncs < SYNCS:
        for _ in range(max(1, round((CHANGES - month.changes) / max(1, SYNCS - month.syncs)))):
            month.change()
        month.sync()
        if month.syncs % QUIET_EVERY == 0 or month.syncs >= SYNCS:
            month.rest()
            assert is_fresh(town)
            assert differences(town) == []
            assert grant_is_alive(town)

    assert month.changes >= CHANGES
    assert month.killed >= 5
    assert notes_not_written(town) == 0
    if kind == "xero":
        ours = our_notes(town)
        assert {text: count for text, count in notes_at_xero(town).items() if text in ours} == ours
    else:
        attached, in_the_notes = marks_at_quickbooks(town)
        assert {*attached.values(), *in_the_notes.values()} == {1}
