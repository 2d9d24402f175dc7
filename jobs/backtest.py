"""Backtest: what a workflow would have sent over the past that our copy of the ledger knows.

Each account's past is played back from its invoices, payments and credits, with the rules as they are now, and the
engine that decides in earnest tells what it would have done on each of those days. It is told as if the ledger had
known of every payment on its own day, before the sending time, and as if people had done at once what waits for them.
Nothing is asked, sent or written.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from engine.facts import Facts
from engine.ledger_past import PastInvoice, played_back
from engine.message_calendar import AccountLine, Foreseen, MonthLine, because_of, by_account, by_month, soon_paid
from engine.notes import Note, NoteKind
from engine.receivables import Ref
from engine.story import People, Send, Story, tell
from engine.words import in_words
from engine.workflow import Workflow
from jobs.office import Office
from jobs.reach import hours_of
from store.facts import facts_in_chunks, ground_of
from store.ground import Ground
from store.holidays_of import holidays_of
from store.past import accounts_named, first_issue, past_of


class MovedBack(NamedTuple):
    """An account would have gone back to an earlier step on that day."""

    account: int
    on: date
    note: Note


@dataclass(frozen=True, slots=True)
class Backtest:
    """What would have gone from `since` to `until`. `steps` are the workflow's, `first` is the oldest issue date.

    `messages` come in the order of their days; `before_payment` of them went in the week before money came in for an
    invoice that they listed. `names` and `numbers` are those of the accounts and invoices that are spoken of.
    """

    organisation: str
    workflow: str
    steps: tuple[str, ...]
    first: date | None
    since: date
    until: date
    accounts: int
    invoices: int
    messages: tuple[Foreseen, ...]
    before_payment: int
    moves: tuple[MovedBack, ...]
    names: Mapping[int, str]
    numbers: Mapping[Ref, str]

    @property
    def months(self) -> tuple[MonthLine, ...]:
        return by_month(self.messages, self.workflow)

    @property
    def per_step(self) -> Mapping[str, int]:
        """How many of each step, those of the workflow first and in its own order."""
        counted: Counter[str] = Counter(dict.fromkeys(self.steps, 0))
        for line in self.months:
            counted.update(line.steps)
        return {step: count for step, count in counted.items() if count}

    @property
    def most(self) -> tuple[AccountLine, ...]:
        """The accounts, those that would have got most first."""
        return by_account(self.messages)


class _Told(NamedTuple):
    """One account's past, and what came of it."""

    account: int
    past: Sequence[PastInvoice]
    facts: Facts
    sends: Sequence[Send]
    notes: Sequence[tuple[date, Note]]


def backtest(office: Office, organisation_id: int, *, workflow: str = "", since: date | None = None) -> Backtest:
    """Tells the past of every account on the workflow of this name or number; empty: the organisation's default.

    Raises LookupError, with the names that there are, when no workflow is meant, and for a day that is to come.
    """
    with office.database.reading() as session:
        ground = ground_of(session, organisation_id, now=office.clock())
        chosen = chosen_workflow(ground, workflow)
        today = office.as_of(ground.organisation)
        if since is not None and since > today:
            raise LookupError(f"{in_words(since)} has not come yet. To look ahead, use 'arrears simulate'.")
        first = first_issue(session, organisation_id)
        ground = _then(ground, first or today, today)
        told = list(_tell_all(session, ground, chosen, today))
        names = {number: row.name for number, row in accounts_named(session, [one.account for one in told]).items()}
    since = since or first or today
    messages = [message for one in told for message in _messages(one) if message.send.on >= since]
    paid_on = {invoice.id: invoice.paid_on for one in told for invoice in one.past}
    return Backtest(
        organisation=ground.organisation.name,
        workflow=chosen.name,
        steps=tuple(step.name for step in sorted(chosen.steps, key=lambda step: step.day)),
        first=first,
        since=since,
        until=today,
        accounts=len(told),
        invoices=sum(len(one.past) for one in told),
        messages=tuple(sorted(messages, key=lambda one: (one.send.on, names[int(one.account)]))),
        before_payment=soon_paid(messages, paid_on),
        moves=tuple(sorted((move for one in told for move in _moves(one, since)), key=lambda move: move.on)),
        names=names,
        numbers={invoice.id: invoice.number for one in told for invoice in one.past},
    )


def chosen_workflow(ground: Ground, named: str) -> Workflow:
    """The workflow of this name or number; the organisation's default when nothing is named. Raises LookupError."""
    flows = ground.workflows
    if not named:
        default = ground.organisation.default_workflow_id
        if default is None or default not in flows:
            raise LookupError("The organisation has no default workflow. Name one with --workflow.")
        return flows[default]
    wanted = named.strip().lower()
    found = [flow for flow in flows.values() if wanted in (flow.name.lower(), str(flow.id))]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted(f"{flow.name} ({flow.id})" for flow in flows.values()))
    how_many = "Several workflows are" if found else "No workflow is"
    raise LookupError(f"{how_many} called '{named}'. Give one of these names, or its number: {known}.")


def _then(ground: Ground, first: date, today: date) -> Ground:
    """The same ground without its pause, and with the public holidays of all those years."""
    calendar, sending = ground.organisation.holiday_calendar, ground.rules.sending
    years = [holidays_of(calendar, date(year, 1, 1)) for year in range(first.year, today.year + 1)]
    rules = replace(ground.rules, sending=replace(sending, holidays=sending.holidays.union(*years)))
    return replace(ground, pause=(), rules=rules)


def _tell_all(session: Session, ground: Ground, workflow: Workflow, today: date) -> Iterator[_Told]:
    for chunk in facts_in_chunks(session, ground):
        for account, past in past_of(session, ground.organisation, sorted(chunk)).items():
            known = chunk.get(account)
            begun = [invoice for invoice in past if invoice.issued_on <= today]
            if known is not None and begun:
                facts = Facts(ground.rules, ground.workflows, workflow.id, (), None, reachable=known.facts.reachable)
                yield _told(ground, account, begun, facts, today)


def _told(ground: Ground, account: int, past: Sequence[PastInvoice], facts: Facts, today: date) -> _Told:
    story = Story(
        start=min(invoice.issued_on for invoice in past),
        until=today,
        workflows=facts.workflows,
        default_workflow=facts.default_workflow,
        invoices=(),
        events=played_back(past),
        rules=facts.rules,
        currency=ground.organisation.currency,
        people=People.PROMPT,
        facts=facts,
        may_reach=hours_of(ground, account),
    )
    telling = tell(story, every_day=False)
    return _Told(account, past, facts, telling.sends, telling.notes)


def _messages(one: _Told) -> Iterator[Foreseen]:
    for send in one.sends:
        yield Foreseen(one.account, send, because_of(send, _as_of_then(one, send)))


def _as_of_then(one: _Told, send: Send) -> Facts:
    """The facts with the invoices that were listed."""
    listed = set(send.invoices)
    return one.facts._replace(invoices=tuple(invoice.owed for invoice in one.past if invoice.id in listed))


def _moves(one: _Told, since: date) -> Iterator[MovedBack]:
    for on, note in one.notes:
        if note.kind is NoteKind.MOVED_BACK and on >= since:
            yield MovedBack(one.account, on, note)
