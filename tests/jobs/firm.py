"""A firm with a database and no network: days go by, and what is due at the sending time is taken as sent."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlmodel import col

from engine.reminders import ReminderState
from engine.soundness import Flaw
from engine.workflow import Channel
from fresh_books import open_books
from jobs.drafts import Draft, DraftStep, draft_of
from jobs.office import Office
from jobs.recalculate import recalculate, recalculate_new_days
from jobs.workflows import Saved, save_workflow
from store import Vault
from store.tables import (
    AccountRow,
    AuditRow,
    HistoryNoteRow,
    InvoiceRow,
    OrganisationRow,
    PositionRow,
    ReminderRow,
)

START = date(2026, 1, 1)
BY = "Olive Owner"


def an_email(name: str, day: int, *, id: str = "", **more: Any) -> DraftStep:  # noqa: A002 - the field's name
    return DraftStep(
        name, day, subject=f"{name} from {{{{ organisation.name }}}}", body="{{ statement }}", id=id, **more
    )


def on(day: int) -> date:
    """The day on which an invoice due on `START` has this age."""
    return START + timedelta(days=day)


HOUSE = Draft("House", (an_email("R1", 7), an_email("R2", 21), an_email("R3", 35)))


class Firm:
    """One organisation whose default workflow is House, with reminders on the days 7, 21 and 35."""

    def __init__(self, url: str, on: date = START) -> None:
        """Opens the books of a firm that was founded before, as of that morning."""
        self.now = datetime.combine(on, time(10), UTC)
        self.office = Office(open_books(url), Vault((("k1", b"k" * 32),)), clock=lambda: self.now)
        self.id = self.house = 1

    @classmethod
    def founded(cls, url: str) -> "Firm":
        firm = cls(url)
        firm.id = firm.another("Brightwater Joinery")
        firm.house = firm.save(HOUSE)
        firm.change(default_workflow_id=firm.house)
        return firm

    def another(self, name: str) -> int:
        with self.office.database.unit_of_work() as unit:
            every_day = list(range(7))
            row = OrganisationRow(name=name, sending_weekdays=every_day, created_at=self.now, ledger_as_of=self.now)
            unit.add(row)
            unit.flush()
            assert row.id is not None
            return row.id

    def change(self, **settings: Any) -> None:
        with self.office.database.unit_of_work() as unit:
            unit.execute(update(OrganisationRow).where(col(OrganisationRow.id) == self.id).values(**settings))

    def account(self, name: str, *due: date, email: str = "pay@debtor.example", **more: Any) -> int:
        """An account with one invoice for each due date, named after it: `Ivy 1`, `Ivy 2`."""
        with self.office.database.unit_of_work() as unit:
            row = AccountRow(organisation_id=self.id, ledger_id=name, name=name, email=email, **more)
            unit.add(row)
            unit.flush()
            assert row.id is not None
            for place, day in enumerate(due, start=1):
                unit.add(
                    InvoiceRow(
                        organisation_id=self.id,
                        account_id=row.id,
                        ledger_id=f"{name} {place}",
                        number=f"{name} {place}",
                        due_on=day,
                        total=Decimal(100),
                        balance=Decimal(100),
                        currency="GBP",
                    )
                )
            return row.id

    def pay(self, number: str) -> None:
        with self.office.database.unit_of_work() as unit:
            unit.execute(
                update(InvoiceRow).where(col(InvoiceRow.number) == number).values(status="paid", balance=Decimal(0))
            )
        recalculate(self.office, self.id)

    def day(self, on: date) -> None:
        """The morning's sync and look, then the sending time."""
        self.now = datetime.combine(on, time(7), UTC)
        self.change(ledger_as_of=self.now)
        recalculate_new_days(self.office)
        self.now = datetime.combine(on, time(9, 30), UTC)
        with self.office.database.unit_of_work() as unit:
            unit.execute(
                update(ReminderRow)
                .where(
                    col(ReminderRow.organisation_id) == self.id,
                    col(ReminderRow.state) == ReminderState.QUEUED,
                    col(ReminderRow.held_because) == "",
                    col(ReminderRow.send_after) <= self.now,
                )
                .values(state=ReminderState.SENT, performed_on=on, counted=False, settled_at=self.now)
            )
        recalculate(self.office, self.id)

    def walk(self, first: date, last: date) -> None:
        for offset in range((last - first).days + 1):
            self.day(first + timedelta(days=offset))

    def save(self, draft: Draft) -> int:
        """Saves a draft that has to be sound. Returns the workflow's number."""
        saved = save_workflow(self.office, self.id, draft, by=BY)
        assert isinstance(saved, Saved), saved
        return saved.workflow_id

    def flaws(self, draft: Draft) -> tuple[Flaw, ...]:
        flaws = save_workflow(self.office, self.id, draft, by=BY)
        assert not isinstance(flaws, Saved)
        return flaws

    def draft(self, workflow: int) -> Draft:
        with self.office.database.reading() as session:
            return draft_of(session, self.id, workflow)

    def position(self, account: int) -> PositionRow:
        with self.office.database.reading() as session:
            return session.scalars(select(PositionRow).where(col(PositionRow.account_id) == account)).one()

    def reminders(self, account: int, *states: ReminderState) -> list[str]:
        """The steps of the account's reminders in these states, in the order in which they were queued."""
        query = select(ReminderRow.step_name).where(
            col(ReminderRow.account_id) == account, col(ReminderRow.state).in_(states or list(ReminderState))
        )
        with self.office.database.reading() as session:
            return list(session.scalars(query.order_by(col(ReminderRow.id))))

    def sent(self, account: int) -> list[str]:
        return self.reminders(account, ReminderState.SENT)

    def rows(self, table: Any) -> list[Any]:
        with self.office.database.reading() as session:
            return list(session.scalars(select(table)))

    def everything(self) -> list[list[dict[str, Any]]]:
        return [
            [row.model_dump() for row in self.rows(table)]
            for table in (PositionRow, ReminderRow, HistoryNoteRow, AuditRow, OrganisationRow)
        ]

    def close(self) -> None:
        self.office.close()


__all__ = ["BY", "HOUSE", "START", "Channel", "Firm", "an_email"]
