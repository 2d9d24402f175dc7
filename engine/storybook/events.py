"""What happened in a story file, day by day: the table of events."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from engine.ageing import OpenInvoice
from engine.story import Event, When
from engine.storybook.entries import Entry, Shape, Table
from engine.storybook.shapes import AMOUNT, DAY, YES_OR_NO, choice, one_of
from engine.storybook.tables import Names, each_of_its_own, read_invoice

T = TypeVar("T")

_Reading = Callable[[Entry], object]


class _Told(NamedTuple):
    """An event, and where the file tells of it."""

    event: Event
    entry: Entry


def read_events(
    story: Table, names: Names, invoices: tuple[OpenInvoice, ...], currency: str, day: Shape[date]
) -> tuple[Event, ...]:
    """What happened, day by day. `invoices` are on the ledger from the first day.

    What happens in one moment keeps the order of the file, but invoices appear before anything happens to them.
    """
    happenings = _happenings(names, currency)
    told = [
        one
        for entry in story.entries("event", "events, each under an [[event]] of its own")
        for one in _told(entry, happenings, day)
    ]
    _no_invoice_twice(story, invoices, told)
    told.sort(key=lambda one: (one.event.on, one.event.when is When.AFTER_SEND, one.event.what != "add"))
    _nothing_before_its_invoice(invoices, told)
    return tuple(one.event for one in told)


def _told(entry: Entry, happenings: Mapping[str, _Reading], day: Shape[date]) -> list[_Told]:
    given = entry.table("an event", ("on", "when", *happenings))
    on = given.need("on", day, date.min)
    when = given.may("when", choice(When), When.BEFORE_SEND)
    what = [key for key in given.fields if key in happenings]
    unknown = isinstance(entry.value, dict) and entry.value.keys() - {"on", "when", *happenings}
    if not what and not given.broken and not unknown:  # an unknown key was meant to say what happens
        entry.refuse(f"accepted are one or more of {', '.join(happenings)}", "nothing happens in this event")
    read = [(key, happenings[key](given.fields[key])) for key in what]
    return [_Told(Event(on, key, value, when), given.fields[key]) for key, value in read if value is not None]


def _happenings(names: Names, currency: str) -> dict[str, _Reading]:
    """How the value of each key of an event is read; None where it was refused."""
    invoice = one_of(names.invoices, none="an invoice of the file, and it has none")
    workflow = one_of(names.workflows, none="a workflow of the file, and it has none")
    step = one_of(names.steps, none="a step of the file, and it has none")

    def one(shape: Shape[T]) -> _Reading:
        return lambda entry: entry.one(shape)

    def invoices(entry: Entry) -> object:
        return entry.each(invoice, 'invoices, like ["A", "B"]')

    def added(entry: Entry) -> object:
        return tuple(read_invoice(inner, currency) for inner in entry.entries("invoices"))

    return {
        "add": added,
        "pay": invoices,
        "balance": lambda entry: entry.pairs(invoice, AMOUNT, "{ A = 10.00 }"),
        "void": invoices,
        "credit": invoices,
        "write_off": invoices,
        "due": lambda entry: entry.pairs(invoice, DAY, "{ A = 2025-06-16 }"),
        "mute_invoice": invoices,
        "unmute_invoice": invoices,
        "mute_account": one(YES_OR_NO),
        "dispute": invoices,
        "settle_dispute": invoices,
        "pause": one(YES_OR_NO),
        "promise": one(DAY),
        "question": one(YES_OR_NO),
        "unallocated_credit": one(AMOUNT),
        "assign": one(workflow),
        "organisation_default": one(workflow),
        "account_default": one(workflow),
        "smart": one(YES_OR_NO),
        "approve": one(step),
        "sms_number": one(YES_OR_NO),
        "ledger": one(one_of(("down", "up"))),
    }


def _no_invoice_twice(story: Table, invoices: tuple[OpenInvoice, ...], told: list[_Told]) -> None:
    entries = list(story.entries("invoice", "")) if invoices else []
    ids = [str(invoice.id) for invoice in invoices]
    for one in told:
        if one.event.what == "add" and isinstance(one.event.value, tuple):
            entries += one.entry.entries("invoices")
            ids += [str(invoice.id) for invoice in one.event.value]
    each_of_its_own(entries, ids, "id", "an invoice")


_OF_THE_LEDGER = ("pay", "balance", "void", "credit", "write_off", "due")


def _nothing_before_its_invoice(invoices: tuple[OpenInvoice, ...], told: list[_Told]) -> None:
    """An invoice is paid, or its due date moved, only once it is on the ledger."""
    there = {str(invoice.id) for invoice in invoices}
    for event, entry in told:
        value = event.value if isinstance(event.value, tuple | dict) else ()
        if event.what == "add":
            there.update(str(invoice.id) for invoice in value)
        elif event.what in _OF_THE_LEDGER:
            for name in value:
                if name not in there:
                    found = f"{event.what!r} names {name!r}, which is added to the ledger only later"
                    entry.refuse("accepted is a moment after its 'add'", found)
