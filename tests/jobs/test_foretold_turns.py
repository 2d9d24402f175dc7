"""Mirrors jobs/foretold_turns.py: first contacts of days to come, the oldest debt first."""

from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from engine.position import Clear, Position, Run
from engine.story import Send, Telling
from engine.workflow import Channel, Workflow
from jobs.foretold_turns import Queue, Turns, first_word

START, LAST = date(2026, 3, 2), date(2026, 3, 20)
HOUSE = Workflow("house", "House", ())


class Account(NamedTuple):
    """One that has something to hear from a day on, until it pays; it owes since `due_on`."""

    ready: int
    pays: int
    due_on: date

    def told(self, turn: date = START) -> "Told":
        telling, on = Telling(), max(turn, START + timedelta(days=self.ready))
        run = Run("house", 1, self.due_on, "A", self.due_on)
        telling.positions[START] = Position(HOUSE, Clear(), START, run)
        if on <= LAST and on < START + timedelta(days=self.pays):
            telling.sends.append(Send(on, "House", "First", Channel.EMAIL, ("A",)))
        return Told(self, telling)


class Told(NamedTuple):
    account: Account
    telling: Telling


accounts = st.lists(
    st.builds(Account, st.integers(0, 25), st.integers(0, 40), st.dates(date(2026, 1, 1), date(2026, 2, 20))),
    max_size=25,
)


@given(accounts, st.integers(1, 5), st.integers(0, 6))
def test_never_more_hear_first_on_a_day_than_may_and_nobody_waits_without_need(
    given_accounts: list[Account], a_day: int, taken: int
) -> None:
    told = {number: account.told() for number, account in enumerate(given_accounts)}
    queue = Queue(told, lambda one, turn: one.account.told(turn))
    outlook = queue.by_turns(Turns(a_day, taken), START, LAST)

    heard = {number: on for number, one in queue.told.items() if (on := first_word(one.telling)) is not None}
    days = Counter(heard.values())
    assert days == outlook.days
    for number, account in enumerate(given_accounts):
        on = heard.get(number)
        could = [
            day
            for offset in range(account.ready, min(account.pays, (LAST - START).days + 1))
            if (day := START + timedelta(days=offset)) != on and (on is None or day < on)
        ]
        for day in could:  # on each day that it could have heard and did not, as many others did
            room = max(0, a_day - (taken if day == START else 0))
            assert days[day] == room
            others = [given_accounts[other] for other, when in heard.items() if when == day]
            assert all(other.due_on <= account.due_on for other in others), "the oldest debt comes first"
        assert (number in outlook.waiting) <= bool(could)


def test_a_call_and_a_text_that_reaches_nobody_have_no_turn() -> None:
    telling = Telling()
    telling.sends += [
        Send(START, "House", "Call", Channel.CALL, ()),
        Send(START + timedelta(days=1), "House", "Text", Channel.SMS, (), skipped=True),
        Send(START + timedelta(days=2), "House", "Mail", Channel.EMAIL, ()),
    ]

    assert first_word(telling) == START + timedelta(days=2)
