"""Mirrors jobs/write_back.py: each note reaches the ledger once, whoever carries it."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from jobs import account_acts, write_back
from town import Town

FERN = "Fern & Fig Café"


def a_firm(a_town: Callable[..., Town], url: str | None = None) -> Town:
    town = a_town(url, at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-02-06", amount="10.00")
    town.connect()
    return town


def test_many_workers_at_once_write_each_note_once(a_town: Callable[..., Town], database_url: str) -> None:
    town = a_firm(a_town, database_url)
    number = town.account(FERN).id or 0
    for count in range(5):
        account_acts.add_note(town.office, number, text=f"Note {count}", by="Olive")
        threads = [threading.Thread(target=write_back.write_back, args=(town.office,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    details = sorted(note["details"].partition(" [")[0] for note in town.control.notes())
    assert details == [f"Note {count}" for count in range(5)]


def test_notes_of_one_account_travel_in_one_call(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    for count in range(4):
        account_acts.add_note(town.office, town.account(FERN).id or 0, text=f"Note {count}", by="Olive")
    town.control.calls(reset=True)
    write_back.write_back(town.office)

    assert len([call for call in town.control.calls() if call["method"] == "PUT"]) == 1
    assert len(town.control.notes()) == 4
