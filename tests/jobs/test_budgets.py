"""Mirrors jobs/budgets.py: whatever is asked and whenever, no window ever holds more calls than the ledger allows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connector import Budget, Purpose
from jobs.budgets import DAY, MINUTE, NotNow, Spent, heard, kept, kept_back, remembered, turn

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
BUDGET = Budget(at_once=4, a_minute=5, a_day=40, reserve=0.25)

asked = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.4, 1.0, 7.0, 30.0, 59.9, 60.0, 600.0, 3_600.0, 40_000.0]), st.sampled_from([*Purpose])
    ),
    min_size=1,
    max_size=150,
)


def played(wishes: list[tuple[float, Purpose]], budget: Budget) -> list[tuple[datetime, Purpose, Spent | NotNow]]:
    """Every wish in its turn; what is remembered between two of them has been written down and read again."""
    spent, now, story = Spent(), START, []
    for seconds, purpose in wishes:
        now += timedelta(seconds=seconds)
        outcome = turn(budget, spent, purpose, now)
        story.append((now, purpose, outcome))
        if isinstance(outcome, Spent):
            spent = remembered(kept(outcome))
    return story


@settings(deadline=None)
@given(asked)
def test_no_minute_and_no_day_ever_holds_more_calls_than_allowed(wishes: list[tuple[float, Purpose]]) -> None:
    made = [at for at, _, outcome in played(wishes, BUDGET) if isinstance(outcome, Spent)]
    for at in made:
        assert sum(at - MINUTE < other <= at for other in made) <= BUDGET.a_minute
        assert sum(at - DAY < other <= at for other in made) <= (BUDGET.a_day or 0)


@settings(deadline=None)
@given(asked)
def test_reading_never_touches_the_reserve_and_notes_leave_half_of_it(wishes: list[tuple[float, Purpose]]) -> None:
    story = played(wishes, BUDGET)
    for place, (at, purpose, outcome) in enumerate(story):
        if isinstance(outcome, Spent):
            before = sum(isinstance(one, Spent) and when > at - DAY for when, _, one in story[:place])
            assert before + 1 <= 40 - {Purpose.READING: 10, Purpose.WRITING: 5, Purpose.SENDING: 0}[purpose]


@settings(deadline=None)
@given(asked)
def test_sending_always_has_its_turn_while_the_day_has_calls_left(wishes: list[tuple[float, Purpose]]) -> None:
    quick = Budget(at_once=4, a_minute=1_000, a_day=40, reserve=0.25)
    story = played(wishes, quick)
    for place, (at, purpose, outcome) in enumerate(story):
        lately = sum(isinstance(one, Spent) and when > at - DAY - MINUTE * 15 for when, _, one in story[:place])
        if purpose is Purpose.SENDING and lately < 40:
            assert isinstance(outcome, Spent)


@settings(deadline=None)
@given(asked)
def test_whoever_has_to_wait_is_told_a_moment_at_which_there_is_a_turn(wishes: list[tuple[float, Purpose]]) -> None:
    spent, now = Spent(), START
    for seconds, purpose in wishes:
        now += timedelta(seconds=seconds)
        outcome = turn(BUDGET, spent, purpose, now)
        for _ in range(2):  # first the minute, then the day
            if isinstance(outcome, NotNow):
                assert outcome.until > now
                now = outcome.until
                outcome = turn(BUDGET, spent, purpose, now)
        assert isinstance(outcome, Spent)
        spent = outcome


def test_what_the_provider_says_is_left_counts_more_than_our_own_counting() -> None:
    spent = heard(Spent(), START, day_left=11)
    first = turn(BUDGET, spent, Purpose.READING, START)
    assert isinstance(first, Spent)
    assert isinstance(turn(BUDGET, first, Purpose.READING, START), NotNow)  # ten are left, and kept for sending
    assert isinstance(turn(BUDGET, first, Purpose.SENDING, START), Spent)


def test_the_providers_word_is_not_believed_for_ever() -> None:
    empty = heard(Spent(), START, minute_left=0, day_left=0)
    outcome = turn(BUDGET, empty, Purpose.SENDING, START)
    assert outcome == NotNow("the 5 calls that the ledger allows in a minute are used up", START + MINUTE)
    outcome = turn(BUDGET, empty, Purpose.SENDING, START + MINUTE)
    assert outcome == NotNow("the calls that the ledger allows in a day are used up", START + timedelta(hours=1))
    assert isinstance(turn(BUDGET, empty, Purpose.SENDING, START + timedelta(hours=1)), Spent)


def test_a_clock_set_back_a_day_shuts_nobody_out() -> None:
    spent = Spent()
    for second in range(3):
        outcome = turn(BUDGET, spent, Purpose.SENDING, START + timedelta(seconds=second))
        assert isinstance(outcome, Spent)
        spent = outcome
    assert isinstance(turn(BUDGET, spent, Purpose.READING, START - DAY), Spent)


def test_a_reserve_is_rounded_up_and_a_ledger_without_a_daily_limit_has_none() -> None:
    assert kept_back(Budget(at_once=1, a_minute=1, a_day=25, reserve=0.1), Purpose.READING) == 3
    assert kept_back(Budget(at_once=1, a_minute=1), Purpose.READING) == 0
