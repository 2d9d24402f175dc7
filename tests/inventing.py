"""Debtors' stories that nobody thought of: whatever can happen to an account, in any order, drawn by Hypothesis."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import strategies as st

import engine.story
from engine.ageing import OpenInvoice
from engine.calendars import SendingDays
from engine.decide import decide
from engine.facts import AfterMoveBack, Decision, Facts, FirstContact, Rules
from engine.happenings import HAPPENINGS
from engine.holds import Hold, HoldKind
from engine.limits import Cap, ContactRules
from engine.reminders import Order, Outcome, ReminderKey, ReminderState, Standing
from engine.story import Event, People, Story, Teller, Telling, When, tell
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind
from telling import invoice

START = date(2025, 1, 1)
LAST = START + timedelta(days=150)
NAMES = ("A", "B", "C", "D", "E")

LEDGER_EVENTS = (*["pay"] * 8, "balance", "void", "credit", "write_off", "due", "add")
OTHER_EVENTS = (
    *("mute_invoice", "unmute_invoice", "mute_account", "dispute", "settle_dispute", "pause", "promise", "question"),
    *("unallocated_credit", "assign", "organisation_default", "account_default", "approve", "sms_number", "ledger"),
)
STOPS = (
    *(HoldKind.ORGANISATION_PAUSED, HoldKind.BRAKE, HoldKind.CAP, HoldKind.PAUSED, HoldKind.MUTED, HoldKind.PROMISE),
    *(HoldKind.QUESTION, HoldKind.REPLY, HoldKind.HANDED_OVER),
)
"""What a person, a reply or a brake has stopped the whole account with; all other holds follow from the facts."""
EDIT = "edit"
"""A workflow is saved anew; only `told` knows this event, because no story file does."""


class Sending(NamedTuple):
    """One reminder that left, and the newest look at the account before it did."""

    facts: Facts
    as_of: date
    decision: Decision
    order: Order

    @property
    def workflow(self) -> Workflow:
        """The workflow that it belongs to: that of its invoice, where invoices walk alone."""
        run = self.decision.position.run
        if self.order.key.invoice is not None and self.order.key.invoice in self.decision.invoice_runs:
            run = self.decision.invoice_runs[self.order.key.invoice]
        return self.facts.workflows[run.workflow] if run is not None else self.decision.position.workflow

    @property
    def alone(self) -> bool:
        return self.workflow.kind is WorkflowKind.INVOICE


class Told(NamedTuple):
    """A story, what came of it, every decision made on the way with what it was made from, and all that left."""

    story: Story
    telling: Telling
    decisions: list[tuple[Facts, date, Decision]]
    sendings: list[Sending]


def told(story: Story) -> Told:
    decisions: list[tuple[Facts, date, Decision]] = []
    sendings: list[Sending] = []
    send = engine.story._send

    def watched(facts: Facts, as_of: date) -> Decision:
        decision = decide(facts, as_of)
        decisions.append((facts, as_of, decision))
        return decision

    def leaving(teller: Teller, decision: Decision, order: Order, day: date) -> None:
        sendings.append(Sending(*decisions[-1], order))
        send(teller, decision, order, day)

    with (
        patch.object(engine.story, "decide", watched),
        patch.object(engine.story, "_send", leaving),
        patch.dict(HAPPENINGS, {EDIT: _edited}),
    ):
        return Told(story, tell(story), decisions, sendings)


def _edited(teller: Teller, event: Event) -> None:
    workflow = event.value
    assert isinstance(workflow, Workflow)
    teller.facts = teller.facts._replace(workflows={**teller.facts.workflows, workflow.id: workflow})


@st.composite
def workflows(
    draw: st.DrawFn, name: str, link: str | None = None, kind: WorkflowKind = WorkflowKind.ACCOUNT
) -> Workflow:
    days = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=5)))
    channels = st.sampled_from([*[Channel.EMAIL] * 4, Channel.SMS, Channel.CALL])
    steps = [
        Step(f"{name}{place}", f"{name}{place}", day, draw(channels), draw(st.integers(0, 4)) == 0)
        for place, day in enumerate(days, start=1)
    ]
    courtesies = [Step(f"{name}c{day}", f"{name}c{day}", day) for day in draw(st.sets(st.integers(-10, 0), max_size=2))]
    if kind is WorkflowKind.INVOICE:
        steps = [replace(step, channel=Channel.EMAIL) for step in steps]
    onward = Link(link, draw(st.integers(1, 20))) if link and draw(st.booleans()) else None
    repeat = draw(st.sampled_from([0, 0, 7, 14])) if onward is None else 0
    return Workflow(name, name, (*courtesies, *steps), kind, link=onward, repeat_every=repeat)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    weekdays = draw(st.sampled_from([frozenset(range(7)), frozenset(range(5)), frozenset({0, 3})]))
    caps = draw(st.sampled_from([(), (), (), (Cap(1, 9),), (Cap(2, 20), Cap(1, 12, frozenset({Channel.EMAIL})))]))
    return Rules(
        reassess_on_payment=draw(st.booleans()),
        sending=SendingDays(weekdays, frozenset(draw(st.lists(st.dates(START, LAST), max_size=3)))),
        min_days_between_reminders=draw(st.sampled_from([1, 1, 3, 10])),
        stale_after_days=draw(st.sampled_from([0, 1, 3])),
        ignore_below=draw(st.sampled_from([Decimal(0), Decimal(5)])),
        disputed_invoices_drive=draw(st.booleans()),
        after_move_back=draw(st.sampled_from(AfterMoveBack)),
        first_contact=draw(st.sampled_from(FirstContact)),
        return_over_link=draw(st.booleans()),
        pause_when_in_credit=draw(st.booleans()),
        limits=ContactRules("some", "Some", caps=caps) if caps else None,
    )


def invoices(draw: st.DrawFn, names: Iterable[str] = NAMES) -> tuple[OpenInvoice, ...]:
    return tuple(
        invoice(
            name,
            due=_due_date(draw),
            amount=draw(st.sampled_from(["3", "100", "100", "250.50"])),
            currency=draw(st.sampled_from(["GBP", "GBP", "EUR"])),
        )
        for name in names
    )


def _due_date(draw: st.DrawFn) -> date:
    """Most lie close together, so that one is often paid while another is overdue."""
    return START + timedelta(days=draw(st.integers(-60, 110) if draw(st.booleans()) else st.integers(0, 40)))


def _known(draw: st.DrawFn, given: Rules, flows: dict[Any, Workflow], default: Any) -> Facts:
    """One thing that was there before the first day: something that stops, a doubt, no address, or a trial."""
    facts = Facts(given, flows, default, (), None)
    ids = [step.id for step in (*flows[default].sequence[:2], *flows[default].steps)]
    keys = st.builds(ReminderKey, st.sampled_from([1, 1, 2]), st.sampled_from(ids))
    until = st.none() | st.dates(START, START + timedelta(days=60))
    match draw(st.sampled_from(["stop", "set aside", "standing", "no way", "trial"])):
        case "stop":
            return facts._replace(holds=(Hold(draw(st.sampled_from(STOPS)), START, until=draw(until)),))
        case "set aside":
            kind, name = draw(st.sampled_from([HoldKind.DISPUTE, HoldKind.MUTED])), draw(st.sampled_from(NAMES))
            return facts._replace(holds=(Hold(kind, START, until=draw(until), invoice=name),))
        case "standing":
            states = st.sampled_from([ReminderState.REFUSED, ReminderState.UNSURE, ReminderState.SENDING])
            return facts._replace(standing=(draw(st.builds(Standing, keys, states)),))
        case "no way":
            return facts._replace(reachable=frozenset(Channel) - {draw(st.sampled_from(Channel))})
        case _:
            days = st.dates(START, START + timedelta(days=40))
            return facts._replace(tried_out=(draw(st.builds(Outcome, keys, days)),))


def edited(draw: st.DrawFn, workflow: Workflow, mark: int) -> Workflow:
    """The workflow after somebody's edit: a step taken out, moved or put in, or another end. Days stay apart."""
    steps = {step.day: step for step in workflow.steps}
    taken = draw(st.sampled_from(sorted(steps)))
    what = draw(st.sampled_from(["take out", "replace", "replace", "move", "put in", "by hand", "end"]))
    if what in ("take out", "replace", "move") and len(workflow.sequence) > 1:
        gone = steps.pop(taken)
        day = draw(st.integers(1, 60)) if what == "move" else taken
        if what != "take out" and day not in steps:
            steps[day] = replace(gone, day=day) if what == "move" else replace(gone, id=f"new{mark}", name=f"new{mark}")
    if what == "put in" and (day := draw(st.integers(1, 60))) not in steps:
        steps[day] = Step(f"new{mark}", f"new{mark}", day)
    if what == "by hand":
        steps[taken] = replace(steps[taken], manual=not steps[taken].manual)
    end: dict[str, Any] = {"link": None, "repeat_every": draw(st.sampled_from([0, 7]))} if what == "end" else {}
    if not any(day > 0 for day in steps):
        return workflow
    return replace(workflow, steps=tuple(steps.values()), version=workflow.version + 1, **end)


