"""Mirrors connector/_quickbooks_walking.py: a list is read whole while the books go on changing."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import Unreachable
from connector._quickbooks_pages import INVOICES, Page
from connector._quickbooks_query import OPEN, Question
from connector._quickbooks_rows import InvoiceRow
from connector._quickbooks_walking import walk

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)


class Shelf:
    """Open invoices as QuickBooks answers for them: by time of change, then by number. `between` happens in between."""

    def __init__(self, seconds: dict[int, int], between: Callable[["Shelf", int], None] | None = None) -> None:
        self.seconds = dict(seconds)
        self.between = between
        self.asked: list[Question] = []

    def pay(self, number: int) -> None:
        self.seconds.pop(number, None)

    def touch(self, number: int, second: int) -> None:
        if number in self.seconds:
            self.seconds[number] = second

    def __call__(self, question: Question) -> Page[InvoiceRow]:
        if self.asked and self.between:
            self.between(self, len(self.asked))
        self.asked.append(question)
        found = re.search(r">= '(\S+)'", str(question))
        beginning = datetime.fromisoformat(found[1]) if found else MIDNIGHT - timedelta(days=999)
        rows = sorted((second, number) for number, second in self.seconds.items())
        rows = [row for row in rows if MIDNIGHT + timedelta(seconds=row[0]) >= beginning]
        page = rows[question.start - 1 : question.start - 1 + question.most]
        return INVOICES.read(msgspec.json.encode({"QueryResponse": {"Invoice": [shown(*row) for row in page]}}))


def shown(second: int, number: int) -> dict[str, object]:
    at = (MIDNIGHT + timedelta(seconds=second)).isoformat()
    return {"Id": str(number), "MetaData": {"LastUpdatedTime": at}, "Balance": 1}


def read(shelf: Shelf, size: int) -> list[int]:
    return [int(row.id) for page in walk(shelf, Question("Invoice", (OPEN,), most=size)) for row in page.rows]


@given(
    seconds=st.dictionaries(st.integers(1, 40), st.integers(0, 6), max_size=40),
    size=st.integers(2, 7),
    events=st.lists(
        st.lists(st.tuples(st.sampled_from(["pay", "touch"]), st.integers(1, 40)), max_size=4), max_size=30
    ),
)
def test_a_walk_never_loses_an_invoice_that_stays_open_while_others_are_paid_and_changed(seconds, size, events):
    paid: set[int] = set()

    def meanwhile(shelf: Shelf, turn: int) -> None:
        for what, number in events[turn - 1] if turn <= len(events) else ():
            if what == "pay":
                paid.add(number)
                shelf.pay(number)
            else:
                shelf.touch(number, 10 + turn)

    found = read(Shelf(seconds, meanwhile), size)

    assert set(seconds) - paid <= set(found)


@given(seconds=st.dictionaries(st.integers(1, 40), st.integers(0, 6), max_size=40), size=st.integers(2, 7))
def test_a_list_that_nobody_changes_is_always_read_whole_and_each_row_once(seconds, size):
    found = read(Shelf(seconds), size)

    assert sorted(found) == sorted(seconds)


def test_an_invoice_that_is_changed_after_it_was_read_comes_again():
    def meanwhile(shelf: Shelf, turn: int) -> None:
        if turn == 2:
            shelf.touch(1, 100)

    assert read(Shelf({number: number for number in range(1, 10)}, meanwhile), 4) == [*range(1, 10), 1]


def test_a_walk_by_position_would_have_lost_the_neighbours_of_what_was_paid():
    def meanwhile(shelf: Shelf, turn: int) -> None:
        if turn == 1:
            for number in (1, 2, 3):
                shelf.pay(number)

    shelf = Shelf({number: number for number in range(1, 21)}, meanwhile)
    assert set(read(shelf, 10)) >= set(range(4, 21))


def test_a_page_changed_within_one_second_is_stepped_through_by_position():
    shelf = Shelf(dict.fromkeys(range(1, 12), 5))

    assert read(shelf, 4) == [*range(1, 12)]
    assert [question.start for question in shelf.asked] == [1, 4, 7, 10]


def test_when_rows_go_from_under_a_walk_by_position_that_second_is_walked_again():
    def meanwhile(shelf: Shelf, turn: int) -> None:
        if turn == 2:
            shelf.pay(2)

    shelf = Shelf(dict.fromkeys(range(1, 10), 5), meanwhile)
    assert set(read(shelf, 4)) == set(range(1, 10))


def test_a_list_that_goes_round_in_circles_is_given_up_with_a_sentence():
    page = Shelf({1: 1, 2: 2})(Question("Invoice", most=2))

    with pytest.raises(Unreachable, match="does not come to an end"):
        for _ in walk(lambda _: page, Question("Invoice", most=2)):
            pass


def test_a_short_list_takes_one_question():
    shelf = Shelf({1: 1, 2: 2})

    assert read(shelf, 1000) == [1, 2]
    assert len(shelf.asked) == 1
