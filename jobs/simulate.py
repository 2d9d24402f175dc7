"""Simulate: what the coming weeks would bring, if nobody paid, or if everybody paid as late as they usually do.

Each account's story is told onwards from what is known of it now, by the engine that decides in earnest, on a clock
that is only counted. No ledger is asked, nothing is sent and nothing is written. It is told as if sending were on and
the ledger were read every day; no new invoice comes, and nobody answers, pauses or promises anything.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlmodel import Session

from engine.facts import Facts
from engine.forecast import Expectation, ExpectedPayment, Habit, Payers, as_events, expected_payments, past_of
from engine.message_calendar import Foreseen, because_of
from engine.notes import Note, NoteKind
from engine.receivables import Ref
from engine.reminders import Outcome, ReminderKey, ReminderState
from engine.story import People, Send, Story, Telling, tell
from engine.workflow import Channel
from jobs.first_contacts import next_start
from jobs.foretold_silence import TURN_LATER, why_silent
from jobs.foretold_turns import Outlook, Queue, Turns
from jobs.office import Office
from jobs.reach import first_day, from_its_turn, hours_of
from jobs.texts import Texts
from jobs.trying_out import SendingMode
from store import departed
from store.facts import facts_in_chunks, ground_of
from store.ground import Ground
from store.past import accounts_named, calls_put_off, lateness_of, workers

__all__ = ["Payers", "People", "Simulation", "simulate"]

LONGEST = 366
WORTH_TELLING = frozenset(
    {NoteKind.MOVED_BACK, NoteKind.MOVED_ON, NoteKind.CLEARED, NoteKind.IDLE, NoteKind.HELD, NoteKind.RESTARTED}
)


class Payment(NamedTuple):
    """An account is taken to pay these invoices in full on that day."""

    account: int
    expected: ExpectedPayment


class Happening(NamedTuple):
    """A line that an account's history would get, besides those about what is sent."""

    account: int
    on: date
    note: Note


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the days from `start` to `until` would bring. `messages` and `payments` come in the order of their days.

    `paused`: sending is paused at present, and this is what would go if it were not. `workers` are the people who may
    call, `owing` the accounts with an open invoice. `quiet` says of how many accounts that owe and get nothing why that
    is so. `habits` are how the accounts pay that are taken to pay. `names` and `numbers` are those of the accounts and
    invoices that are spoken of. `turns`: how many hear for the first time on which day, where some have to wait for
    their turn; `turns_later`: how many still wait for it when these days are over.
    """

    organisation: str
    start: date
    until: date
    payers: Payers
    people: People
    paused: bool
    workers: int
    owing: int
    messages: tuple[Foreseen, ...]
    payments: tuple[Payment, ...]
    happenings: tuple[Happening, ...]
    quiet: Mapping[str, int]
    habits: Mapping[int, Habit]
    names: Mapping[int, str]
    numbers: Mapping[Ref, str]
    turns: Mapping[date, int] = field(default_factory=dict)
    turns_later: int = 0


class _Told(NamedTuple):
    """One account's story and what came of it."""

    account: int
    facts: Facts
    telling: Telling
    payments: tuple[ExpectedPayment, ...]


