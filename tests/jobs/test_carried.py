"""Mirrors jobs/carried.py: a page is never put down to a call that cannot have carried it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from connector import Call, Records
from jobs.carried import with_their_calls

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


def a_call(status: int) -> Call:
    return Call(AT, "GET", "/Invoices", status, 10, 0.1)


def read(*pages: list[int]) -> list[tuple[int, int]]:
    """Reads pages, each after calls with these answers; says which calls each is put down to."""
    calls: list[Call] = []

    def pull() -> Iterator[Records]:
        for answers in pages:
            calls.extend(map(a_call, answers))
            yield Records()

    return [page.carried_by for page in with_their_calls(calls, pull())]


def test_each_page_came_with_the_call_before_it() -> None:
    assert read([200], [200], [200]) == [(1, 1), (2, 2), (3, 3)]


def test_a_call_that_was_turned_down_carried_nothing() -> None:
    assert read([401, 200], [0, 200]) == [(2, 2), (4, 4)]


def test_where_several_calls_may_have_carried_it_all_are_named() -> None:
    assert read([200, 200, 200]) == [(1, 3)]


def test_two_pages_of_one_answer_came_with_the_same_call() -> None:
    assert read([200], []) == [(1, 1), (1, 1)]


@given(st.lists(st.lists(st.sampled_from([0, 200, 401, 503]), max_size=4), max_size=6))
def test_no_page_is_put_down_to_a_call_that_had_not_been_made(pages: list[list[int]]) -> None:
    made = 0
    for answers, (first, last) in zip(pages, read(*pages), strict=True):
        made += len(answers)
        assert 0 <= first <= last <= made
