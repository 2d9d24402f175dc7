"""A debtor's story, told day by day with the very engine that runs the product.

Give it what happened, on which day, and it answers what would have been sent and where the account stood each
evening. Replaying a story, simulating the coming weeks and looking back over past ones are all this one function.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from engine.ageing import OpenInvoice
from engine.decide import decide
from engine.facts import Decision, Departed, Facts, Rules
from engine.holds import Hold, HoldKind
from engine.notes import Note
from engine.position import Due, Position
from engine.receivables import InvoiceStatus, Ref
from engine.reminders import Order, Outcome, ReminderState, Standing
from engine.workflow import Channel, Workflow


class When(StrEnum):
    BEFORE_SEND = "before_send"
    AFTER_SEND = "after_send"


class Event(NamedTuple):
    """One thing that happened on a day, before or after that day's sending time. `what` is a key of `_HAPPENINGS`."""

    on: date
    what: str
    value: object = True
    when: When = When.BEFORE_SEND


@dataclass(frozen=True, slots=True)
class Story:
    """One account, its workflows and all that happened to it. `invoices` are on the ledger from the first day."""

    start: date
    until: date
    workflows: Mapping[Ref, Workflow]
    default_workflow: Ref
    invoices: tuple[OpenInvoice, ...]
    events: tuple[Event, ...] = ()
    rules: Rules = field(default_factory=Rules)


class Send(NamedTuple):
    on: date
    workflow: str
    step: str
    channel: Channel
    invoices: tuple[Ref, ...]


@dataclass(slots=True)
class Telling:
    """What the story came to: the steps performed, the position at the end of each day, and the notes written."""

    sends: list[Send] = field(default_factory=list)
    positions: dict[date, Position] = field(default_factory=dict)
    notes: list[tuple[date, Note]] = field(default_factory=list)


@dataclass(slots=True)
class _Ledger:
    """The ledger's side of the story. What is known of it here stands still while syncs fail."""

    invoices: dict[Ref, OpenInvoice]
    left: dict[Ref, Departed] = field(default_factory=dict)
    up: bool = True


@dataclass(slots=True)
class _Teller:
    story: Story
    ledger: _Ledger
    facts: Facts
    holds: dict[object, Hold] = field(default_factory=dict)
    left: dict[Ref, Departed] = field(default_factory=dict)
    queued: dict[Ref, Order] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    telling: Telling = field(default_factory=Telling)


def tell(story: Story) -> Telling:
    """Runs the story from its first to its last day. Raises ValueError for an event that no story knows."""
    teller = _Teller(
        story,
        _Ledger({invoice.id: invoice for invoice in story.invoices}),
        Facts(story.rules, story.workflows, story.default_workflow, (), None),
    )
    for day in _each_day(story.start, story.until):
        for when in When:
            for event in story.events:
                if event.on == day and event.when is when:
                    _take_in(teller, event)
            _sync(teller, day)
            decision = _look(teller, day)
            if when is When.BEFORE_SEND and isinstance(decision.position.state, Due):
                _send(teller, decision, day)
                decision = _look(teller, day)
            teller.telling.positions[day] = decision.position
    return teller.telling


def _each_day(start: date, until: date) -> Iterator[date]:
    for offset in range((until - start).days + 1):
        yield start + timedelta(days=offset)


def _sync(teller: _Teller, day: date) -> None:
    if teller.ledger.up:
        teller.left.update(teller.ledger.left)
        teller.facts = replace(teller.facts, invoices=tuple(teller.ledger.invoices.values()), ledger_as_of=day)


def _look(teller: _Teller, day: date) -> Decision:
    """Decides, and keeps what the product would keep of the decision until the next look."""
    driver = teller.facts.run.driver if teller.facts.run else None
    open_driver = next((invoice for invoice in teller.facts.invoices if invoice.id == driver), None)
    departed = teller.left.get(driver) if driver is not None else None
    if open_driver is not None:
        departed = Departed(open_driver.number, open_driver.due_on, InvoiceStatus.OPEN)
    standing = tuple(
        Standing(order.key, ReminderState.QUEUED, order.step.name in teller.approved, order.held_because)
        for order in teller.queued.values()
    )
    facts = replace(teller.facts, holds=tuple(teller.holds.values()), departed=departed, standing=standing)
    decision = decide(facts, day)
    teller.facts = replace(
        facts,
        run=decision.position.run,
        cycle=decision.cycle,
        last_reminded_on=decision.last_reminded_on,
        outcomes=(),
    )
    teller.queued = {order.step.name: order for order in decision.orders}
    teller.approved &= set(map(str, teller.queued))
    teller.telling.notes.extend((day, note) for note in decision.notes)
    return decision


