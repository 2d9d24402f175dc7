"""A debtor's story, told day by day with the very engine that runs the product.

Give it what happened, on which day, and it answers what would have been sent and where the account stood each
evening. Replaying a story, simulating the coming weeks and looking back over past ones are all this one function.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from engine.again import look_again_on
from engine.ageing import OpenInvoice
from engine.decide import decide, left_behind
from engine.facts import Decision, Facts, Rules
from engine.happenings import Event, StoryLedger, When, happen
from engine.holds import Hold
from engine.limits import Contacted
from engine.notes import Note
from engine.position import Position
from engine.receivables import Ref
from engine.reminders import Order, Outcome, ReminderKey, ReminderState, Standing
from engine.workflow import Channel, Workflow

__all__ = ["Event", "People", "Send", "Story", "Telling", "When", "tell"]


class People(StrEnum):
    """What people do about the steps that wait for them: only what the story says, or all of it on the same day."""

    AS_TOLD = "as told"
    PROMPT = "prompt"


_A_DAY = timedelta(days=1)

Open = Callable[[Channel, date, tuple[Contacted, ...]], bool]
"""Whether the debtor may be reached by this channel in the course of that day, after these contacts."""


@dataclass(frozen=True, slots=True)
class Story:
    """One account, its workflows and all that happened to it. `invoices` are on the ledger from the first day.

    `facts` is what was known before the first day, for an account that does not begin with this story; `rules`,
    `workflows` and the defaults are then those of the facts. `may_reach` knows the hours of contact, where there are
    any: what is closed all day waits for the next one. `put_off` are the calls that a person has snoozed, and until
    which day.
    """

    start: date
    until: date
    workflows: Mapping[Ref, Workflow]
    default_workflow: Ref
    invoices: tuple[OpenInvoice, ...]
    events: tuple[Event, ...] = ()
    rules: Rules = field(default_factory=Rules)
    account_default: Ref | None = None
    currency: str = ""
    people: People = People.AS_TOLD
    facts: Facts | None = None
    may_reach: Open | None = None
    put_off: Mapping[ReminderKey, date] = field(default_factory=dict)


class Send(NamedTuple):
    """One step performed. `skipped`: it was due and there was no way to reach anybody, such as no mobile number."""

    on: date
    workflow: str
    step: str
    channel: Channel
    invoices: tuple[Ref, ...]
    skipped: bool = False


@dataclass(slots=True)
class Telling:
    """What the story came to: the steps performed, the position at the end of each day looked at, the notes written."""

    sends: list[Send] = field(default_factory=list)
    positions: dict[date, Position] = field(default_factory=dict)
    notes: list[tuple[date, Note]] = field(default_factory=list)


@dataclass(slots=True)
class Teller:
    """The story under way: what is known, what the ledger says, what is queued and what people have said."""

    facts: Facts
    ledger: StoryLedger
    organisation_default: Ref
    account_default: Ref | None
    people: People
    may_reach: Open | None
    put_off: Mapping[ReminderKey, date]
    holds: dict[object, Hold] = field(default_factory=dict)
    queued: dict[ReminderKey, Order] = field(default_factory=dict)
    approved: set[ReminderKey] = field(default_factory=set)
    unsettled: tuple[Standing, ...] = ()
    approvals: set[str] = field(default_factory=set)
    telling: Telling = field(default_factory=Telling)


def tell(story: Story, *, every_day: bool = True) -> Telling:
    """Runs the story from its first to its last day. Raises ValueError for an event that no story knows.

    Without `every_day` nobody looks on the days on which nothing can differ, and they have no position of their own.
    What comes of it is the same, sooner.
    """
    teller = _teller(story)
    events: dict[tuple[date, When], list[Event]] = defaultdict(list)
    for event in story.events:
        events[event.on, event.when].append(event)
    day, end = story.start, story.until + _A_DAY
    eventful = [*sorted({on for on, _ in events}), date.max]
    while day < end:
        decision = _morning(teller, events.get((day, When.BEFORE_SEND), ()), day)
        if evening := events.get((day, When.AFTER_SEND), ()):
            _take_in(teller, evening, day)
            decision = _look(teller, day, sending_ahead=False)
        teller.telling.positions[day] = decision.position
        day += _A_DAY
        if not every_day:
            again = min(_again(teller, decision), eventful[bisect_right(eventful, day - _A_DAY)], end)
            day = _nothing_until(again, teller, day)
    return teller.telling


def _again(teller: Teller, decision: Decision) -> date:
    """The first day on which a look may find something else. What was told on one day is not told on the next."""
    as_of = decision.position.as_of
    return as_of if decision.position.told else look_again_on(_facts_now(teller, sending_ahead=True), decision, as_of)


def _nothing_until(again: date, teller: Teller, day: date) -> date:
    """The next day to look at. The ledger is read on those between all the same."""
    if again <= day:
        return day
    if teller.ledger.up:
        teller.facts = teller.facts._replace(ledger_as_of=again - _A_DAY)
    return again


def _teller(story: Story) -> Teller:
    facts = story.facts
    if facts is None:
        default = story.account_default if story.account_default is not None else story.default_workflow
        facts = Facts(story.rules, story.workflows, default, (), None)
    queued = [one for one in facts.standing if one.state is ReminderState.QUEUED]
    return Teller(
        facts=facts,
        ledger=StoryLedger({invoice.id: invoice for invoice in story.invoices}, story.currency, facts.credits),
        organisation_default=story.default_workflow,
        account_default=story.account_default,
        people=story.people,
        may_reach=story.may_reach,
        put_off=story.put_off,
        holds=dict(enumerate(facts.holds)),
        approved={one.key for one in queued if one.approved},
        unsettled=tuple(one for one in facts.standing if one.state is not ReminderState.QUEUED),
    )


def _morning(teller: Teller, events: list[Event] | tuple[()], day: date) -> Decision:
    """Everything before the sending time, and the sending itself."""
    _take_in(teller, events, day)
    decision = _look(teller, day)
    if teller.people is People.PROMPT and (waiting := _taken_up(teller, decision, day)):
        teller.approved |= waiting
        decision = _look(teller, day)
    while (order := _leaving(teller, day)) is not None:
        _send(teller, decision, order, day)
        decision = _look(teller, day, sending_ahead=False)  # the one may be what holds the next
    return decision


def _taken_up(teller: Teller, decision: Decision, day: date) -> set[ReminderKey]:
    """What prompt people do on this day: all that waits for them, apart from what they have put off."""
    waiting = {order.key for order in decision.orders if order.held_because}
    return {key for key in waiting if teller.put_off.get(key, day) <= day}


def _leaving(teller: Teller, day: date) -> Order | None:
    """What leaves next: what was queued first goes first."""
    queued = [order for order in teller.queued.values() if not order.held_because]
    return next((order for order in queued if _may_leave(teller, order, day)), None)


def _may_leave(teller: Teller, order: Order, day: date) -> bool:
    may_reach = teller.may_reach
    return may_reach is None or may_reach(order.step.channel, day, teller.facts.contacted)


def _take_in(teller: Teller, events: list[Event] | tuple[()], day: date) -> None:
    """All events of one moment, then the sync, where it works."""
    for event in events:
        if event.what == "approve":
            teller.approvals.add(str(event.value))
        else:
            happen(teller, event)
    if teller.ledger.up:
        teller.facts = teller.ledger.read_into(teller.facts, day)


def _look(teller: Teller, day: date, *, sending_ahead: bool = True) -> Decision:
    """Decides, and keeps what the product would keep of the decision until the next look."""
    decision = decide(_facts_now(teller, sending_ahead), day)
    if teller.approvals:
        waiting = {
            order.key for order in decision.orders if order.step.by_person and order.step.name in teller.approvals
        }
        teller.approvals.clear()  # an approval of what does not wait is ignored
        if waiting - teller.approved:
            teller.approved |= waiting
            _keep(teller, decision, day)
            decision = decide(_facts_now(teller, sending_ahead), day)
    _keep(teller, decision, day)
    return decision


def _facts_now(teller: Teller, sending_ahead: bool) -> Facts:
    standing = tuple(
        Standing(key, ReminderState.QUEUED, key in teller.approved, order.held_because)
        for key, order in teller.queued.items()
    )
    facts = teller.facts
    return facts._replace(
        holds=tuple(teller.holds.values()),
        departed=teller.ledger.departed(facts),
        standing=standing + teller.unsettled,
        sending_ahead=sending_ahead,
    )


def _keep(teller: Teller, decision: Decision, day: date) -> None:
    teller.facts = left_behind(teller.facts, decision)
    stuck = {one.key for one in teller.unsettled}  # refused or in doubt: never queued beside itself
    ordered = {order.key: order for order in decision.orders if order.key not in stuck}
    teller.queued = {key: ordered[key] for key in (*teller.queued, *ordered) if key in ordered}
    teller.approved &= teller.queued.keys()
    teller.telling.notes.extend((day, note) for note in decision.notes)
    for kind in decision.lifts:
        teller.holds = {name: hold for name, hold in teller.holds.items() if hold.kind is not kind}


def _send(teller: Teller, decision: Decision, order: Order, day: date) -> None:
    channel = order.step.channel
    heard = channel is not Channel.SMS or channel in teller.facts.reachable
    walk = decision.invoice_runs.get(order.key.invoice) if order.key.invoice is not None else None
    workflow = teller.facts.workflows[walk.workflow].name if walk is not None else decision.position.workflow.name
    teller.telling.sends.append(Send(day, workflow, order.step.name, channel, order.invoices, skipped=not heard))
    teller.queued.pop(order.key, None)
    teller.approved.discard(order.key)
    contacted = teller.facts.contacted
    if heard and teller.facts.rules.limits is not None:
        contacted = (*contacted, Contacted(day, channel))
    teller.facts = teller.facts._replace(contacted=contacted, outcomes=(Outcome(order.key, day, heard),))
