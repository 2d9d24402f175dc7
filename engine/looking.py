"""One account laid out on the desk: which of its invoices are listed, which are overdue, and which of them drives.

A muted invoice is left out of everything; a disputed one is still listed, but neither drives nor counts unless the
organisation says so; an invoice below the limit for small balances is as good as gone.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from engine.ageing import OpenInvoice
from engine.facts import Facts
from engine.holds import Hold, HoldKind
from engine.receivables import Ref


class Look(NamedTuple):
    """The invoices of one account, sorted by what they count for on this day.

    `listed` are those a reminder speaks of, `overdue` those past their due date, `driver` the oldest that counts,
    `holds` what holds the whole account. `disputed` are the invoices that are listed but do not count.
    """

    as_of: date
    listed: tuple[OpenInvoice, ...]
    overdue: tuple[OpenInvoice, ...]
    driver: OpenInvoice | None
    holds: tuple[Hold, ...] = ()
    disputed: frozenset[Ref] = frozenset()
    muted: bool = False

    @property
    def paused(self) -> bool:
        return any(hold.kind is HoldKind.PAUSED for hold in self.holds)

    @property
    def over(self) -> tuple[HoldKind, ...]:
        """A debt that collections was asked to chase is paid: that hand-over is over."""
        handed_over = any(hold.kind is HoldKind.HANDED_OVER for hold in self.holds)
        return (HoldKind.HANDED_OVER,) if handed_over and not self.overdue else ()


def look(facts: Facts, as_of: date) -> Look:
    """Sorts the invoices of one account by what they count for on this day (in the organisation's time zone)."""
    if facts.holds:
        return _with_holds(facts, as_of)
    listed, least = facts.invoices, facts.rules.ignore_below
    if least:
        listed = tuple([invoice for invoice in listed if invoice.balance >= least])
    overdue = tuple([invoice for invoice in listed if invoice.due_on < as_of])
    return Look(as_of, listed, overdue, driver_of(overdue))


def driver_of(counted: Sequence[OpenInvoice]) -> OpenInvoice | None:
    """The oldest. The date decides; among invoices of one date the larger balance is named, then the lower number."""
    if not counted:
        return None
    driver = counted[0]
    for invoice in counted:
        if invoice.due_on <= driver.due_on and (invoice.due_on < driver.due_on or _named_before(invoice, driver)):
            driver = invoice
    return driver


def _named_before(invoice: OpenInvoice, other: OpenInvoice) -> bool:
    return (-invoice.balance, invoice.number) < (-other.balance, other.number)


def _with_holds(facts: Facts, as_of: date) -> Look:
    holds = tuple(hold for hold in facts.holds if hold.holds_on(as_of))
    muted = {hold.invoice for hold in holds if hold.kind is HoldKind.MUTED and hold.invoice is not None}
    disputed = {hold.invoice for hold in holds if hold.kind is HoldKind.DISPUTE and hold.invoice is not None}
    listed = tuple(
        invoice for invoice in facts.invoices if invoice.id not in muted and invoice.balance >= facts.rules.ignore_below
    )
    overdue = tuple(invoice for invoice in listed if invoice.due_on < as_of)
    set_aside = frozenset[Ref]() if facts.rules.disputed_invoices_drive else frozenset(disputed)
    return Look(
        as_of=as_of,
        listed=listed,
        overdue=overdue,
        driver=driver_of([invoice for invoice in overdue if invoice.id not in set_aside]),
        holds=tuple(hold for hold in holds if hold.invoice is None),
        disputed=set_aside,
        muted=any(hold.kind is HoldKind.MUTED and hold.invoice is None for hold in holds),
    )
