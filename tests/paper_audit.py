"""An auditor in a paper town: reads the books of the product itself, and names everything that does not agree."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from engine.decide import decide
from engine.receivables import Ref
from engine.reminders import ReminderKey
from engine.story import Send
from engine.workflow import Channel
from paper_town import MOBILE, PaperTown
from store.facts import facts_in_chunks, ground_of
from store.kept_decisions import all_kept, outcome
from store.positions import POSITION_COLUMNS, position_row
from store.rows import days
from store.tables import InvoiceRow, MessageRow, ReminderRow, WorkflowRow

Ordered = Mapping[tuple[int, ReminderKey], list[tuple[datetime, tuple[Ref, ...]]]]
"""Of each reminder of an account: when it was ordered, and for which invoices, the earliest first."""


class MadeAgain(NamedTuple):
    """Every decision kept, made again: what they ordered, and those that came out differently."""

    ordered: Ordered
    differences: list[str]


def made_again(town: PaperTown) -> MadeAgain:
    ordered: dict[tuple[int, ReminderKey], list[tuple[datetime, tuple[Ref, ...]]]] = defaultdict(list)
    differences = []
    names = _names(town)
    with town.office.database.reading() as session:
        for kept in all_kept(session, town.organisation):
            decision = decide(kept.facts, kept.as_of)
            if (now := outcome(decision)) != kept.outcome:
                differences.append(f"{names[kept.account]}, {kept.as_of}: decided {kept.outcome}, again {now}")
            for order in decision.orders:
                ordered[kept.account, order.key].append((kept.at, order.invoices))
    return MadeAgain(ordered, differences)


def sends_of(town: PaperTown, ordered: Ordered) -> dict[int, list[Send]]:
    """What was performed for each account while its story went on, with the invoices in the order of their numbers.

    Raises AssertionError when what left through the carriers is not what was written down.
    """
    lives = {life.account: life for life in town.lives}
    found: dict[int, list[Send]] = defaultdict(list)
    left = 0
    with town.office.database.reading() as session:
        workflows = dict(session.execute(select(WorkflowRow.id, WorkflowRow.name)).all())
        numbers = dict(session.execute(select(InvoiceRow.id, InvoiceRow.number)).all())
        messages = {row.reminder_id: row for row in session.scalars(select(MessageRow))}
        for row in _performed(session):
            life, on = lives[row.account_id], row.performed_on
            invoices = tuple(sorted(numbers[invoice] for invoice in _invoices(row, ordered)))
            if row.heard and row.channel != Channel.CALL:
                left += 1
                assert messages[row.id].to == (MOBILE if row.channel == Channel.SMS else life.email)
                assert [*invoices] == sorted(line["number"] for line in messages[row.id].invoices)
            if life.alive(on):
                workflow, channel = workflows[row.workflow_id], Channel(row.channel)
                found[life.account].append(Send(on, workflow, row.step_name, channel, invoices, not row.heard))
    assert left == len(town.messages)
    return found


def _performed(session: Session) -> Iterator[ReminderRow]:
    yield from session.scalars(
        select(ReminderRow)
        .where(col(ReminderRow.state) == "sent")
        .order_by(col(ReminderRow.settled_at), col(ReminderRow.id))
    )


def _invoices(row: ReminderRow, ordered: Ordered) -> tuple[Ref, ...]:
    """Those of the latest decision that ordered this reminder before it was performed."""
    key = ReminderKey(row.cycle, row.step_id, row.invoice_id or None)
    assert row.settled_at is not None
    return [invoices for at, invoices in ordered[row.account_id, key] if at <= row.settled_at][-1]


def two_a_day(town: PaperTown) -> Iterator[str]:
    """Accounts that got two steps of an account workflow on one day."""
    names = _names(town)
    with town.office.database.reading() as session:
        query = (
            select(ReminderRow.account_id, ReminderRow.performed_on)
            .join(WorkflowRow, col(WorkflowRow.id) == ReminderRow.workflow_id)
            .where(col(ReminderRow.state) == "sent", col(WorkflowRow.kind) == "account")
        )
        counted = Counter(map(tuple, session.execute(query)))
    for (account, day), count in counted.items():
        if count > 1:
            yield f"{names[account]} got {count} steps on {day}"


def unlike_the_stored(town: PaperTown, day: date) -> Iterator[str]:
    """Accounts whose stored position is not what the engine says of them this evening: nobody looked in time."""
    names = _names(town)
    with town.office.database.reading() as session:
        ground = ground_of(session, town.organisation, now=town.clock())
        for chunk in facts_in_chunks(session, ground, as_of=day):
            for account, (facts, stored, *_) in chunk.items():
                row = position_row(town.organisation, account, facts, decide(facts, day), as_of=day, day=days(session))
                # But for the last one: the day to look again, seen from today, may be a later one.
                if stored is None or row[:-1] != stored[:-1]:
                    columns = zip(POSITION_COLUMNS, stored or row, row, strict=True)
                    told = ", ".join(f"{name} {before} is {now}" for name, before, now in columns if before != now)
                    yield f"{names[account]}, {day}: nobody looked: {told or 'no position'}"


def _names(town: PaperTown) -> dict[int, str]:
    return {life.account: life.name for life in town.lives}