def _value(
    draw: st.DrawFn, what: str, on: date, names: list[str], owing: list[str], flows: dict[Any, Workflow], mark: int
) -> Any:
    """What one event says. `owing` are the invoices that nobody has paid, the oldest first: it is the one paid most."""
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)
    match what:
        case "pay" if owing and draw(st.booleans()):
            return [owing.pop(0)]
        case "pay" | "void" | "credit" | "write_off" | "mute_invoice" | "unmute_invoice" | "dispute" | "settle_dispute":
            return draw(some)
        case "balance":
            return {draw(st.sampled_from(names)): draw(st.sampled_from([Decimal(4), Decimal(50)]))}
        case "due":
            return {draw(st.sampled_from(names)): _due_date(draw)}
        case "add":
            return list(invoices(draw, [f"New{mark}"]))
        case "promise":
            return on + timedelta(days=draw(st.integers(0, 30)))
        case "unallocated_credit":
            return Decimal(draw(st.sampled_from([0, 50, 1000])))
        case "assign" | "organisation_default" | "account_default":
            return draw(st.sampled_from(sorted(flows)))
        case "approve":
            return draw(st.sampled_from([step.name for flow in flows.values() for step in flow.steps]))
        case "ledger":
            return draw(st.sampled_from(["up", "down"]))
        case "edit":
            flow = draw(st.sampled_from([*[next(iter(flows.values()))] * 3, *flows.values()]))
            flows[flow.id] = edited(draw, flow, mark)
            return flows[flow.id]
        case _:
            return draw(st.booleans())


