"""Reasons not to send now.

A hold stops sending; it never stops bookkeeping. While an account is paused its position still moves back when the
oldest invoice is paid, so that nothing wrong goes out on the day it is resumed.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.receivables import Ref
from engine.words import in_words


class HoldKind(StrEnum):
    ORGANISATION_PAUSED = "organisation paused"
    BRAKE = "brake"
    CAP = "cap"
    PAUSED = "paused"
    MUTED = "muted"
    DISPUTE = "dispute"
    PROMISE = "promise"
    QUESTION = "question"
    REPLY = "reply"
    IN_CREDIT = "in credit"
    HANDED_OVER = "handed over"
    LIMITS = "limits"
    STALE_LEDGER = "stale ledger"
    NO_ADDRESS = "no address"
    TEMPLATE = "template"
    REFUSED = "refused"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Hold:
    """Who said stop, since when, until when (the last day it holds; None = until lifted) and why.

    With an `invoice` it concerns that invoice alone: a muted one is left out of everything, a disputed one is still
    listed but neither drives nor counts.
    """

    kind: HoldKind
    since: date
    why: str = ""
    by: str = ""
    until: date | None = None
    invoice: Ref | None = None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


def sentence(hold: Hold) -> str:
    """The hold in words, as history and the account page show it."""
    because = f": {hold.why}" if hold.why else ""
    match hold.kind:
        case HoldKind.ORGANISATION_PAUSED:
            return "sending is paused for the whole organisation" + because
        case HoldKind.BRAKE:
            return "a reading of the ledger looked wrong, and sending was stopped" + because
        case HoldKind.CAP:
            return "as many have left as may leave, and sending was stopped" + because
        case HoldKind.PAUSED:
            return "the account is paused" + because
        case HoldKind.MUTED:
            return "the account is muted" + because
        case HoldKind.DISPUTE:
            return "everything overdue is disputed" + because
        case HoldKind.PROMISE:
            return f"payment is expected by {in_words(hold.until)}" + because
        case HoldKind.QUESTION:
            return "a note needs a response first" + because
        case HoldKind.REPLY:
            return "a reply has not been read yet" + because
        case HoldKind.IN_CREDIT:
            return "the account is in credit" + because
        case HoldKind.HANDED_OVER:
            return "the account was handed over to collections" + because
        case HoldKind.LIMITS:
            return "the contact limits are reached" + because
        case HoldKind.STALE_LEDGER:
            return "the ledger data is too old to send on" + because
        case HoldKind.NO_ADDRESS:
            return "there is no address to send it to" + because
        case HoldKind.TEMPLATE:
            return "its wording cannot be rendered" + because
        case HoldKind.REFUSED:
            return "it was refused" + because
        case HoldKind.UNSURE:
            return "it is not known whether the last one went out" + because
