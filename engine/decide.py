"""The engine's door: facts about one account and a date go in, a decision with its reasons comes out.

This is the page to read to know what the product does. An account with nothing overdue is clear. Otherwise its oldest
overdue invoice, the driver, says how far along the workflow it stands; the next step is due on its day, and it leaves
unless something holds it.
"""

from dataclasses import dataclass, replace
from datetime import date

from engine.ageing import OpenInvoice
from engine.facts import Decision, Facts, Reason
from engine.holds import Hold, HoldKind, sentence
from engine.moves import Moved, begun, performed, reassessed
from engine.notes import Note, NoteKind
from engine.position import Clear, Due, Held, Idle, Pending, Position, Run, State, Waiting, due_on, next_step
from engine.receivables import InvoiceStatus
from engine.reminders import Order, ReminderKey, ReminderState, Withdrawal
from engine.words import days, in_words
from engine.workflow import Channel, Step, Workflow


def decide(facts: Facts, as_of: date) -> Decision:
    """The one decision that follows from these facts on this date (in the organisation's time zone).

    Deciding twice is deciding once: the second decision finds nothing to change.
    """
    run, last_reminded_on = _with_outcomes(facts)
    just_performed = run != facts.run
    facts = replace(facts, run=run, last_reminded_on=last_reminded_on, outcomes=())
    account = _looked_at(facts, as_of)
    if account.muted or not account.overdue:
        return _clear(facts, account, as_of)
    if account.driver is None:
        return _all_disputed(facts, as_of)
    return _placed(facts, account, account.driver, as_of, just_performed=just_performed)


@dataclass(frozen=True, slots=True)
class _Account:
    """The invoices of one account, sorted by what they count for on this day."""

    listed: tuple[OpenInvoice, ...]
    overdue: tuple[OpenInvoice, ...]
    driver: OpenInvoice | None
    holds: tuple[Hold, ...]
    muted: bool


def _looked_at(facts: Facts, as_of: date) -> _Account:
    holds = tuple(hold for hold in facts.holds if hold.holds_on(as_of))
    set_aside = {hold.invoice: hold.kind for hold in holds if hold.invoice is not None}
    listed = tuple(
        invoice
        for invoice in facts.invoices
        if set_aside.get(invoice.id) is not HoldKind.MUTED
        and invoice.balance >= facts.rules.ignore_below
        and invoice.balance > 0
    )
    overdue = tuple(invoice for invoice in listed if invoice.is_overdue(as_of))
    counted = [
        invoice
        for invoice in overdue
        if facts.rules.disputed_invoices_drive or set_aside.get(invoice.id) is not HoldKind.DISPUTE
    ]
    return _Account(
        listed=listed,
        overdue=overdue,
        # The date decides; among invoices of one date the larger balance is named, then the lower number.
        driver=min(counted, key=lambda invoice: (invoice.due_on, -invoice.balance, invoice.number), default=None),
        holds=tuple(hold for hold in holds if hold.invoice is None),
        muted=any(hold.kind is HoldKind.MUTED and hold.invoice is None for hold in holds),
    )


def _with_outcomes(facts: Facts) -> tuple[Run | None, date | None]:
    run, reminded = facts.run, facts.last_reminded_on
    for outcome in sorted(facts.outcomes, key=lambda outcome: outcome.on):
        if outcome.heard:
            reminded = max(reminded or outcome.on, outcome.on)
        if run is None or run.cycle != outcome.key.cycle:
            continue
        step = next((step for step in facts.workflows[run.workflow].sequence if step.id == outcome.key.step), None)
        if step is not None:
            run = performed(run, step, outcome.on, facts.rules.sending, heard=outcome.heard)
    return run, reminded


def _clear(facts: Facts, account: _Account, as_of: date) -> Decision:
    workflow = facts.workflows[facts.default_workflow]
    if account.muted:
        because = "the account is muted"
    elif facts.run is None:
        because = "nothing is overdue"
    else:
        left = _departure(facts, as_of)
        because = f"{left}nothing is overdue any more; the account is back at the start of {workflow.name}"
    return Decision(
        position=Position(workflow=workflow, state=Clear(), because=because),
        cycle=facts.cycle,
        last_reminded_on=facts.last_reminded_on,
        withdrawals=_withdrawals(facts, keep=None, why=because),
        notes=(Note(NoteKind.CLEARED, _capital(because) + "."),) if facts.run is not None else (),
        reasons=(Reason("overdue", False, because),),
    )


