"""Two real years of a factoring firm: 2,466 invoices of 100 debtors, day by day, through real syncs and real mail.

The file is not part of the product; where it is missing the test says so and is skipped.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlmodel import col

from conftest import shared_file
from engine.notes import NoteKind
from engine.receivables import InvoiceStatus
from jobs import deliver, write_back
from store.tables import HistoryNoteRow, InvoiceRow, PositionRow, ReminderRow
from town import Town

_NUMBER = re.compile(r"^(\d{4,})\s", re.MULTILINE)


def test_over_two_real_years_nobody_is_chased_for_what_was_paid_and_every_move_is_explained(
    a_town: Callable[..., Town],
) -> None:
    path = shared_file("data/late-payment-histories.csv")
    town = a_town(at=None, histories=path)
    town.connect()
    day, last = town.clock().date(), datetime(2014, 2, 15, tzinfo=UTC).date()
    stood: dict[int, tuple[str, str | None]] = {}
    chased: set[str] = set()
    mails_seen = 0
    while day <= last:
        town.move(max(town.clock(), datetime.combine(day, time(7, 30), tzinfo=UTC)))
        assert town.sync().state == "done"
        _the_books_agree(town)
        _clear_accounts_stand_at_the_start(town)
        _every_move_is_explained(town, stood)
        town.move(datetime.combine(day, time(9, 30), tzinfo=UTC))
        open_now = set(town.control.balances())
        numbers = {row["number"]: row["id"] for row in town.control.invoices()} if town.reminders_due() else {}
        deliver.deliver_due(town.office)
        write_back.write_back(town.office)
        mails = town.control.mails(since=mails_seen)
        for mail in mails:
            listed = set(_NUMBER.findall(mail["text"]))
            assert listed, "a reminder lists what is owed"
            assert {numbers[number] for number in listed} <= open_now, "what the ledger had settled is in no reminder"
            chased |= listed
        mails_seen += len(mails)
        day += timedelta(days=1)

    with town.office.database.reading() as session:
        reminders = session.scalars(select(ReminderRow)).all()
        sent = [reminder for reminder in reminders if reminder.state == "sent"]
        per_day = {(reminder.account_id, reminder.performed_on) for reminder in sent}
        moves = session.scalars(select(HistoryNoteRow).where(col(HistoryNoteRow.kind) == NoteKind.MOVED_BACK)).all()
        invoices = session.scalars(select(InvoiceRow)).all()
    assert len(invoices) == 2466
    assert len(sent) == mails_seen > 300
    assert len(per_day) == len(sent), "nobody is reminded twice on one day"
    assert not [reminder for reminder in reminders if reminder.state in ("unsure", "sending", "refused")]
    assert moves
    assert town.control.balances() == {}, "in the end everything was paid"
    assert len(town.control.notes()) == len(sent) + len(moves)


def _the_books_agree(town: Town) -> None:
    """To the cent, after every sync."""
    with town.office.database.reading() as session:
        query = select(InvoiceRow.ledger_id, InvoiceRow.balance).where(  # type: ignore[call-overload]
            col(InvoiceRow.status) == InvoiceStatus.OPEN
        )
        ours = {ledger_id: f"{balance:.2f}" for ledger_id, balance in session.execute(query)}
    theirs = {ledger_id: f"{float(balance):.2f}" for ledger_id, balance in town.control.balances().items()}
    assert ours == theirs


def _clear_accounts_stand_at_the_start(town: Town) -> None:
    today = town.clock().date()
    with town.office.database.reading() as session:
        overdue = set(
            session.scalars(
                select(InvoiceRow.account_id).where(  # type: ignore[call-overload]
                    col(InvoiceRow.status) == InvoiceStatus.OPEN, col(InvoiceRow.due_on) < today
                )
            )
        )
        for position in session.scalars(select(PositionRow)):
            if position.account_id not in overdue:
                assert (position.state, position.assigned_step, position.anchor) == ("clear", None, None)
            else:
                assert position.state != "clear"


_WHY = (NoteKind.MOVED_BACK, NoteKind.CLEARED)


def _every_move_is_explained(town: Town, stood: dict[int, tuple[str, str | None]]) -> None:
    """Whoever went back or was cleared since yesterday has a line of since then in history that says why."""
    with town.office.database.reading() as session:
        positions = session.scalars(select(PositionRow)).all()
        since = town.clock() - timedelta(hours=24)
        today = session.scalars(select(HistoryNoteRow).where(col(HistoryNoteRow.at) > since)).all()
    explained = {(note.account_id, note.kind): note.text for note in today}
    for position in positions:
        before = stood.get(position.account_id)
        now = (position.state, position.done)
        if before and before[0] != "clear" and now[0] == "clear":
            assert "was paid" in explained[position.account_id, NoteKind.CLEARED]
        elif before and (before[1] or "") > (now[1] or ""):
            moved, cleared = (explained.get((position.account_id, kind), "") for kind in _WHY)
            # Whoever was cleared in the course of the day may have begun anew this morning.
            assert "is now the oldest" in moved or "was paid" in cleared
        stood[position.account_id] = now