def simulate(
    office: Office,
    organisation_id: int,
    *,
    days: int = 30,
    payers: Payers = Payers.NOBODY,
    people: People = People.PROMPT,
    account_ids: Iterable[int] | None = None,
) -> Simulation:
    """Tells the coming days of these accounts, or of all, from the next sending time on.

    Raises LookupError for an unknown organisation, ValueError for a number of days that makes no sense.
    """
    if not 1 <= days <= LONGEST:
        raise ValueError(f"{days} days cannot be simulated; from 1 to {LONGEST} can")
    wanted = sorted(set(account_ids)) if account_ids is not None else None
    with office.database.reading() as session:
        known = ground_of(session, organisation_id, now=office.clock())
        ground = replace(known, pause=())
        start = first_day(ground, office.clock())
        until = start + timedelta(days=days - 1)
        expecting = _expecting(session, organisation_id) if payers is Payers.AT_THEIR_MEDIAN else None
        turns = _turns(session, office, ground, start)
        put_off = calls_put_off(session, ground.organisation, now=office.clock())
        telling = _Teller(ground, start, until, people, expecting, put_off, turns, wanted)
        everybody = wanted if turns is None else None  # whose turn it is depends on everybody else
        for chunk in facts_in_chunks(session, ground, everybody, as_of=start):
            telling.tell_all(session, {account: one.facts for account, one in chunk.items()})
        telling.tell_by_turns(session)
        return telling.done(session, payers=payers, paused=bool(known.pause))


def _turns(session: Session, office: Office, ground: Ground, start: date) -> Turns | None:
    """None where everybody may be written to at once."""
    a_day = ground.organisation.first_contacts_a_day
    if not a_day:
        return None
    on, taken = next_start(session, office, ground)
    return Turns(a_day, taken if on == start else 0)


Expecting = Callable[[int], Expectation]


def _expecting(session: Session, organisation_id: int) -> Expecting:
    """What is to be expected of each account."""
    settled = lateness_of(session, organisation_id)
    everybody = past_of((days for theirs in settled.values() for days in theirs), enough=1)
    return lambda account: Expectation(past_of(settled.get(account, ())), everybody)


