"""Mirrors jobs/sync.py: whatever goes wrong with a sync, its log says so, and the next one need not wait."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from jobs import sync
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
        broken.setattr(sync, "take_in_invoices", trips)
        town.control.pay("INV-1")
        run = town.sync()
    assert run.state == "failed"
    assert run.error == "Something went wrong inside arrears: RuntimeError"

    assert town.sync().state == "done"


def test_a_sync_whose_lease_was_taken_over_writes_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "renew_lease", lambda *_, **__: False)
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
