"""Mirrors jobs/looks.py: one question before several reminders, and no reminder on an answer that has grown old."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from connector import Unreachable, xero
from jobs import deliver, looks
from town import Town

NAMES = [f"Debtor {number}" for number in range(7)]


def due_today(a_town: Callable[..., Town], kind: str = "xero") -> Town:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    for name in NAMES:
        town.control.add_contact(name, email=f"{name[-1]}@debtor.example")
        town.control.add_invoice(name, due="2025-12-20", amount="50.00")
    town.connect(kind)
    town.move(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
    town.control.calls(door=None, reset=True)
    return town


def questions(town: Town, kind: str) -> int:
    """How often the ledger was asked about invoices by their ids."""
    calls = town.control.calls(door="api" if kind == "xero" else "quickbooks")
    if kind == "xero":
        return len([call for call in calls if "IDs=" in call["query"]])
    return len([call for call in calls if call["method"] == "POST" and call["path"].endswith("/query")])


@pytest.mark.parametrize("kind", ["xero", "quickbooks"])
def test_one_question_is_enough_for_reminders_that_leave_together(a_town: Callable[..., Town], kind: str) -> None:
    town = due_today(a_town, kind)

    deliver.deliver_due(town.office)

    assert len(town.control.mails()) == len(NAMES)
    assert questions(town, kind) == 1


def test_a_reminder_that_leaves_later_is_asked_about_anew(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = due_today(a_town)
    send = deliver.send

    def slowly(*given: Any) -> Any:
        outcome = send(*given)
        town.move(town.clock() + timedelta(seconds=20))
        return outcome

    monkeypatch.setattr(deliver, "send", slowly)
    deliver.deliver_due(town.office)

    assert len(town.control.mails()) == len(NAMES)
    assert questions(town, "xero") == 4  # for the 1st, 3rd, 5th and 7th: nothing older than half a minute was believed


def test_who_pays_while_others_are_reminded_is_not_chased_on_an_old_answer(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = due_today(a_town)
    send = deliver.send

    def the_last_one_pays(*given: Any) -> Any:
        outcome = send(*given)
        if len(town.control.mails()) == 1:
            last = next(one for one in town.control.invoices("AUTHORISED") if one["contact"] == NAMES[-1])
            town.control.pay(last["id"])
            town.move(town.clock() + looks.GOOD_FOR + timedelta(seconds=1))
        return outcome

    monkeypatch.setattr(deliver, "send", the_last_one_pays)
    deliver.deliver_due(town.office)

    assert len(town.control.mails()) == len(NAMES) - 1
    assert town.mails_to(f"{NAMES[-1][-1]}@debtor.example") == []


def test_whoever_pays_while_the_ledger_is_asked_for_links_is_not_chased_on_the_answer_before(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = due_today(a_town)
    ask_for_links = deliver.links_for

    def the_first_one_pays(*given: Any) -> Any:
        found = ask_for_links(*given)
        if town.control.invoices("PAID") == []:
            first = next(one for one in town.control.invoices("AUTHORISED") if one["contact"] == NAMES[0])
            town.control.pay(first["id"])
            town.move(town.clock() + looks.GOOD_FOR + timedelta(seconds=1))
        return found

    monkeypatch.setattr(deliver, "links_for", the_first_one_pays)
    deliver.deliver_due(town.office)

    assert town.mails_to(f"{NAMES[0][-1]}@debtor.example") == []
    assert len(town.control.mails()) == len(NAMES) - 1


@pytest.mark.parametrize(("seconds", "asked"), [(20, 2), (1, len(NAMES))])
def test_a_ledger_that_leaves_us_waiting_in_vain_holds_up_nobody_else(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch, seconds: int, asked: int
) -> None:
    """The rest of its reminders wait for the next round. What is refused at once is asked for each reminder alone."""
    town = due_today(a_town)
    ticks, refused = count(step=seconds), []
    monkeypatch.setattr(looks, "monotonic", lambda: next(ticks))
    ask = xero.XeroLedger.look_again

    def in_vain(*given: Any) -> Any:
        refused.append(given)
        raise Unreachable("Xero did not answer.")

    monkeypatch.setattr(xero.XeroLedger, "look_again", in_vain)
    deliver.deliver_due(town.office)
    assert len(refused) == asked and town.control.mails() == []
    assert all("could not be asked once more" in town.reminders(one)[0].why for one in NAMES)

    monkeypatch.setattr(xero.XeroLedger, "look_again", ask)
    town.move(town.clock() + timedelta(minutes=5))
    deliver.deliver_due(town.office)
    assert len(town.control.mails()) == len(NAMES)


@pytest.mark.parametrize("step", [timedelta(minutes=20), -timedelta(minutes=20)])
def test_a_reminder_that_waits_for_long_before_its_mark_is_asked_about_anew(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch, step: timedelta
) -> None:
    """It waits while a long reading is written down, say; or the clock of the machine is set."""
    town = due_today(a_town)
    mark = deliver.mark

    def the_first_one_pays(*given: Any) -> Any:
        if town.control.invoices("PAID") == []:
            first = next(one for one in town.control.invoices("AUTHORISED") if one["contact"] == NAMES[0])
            town.control.pay(first["id"])
            town.office.clock = lambda: town.clock() + step
        return mark(*given)

    monkeypatch.setattr(deliver, "mark", the_first_one_pays)
    for _ in range(2):
        deliver.deliver_due(town.office)

    assert town.mails_to(f"{NAMES[0][-1]}@debtor.example") == []
    assert len(town.control.mails()) == len(NAMES) - 1


def test_a_clock_that_is_set_back_makes_no_answer_younger(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = due_today(a_town)
    send = deliver.send

    def the_last_one_pays(*given: Any) -> Any:
        outcome = send(*given)
        if len(town.control.mails()) == 1:
            last = next(one for one in town.control.invoices("AUTHORISED") if one["contact"] == NAMES[-1])
            town.control.pay(last["id"])
            town.office.clock = lambda: town.clock() - timedelta(minutes=20)
        return outcome

    monkeypatch.setattr(deliver, "send", the_last_one_pays)
    deliver.deliver_due(town.office)

    assert len(town.control.mails()) == len(NAMES) - 1
    assert town.mails_to(f"{NAMES[-1][-1]}@debtor.example") == []


def test_a_look_covers_whole_accounts_and_no_more_than_fit_into_one_call(
    a_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = due_today(a_town)
    monkeypatch.setattr(xero, "AT_ONCE", 3)

    deliver.deliver_due(town.office)

    assert len(town.control.mails()) == len(NAMES)
    assert questions(town, "xero") == 3  # of three, three and one
