"""Mirrors jobs/sync.py: whatever goes wrong with a sync, its log says so, and the next one need not wait."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from jobs import nightly, reading, sync
from store.tables import ChangeRow, InvoiceRow, SyncRunRow
from town import Town

FERN = "Fern & Fig Café"


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    founded = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    founded.control.add_contact(FERN, email="fern@fig.example")
    founded.control.add_invoice(FERN, due="2026-01-06", amount="10.00", number="INV-1")
    founded.connect()
    return founded


def test_an_amount_that_is_no_money_is_set_aside_and_the_other_rows_go_in(town: Town) -> None:
    town.control.add_invoice(FERN, due="2026-01-08", amount="20.00", number="INV-2")
    (model,) = [row["id"] for row in town.control.invoices() if row["number"] == "INV-2"]
    town.control.raw_row("Invoices", {"AmountDue": 7.123456}, like=model)
    town.control.pay("INV-1")
    town.move(town.clock() + timedelta(minutes=20))
    run = town.sync()

    assert (run.state, run.set_aside) == ("done", 1)
    assert town.position(FERN).state == "clear"


def test_trouble_inside_is_named_in_the_sync_log_and_the_next_sync_begins_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trips(*_: object, **__: object) -> None:
        raise RuntimeError("somebody's private words")

    with monkeypatch.context() as broken:
        broken.setattr(sync, "take_in", trips)
        town.control.pay("INV-1")
        run = town.sync()
    assert run.state == "failed"
    assert run.error == "Something went wrong inside arrears: RuntimeError"

    assert town.sync().state == "done"


def test_a_sync_whose_lease_was_taken_over_writes_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "renew_lease", lambda *_, **__: False)
    monkeypatch.setattr(sync, "end_lease", lambda *_: False)
    town.control.pay("INV-1")

    assert town.sync() is None
    assert town.position(FERN).driver_due_on is None
    assert town.position(FERN).as_of == datetime(2026, 1, 5, tzinfo=UTC).date()


def test_while_one_sync_is_under_way_no_second_begins(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    inner = sync.ledger_of

    def meanwhile(*given: object) -> object:
        seen.append(sync.sync(town.office, town.organisation, trigger="another") if not seen else None)
        return inner(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sync, "ledger_of", meanwhile)
    assert town.sync().state == "done"
    assert seen == [None]


def test_an_invoice_that_is_open_again_after_it_was_settled_is_a_task_and_moves_nobody_forward(town: Town) -> None:
    town.control.add_invoice(FERN, due="2026-01-20", amount="20.00", number="INV-2")
    town.walk(date(2026, 1, 6), date(2026, 1, 27))
    assert town.position(FERN).assigned_step == "Reminder 2"
    town.control.pay("INV-1")
    town.day(date(2026, 1, 28))
    assert (town.position(FERN).assigned_step, town.tasks()) == ("Reminder 1", [])

    (payment,) = town.control.payments()
    town.control.delete_payment(payment["id"])
    town.day(date(2026, 1, 29))
    (task,) = town.tasks()
    assert task.text == (
        "INV-1 is open again after it was settled; the account stays at Reminder 1. "
        "Choose another step if it should go on from elsewhere."
    )
    assert task.account_id == town.account(FERN).id
    assert "INV-1 is open again after it was settled." in [note.text for note in town.notes(FERN)]
    town.day(date(2026, 1, 30))
    assert len(town.tasks()) == 1


def test_the_sync_log_says_what_a_payment_changed_and_who_moved_because_of_it(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 14))
    assert town.position(FERN).assigned_step == "Reminder 1"
    town.control.pay("INV-1")
    run = town.day(date(2026, 1, 15))
    with town.office.database.reading() as session:
        kept = session.scalars(select(ChangeRow).where(col(ChangeRow.sync_run_id) == run.id)).all()

    told = {one.list: {name: (old, new) for name, old, new in one.fields} for one in kept}
    assert told["invoices"]["balance"] == ("10.00", "0.00")
    assert told["invoices"]["status"] == ("open", "paid")
    assert told["invoices"]["payment"][1]["amount"] == "10.00"
    assert told["positions"]["assigned_step"] == ("Reminder 1", None)
    (invoice,) = [one for one in kept if one.list == "invoices"]
    carrier = run.calls[invoice.first_call - 1]
    assert invoice.first_call == invoice.last_call
    assert "/Invoices" in carrier["path"]
    assert carrier["request_id"]


def test_the_first_reading_tells_no_fields_and_moves_nobody(town: Town) -> None:
    with town.office.database.reading() as session:
        assert session.scalars(select(ChangeRow)).all() == []


def test_a_look_before_sending_that_finds_a_payment_is_in_the_sync_log_with_its_call(town: Town) -> None:
    town.walk(date(2026, 1, 6), date(2026, 1, 12))
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    nightly.check_due(town.office)
    town.control.pay("INV-1")
    town.move(datetime(2026, 1, 13, 9, 30, tzinfo=UTC))
    town.work()

    assert town.mails_to("fern@fig.example") == []
    with town.office.database.reading() as session:
        run = session.scalars(select(SyncRunRow).where(col(SyncRunRow.state) == "looked")).one()
        change = session.scalars(select(ChangeRow).where(col(ChangeRow.sync_run_id) == run.id)).one()
        invoice = session.scalars(select(InvoiceRow)).one()
    assert (run.trigger, run.changed, run.call_count) == ("look before sending", 1, 1)
    assert (change.first_call, change.last_call) == (1, 1)
    assert invoice.settled_by_run == run.id
