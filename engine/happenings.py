"""What can happen in a debtor's story: on the ledger, at the firm, and between the two.

Each happening changes what is known and nothing else; what follows from it is decided afterwards, once for all that
happened in one moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.ageing import OpenInvoice
from engine.facts import Begin, Departed, Facts
from engine.holds import Hold, HoldKind
from engine.receivables import InvoiceStatus, Money, Ref
from engine.workflow import Channel

if TYPE_CHECKING:
    from engine.story import Teller


class When(StrEnum):
    BEFORE_SEND = "before_send"
    AFTER_SEND = "after_send"


class Event(NamedTuple):
    """One thing that happened on a day, before or after that day's sending time. `what` is a key of `HAPPENINGS`."""

    on: date
    what: str
    value: object = True
    when: When = When.BEFORE_SEND


@dataclass(slots=True)
class StoryLedger:
    """The ledger's side of the story. What is known of it elsewhere stands still while syncs fail."""

    invoices: dict[Ref, OpenInvoice]
    currency: str = ""
    credits: tuple[Money, ...] = ()
    left: dict[Ref, Departed] = field(default_factory=dict)
    known_left: dict[Ref, Departed] = field(default_factory=dict)
    ever: dict[Ref, OpenInvoice] = field(default_factory=dict)
    up: bool = True

    def read_into(self, facts: Facts, day: date) -> Facts:
        """A good sync."""
        self.known_left = dict(self.left)
        owed = tuple([invoice for invoice in self.invoices.values() if invoice.balance > 0])
        return facts._replace(invoices=owed, ledger_as_of=day, credits=self.credits)

    def departed(self, facts: Facts) -> Departed | None:
        """What is known of the invoice that drove at the last look."""
        if facts.run is None:
            return None
        driver = facts.run.driver
        open_one = next((invoice for invoice in facts.invoices if invoice.id == driver), None)
        if open_one is not None:
            return Departed(open_one.number, open_one.due_on, InvoiceStatus.OPEN)
        return self.known_left.get(driver)

    def leaves(self, name: Ref, status: InvoiceStatus) -> None:
        """The invoice is settled for that cause. One that is gone already stays gone."""
        invoice = self.invoices.pop(name, None)
        if invoice is not None:
            self.ever[name] = invoice
            self.left[name] = Departed(invoice.number, invoice.due_on, status)

    def owes(self, name: Ref, balance: Decimal) -> None:
        """A part payment, or a payment reversed: then the invoice is open again with its old due date."""
        if name not in self.invoices:
            self.invoices[name] = self.ever[name]
            self.left.pop(name, None)
        self.invoices[name] = self.invoices[name]._replace(balance=balance)
        if balance <= 0:
            self.leaves(name, InvoiceStatus.PAID)


def happen(teller: "Teller", event: Event) -> None:
    """Takes one event in. Raises ValueError for one that no story knows."""
    if event.what not in HAPPENINGS:
        raise ValueError(f"no story knows the event '{event.what}' (on {event.on}); it knows {', '.join(HAPPENINGS)}")
    HAPPENINGS[event.what](teller, event)


def _names(event: Event) -> list[Any]:
    return list(event.value) if isinstance(event.value, list | tuple) else [event.value]


def _pairs(event: Event) -> list[tuple[Ref, Any]]:
    if not isinstance(event.value, Mapping):
        raise TypeError(f"the event '{event.what}' of {event.on} needs pairs of invoice and value")
    return list(event.value.items())


def _add(teller: "Teller", event: Event) -> None:
    teller.ledger.invoices.update((invoice.id, invoice) for invoice in _names(event))


def _leaves(status: InvoiceStatus) -> Callable[["Teller", Event], None]:
    def happening(teller: "Teller", event: Event) -> None:
        for name in _names(event):
            teller.ledger.leaves(name, status)

    return happening


def _balance(teller: "Teller", event: Event) -> None:
    for name, balance in _pairs(event):
        teller.ledger.owes(name, Decimal(str(balance)))


def _due(teller: "Teller", event: Event) -> None:
    for name, due_on in _pairs(event):
        where = teller.ledger.invoices if name in teller.ledger.invoices else teller.ledger.ever
        where[name] = where[name]._replace(due_on=due_on)


