"""Mirrors bench/crashes_checks.py: the judge of a run of crashes must see every way in which it can have gone wrong."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.crashes_checks import Books, Reminded, World, judged
from engine.reminders import ReminderState

WHO, STEP = "Debtor 00001", "Step 1"
SENT = Reminded(WHO, STEP, ReminderState.SENT)
WORLD = World([(WHO, STEP)], ["answer no. 1"], ["[arrears 1-abc]"])
BOOKS = Books([SENT], ["answer no. 1"], ["answer no. 1"], ["[arrears 1-abc]"])


def test_books_that_agree_with_the_world_are_found_to_be_in_order() -> None:
    verdict = judged(WORLD, BOOKS)

    assert verdict.faults == ()
    assert (verdict.messages, verdict.accepted, verdict.duplicates, verdict.lost, verdict.unsure) == (1, 1, 0, 0, 0)


def _state(state: ReminderState, **more: bool) -> Books:
    return replace(BOOKS, reminders=[Reminded(WHO, STEP, state, **more)])


@pytest.mark.parametrize(
    ("world", "books", "told"),
    [
        (replace(WORLD, accepted=[(WHO, STEP)] * 2), BOOKS, "was sent Step 1 2 times"),
        (WORLD, replace(BOOKS, reminders=[SENT, SENT]), "stands in our books 2 times"),
        (replace(WORLD, accepted=[]), BOOKS, "the provider never had it"),
        (WORLD, replace(BOOKS, reminders=[]), "of which our books know nothing"),
        (WORLD, _state(ReminderState.QUEUED, waits=True), "which our books call queued"),
        (WORLD, _state(ReminderState.REFUSED), "which our books call refused"),
        (replace(WORLD, accepted=[]), _state(ReminderState.QUEUED), "is still queued, and nothing says why"),
        (WORLD, _state(ReminderState.SENDING), "is still sending, and nothing says why"),
        (WORLD, _state(ReminderState.UNSURE), "is unsure, and nobody is asked about it"),
        (WORLD, replace(BOOKS, replies=[]), "The reply answer no. 1 is not in our books"),
        (WORLD, replace(BOOKS, told=[]), "is not in the history of its account"),
        (WORLD, replace(BOOKS, replies=["answer no. 1"] * 2), "stands 2 times in our replies"),
        (WORLD, replace(BOOKS, told=["answer no. 1"] * 2), "stands 2 times in the history"),
        (replace(WORLD, notes=["[arrears 1-abc]"] * 2), BOOKS, "stands in the ledger 2 times"),
        (replace(WORLD, notes=[]), BOOKS, "is called written, and is not there"),
        (replace(WORLD, chased_after_paying=[(WHO, STEP)]), BOOKS, "was sent Step 1 after paying"),
        (WORLD, replace(BOOKS, unwritten=["[arrears 2-abc]"]), "has not been written into the ledger"),
    ],
)
def test_each_way_in_which_it_can_have_gone_wrong_is_said(world: World, books: Books, told: str) -> None:
    assert any(told in fault for fault in judged(world, books).faults)


def test_a_doubt_that_a_person_is_asked_about_is_no_fault_whether_it_had_gone_or_not() -> None:
    books = _state(ReminderState.UNSURE, shown=True)

    assert judged(WORLD, books).faults == judged(replace(WORLD, accepted=[]), books).faults == ()
    assert (judged(WORLD, books).unsure, judged(WORLD, books).unsure_but_gone) == (1, 1)


def test_an_answer_that_nobody_but_a_person_can_read_is_not_lost_when_one_is_asked_to() -> None:
    books = replace(BOOKS, replies=[], told=[], asked=["answer no. 1"])

    assert not any("not in our books" in fault for fault in judged(WORLD, books).faults)


@given(
    count=st.integers(1, 20),
    spoil=st.sampled_from([lambda rows, at: [*rows, rows[at]], lambda rows, at: rows[:at] + rows[at + 1 :]]),
    at=st.integers(0, 19),
)
def test_one_message_too_many_or_too_few_at_the_provider_is_always_found(
    count: int, spoil: Callable[[list[tuple[str, str]], int], list[tuple[str, str]]], at: int
) -> None:
    taken = [(f"Debtor {number:05}", STEP) for number in range(count)]
    books = Books([Reminded(who, step, ReminderState.SENT) for who, step in taken])

    assert judged(World(taken), books).faults == ()
    assert judged(World(spoil(taken, at % count)), books).faults != ()
