"""The books that the pages are tried on: two organisations, and accounts in every position that a page can show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine.decide import decide
from fresh_books import open_books
from jobs.connect import add_workflow
from jobs.office import Office
from store import Database, Vault
from store.decisions import Decided, save_decisions, saving
from store.facts import facts_in_chunks, ground_of
from store.kept_decisions import ground_number
from store.people import add_member, add_user
from store.tables import (
    AddressStopRow,
    HoldRow,
    InvoiceRow,
    MessageRow,
    OrganisationRow,
    ReminderRow,
    ReplyRow,
    StepRow,
    SyncRunRow,
    TaskRow,
    UserRow,
    WorkflowRow,
)
from tests.web.filling import NOW, TODAY, Filling

PASSWORD = "a long enough password"


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Books:
    """What a test needs to know of the seeded books."""

    office: Office
    clock: Clock
    ours: int
    theirs: int
    accounts: dict[str, int]
    ids: dict[str, tuple[int, int]]
    """A reminder, a message, a reply … of ours and of theirs."""
    pokes: list[tuple[str, str]]


def opened(url: str, written: "Written", public_url: str = "http://127.0.0.1:8000") -> Books:
    """The pages' view of books that have been written before."""
    clock = Clock()
    office = Office(Database(url), Vault((("k1", b"k" * 32),)), clock=clock, public_url=public_url)
    return Books(office, clock, *written, [])


class Written(NamedTuple):
    """The numbers that the seeded rows have got."""

    ours: int
    theirs: int
    accounts: dict[str, int]
    ids: dict[str, tuple[int, int]]


def write(url: str) -> Written:
    """Two organisations with all that a page can show, into a fresh database."""
    database = open_books(url)
    with database.unit_of_work() as unit:
        ours = an_organisation(unit, "Harbour & Pine Joinery", "GBP")
        theirs = an_organisation(unit, "Quayside Printworks", "EUR")
        anna = add_user(unit, email="anna@example.com", name="Anna Reed", password=PASSWORD, now=NOW)
        sam = a_user_like(unit, anna, email="sam@example.com", name="Sam Cole")
        carl = a_user_like(unit, anna, email="carl@example.com", name="Carl Voss")
        a_user_like(unit, anna, email="nia@example.com", name="Nia Hart")
        add_member(unit, user_id=anna.id or 0, organisation_id=ours)
        add_member(unit, user_id=anna.id or 0, organisation_id=theirs, role="agent")
        add_member(unit, user_id=sam.id or 0, organisation_id=ours, role="support")
        add_member(unit, user_id=carl.id or 0, organisation_id=theirs)
        names = Filling(unit, ours).fill()
        names |= {f"theirs: {name}": number for name, number in Filling(unit, theirs).fill().items()}
        for organisation in (ours, theirs):
            decide_all(unit, organisation)
        ids = {
            "reminder": _first(unit, ReminderRow, ours, theirs),
            "message": _first(unit, MessageRow, ours, theirs),
            "reply": _first(unit, ReplyRow, ours, theirs),
            "unmatched": _first(unit, ReplyRow, ours, theirs, col(ReplyRow.account_id).is_(None)),
            "run": _first(unit, SyncRunRow, ours, theirs),
            "task": _first(unit, TaskRow, ours, theirs),
            "hold": _first(unit, HoldRow, ours, theirs),
            "invoice": _first(unit, InvoiceRow, ours, theirs),
            "stop": _first(unit, AddressStopRow, ours, theirs),
            "workflow": _first(unit, WorkflowRow, ours, theirs),
        }
    database.close()
    return Written(ours, theirs, names, ids)


def _first(unit: Session, table: Any, ours: int, theirs: int, *where: Any) -> tuple[int, int]:
    """The number of the first row of each organisation."""
    query = select(func.min(table.id)).where(*where).group_by(table.organisation_id).order_by(table.organisation_id)
    first, second = unit.scalars(query.where(table.organisation_id.in_([ours, theirs])))
    return first, second


def a_user_like(unit: Session, other: UserRow, *, email: str, name: str) -> UserRow:
    """A login with the same password as another: hashing it once is slow enough."""
    user = UserRow(email=email, name=name, password_hash=other.password_hash, created_at=NOW)
    unit.add(user)
    unit.flush()
    return user


def an_organisation(unit: Session, name: str, currency: str) -> int:
    row = OrganisationRow(
        name=name,
        time_zone="Europe/London",
        currency=currency,
        sender_name="Accounts at " + name,
        ledger_as_of=NOW - timedelta(minutes=12),
        next_sync_at=NOW + timedelta(minutes=3),
        created_at=NOW - timedelta(days=200),
    )
    unit.add(row)
    unit.flush()
    assert row.id is not None
    row.default_workflow_id = add_workflow(unit, row.id, "standard")
    add_workflow(unit, row.id, "gentle")
    call_first = WorkflowRow(organisation_id=row.id, name="Call first", description="A person looks before it goes.")
    unit.add(call_first)
    unit.flush()
    unit.add(StepRow(workflow_id=call_first.id, step_id="c1", name="Approval", day=5, manual=True, subject="Overdue"))
    unit.flush()
    return row.id


def decide_all(unit: Session, organisation_id: int) -> None:
    """What `recalculate` would leave behind."""
    now = NOW - timedelta(minutes=12)
    ground = ground_of(unit, organisation_id, now=now)
    number = ground_number(unit, ground, now=now)
    by = saving(ground, number, as_of=TODAY, now=now, first_look=False)
    unit.flush()
    for chunk in facts_in_chunks(unit, ground):
        save_decisions(
            unit,
            by,
            [Decided(account, *known, decide(known.facts, TODAY)) for account, known in chunk.items()],
        )