def _credit_left(teller: "Teller", event: Event) -> None:
    teller.ledger.credits = (Money(Decimal(str(event.value)), teller.ledger.currency),)


def _ledger(teller: "Teller", event: Event) -> None:
    teller.ledger.up = event.value == "up"


def _hold(kind: HoldKind) -> Callable[["Teller", Event], None]:
    def happening(teller: "Teller", event: Event) -> None:
        lifted = kind in {hold.kind for hold in teller.holds.values() if hold.invoice is None}
        teller.holds = {
            name: hold for name, hold in teller.holds.items() if hold.kind is not kind or hold.invoice is not None
        }
        if event.value:
            teller.holds[kind] = Hold(kind, event.on)
        elif lifted and kind is HoldKind.MUTED:
            # Muting and unmuting begins anew, however quickly the one follows the other.
            teller.facts = teller.facts._replace(begin=Begin(by_hand=False))

    return happening


def _promise(teller: "Teller", event: Event) -> None:
    if not isinstance(event.value, date):
        raise TypeError(f"the promise of {event.on} needs a date")
    teller.holds = {name: hold for name, hold in teller.holds.items() if hold.kind is not HoldKind.PROMISE}
    teller.holds[HoldKind.PROMISE] = Hold(HoldKind.PROMISE, event.on, until=event.value)


def _set_aside(kind: HoldKind, *, on: bool) -> Callable[["Teller", Event], None]:
    def happening(teller: "Teller", event: Event) -> None:
        for name in _names(event):
            gone = {key for key, hold in teller.holds.items() if hold.kind is kind and hold.invoice == name}
            teller.holds = {key: hold for key, hold in teller.holds.items() if key not in gone}
            if on:
                teller.holds[kind, name] = Hold(kind, event.on, invoice=name)

    return happening


def _assign(teller: "Teller", event: Event) -> None:
    teller.facts = teller.facts._replace(begin=Begin(_workflow(event)))


def _workflow(event: Event) -> Ref:
    if not isinstance(event.value, int | str):
        raise TypeError(f"the event '{event.what}' of {event.on} needs a workflow")
    return event.value


def _organisation_default(teller: "Teller", event: Event) -> None:
    teller.organisation_default = _workflow(event)
    _settle_the_default(teller)


def _account_default(teller: "Teller", event: Event) -> None:
    teller.account_default = _workflow(event)
    _settle_the_default(teller)


def _settle_the_default(teller: "Teller") -> None:
    own = teller.account_default
    teller.facts = teller.facts._replace(default_workflow=own if own is not None else teller.organisation_default)


def _smart(teller: "Teller", event: Event) -> None:
    rules = replace(teller.facts.rules, reassess_on_payment=bool(event.value))
    teller.facts = teller.facts._replace(rules=rules)


def _sms_number(teller: "Teller", event: Event) -> None:
    sms = frozenset({Channel.SMS})
    reachable = teller.facts.reachable | sms if event.value else teller.facts.reachable - sms
    teller.facts = teller.facts._replace(reachable=reachable)


HAPPENINGS: Mapping[str, Callable[["Teller", Event], None]] = {
    "add": _add,
    "pay": _leaves(InvoiceStatus.PAID),
    "balance": _balance,
    "void": _leaves(InvoiceStatus.VOIDED),
    "credit": _leaves(InvoiceStatus.CREDITED),
    "write_off": _leaves(InvoiceStatus.WRITTEN_OFF),
    "due": _due,
    "mute_invoice": _set_aside(HoldKind.MUTED, on=True),
    "unmute_invoice": _set_aside(HoldKind.MUTED, on=False),
    "mute_account": _hold(HoldKind.MUTED),
    "dispute": _set_aside(HoldKind.DISPUTE, on=True),
    "settle_dispute": _set_aside(HoldKind.DISPUTE, on=False),
    "pause": _hold(HoldKind.PAUSED),
    "promise": _promise,
    "question": _hold(HoldKind.QUESTION),
    "unallocated_credit": _credit_left,
    "assign": _assign,
    "organisation_default": _organisation_default,
    "account_default": _account_default,
    "smart": _smart,
    "sms_number": _sms_number,
    "ledger": _ledger,
}