def _all_disputed(facts: Facts, as_of: date) -> Decision:
    if facts.run is None:
        position = Position(facts.workflows[facts.default_workflow], Clear(), "everything overdue is disputed")
        return Decision(
            position, facts.cycle, facts.last_reminded_on, reasons=(Reason("dispute", False, position.because),)
        )
    workflow = facts.workflows[facts.run.workflow]
    step = next_step(facts.run, workflow)
    hold = Hold(HoldKind.DISPUTE, as_of)
    state: State = Idle() if step is None else Held(step, due_on(facts.run, step), (hold,))
    position = Position(
        workflow, state, sentence(hold), run=facts.run, assigned=_assigned(facts.run, workflow, step, as_of)
    )
    return Decision(
        position=position,
        cycle=facts.cycle,
        last_reminded_on=facts.last_reminded_on,
        withdrawals=_withdrawals(facts, keep=None, why=sentence(hold)),
        reasons=(Reason("dispute", False, sentence(hold)),),
    )


def _placed(facts: Facts, account: _Account, driver: OpenInvoice, as_of: date, *, just_performed: bool) -> Decision:
    moved = _moved(facts, driver, as_of)
    run, workflow = moved.run, facts.workflows[moved.run.workflow]
    step = next_step(run, workflow)
    if step is None:
        state: State = Idle()
        reasons: tuple[Reason, ...] = (Reason("workflow", False, f"every step of {workflow.name} is done"),)
    else:
        state, reasons = _state(facts, account, run, step, as_of)
    because = _because(facts, moved, driver, state, as_of)
    position = Position(workflow, state, because, run, driver, _assigned(run, workflow, step, as_of))
    orders = _orders(account, run, state)
    keep = orders[0].key if orders else None
    return Decision(
        position=position,
        cycle=run.cycle,
        last_reminded_on=facts.last_reminded_on,
        orders=orders,
        withdrawals=_withdrawals(facts, keep=keep, why=because),
        notes=_notes(facts, moved, because, state, orders, just_performed=just_performed),
        reasons=(Reason("overdue", True, _oldest(driver, as_of)), *reasons),
    )


def _moved(facts: Facts, driver: OpenInvoice, as_of: date) -> Moved:
    if facts.run is None:
        return Moved(begun(facts, driver), None, None, moved=False)
    return reassessed(facts.run, facts.workflows[facts.run.workflow], driver, facts.rules, as_of)


def _state(facts: Facts, account: _Account, run: Run, step: Step, as_of: date) -> tuple[State, tuple[Reason, ...]]:
    """The state of an account whose next step is known, and the rules that were looked at, in order."""
    on = due_on(run, step)
    if on > as_of:
        return Waiting(step, on), (Reason("step", False, f"{step.name} is due on {in_words(on)}"),)
    reached = Reason("step", True, f"{step.name} has been due since {in_words(on)}")
    standing = next((one for one in facts.standing if one.key == (run.cycle, step.id)), None)
    if (step.manual or step.channel is Channel.CALL) and not (standing and standing.approved):
        waits = "a call by a person" if step.channel is Channel.CALL else "a person's approval"
        return Pending(step, on), (reached, Reason("person", False, f"{step.name} waits for {waits}"))
    if holds := _holds(facts, account, run, step, as_of):
        failed = tuple(Reason(f"hold: {hold.kind}", False, sentence(hold)) for hold in holds)
        return Held(step, on, holds), (reached, *failed)
    clear_of_holds = Reason("holds", True, "nothing holds it")
    if not facts.rules.sending.allows(as_of):
        first = facts.rules.sending.first_from(as_of)
        text = f"{in_words(as_of)} is not a sending day; the next is {in_words(first)}"
        return Waiting(step, on), (reached, clear_of_holds, Reason("sending day", False, text))
    gap = max(1, facts.rules.min_days_between_reminders)
    if facts.last_reminded_on is not None and (as_of - facts.last_reminded_on).days < gap:
        text = f"the last reminder went on {in_words(facts.last_reminded_on)}, and {days(gap)} must lie between two"
        return Waiting(step, on), (reached, clear_of_holds, Reason("gap", False, text))
    return Due(step, on), (reached, clear_of_holds, Reason("sending", True, "it goes at the next sending time"))


def _holds(facts: Facts, account: _Account, run: Run, step: Step, as_of: date) -> tuple[Hold, ...]:
    """What stops this step today: what people and debtors said, then what the outbox and the ledger say."""
    holds = list(account.holds)
    for one in facts.standing:
        if one.state in (ReminderState.UNSURE, ReminderState.SENDING):
            holds.append(Hold(HoldKind.UNSURE, as_of, one.why))
        elif one.state is ReminderState.REFUSED and one.key == (run.cycle, step.id):
            holds.append(Hold(HoldKind.REFUSED, as_of, one.why))
    if step.channel is Channel.EMAIL and Channel.EMAIL not in facts.reachable:
        holds.append(Hold(HoldKind.NO_ADDRESS, as_of, "add an email address in the ledger"))
    if facts.ledger_as_of is None or (as_of - facts.ledger_as_of).days > facts.rules.stale_after_days:
        seen = f"last read on {in_words(facts.ledger_as_of)}" if facts.ledger_as_of else "it has never been read"
        holds.append(Hold(HoldKind.STALE_LEDGER, as_of, seen))
    return tuple(holds)


