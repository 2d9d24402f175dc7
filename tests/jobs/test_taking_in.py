"""Mirrors jobs/taking_in.py: a first reading is written down in portions, and a dead process loses none of them."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from connector import Budget
from jobs import governors, reading, sync
from store.tables import AccountRow, ConnectionRow, InvoiceRow, OrganisationRow, PositionRow, SyncRunRow
from town import Town

MANY = 9
KINDS = ("xero", "quickbooks")


@pytest.fixture(params=KINDS)
def town(request: pytest.FixtureRequest, a_town: Callable[..., Town], database_url: str) -> Town:
    """Nine accounts long overdue, read three rows a call; nobody has read them yet, though the ledger is connected."""
    founded = a_town(database_url, at=datetime(2026, 2, 2, 7, tzinfo=UTC), company=False)
    kind = request.param
    founded.office.ledgers = {kind: replace(founded.office.ledgers[kind], page_size=3)}
    for number in range(MANY):
        founded.control.add_contact(f"Account {number}", email=f"a{number}@debtor.example")
        founded.control.add_invoice(f"Account {number}", due="2026-01-06", amount="10.00", number=f"INV-{number}")
        founded.move(founded.clock() + timedelta(minutes=1))
    founded.sync = lambda: None  # type: ignore[method-assign]
    founded.connect(kind, start_sending=False)
    del founded.sync
    return founded


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PORTION", 4)


def rows(town: Town, table: type) -> list[Any]:
    with town.office.database.reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))  # type: ignore[attr-defined]


def count(town: Town, table: type) -> int:
    with town.office.database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def killed_after(town: Town, portions: int) -> None:
    """Another process begins the first reading, and is killed as soon as it has written down so many portions."""
    child = os.fork()
    if child == 0:
        town.office.database.engine.dispose(close=False)  # the lines to the database are the parent's
        left = portions

        def keep(*of: Any) -> None:
            nonlocal left
            kept(*of)
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        kept, sync.keep_so_far = sync.keep_so_far, keep
        town.sync()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the reading came to its end before it was to be killed"
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("portions", [1, 2, 3])
def test_a_first_reading_whose_process_is_killed_is_taken_up_where_it_was_and_ends_with_the_same_books(
    town: Town, portions: int
) -> None:
    killed_after(town, portions)

    here = count(town, InvoiceRow) + count(town, AccountRow)
    assert here >= 4 * portions
    kept = rows(town, ConnectionRow)[0].cursor
    assert "first" in kept
    assert rows(town, OrganisationRow)[0].ledger_as_of is None
    assert count(town, PositionRow) == 0  # of half the books nothing can be decided

    town.control.pay("INV-0")
    town.control.pay("INV-8")
    town.move(town.clock() + timedelta(minutes=11))
    sync.sync_due(town.office)

    dead, done = rows(town, SyncRunRow)
    assert (dead.state, done.state) == ("died", "done")
    assert dead.error.endswith("What was written down is kept.")
    assert dead.new > 0
    assert done.cursor_before == kept
    town.move(town.clock() + timedelta(hours=1))
    assert town.sync().state == "done"
    balances = {row.number: row.balance for row in rows(town, InvoiceRow) if row.status == "open"}
    assert balances == {f"INV-{number}": 10 for number in range(1, 8)}
    assert {row.name: row.email for row in rows(town, AccountRow)} == {
        f"Account {number}": f"a{number}@debtor.example" for number in range(MANY)
    }
    # Sending has not been started yet, so whoever is overdue is held.
    states = {number: town.position(f"Account {number}").state for number in range(MANY)}
    assert states == {number: "clear" if number in (0, 8) else "held" for number in range(MANY)}


def test_a_first_reading_holds_no_more_rows_than_a_portion_and_a_page_and_counts_each_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    kept = sync.keep_so_far

    def keep(office: Any, run: Any, so_far: Any) -> None:
        *before, last = [len(page.accounts) + len(page.invoices) + len(page.credits) for page in so_far.pages]
        held.append(sum(before))
        assert sum(before) + last == so_far.rows
        kept(office, run, so_far)
        assert so_far.rows == 0

    monkeypatch.setattr(sync, "keep_so_far", keep)
    run = town.sync()

    assert run.state == "done"
    assert len(held) >= 3
    assert max(held) < 4
    assert (run.new, run.changed) == (2 * MANY, 0)
    assert run.accounts_touched == MANY
    assert count(town, PositionRow) == MANY


def test_a_first_reading_that_another_worker_has_taken_over_writes_nothing_more(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(office: Any, run: Any, so_far: Any) -> None:
        with office.database.unit_of_work() as unit:
            unit.get(OrganisationRow, run.organisation_id).lease_generation += 1
        kept(office, run, so_far)

    kept = sync.keep_so_far
    monkeypatch.setattr(sync, "keep_so_far", overtaken)

    assert town.sync() is None
    assert count(town, InvoiceRow) == 0
    assert rows(town, ConnectionRow)[0].cursor is None


def test_a_first_reading_cut_short_by_its_ledger_keeps_its_portions_too(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as tight:
        tight.setattr(governors, "budget_of", lambda *_: Budget(at_once=4, a_minute=5))
        assert town.sync().state == "partial"
    cut = rows(town, SyncRunRow)[0]
    assert rows(town, ConnectionRow)[0].cursor == cut.cursor_after
    assert cut.new == count(town, InvoiceRow) + sum(row.changed_at is not None for row in rows(town, AccountRow))

    town.move(town.clock() + timedelta(minutes=1))
    assert town.sync().state == "done"
    assert count(town, PositionRow) == MANY
