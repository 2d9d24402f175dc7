"""Why an account that is overdue would be sent nothing, in the same words for all accounts of which it is true.

A simulation counts those that owe and hear nothing by their reason, so that nobody takes silence for a mistake.
"""

from datetime import date

from engine.facts import Facts
from engine.gates import account_holds
from engine.holds import Hold, HoldKind, sentence
from engine.looking import Look, look
from engine.position import Held, Idle, Leaving, Pending, Position
from engine.story import Telling

TURN_LATER = "it is a first contact, whose turn comes later"


def why_silent(facts: Facts, telling: Telling, until: date) -> str:
    """The reason on the last day; empty where nothing is overdue by then. `facts` are those of that day."""
    seen = look(facts, until)
    if not seen.overdue:
        return ""
    if seen.muted:
        return "the account is muted"
    if seen.driver is None:
        return "everything overdue is disputed"
    return _why_not(facts, seen, next(reversed(telling.positions.values())))


def _why_not(facts: Facts, seen: Look, position: Position) -> str:
    match position.state:
        case Idle():
            return "the workflow has come to its end" if position.workflow.length else "the workflow has no steps"
        case Pending():
            return "a step waits for a person"
        case Held(holds=(hold, *_)):
            return _of_many(hold)
        case Leaving(on=on):
            holds = account_holds(facts, seen) if on <= seen.as_of else ()
            return _of_many(holds[0]) if holds else "moves on to the linked workflow later"
        case _:
            return "the next step comes later"


def _of_many(hold: Hold) -> str:
    """The hold in words that are the same for every account that it holds."""
    return "a payment is expected" if hold.kind is HoldKind.PROMISE else sentence(Hold(hold.kind, hold.since))
