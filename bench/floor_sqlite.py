"""The floor on SQLite, through the standard library's own driver."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from bench.floor import Decided, Invoice, Position, Step
from bench.floor_rows import (
    DECISION,
    GROUND,
    NOTE,
    ORGANISATION,
    PAYMENT,
    POSITION,
    REMINDER,
    TABLES,
    Known,
    Shape,
    decision_values,
    moment,
    note_values,
    position_values,
    reminder_values,
    shape,
    withdrawn,
)


def prepare(path: str) -> None:
    """Makes the floor's own tables like the product's, with the same keys, indexes and references."""
    connection = sqlite3.connect(path)
    made = connection.execute(
        f"SELECT tbl_name, sql FROM sqlite_master WHERE tbl_name IN {TABLES} AND sql IS NOT NULL ORDER BY type DESC"
    ).fetchall()
    for table, sql in made:
        sql = re.sub(rf"\b{table}\b", f"floor_{table}", sql, count=1)
        connection.execute(re.sub(r"\bINDEX (\w+)", r"INDEX floor_\1", sql, count=1))
    connection.close()


class SqliteBooks:
    """A database file, opened as the product opens it."""

    def __init__(self, path: str) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        self._run, self._many = connection.execute, connection.executemany
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._run(f"PRAGMA {pragma}")
        (self._workflow,) = self._run("SELECT default_workflow_id FROM organisations").fetchone()
        steps = "SELECT step_id, name, channel, day FROM steps WHERE workflow_id = ? AND day > 0 ORDER BY day"
        self.steps = [Step(*row, timedelta(row[3])) for row in self._run(steps, (self._workflow,))]
        self._place_of = {None: 0} | {step.id: place for place, step in enumerate(self.steps, start=1)}
        self._place_named = {None: 0} | {step.name: place for place, step in enumerate(self.steps, start=1)}
        self._date, self._text = _Dates(), _Texts()
        self._every_invoice = self._reading_every_invoice()
        self._positions = self._shape("floor_positions", POSITION)
        self._reminders = self._shape("floor_reminders", REMINDER)
        self._decisions = self._shape("floor_decisions", DECISION)
        self._notes = self._shape("floor_history_notes", NOTE)
        self._payments = self._shape("payments", PAYMENT)

    def begin(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._run("COMMIT")

    def accounts(self, after: int, limit: int) -> list[tuple[int, Position | None]]:
        rows = self._run(
            "SELECT a.id, p.state, p.cycle, p.done, p.assigned_step, p.anchor, p.run_driver_id, p.driver_due_on,"
            " p.next_due_on FROM accounts a LEFT JOIN floor_positions p ON p.account_id = a.id"
            " WHERE a.organisation_id = ? AND a.id > ? ORDER BY a.id LIMIT ?",
            (ORGANISATION, after, limit),
        )
        return [(account, self._position(*rest) if rest[0] else None) for account, *rest in rows]

    def position(self, account: int) -> Position | None:
        row = self._run(
            "SELECT state, cycle, done, assigned_step, anchor, run_driver_id, driver_due_on, next_due_on"
            " FROM floor_positions WHERE account_id = ?",
            (account,),
        ).fetchone()
        return self._position(*row) if row else None

    def invoices(self) -> Iterator[tuple[int, Invoice]]:
        dates = self._date
        for account, number, due_on, balance in self._run(self._every_invoice, (ORGANISATION,)):
            yield account, Invoice(number, dates[due_on], balance)

    def invoices_of(self, account: int) -> list[Invoice]:
        rows = self._run(
            "SELECT id, due_on, balance FROM invoices WHERE account_id = ? AND status = 'open' AND balance > 0",
            (account,),
        )
        return [Invoice(number, self._date[due_on], balance) for number, due_on, balance in rows]

    def save(self, decided: Sequence[Decided], today: date) -> None:
        given = (today, self.steps, self._workflow, self._text.__getitem__)
        fresh = [one for one in decided if one.before is None]
        altered = [one for one in decided if one.before is not None]
        positions, reminders = self._positions, self._reminders
        if fresh:
            self._many(_insert("floor_positions", positions), map(positions.row, position_values(fresh, *given)))
        if altered:
            names = ", ".join(f"{name} = ?" for name in positions.named[:-1])
            rows = map(positions.pick, position_values(altered, *given))
            self._many(f"UPDATE floor_positions SET {names} WHERE {positions.named[-1]} = ?", rows)
        if gone := withdrawn(altered):
            self._many(
                "UPDATE floor_reminders SET state = 'withdrawn', why = 'no longer due', settled_at = ?"
                " WHERE account_id = ? AND cycle = ? AND state = 'queued'",
                [(moment(today), *one) for one in gone],
            )
        if queued := list(map(reminders.row, reminder_values(decided, *given))):
            self._many(_insert("floor_reminders", reminders) + " ON CONFLICT DO NOTHING", queued)

    def keep_reasons(self, decided: Sequence[Decided], today: date) -> None:
        (ground,) = self._run("SELECT max(id) FROM grounds").fetchone()
        decisions = decision_values(decided, today, self.steps, ground, self._text.__getitem__)
        self._many(_insert("floor_decisions", self._decisions), map(self._decisions.row, decisions))
        notes = note_values(decided, today, self.steps)
        self._many(_insert("floor_history_notes", self._notes), map(self._notes.row, notes))

    def lay_ground(self) -> None:
        self._run(f"INSERT INTO grounds (organisation_id, fingerprint, content, used_from) VALUES {GROUND}")

    def forget(self) -> None:
        for table in reversed(TABLES):
            self._run(f"DELETE FROM floor_{table}")

    def pay(self, invoice: int, today: date) -> None:
        on = self._text[today]
        self._run(
            "UPDATE invoices SET status = 'paid', paid = total, balance = 0, settled_on = ? WHERE id = ?", (on, invoice)
        )
        (total,) = self._run("SELECT total FROM invoices WHERE id = ?", (invoice,)).fetchone()
        self._run(_insert("payments", self._payments), self._payments.row((invoice, f"floor-{invoice}", on, total)))

    def _position(self, state: str, cycle: int, done: str | None, assigned: str | None, *rest: Any) -> Position:
        anchor, driver, driver_due_on, next_due_on = rest
        date = self._date
        return Position(
            state,
            cycle,
            self._place_of[done],
            self._place_named[assigned],
            date[anchor],
            driver,
            date[driver_due_on],
            date[next_due_on],
        )

    def _reading_every_invoice(self) -> str:
        """From an index that holds all that is asked, else straight through the table and sorted.

        Following an index from one row of the table to the next takes several times as long as either.
        """
        query = (
            "SELECT account_id, id, due_on, balance FROM invoices {} WHERE organisation_id = ? AND status = 'open'"
            " AND balance > 0 ORDER BY account_id"
        )
        plan = self._run(f"EXPLAIN QUERY PLAN {query.format('')}", (ORGANISATION,)).fetchall()
        return query.format("" if "COVERING INDEX" in plan[0][3] else "NOT INDEXED")

    def _shape(self, table: str, named: Sequence[str]) -> Shape:
        known = [
            Known(name, type_name, bool(required) and default is None)
            for _, name, type_name, required, default, _ in self._run(f"PRAGMA table_info({table})")
        ]
        return shape(named, known)


def _insert(table: str, columns: Shape) -> str:
    names = ", ".join(f'"{name}"' for name in columns.columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns.columns))})"


class _Dates(dict[str | None, date | None]):
    """Dates by how SQLite writes them; each is read once."""

    def __missing__(self, text: str | None) -> date | None:
        self[text] = date.fromisoformat(text) if text else None
        return self[text]


class _Texts(dict[date | None, str | None]):
    def __missing__(self, day: date | None) -> str | None:
        self[day] = day.isoformat() if day else None
        return self[day]
