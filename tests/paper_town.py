"""A town made of paper, in which stories are lived: each by one account, all by one organisation, day by day.

The ledger and the carriers are paper. What lies between them is the product: records come in through `jobs.sync`,
positions through `jobs.recalculate`, people act through `jobs.acts`, and what is due leaves through `jobs.deliver`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from daemon.clock import MovableClock
from engine.ageing import OpenInvoice
from engine.receivables import Account, Invoice, InvoiceStatus, Ref
from engine.story import Event, Story, When
from engine.workflow import Channel
from jobs import deliver
from jobs.recalculate import recalculate_new_days
from jobs.sync import sync
from paper import PaperBooks, a_credit, paper_office
from paper_founding import add_workflows, found
from paper_people import OF_INVOICES, OF_WORKFLOWS, PEOPLE
from store import Database, read_or_make_keys
from store.tables import (
    AccountRow,
    InvoiceRow,
    PositionRow,
    WorkflowRow,
)

SETTLED = {
    "pay": InvoiceStatus.PAID,
    "void": InvoiceStatus.VOIDED,
    "credit": InvoiceStatus.CREDITED,
    "write_off": InvoiceStatus.CREDITED,  # no ledger says "written off": it shows the credit note that did it
}


MOBILE = "+447700900123"
"""The number of every debtor that can be reached by text, as it is dialled."""


class Place(NamedTuple):
    """Where an account stands in the evening, in the words of a story file."""

    workflow: str
    step: str
    state: str
    next_step: str
    next_due_on: date | None
    driver: str


@dataclass
class Life:
    """One story, lived by one account of the organisation."""

    name: str
    story: Story
    account: int = 0
    workflows: dict[Ref, int] = field(default_factory=dict)
    evenings: dict[date, Place] = field(default_factory=dict)
    calling: set[date] = field(default_factory=set)
    """The evenings on which the story lets a call go: see `_moment`."""

    @property
    def email(self) -> str:
        return f"{self.name.replace(' ', '.')}@debtor.example"

    def alive(self, day: date) -> bool:
        return self.story.start <= day <= self.story.until

    def invoice_id(self, name: Ref) -> str:
        return f"{self.name}/{name}"


class PaperTown:
    """One organisation whose accounts live these stories, all of them with the same settings."""

    def __init__(self, database: Database, folder: Path, lives: Sequence[Life], patch: pytest.MonkeyPatch) -> None:
        self.lives = lives
        first = min(life.story.start for life in lives)
        self.clock = MovableClock(datetime.combine(first, time(6), UTC))
        self.books = PaperBooks(self.clock)
        vault = read_or_make_keys(folder / "secrets.key")
        self.office = paper_office(patch, database=database, vault=vault, books=self.books)
        self._events: dict[tuple[date, When], list[tuple[Life, Event]]] = defaultdict(list)
        for life in lives:
            for event in life.story.events:
                self._events[_moment(life, event)].append((life, event))
        with database.unit_of_work() as unit:
            self.organisation, self.default_workflow = _settle(unit, lives, self.clock())

    def days(self) -> Iterator[date]:
        """Every day on which some story goes on."""
        last = max(life.story.until for life in self.lives)
        day = self.clock().date()
        while day <= last:
            if any(life.alive(day) for life in self.lives):
                yield day
            day += timedelta(days=1)

    def live(self, day: date) -> None:
        """A day: news, then whatever leaves at the sending time, and in the evening perhaps more news."""
        self._at(day, 7)
        self._arrive(day)
        self._news(day, When.BEFORE_SEND)
        recalculate_new_days(self.office)  # where the ledger could not be read the day has begun all the same
        self._at(day, 9)
        deliver.deliver_due(self.office)
        if self._events.get((day, When.AFTER_SEND)):
            self._at(day, 19)
            self._news(day, When.AFTER_SEND)
            before = len(self.messages)
            deliver.deliver_due(self.office)
            assert len(self.messages) == before, "nothing leaves in the evening"
        self._write_down(day)

    @property
    def messages(self) -> list[Any]:
        return [message for carrier in self.office.carriers.values() for message in carrier.sent]

    def _at(self, day: date, hour: int) -> None:
        self.clock.move(datetime.combine(day, time(hour), UTC))

    def _arrive(self, day: date) -> None:
        """Accounts whose story begins today are on the ledger from this morning on."""
        coming = [life for life in self.lives if life.story.start == day]
        for life in coming:
            self.books.keep(Account(life.name, life.name, email=life.email, mobile=MOBILE))
        defaults = [(life, default) for life in coming if (default := self._own_default(life)) is not None]
        acts = [event for life, event in self._events.get((day, When.BEFORE_SEND), ()) if event.what in PEOPLE]
        if defaults or (coming and acts):
            self._sync()  # people act upon accounts that are known
        for life, default in defaults:
            PEOPLE["account_default"](self.office, life.account, default)
        for life in coming:
            self.books.keep(*(_invoice(life, invoice) for invoice in life.story.invoices))

    def _own_default(self, life: Life) -> int | None:
        """Its own default workflow, or that of its story where the organisation, shared by many, has another one."""
        story = life.story
        default = life.workflows[story.default_workflow if story.account_default is None else story.account_default]
        return default if story.account_default is not None or default != self.default_workflow else None

    def _news(self, day: date, when: When) -> None:
        """All that happens in one moment. What people say of a debt, they say once the ledger has been read."""
        events = self._events.get((day, when), ())
        for life, event in events:
            if event.what not in PEOPLE:
                _on_the_ledger(self.books, life, event)
        late = (*OF_INVOICES, "assign", "approve")
        self._acts((life, event) for life, event in events if event.what in PEOPLE and event.what not in late)
        self._sync()
        for what in late:
            self._acts((life, event) for life, event in events if event.what == what)

    def _acts(self, acts: Iterable[tuple[Life, Event]]) -> None:
        for life, event in acts:
            value: Any = event.value
            if event.what in OF_WORKFLOWS:
                value = life.workflows[value]
            elif event.what in OF_INVOICES:
                value = self._invoices(life, value)
            PEOPLE[event.what](self.office, life.account, value)

    def _invoices(self, life: Life, names: Iterable[Ref]) -> list[int]:
        wanted = [life.invoice_id(name) for name in names]
        with self.office.database.reading() as session:
            return list(session.scalars(select(InvoiceRow.id).where(col(InvoiceRow.ledger_id).in_(wanted))))

    def _sync(self) -> None:
        run = sync(self.office, self.organisation, trigger="schedule")
        assert run is not None
        assert run.state == ("failed" if self.books.closed else "done"), run.error
        newcomers = {life.name: life for life in self.lives if not life.account and life.name in self.books.accounts}
        if not newcomers:
            return
        with self.office.database.reading() as session:
            for row in session.scalars(select(AccountRow).where(col(AccountRow.ledger_id).in_([*newcomers]))):
                newcomers[row.ledger_id].account = int(row.id or 0)

    def _write_down(self, day: date) -> None:
        """Where everybody stands this evening."""
        alive = {life.account: life for life in self.lives if life.alive(day)}
        with self.office.database.reading() as session:
            workflows = dict(session.execute(select(WorkflowRow.id, WorkflowRow.name)).all())
            query = (
                select(PositionRow, InvoiceRow.number)
                .outerjoin(InvoiceRow, col(InvoiceRow.id) == PositionRow.driver_id)
                .where(col(PositionRow.account_id).in_([*alive]))
            )
            for row, driver in session.execute(query):
                life, place = alive[row.account_id], _place(row, workflows[row.workflow_id], driver or "")
                life.evenings[day] = place._replace(state="waiting") if day in life.calling else place


def _moment(life: Life, event: Event) -> tuple[date, When]:
    """When it happens.

    In a story an approval counts from the next sending time on, and until then the account waits. In the product a
    person who has made a call says so, and it counts for that very day: there is nothing in between. So a call that a
    story lets go in the evening is made the next morning, and that evening's state is the story's.
    """
    if event.what == "approve" and event.when is When.AFTER_SEND:
        steps = [step for workflow in life.story.workflows.values() for step in workflow.steps]
        if any(step.name == event.value and step.channel is Channel.CALL for step in steps):
            life.calling.add(event.on)
            return event.on + timedelta(days=1), When.BEFORE_SEND
    return event.on, event.when


_STATES = {"clear": "clear", "pending": "pending", "idle": "idle"}


def _place(row: PositionRow, workflow: str, driver: str) -> Place:
    state = _STATES.get(row.state, "waiting")
    next_due_on = row.next_due_on if row.next_step else None  # on the way over a link the row keeps that day
    return Place(workflow, row.assigned_step or "", state, row.next_step or "", next_due_on, driver)


def _on_the_ledger(books: PaperBooks, life: Life, event: Event) -> None:
    value: Any = event.value
    match event.what:
        case "add":
            books.keep(*(_invoice(life, invoice) for invoice in value))
        case "pay" | "void" | "credit" | "write_off":
            for name in value:
                books.settle(life.invoice_id(name), SETTLED[event.what])
        case "balance":
            for name, balance in value.items():
                books.owe(life.invoice_id(name), Decimal(balance))
        case "due":
            for name, day in value.items():
                books.keep(replace(books.invoices[life.invoice_id(name)], due_on=day))
        case "unallocated_credit":
            books.keep(a_credit(life.name, Decimal(value), _currency(life.story.currency)))
        case "sms_number":
            books.keep(replace(books.accounts[life.name], mobile=MOBILE if value else ""))
        case "ledger":
            books.closed = value == "down"
        case _:
            raise AssertionError(f"nobody here knows how '{event.what}' happens")


def _invoice(life: Life, invoice: OpenInvoice) -> Invoice:
    return Invoice(
        ledger_id=life.invoice_id(invoice.id),
        account_ledger_id=life.name,
        account_name=life.name,
        number=invoice.number,
        issued_on=None,
        due_on=invoice.due_on,
        total=invoice.balance,
        balance=invoice.balance,
        currency=_currency(invoice.currency),
        status=InvoiceStatus.OPEN if invoice.balance > 0 else InvoiceStatus.PAID,
    )


def _currency(code: str) -> str:
    return code or "GBP"


def _settle(unit: Session, lives: Sequence[Life], now: datetime) -> tuple[int, int]:
    """Founds the organisation, with every workflow that a story walks on. Returns its number and its default's."""
    rules = lives[0].story.rules
    assert all(life.story.rules == rules for life in lives)
    organisation = found(unit, rules, now)
    number, known = int(organisation.id or 0), dict[str, dict[Ref, int]]()
    for life in lives:
        same = repr(life.story.workflows)
        if same not in known:
            known[same] = add_workflows(unit, number, life.story.workflows)
        life.workflows = known[same]
    default = organisation.default_workflow_id = lives[0].workflows[lives[0].story.default_workflow]
    return number, default