@st.composite
def stories(
    draw: st.DrawFn,
    *,
    smart: bool | None = None,
    events: tuple[str, ...] = LEDGER_EVENTS + OTHER_EVENTS,
    alone: bool = True,
    known: bool = True,
    held: bool = False,
) -> Story:
    """Anything that can happen to an account, in any order.

    Two moves over a link are possible, and with `alone` a workflow on which each invoice walks by itself; with `known`
    some accounts come with a hold, a doubt or a refusal from before the first day, with `held` most of them. Half of
    the stories are lively: much is sent, and the oldest invoice is paid again and again.
    """
    flows = {
        one.id: one for one in (draw(workflows("W", link="V")), draw(workflows("V", link="U")), draw(workflows("U")))
    }
    if alone:
        flows["R"] = draw(workflows("R", kind=WorkflowKind.INVOICE))
    default = draw(st.sampled_from(["W", "W", "W", *flows]))
    lively = draw(st.booleans())
    given = draw(rules())
    if lively:
        given = replace(given, reassess_on_payment=True, sending=SendingDays())
    if smart is not None:
        given = replace(given, reassess_on_payment=smart)
    elif "smart" not in events:
        events = (*events, "smart")
    owed = invoices(draw, NAMES[: draw(st.sampled_from([4, 5] if lively else [1, 2, 3, 5]))])
    often = (0, 1, 2) if held else (3,)
    return Story(
        *(START, LAST, flows, default, owed, _happened(draw, events, owed, dict(flows), lively=lively), given),
        currency="GBP",
        people=draw(st.sampled_from([People.PROMPT, People.AS_TOLD])),
        facts=_known(draw, given, flows, default) if known and draw(st.integers(0, 3)) in often else None,
    )


def _happened(
    draw: st.DrawFn, events: tuple[str, ...], owed: tuple[OpenInvoice, ...], flows: dict[Any, Workflow], *, lively: bool
) -> tuple[Event, ...]:
    """Some things on few days, so that several come together. Where it is `lively`, most of them are payments."""
    owing = [str(one.id) for one in sorted(owed, key=lambda one: one.due_on)]
    names = list(owing)
    days = st.sampled_from(sorted(draw(st.sets(st.integers(15, 145), min_size=3, max_size=8))))
    whats = st.sampled_from(("pay",) * len(events) + events if lively and "pay" in events else events)
    happened = []
    for mark, after in enumerate(sorted(draw(days) for _ in range(draw(st.sampled_from([6, 3, 9, 12, 0]))))):
        what, on = draw(whats), START + timedelta(days=after)
        value = _value(draw, what, on, names, owing, flows, mark)
        happened.append(Event(on, what, value, draw(st.sampled_from(When))))
    return tuple(happened)


@st.composite
def regular_stories(draw: st.DrawFn) -> Story:
    """Invoices that walk alone, and are paid one by one."""
    flow = draw(workflows("W", kind=WorkflowKind.INVOICE))
    mails = tuple(replace(step, channel=Channel.EMAIL, manual=False) for step in flow.steps)
    owed = invoices(draw, NAMES[: draw(st.integers(1, len(NAMES)))])
    events = tuple(
        Event(START + timedelta(days=draw(st.integers(0, 145))), "pay", [str(one.id)], draw(st.sampled_from(When)))
        for one in owed
        if draw(st.booleans())
    )
    given = replace(draw(rules()), ignore_below=Decimal(0), limits=None)
    return Story(START, LAST, {"W": replace(flow, steps=mails)}, "W", owed, events, given, currency="GBP")


def gone_by(story: Story, on: date, *, evening: bool = False) -> set[str]:
    """What was settled before that day's sending time, or by its evening, and not reopened, while the ledger was up."""
    gone: set[str] = set()
    for event in sorted(story.events, key=lambda event: (event.on, event.when is When.AFTER_SEND)):
        if event.on > on or (event.on == on and not evening and event.when is When.AFTER_SEND):
            continue
        if event.what in ("pay", "void", "credit", "write_off"):
            gone |= set(event.value)  # type: ignore[call-overload]
        if event.what == "balance":
            gone -= set(event.value)  # type: ignore[call-overload]
    return gone