def _send(teller: _Teller, decision: Decision, day: date) -> None:
    order = decision.orders[0]
    heard = order.step.channel in teller.facts.reachable
    workflow = decision.position.workflow.name
    teller.telling.sends.append(Send(day, workflow, order.step.name, order.step.channel, order.invoices))
    teller.facts = replace(teller.facts, outcomes=(Outcome(order.key, day, heard),))
    teller.queued.clear()


def _take_in(teller: _Teller, event: Event) -> None:
    names: list[Any] = list(event.value) if isinstance(event.value, list | tuple) else [event.value]
    match event.what:
        case "add":
            teller.ledger.invoices.update((invoice.id, invoice) for invoice in names)
        case "pay" | "credit" | "void" | "write_off":
            for name in names:
                _leaves(teller.ledger, name, _CAUSES[event.what])
        case "balance":
            for name, balance in _pairs(event):
                _owes(teller, name, Decimal(str(balance)))
        case "due":
            for name, due_on in _pairs(event):
                if isinstance(due_on, date):
                    teller.ledger.invoices[name] = teller.ledger.invoices[name]._replace(due_on=due_on)
        case "ledger":
            teller.ledger.up = event.value == "up"
        case "approve":
            if event.value in teller.queued:
                teller.approved.add(str(event.value))
        case _:
            _hold_or_lift(teller, event, names)


_CAUSES = {
    "pay": InvoiceStatus.PAID,
    "credit": InvoiceStatus.CREDITED,
    "void": InvoiceStatus.VOIDED,
    "write_off": InvoiceStatus.CREDITED,
}


def _pairs(event: Event) -> list[tuple[Ref, object]]:
    if not isinstance(event.value, Mapping):
        raise TypeError(f"the event '{event.what}' of {event.on} needs pairs of invoice and value")
    return list(event.value.items())


def _leaves(ledger: _Ledger, name: Ref, status: InvoiceStatus) -> None:
    invoice = ledger.invoices.pop(name)
    ledger.left[invoice.id] = Departed(invoice.number, invoice.due_on, status)


def _owes(teller: _Teller, name: Ref, balance: Decimal) -> None:
    """A part payment, or a payment reversed: then the invoice is open again with its old due date."""
    ledger = teller.ledger
    if name not in ledger.invoices:
        gone = ledger.left.pop(name)
        known = next((invoice for invoice in teller.story.invoices if invoice.id == name), None)
        currency = known.currency if known else ""
        ledger.invoices[name] = OpenInvoice(name, gone.number, gone.due_on, balance, currency)
    ledger.invoices[name] = ledger.invoices[name]._replace(balance=balance)
    if balance == 0:
        _leaves(ledger, name, InvoiceStatus.PAID)


def _hold_or_lift(teller: _Teller, event: Event, names: list[Any]) -> None:
    match event.what:
        case "pause" | "question" | "mute_account":
            kind = {"pause": HoldKind.PAUSED, "question": HoldKind.QUESTION, "mute_account": HoldKind.MUTED}[event.what]
            if event.value:
                teller.holds[kind] = Hold(kind, event.on)
            else:
                teller.holds.pop(kind, None)
        case "promise" if isinstance(event.value, date):
            teller.holds[HoldKind.PROMISE] = Hold(HoldKind.PROMISE, event.on, until=event.value)
        case "mute_invoice" | "dispute":
            kind = HoldKind.MUTED if event.what == "mute_invoice" else HoldKind.DISPUTE
            for name in names:
                teller.holds[kind, name] = Hold(kind, event.on, invoice=name)
        case "unmute_invoice" | "settle_dispute":
            kind = HoldKind.MUTED if event.what == "unmute_invoice" else HoldKind.DISPUTE
            for name in names:
                teller.holds.pop((kind, name), None)
        case "sms_number":
            without = frozenset(Channel) - {Channel.SMS}
            teller.facts = replace(teller.facts, reachable=frozenset(Channel) if event.value else without)
        case _:
            raise ValueError(f"no story knows the event '{event.what}' (on {event.on})")