def _orders(account: _Account, run: Run, state: State) -> tuple[Order, ...]:
    match state:
        case Due(step=step, due_on=on):
            held = ""
        case Held(step=step, due_on=on, holds=holds):
            held = sentence(holds[0])
        case Pending(step=step, due_on=on):
            held = "it waits for a person"
        case _:
            return ()
    key = ReminderKey(run.cycle, step.id)
    return (Order(key, step, on, tuple(invoice.id for invoice in account.listed), held),)


def _withdrawals(facts: Facts, *, keep: ReminderKey | None, why: str) -> tuple[Withdrawal, ...]:
    return tuple(
        Withdrawal(one.key, why) for one in facts.standing if one.state is ReminderState.QUEUED and one.key != keep
    )


def _assigned(run: Run, workflow: Workflow, step: Step | None, as_of: date) -> Step | None:
    """The latest step that has come due: the next one from its day on, else the last one done."""
    if step is not None and due_on(run, step) <= as_of:
        return step
    place = workflow.place_of(run.done, run.done_day)
    return workflow.sequence[place - 1] if place else None


def _because(facts: Facts, moved: Moved, driver: OpenInvoice, state: State, as_of: date) -> str:
    if moved.moved:
        where = f"where {moved.after.name} applies" if moved.after else "before the first step"
        return f"{_departure(facts, as_of)}{driver.number} is now the oldest at {days(driver.age(as_of))}, {where}"
    match state:
        case Idle():
            return f"{_oldest(driver, as_of)}; every step is done and nothing follows"
        case Waiting(step=step, due_on=on) if on > as_of:
            return f"{_oldest(driver, as_of)}; {step.name} follows on {in_words(on)}"
        case Waiting(step=step):
            return f"{_oldest(driver, as_of)}; {step.name} is due and waits for the next possible day"
        case Held(step=step, holds=holds):
            return f"{_oldest(driver, as_of)}; {step.name} is due, but {sentence(holds[0])}"
        case Pending(step=step):
            return f"{_oldest(driver, as_of)}; {step.name} waits for a person"
        case Due(step=step):
            return f"{_oldest(driver, as_of)}; {step.name} is due"
        case Clear():
            return "nothing is overdue"


def _oldest(driver: OpenInvoice, as_of: date) -> str:
    return f"{driver.number} is the oldest overdue invoice at {days(driver.age(as_of))}"


_LEFT: dict[InvoiceStatus, str] = {
    InvoiceStatus.PAID: "was paid",
    InvoiceStatus.CREDITED: "was credited",
    InvoiceStatus.VOIDED: "was voided",
    InvoiceStatus.DELETED: "was deleted",
    InvoiceStatus.OPEN: "no longer counts",
    InvoiceStatus.UNKNOWN: "is gone from the ledger",
}


def _departure(facts: Facts, as_of: date) -> str:
    """What became of the invoice that drove until now: `A, 42 days overdue, was paid; `."""
    if facts.departed is None:
        return ""
    number, due, status = facts.departed
    if status is InvoiceStatus.OPEN and facts.run is not None and due > facts.run.driver_due_on:
        return f"{number} is now due on {in_words(due)}; "
    return f"{number}, {days((as_of - due).days)} overdue, {_LEFT[status]}; "


def _notes(
    facts: Facts, moved: Moved, because: str, state: State, orders: tuple[Order, ...], *, just_performed: bool
) -> tuple[Note, ...]:
    notes: list[Note] = []
    if facts.run is None:
        notes.append(Note(NoteKind.BEGAN, f"{_capital(because)}."))
    elif moved.moved:
        before, after = _name(moved.before), _name(moved.after)
        move = f"Moved back from {before} to {after}" if before != after else f"{after} is sent once more"
        notes.append(Note(NoteKind.MOVED_BACK, f"{move}: {because}."))
    if isinstance(state, Idle) and just_performed:
        notes.append(Note(NoteKind.IDLE, f"{_capital(because)}."))
    if isinstance(state, Held) and orders:
        known = next((one.held_because for one in facts.standing if one.key == orders[0].key), "")
        if known != orders[0].held_because:
            notes.append(Note(NoteKind.HELD, f"{state.step.name} was not sent: {orders[0].held_because}."))
    return tuple(notes)


def _name(step: Step | None) -> str:
    return step.name if step else "the start"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
