"""Mirrors jobs/prune.py and store/pruning.py: what is old goes, what somebody may ask for stays."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlmodel import col

from jobs.office import Office
from jobs.prune import prune
from store import Database, Vault, pruning
from store.tables import (
    AccountRow,
    ChangeRow,
    ConnectionRow,
    InvoiceRow,
    OrganisationRow,
    PostRow,
    ReplyRow,
    SetAsideRow,
    SyncRunRow,
)

NOW = datetime(2026, 7, 14, 7, tzinfo=UTC)


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    office = Office(Database(database_url), Vault((("k1", b"k" * 32),)), clock=lambda: NOW)
    office.database.migrate()
    with office.database.unit_of_work() as unit:
        unit.add(OrganisationRow(id=1, name="Firm", created_at=NOW))
        unit.flush()
        unit.add(ConnectionRow(id=1, organisation_id=1, kind="xero", tenant="t", connected_at=NOW))
        unit.flush()
        for age in (500, 420, 380, 100, 80, 1):
            a_run(unit, age)
    yield office
    office.close()


def a_run(unit, age: int, state: str = "done") -> None:  # type: ignore[no-untyped-def]
    at = NOW - timedelta(days=age)
    call = {"at": at.isoformat(), "method": "GET", "path": "/Invoices", "status": 200, "bytes": 1, "seconds": 0.1}
    row = SyncRunRow(
        organisation_id=1, connection_id=1, trigger=str(age), state=state, started_at=at, calls=[call], call_count=1
    )
    unit.add(row)
    unit.flush()
    unit.add(ChangeRow(organisation_id=1, sync_run_id=row.id, at=at, list="invoices", ledger_id="I1", fields=[]))
    unit.add(SetAsideRow(sync_run_id=row.id, list="invoices", ledger_id="I2", reason="odd", raw="{}"))


def kept(office: Office) -> tuple[list[str], list[str], int]:
    """The ages of the runs that are kept, of those whose calls are, and how many changes."""
    with office.database.reading() as session:
        rows = list(session.scalars(select(SyncRunRow).order_by(col(SyncRunRow.id))))
        changes = len(session.scalars(select(ChangeRow)).all())
        assert len(session.scalars(select(SetAsideRow)).all()) == len(rows)
    return [row.trigger for row in rows], [row.trigger for row in rows if row.calls], changes


def test_runs_go_after_400_days_their_calls_and_changes_after_90(office: Office) -> None:
    prune(office)

    assert kept(office) == (["380", "100", "80", "1"], ["80", "1"], 2)
    assert prune(office) == 0


def test_a_large_clearing_out_goes_in_many_small_portions(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 1)
    assert prune(office, keep_runs=50, keep_details=50) == 5 + 5 + 5
    assert kept(office) == (["1"], ["1"], 1)


def test_the_last_good_run_stays_however_old_and_so_does_one_that_is_under_way(office: Office) -> None:
    with office.database.unit_of_work() as unit:
        a_run(unit, 600, state="running")
        a_run(unit, 500, state="failed")
    prune(office, keep_runs=0, keep_details=0)

    assert kept(office)[0] == ["1", "600"]


def test_an_invoice_still_says_when_we_learnt_that_it_was_paid(office: Office) -> None:
    with office.database.unit_of_work() as unit:
        unit.add(AccountRow(id=1, organisation_id=1, ledger_id="C1", name="Fern"))
        unit.flush()
        row = InvoiceRow(organisation_id=1, account_id=1, ledger_id="I1", due_on=date(2025, 1, 1), total=Decimal(1))
        row.balance, row.settled_seen_at, row.settled_by_run = Decimal(0), NOW - timedelta(days=500), 1
        unit.add(row)
    prune(office)

    with office.database.reading() as session:
        assert session.scalars(select(InvoiceRow.settled_seen_at)).one() == NOW - timedelta(days=500)
        assert session.get(SyncRunRow, 1) is None


def test_what_was_told_of_deliveries_goes_after_a_month_and_what_debtors_wrote_stays(office: Office) -> None:
    with office.database.unit_of_work() as unit:
        for place, (age, more) in enumerate(POSTS):
            at = NOW - timedelta(days=age)
            row = {"channel": "email_smtp", "event_id": str(place), "received_at": at, "raw": b"x", "processed_at": at}
            post = PostRow(**(row | more))
            unit.add(post)
        unit.flush()
        unit.add(ReplyRow(post_id=post.id, channel="email_smtp", kind="human", received_at=NOW))
    prune(office)

    with office.database.reading() as session:
        left = [int(row.event_id) for row in session.scalars(select(PostRow).order_by(col(PostRow.id)))]
    assert left == [1, 2, 3, 4]


POSTS: tuple[tuple[int, dict[str, object]], ...] = (
    (40, {}),
    (20, {}),
    (40, {"problem": "odd"}),
    (40, {"processed_at": None}),
    (40, {}),
)
"""The age of each post in days, and what is odd about it. The last one is a reply's."""
