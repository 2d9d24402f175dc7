"""What history says of a move: which invoice left and why, which one drives now, and where the account stands since."""

from datetime import date

from engine.ageing import OpenInvoice
from engine.facts import Facts
from engine.moves import Moved
from engine.position import Position
from engine.receivables import InvoiceStatus
from engine.words import days, in_words
from engine.workflow import Step

_LEFT: dict[InvoiceStatus, str] = {
    InvoiceStatus.PAID: "was paid",
    InvoiceStatus.CREDITED: "was credited",
    InvoiceStatus.VOIDED: "was voided",
    InvoiceStatus.WRITTEN_OFF: "was written off",
    InvoiceStatus.DELETED: "was deleted",
    InvoiceStatus.OPEN: "no longer counts",
    InvoiceStatus.UNKNOWN: "is gone from the ledger",
}


def departure(facts: Facts, as_of: date) -> str:
    """What became of the invoice that drove until now: `A, 42 days overdue, was paid; `."""
    if facts.departed is None:
        return ""
    number, due, status = facts.departed
    if status is InvoiceStatus.OPEN and facts.run is not None and due > facts.run.driver_due_on:
        return f"{number} is now due on {in_words(due)}; "
    return f"{number}, {days((as_of - due).days)} overdue, {_LEFT[status]}; "


def moved_back(facts: Facts, moved: Moved, driver: OpenInvoice, as_of: date) -> str:
    """The reason of a move back, in a sentence without its full stop."""
    where = f"where {moved.after.name} applies" if moved.after else "before the first step"
    return f"{departure(facts, as_of)}{driver.number} is now the oldest at {days(driver.age(as_of))}, {where}"


def moved_back_note(facts: Facts, moved: Moved, position: Position) -> str:
    before, after = _name(moved.before), _name(moved.after)
    if moved.left is not None:
        before = f"{before} of {facts.workflows[moved.left].name}"
        after = f"{after} of {position.workflow.name}"
    move = f"Moved back from {before} to {after}" if before != after else f"{after} is sent once more"
    return f"{move}: {position.because}."


def stays(facts: Facts, position: Position, driver: OpenInvoice) -> str:
    """Another invoice drives, and the account stays where it is: never forward, or Smart workflows are off."""
    where = f"The account stays at {_name(position.assigned)}"
    assert facts.run is not None
    if driver.due_on < facts.run.driver_due_on:
        now = f"{driver.number}, {days(driver.age(position.as_of))} overdue, is now the oldest"
        return f"{now}. {where}: an older invoice never moves it forward."
    now = f"{departure(facts, position.as_of)}{driver.number} is now the oldest at {days(driver.age(position.as_of))}"
    return f"{now}. {where}."


def _name(step: Step | None) -> str:
    return step.name if step else "the start"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def ended(text: str) -> str:
    """The sentence with its full stop, unless what it quotes has ended it already."""
    return text if text.endswith((".", "?", "!")) else f"{text}."
