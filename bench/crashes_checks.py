"""What must hold after a thousand crashes, judged from the outside.

On one side stands what the world has: the messages that the provider took, what the debtors wrote, the notes in the
ledger. On the other side stands what our books say of it. Nothing in here knows how the product works in between.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.reminders import ReminderState

OPEN_ENDS = (ReminderState.QUEUED, ReminderState.SENDING)


@dataclass(frozen=True, slots=True)
class World:
    """Who was sent which step, once for each message that the provider took; what was answered; the ledger's notes.

    `answers` and `notes` are the marks by which each can be told from every other. `chased_after_paying` are those who
    were sent something after they had paid all of it.
    """

    accepted: Sequence[tuple[str, str]]
    answers: Sequence[str] = ()
    notes: Sequence[str] = ()
    chased_after_paying: Sequence[tuple[str, str]] = ()
    handed_in: Sequence[str] = ()
    """How the provider fared with handing each answer in, where it does so: in the order of the answers."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """One reminder in our books. `waits`: it is queued for a reason or a moment that our books name; `shown`: a person

    is asked about it; `settled_by`: the evidence, where it was settled after a doubt or a crash.
    """

    who: str
    step: str
    state: str
    waits: bool = False
    shown: bool = False
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """Ours. `replies`: the marks in the replies that we keep, `told`: those in the lines of history about replies, and
    `asked`: those in posts that a person was asked to read.

    `written`: the marks of the notes that our books call written into the ledger; `unwritten`: of the others.
    """

    reminders: Sequence[Reminded]
    replies: Sequence[str] = ()
    told: Sequence[str] = ()
    written: Sequence[str] = ()
    unwritten: Sequence[str] = ()
    asked: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it stands, and a sentence for everything that must not be."""

    messages: int
    accepted: int
    duplicates: int
    lost: int
    waiting: int
    unsure: int
    unsure_but_gone: int
    settled_by: dict[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def judged(world: World, books: Books) -> Verdict:
    taken = Counter(world.accepted)
    unsure = [reminder for reminder in books.reminders if reminder.state == ReminderState.UNSURE]
    lost = [*_lost(taken, books), *_lost_answers(world, books), *_lost_notes(world, books)]
    twice = [*_twice(taken, books), *_twice_taken_in(books), *_twice_noted(world)]
    return Verdict(
        messages=len(books.reminders),
        accepted=len(world.accepted),
        duplicates=len(twice),
        lost=len(lost),
        waiting=sum(1 for reminder in books.reminders if reminder.waits),
        unsure=len(unsure),
        unsure_but_gone=sum(1 for reminder in unsure if taken[reminder.who, reminder.step]),
        settled_by=dict(Counter(reminder.settled_by for reminder in books.reminders if reminder.settled_by)),
        faults=(*twice, *lost, *_untrue(taken, books), *_paid_before(world)),
    )


def _twice(taken: Counter[tuple[str, str]], books: Books) -> Iterator[str]:
    for (who, step), times in taken.items():
        if times > 1:
            yield f"{who} was sent {step} {times} times."
    for (who, step), times in Counter((row.who, row.step) for row in books.reminders).items():
        if times > 1:
            yield f"{step} for {who} stands in our books {times} times."


def _twice_taken_in(books: Books) -> Iterator[str]:
    for where, marks in (("our replies", books.replies), ("the history", books.told)):
        for mark, times in Counter(marks).items():
            if times > 1:
                yield f"The reply {mark} stands {times} times in {where}."


def _twice_noted(world: World) -> Iterator[str]:
    for mark, times in Counter(world.notes).items():
        if times > 1:
            yield f"The note {mark} stands in the ledger {times} times."


def _lost(taken: Counter[tuple[str, str]], books: Books) -> Iterator[str]:
    """Due, and neither gone nor waiting where a person could see it."""
    for row in books.reminders:
        if row.state == ReminderState.SENT and not taken[row.who, row.step]:
            yield f"{row.step} for {row.who} is called sent, and the provider never had it."
        elif row.state in OPEN_ENDS and not row.waits:
            yield f"{row.step} for {row.who} is still {row.state}, and nothing says why."
        elif row.state == ReminderState.UNSURE and not row.shown:
            yield f"{row.step} for {row.who} is unsure, and nobody is asked about it."


def _lost_answers(world: World, books: Books) -> Iterator[str]:
    for place, mark in enumerate(world.answers):
        if mark not in books.replies and mark not in books.asked:
            fared = world.handed_in[place] if len(world.handed_in) == len(world.answers) else "it is not known"
            yield f"The reply {mark} is not in our books. How it was handed in: {fared}."
        elif mark not in books.told:
            yield f"The reply {mark} is not in the history of its account."


def _lost_notes(world: World, books: Books) -> Iterator[str]:
    there = set(world.notes)
    yield from (f"The note {mark} is called written, and is not there." for mark in books.written if mark not in there)
    yield from (f"The note {mark} has not been written into the ledger." for mark in books.unwritten)


def _untrue(taken: Counter[tuple[str, str]], books: Books) -> Iterator[str]:
    """What went while our books say that it did not: it would go again."""
    known = {(row.who, row.step): row.state for row in books.reminders}
    for who, step in taken:
        state = known.get((who, step))
        if state is None:
            yield f"{who} was sent {step}, of which our books know nothing."
        elif state not in (ReminderState.SENT, ReminderState.UNSURE):
            yield f"{who} was sent {step}, which our books call {state}."


def _paid_before(world: World) -> Iterator[str]:
    yield from (f"{who} was sent {step} after paying." for who, step in world.chased_after_paying)
