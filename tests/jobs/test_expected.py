"""Mirrors jobs/expected.py: a promised day reaches the ledger once, and nothing that others wrote there is undone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from jobs import account_acts, invoice_acts
from jobs.acting import NotAllowed
from jobs.expected import pack, write_expected_dates
from store.tables import ExpectedRow, InvoiceRow, OrganisationRow
from town import Town

FERN = "Fern & Fig Café"
FRIDAY = date(2026, 1, 30)


def a_firm(a_town: Callable[..., Town], url: str | None = None) -> Town:
    """On the 20th INV-A and INV-B are overdue and INV-C is not."""
    town = a_town(url, at=datetime(2026, 1, 20, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    for number, due in (("INV-A", "2026-01-06"), ("INV-B", "2026-01-12"), ("INV-C", "2026-02-20")):
        town.control.add_invoice(FERN, due=due, amount="100.00", number=number)
    return town


def expect(town: Town, until: date = FRIDAY, *invoices: str) -> None:
    number = town.account(FERN).id or 0
    chosen = [ids(town)[name] for name in invoices]
    account_acts.expect_payment(town.office, number, until=until, by="Olive", why="he said", invoices=chosen)


def ids(town: Town) -> dict[str, int]:
    with town.office.database.reading() as session:
        return {row.number: int(row.id or 0) for row in session.scalars(select(InvoiceRow))}


def at_the_ledger(town: Town) -> dict[str, str | None]:
    return {row["number"]: row["expected"] for row in town.control.invoices()}


def rows(town: Town) -> dict[str, ExpectedRow]:
    numbers = {number: name for name, number in ids(town).items()}
    with town.office.database.reading() as session:
        return {numbers[row.invoice_id]: row for row in session.scalars(select(ExpectedRow))}


def writes(town: Town) -> int:
    return len([one for one in town.control.calls() if one["method"] == "POST" and "/Invoices" in one["path"]])


def later(town: Town, **by: float) -> None:
    town.move(town.clock() + timedelta(**by))
    write_expected_dates(town.office)


def test_a_promise_is_written_on_each_open_overdue_invoice_of_the_account_and_on_no_other(
    a_town: Callable[..., Town], database_url: str
) -> None:
    town = a_firm(a_town, database_url)
    town.connect()
    expect(town)
    assert writes(town) == 0, "the person does not wait for the ledger"

    town.work()
    assert at_the_ledger(town) == {"INV-A": "2026-01-30", "INV-B": "2026-01-30", "INV-C": None}
    assert {name: row.state for name, row in rows(town).items()} == {"INV-A": "written", "INV-B": "written"}

    town.work()
    expect(town)
    later(town, days=1)
    assert writes(town) == 2, "the same day is not written twice"


def test_a_promise_about_one_invoice_is_written_on_that_one_alone(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-B")
    town.work()

    assert at_the_ledger(town) == {"INV-A": None, "INV-B": "2026-01-30", "INV-C": None}
    assert "Olive expects payment of INV-B by 30 January 2026: he said" in [note.text for note in town.notes(FERN)]
    with pytest.raises(NotAllowed, match="None of these invoices is overdue"):
        expect(town, FRIDAY, "INV-C")


def test_what_is_disputed_was_not_promised(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    invoice_acts.dispute_invoice(town.office, ids(town)["INV-A"], why="never delivered", by="Olive")
    expect(town)
    town.work()

    assert at_the_ledger(town)["INV-A"] is None
    assert at_the_ledger(town)["INV-B"] == "2026-01-30"


def test_a_new_day_takes_the_place_of_the_old_one_and_none_at_all_takes_it_away(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town)
    town.work()
    expect(town, date(2026, 2, 6), "INV-A")
    town.work()
    assert at_the_ledger(town) == {"INV-A": "2026-02-06", "INV-B": None, "INV-C": None}

    account_acts.no_longer_expected(town.office, town.account(FERN).id or 0, by="Olive")
    town.work()
    assert at_the_ledger(town) == {"INV-A": None, "INV-B": None, "INV-C": None}


def test_a_promise_that_is_taken_back_before_it_travelled_costs_no_call(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town)
    account_acts.no_longer_expected(town.office, town.account(FERN).id or 0, by="Olive")
    town.control.calls(reset=True)
    write_expected_dates(town.office)

    assert town.control.calls() == []


def test_the_day_that_the_bookkeeper_gave_in_the_ledger_is_not_taken_away_with_ours(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    town.work()
    town.control.edit_invoice("INV-A", expected="2026-03-03")
    account_acts.no_longer_expected(town.office, town.account(FERN).id or 0, by="Olive")
    town.work()

    assert at_the_ledger(town)["INV-A"] == "2026-03-03"
    assert rows(town)["INV-A"].state == "theirs"


@pytest.mark.parametrize("minutes", [2, 30], ids=["while the ledger knows the key", "after it has forgotten the key"])
def test_an_answer_that_was_lost_is_no_reason_to_write_a_second_time(a_town: Callable[..., Town], minutes: int) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    town.control.faults(next=[{"fault": "drop_after", "method": "POST", "path": "Invoices"}])
    write_expected_dates(town.office)
    assert rows(town)["INV-A"].state == "writing"
    assert at_the_ledger(town)["INV-A"] == "2026-01-30", "it had arrived"
    changed = [row["updated"] for row in town.control.invoices() if row["number"] == "INV-A"]

    later(town, minutes=minutes)

    assert rows(town)["INV-A"].state == "written"
    assert [row["updated"] for row in town.control.invoices() if row["number"] == "INV-A"] == changed


def test_a_lost_answer_does_not_overwrite_what_somebody_gave_in_the_ledger_meanwhile(
    a_town: Callable[..., Town],
) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    town.control.faults(next=[{"fault": "drop_after", "method": "POST", "path": "Invoices"}])
    write_expected_dates(town.office)
    town.control.edit_invoice("INV-A", expected="2026-03-03")
    later(town, minutes=30)

    assert at_the_ledger(town)["INV-A"] == "2026-03-03"
    assert rows(town)["INV-A"].state == "theirs"


def test_a_call_that_never_arrived_is_made_again(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    town.control.faults(next=[{"fault": "drop_before", "method": "POST", "path": "Invoices"}])
    write_expected_dates(town.office)
    assert at_the_ledger(town)["INV-A"] is None
    later(town, minutes=30)

    assert at_the_ledger(town)["INV-A"] == "2026-01-30"


def test_one_that_was_taken_up_by_a_worker_is_left_to_it_for_a_while_and_taken_over_when_it_died(
    a_town: Callable[..., Town], database_url: str
) -> None:
    town = a_firm(a_town, database_url)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    begun = pack(town.office, ids(town)["INV-A"])
    assert begun is not None
    assert pack(town.office, ids(town)["INV-A"]) is None

    town.move(town.clock() + timedelta(minutes=3))
    taken_over = pack(town.office, ids(town)["INV-A"])
    assert taken_over is not None
    assert taken_over.key == begun.key


def test_what_the_ledger_refuses_is_told_to_a_person_and_not_tried_again(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    town.control.faults(next=[{"fault": "400", "method": "POST", "path": "Invoices"}])
    write_expected_dates(town.office)

    (task,) = town.tasks()
    assert task.text.startswith(
        "Xero did not take that payment of INV-A is expected by 30 January 2026. Enter it there."
    )
    town.control.calls(reset=True)
    later(town, days=1)
    assert town.control.calls() == []

    expect(town, date(2026, 2, 6), "INV-A")
    write_expected_dates(town.office)
    assert at_the_ledger(town)["INV-A"] == "2026-02-06"
    assert town.tasks() == [], "the matter has settled itself"


def test_quickbooks_has_no_place_for_it_and_nobody_is_bothered(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect("quickbooks")
    expect(town)
    town.work()

    assert {row.state for row in rows(town).values()} == {"no place"}
    assert town.tasks() == []


def test_an_organisation_that_does_not_want_it_writes_none(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    with town.office.database.unit_of_work() as unit:
        unit.execute(update(OrganisationRow).values(write_expected_dates=False))
    expect(town, date(2026, 2, 6), "INV-B")
    town.work()

    assert set(at_the_ledger(town).values()) == {None}


def test_what_is_paid_meanwhile_gets_no_date(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.connect()
    expect(town, FRIDAY, "INV-A")
    town.control.pay("INV-A")
    town.sync()
    write_expected_dates(town.office)

    assert at_the_ledger(town)["INV-A"] is None
    assert rows(town)["INV-A"].state == "withdrawn"


def test_a_day_that_stands_in_the_ledger_alone_holds_nothing(a_town: Callable[..., Town]) -> None:
    """What holds is the day that a person gives here, because only here it was asked whether to wait."""
    town = a_firm(a_town)
    town.control.edit_invoice("INV-A", expected="2026-03-03")
    town.connect()
    town.day(date(2026, 1, 20))

    assert len(town.mails_to("fern@fig.example")) == 1
    assert town.reminders(FERN)[0].state == "sent"
