"""Mirrors store/facts.py: many accounts are read in pieces, and nobody is forgotten between two of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import col

from engine.facts import Departed
from engine.receivables import InvoiceStatus
from store import facts
from store.alike import Likes
from store.facts import facts_in_chunks, facts_of, ground_of
from store.rows import write
from store.tables import InvoiceRow
from tests.jobs.firm import START, Firm

NOW = datetime(2026, 1, 20, 10, tzinfo=UTC)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owed=st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_every_account_asked_for_comes_once_and_no_piece_holds_more_invoices_than_it_may(
    owed: list[int], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "CHUNK", 3)
    monkeypatch.setattr(facts, "INVOICES", 5)
    firm = Firm.founded(f"sqlite:///{tmp_path_factory.mktemp('books')}/books.db")
    accounts = [firm.account(f"A{number}", *[START] * many) for number, many in enumerate(owed)]

    with firm.office.database.reading() as session:
        ground = ground_of(session, firm.id, now=NOW)
        everybody = [dict(piece) for piece in facts_in_chunks(session, ground)]
        pieces = [dict(piece) for piece in facts_in_chunks(session, ground, accounts)]

    for read in (everybody, pieces):
        assert [account for piece in read for account in piece] == accounts
    for piece in (*everybody, *pieces):
        invoices = sum(len(known.facts.invoices) for known in piece.values())
        assert len(piece) == 1 or (len(piece) <= 3 and invoices <= 5)


def test_what_is_written_of_one_piece_does_not_disturb_the_reading_of_the_next(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "CHUNK", 2)
    firm = Firm.founded(database_url)
    accounts = [firm.account(f"A{number}", START, START + timedelta(days=number)) for number in range(7)]
    read: dict[int, int] = {}

    with firm.office.database.unit_of_work() as unit:
        ground = ground_of(unit, firm.id, now=NOW)
        for piece in facts_in_chunks(unit, ground):
            read.update((number, len(known.facts.invoices)) for number, known in piece.items())
            write(unit, "UPDATE invoices SET balance = 0 WHERE account_id = ?", [(number,) for number in piece])
    with firm.office.database.reading() as session:
        left = facts_of(session, ground_of(session, firm.id, now=NOW))

    assert read == dict.fromkeys(accounts, 2)
    assert [left[number].invoices for number in accounts] == [()] * 7


def test_pieces_grow_where_one_learns_from_those_before_it(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "FIRST", 2)
    monkeypatch.setattr(facts, "CHUNK", 5)
    firm = Firm.founded(sqlite_url)
    for number in range(13):
        firm.account(f"A{number}", START)

    with firm.office.database.reading() as session:
        ground = ground_of(session, firm.id, now=NOW)
        likes = Likes(session, ground, START)
        learning = [len(piece) for piece in facts_in_chunks(session, ground, likes=likes)]
        alone = [len(piece) for piece in facts_in_chunks(session, ground)]

    assert learning == [2, 4, 5, 2]
    assert alone == [5, 5, 3]


def test_a_driver_that_was_paid_or_moved_is_known_alike_to_a_look_at_one_and_to_a_look_at_all(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    firm = Firm.founded(f"sqlite:///{tmp_path_factory.mktemp('books')}/books.db")
    paid, moved, still = (firm.account(name, START, START + timedelta(days=3)) for name in ("Ivy", "Oak", "Elm"))
    firm.day(START + timedelta(days=10))
    with firm.office.database.unit_of_work() as unit:
        for number, change in (("Ivy 1", {"status": "paid", "balance": 0}), ("Oak 1", {"account_id": still})):
            unit.execute(update(InvoiceRow).where(col(InvoiceRow.number) == number).values(**change))

    with firm.office.database.reading() as session:
        ground = ground_of(session, firm.id, now=NOW)
        everybody = facts_of(session, ground)
        assert everybody == facts_of(session, ground, [paid, moved, still])

    left = {account: known.departed for account, known in everybody.items()}
    assert left == {
        paid: Departed("Ivy 1", START, InvoiceStatus.PAID),
        moved: Departed("Oak 1", START, InvoiceStatus.OPEN),
        still: Departed("Elm 1", START, InvoiceStatus.OPEN),
    }