class _Teller:
    """Tells story after story, and keeps of each what is asked for."""

    def __init__(
        self,
        ground: Ground,
        start: date,
        until: date,
        people: People,
        expecting: Expecting | None,
        put_off: Mapping[int, Mapping[ReminderKey, date]],
        turns: Turns | None,
        wanted: Collection[int] | None,
    ) -> None:
        self.ground, self.start, self.until, self.people, self.expecting = ground, start, until, people, expecting
        self.put_off, self.turns = put_off, turns
        self.wanted = frozenset(wanted) if wanted is not None else None
        self.new: dict[int, _Told] = {}
        self.outlook = Outlook({}, frozenset())
        self.owing = 0
        self.messages: list[Foreseen] = []
        self.payments: list[Payment] = []
        self.happenings: list[Happening] = []
        self.quiet: Counter[str] = Counter()
        self.habits: dict[int, Habit] = {}
        self.names: dict[int, str] = {}
        self.numbers: dict[Ref, str] = {}

    def tell_all(self, session: Session, facts: Mapping[int, Facts]) -> None:
        """Some thousand accounts. Those that owe nothing have no story, and those that have a turn come later."""
        told = [self._told(account, known) for account, known in facts.items() if known.invoices]
        if self.turns is not None:
            trying = self.ground.organisation.sending_mode != SendingMode.LIVE
            known = departed.written_to(session, [one.account for one in told], diverted=trying)
            self.new |= {one.account: one for one in told if one.account not in known}
            told = [one for one in told if one.account in known]
        self._keep_all(session, told)

    def tell_by_turns(self, session: Session) -> None:
        """Those that were never written to, when it is known who they all are."""
        if self.turns is None:
            return
        queue = Queue(self.new, self._told_from)
        self.outlook = queue.by_turns(self.turns, self.start, self.until)
        self._keep_all(session, list(queue.told.values()))

    def _keep_all(self, session: Session, told: list[_Told]) -> None:
        told = [one for one in told if self._is_asked_for(one.account)]
        self.owing += len(told)
        spoken_of = [one for one in told if one.telling.sends or one.payments or one.telling.notes]
        rows = accounts_named(session, [one.account for one in spoken_of])
        self.names |= {account: row.name for account, row in rows.items()}
        texts = Texts(session, self.ground.organisation, rows)
        for one in told:
            self._keep(one, texts)

    def _is_asked_for(self, account: int) -> bool:
        return self.wanted is None or account in self.wanted

    def _told(self, account: int, facts: Facts) -> _Told:
        payments: tuple[ExpectedPayment, ...] = ()
        if self.expecting is not None:
            expectation = self.expecting(account)
            self.habits[account] = expectation.habit
            payments = expected_payments(facts.invoices, expectation, first=self.start, last=self.until)
        facts = _arrived(facts, self.start)
        return _Told(account, facts, self._telling(account, facts, payments), payments)

    def _told_from(self, one: _Told, turn: date) -> _Told:
        """The same account, to which nothing is written before its turn."""
        return one._replace(telling=self._telling(one.account, one.facts, one.payments, turn))

    def _telling(
        self, account: int, facts: Facts, payments: tuple[ExpectedPayment, ...], turn: date | None = None
    ) -> Telling:
        story = Story(
            start=self.start,
            until=self.until,
            workflows=facts.workflows,
            default_workflow=facts.default_workflow,
            invoices=facts.invoices,
            events=as_events(payments),
            rules=facts.rules,
            currency=self.ground.organisation.currency,
            people=self.people,
            facts=facts,
            may_reach=from_its_turn(hours_of(self.ground, account), turn),
            put_off=self.put_off.get(account, {}),
        )
        return tell(story, every_day=False)

    def _keep(self, one: _Told, texts: Texts) -> None:
        account, facts, telling, payments = one
        self.numbers |= {invoice.id: invoice.number for invoice in facts.invoices}
        for send in telling.sends:
            segments = texts.segments(account, send, facts) if _is_text(send) else 0
            self.messages.append(Foreseen(account, send, because_of(send, facts), segments))
        self.payments += [Payment(account, expected) for expected in payments]
        notes = [(on, note) for on, note in telling.notes if note.kind in WORTH_TELLING]
        self.happenings += [Happening(account, on, note) for on, note in notes]
        if not telling.sends and (why := self._silence(one)):
            self.quiet[why] += 1

    def _silence(self, one: _Told) -> str:
        """Why an account that is overdue at the end was sent nothing; empty where nothing is overdue by then."""
        paid = {invoice for expected in one.payments for invoice in expected.invoices}
        owed = tuple(invoice for invoice in one.facts.invoices if invoice.id not in paid)
        why = why_silent(one.facts._replace(invoices=owed, ledger_as_of=self.until), one.telling, self.until)
        return TURN_LATER if why and one.account in self.outlook.waiting else why

    def done(self, session: Session, *, payers: Payers, paused: bool) -> Simulation:
        organisation = self.ground.organisation
        return Simulation(
            organisation=organisation.name,
            start=self.start,
            until=self.until,
            payers=payers,
            people=self.people,
            paused=paused,
            workers=workers(session, self.ground.number),
            owing=self.owing,
            messages=tuple(sorted(self.messages, key=lambda one: (one.send.on, self.names[int(one.account)]))),
            payments=tuple(sorted(self.payments, key=lambda one: (one.expected.on, self.names[one.account]))),
            happenings=tuple(sorted(self.happenings, key=lambda one: (one.on, one.account))),
            quiet=dict(self.quiet.most_common()),
            habits={account: habit for account, habit in self.habits.items() if self._is_asked_for(account)},
            names=self.names,
            numbers=self.numbers,
            turns=self.outlook.days if self.outlook.late else {},
            turns_later=len(self.outlook.waiting),
        )


def _arrived(facts: Facts, on: date) -> Facts:
    """What is on its way at this very moment is taken to arrive."""
    under_way = [one for one in facts.standing if one.state is ReminderState.SENDING]
    if not under_way:
        return facts
    return facts._replace(
        standing=tuple(one for one in facts.standing if one.state is not ReminderState.SENDING),
        outcomes=(*facts.outcomes, *(Outcome(one.key, on) for one in under_way)),
    )


def _is_text(send: Send) -> bool:
    return send.channel is Channel.SMS and not send.skipped
