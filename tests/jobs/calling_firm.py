"""A firm whose second step is a call, on the day on which that call waits to be made."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlmodel import col, select

from engine.notes import NoteKind
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs.call_results import Result, Then, Told, write_down
from jobs.drafts import Draft
from store.tables import HistoryNoteRow, HoldRow, PhoneCallRow, ReminderRow
from tests.jobs.firm import BY, Firm, an_email

DUE = date(2026, 1, 5)
"""When the invoice of the account fell due; a Monday."""
CALL_DAY = DUE + timedelta(days=21)
PHONE, MOBILE = "020 7946 0018", "07700 900123"
DIALLED, DIALLED_MOBILE = "+442079460018", "+447700900123"

RING = Draft("Ring", (an_email("R1", 7), an_email("Final call", 21, channel=Channel.CALL), an_email("R3", 35)))


class CallingFirm(Firm):
    """Fern & Fig Café owes 100 pounds and is to be rung today."""

    account_id: int
    call: int

    @classmethod
    def with_a_call(cls, url: str, **settings: Any) -> "CallingFirm":
        firm = cls.founded(url)
        firm.change(default_workflow_id=firm.save(RING), **settings)
        firm.account_id = firm.account("Fern & Fig Café", DUE, phone=PHONE, mobile=MOBILE)
        firm.walk(DUE + timedelta(days=1), CALL_DAY)
        firm.call = firm.waiting()
        return firm

    def waiting(self, account: int | None = None) -> int:
        query = select(ReminderRow.id).where(
            col(ReminderRow.account_id) == (account or self.account_id),
            ReminderRow.channel == Channel.CALL,
            ReminderRow.state == ReminderState.QUEUED,
        )
        with self.office.database.reading() as session:
            return session.scalars(query).one() or 0

    def came_of_it(self, result: Result | None, then: Then = Then.STAY, by: str = BY, **more: Any) -> None:
        told = Told(result=result, then=then, **({"last_seen": self.last_seen(), "number": DIALLED} | more))
        write_down(self.office, self.call, told, by=by)

    def last_seen(self) -> int:
        settled = [row for row in self.calls() if row.settled_at is not None]
        return max(settled, key=lambda row: row.settled_at).id if settled else 0

    def calls(self) -> list[PhoneCallRow]:
        return self.rows(PhoneCallRow)

    def reminder(self, number: int | None = None) -> ReminderRow:
        with self.office.database.reading() as session:
            row = session.get(ReminderRow, number or self.call)
            assert row is not None
            return row

    def notes(self, *kinds: NoteKind) -> list[str]:
        """What history says, the oldest first."""
        query = select(HistoryNoteRow.text).where(col(HistoryNoteRow.account_id) == self.account_id)
        if kinds:
            query = query.where(col(HistoryNoteRow.kind).in_(kinds))
        with self.office.database.reading() as session:
            return list(session.scalars(query.order_by(col(HistoryNoteRow.id))))

    def open_holds(self) -> list[tuple[str, str, date | None]]:
        with self.office.database.reading() as session:
            query = select(HoldRow).where(col(HoldRow.lifted_at).is_(None))
            return [(hold.kind, hold.why, hold.until) for hold in session.scalars(query)]

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), UTC)
