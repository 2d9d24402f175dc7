"""The floor on PostgreSQL, through psycopg: binary results, COPY for many rows, prepared statements for one."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import psycopg

from bench.floor import CHUNK, Decided, Invoice, Position, Step
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

_MANY = 100  # from so many rows on, COPY is worth its round trips


def prepare(address: str) -> None:
    """Makes the floor's own tables like the product's, with the same keys, indexes and references."""
    with psycopg.connect(address) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
            referring = connection.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = %s::regclass AND contype = 'f'",
                (table,),
            ).fetchall()
            for name, rule in referring:
                connection.execute(f'ALTER TABLE floor_{table} ADD CONSTRAINT "floor_{name}" {rule}')


class PostgresBooks:
    """A database of a server, by its address."""

    def __init__(self, address: str) -> None:
        self._connection = psycopg.connect(address, options="-c timezone=UTC")
        self._cursor = self._connection.cursor(binary=True)
        self._run = self._cursor.execute
        (self._workflow,) = self._run("SELECT default_workflow_id FROM organisations").fetchone() or (0,)
        steps = "SELECT step_id, name, channel, day FROM steps WHERE workflow_id = %s AND day > 0 ORDER BY day"
        self.steps = [Step(*row, timedelta(row[3])) for row in self._run(steps, (self._workflow,))]
        self._place_of = {None: 0} | {step.id: place for place, step in enumerate(self.steps, start=1)}
        self._place_named = {None: 0} | {step.name: place for place, step in enumerate(self.steps, start=1)}
        self._positions = self._shape("floor_positions", POSITION)
        self._reminders = self._shape("floor_reminders", REMINDER)
        self._decisions = self._shape("floor_decisions", DECISION)
        self._notes = self._shape("floor_history_notes", NOTE)
        self._payments = self._shape("payments", PAYMENT)
        self._connection.rollback()

    def begin(self) -> None:
        """psycopg begins with the first statement."""

    def commit(self) -> None:
        self._connection.commit()

    def accounts(self, after: int, limit: int) -> list[tuple[int, Position | None]]:
        rows = self._run(
            "SELECT a.id, p.state, p.cycle, p.done, p.assigned_step, p.anchor, p.run_driver_id, p.driver_due_on,"
            " p.next_due_on FROM accounts a LEFT JOIN floor_positions p ON p.account_id = a.id"
            " WHERE a.organisation_id = %s AND a.id > %s ORDER BY a.id LIMIT %s",
            (ORGANISATION, after, limit),
        )
        return [(account, self._position(*rest) if rest[0] else None) for account, *rest in rows]

    def position(self, account: int) -> Position | None:
        row = self._run(
            "SELECT state, cycle, done, assigned_step, anchor, run_driver_id, driver_due_on, next_due_on"
            " FROM floor_positions WHERE account_id = %s",
            (account,),
        ).fetchone()
        return self._position(*row) if row else None

    def invoices(self) -> Iterator[tuple[int, Invoice]]:
        self._run("SET LOCAL cursor_tuple_fraction = 1")  # all rows are wanted, not the first ones soon
        with self._connection.cursor("invoices", binary=True) as stream:
            stream.itersize = CHUNK
            for account, number, due_on, balance in stream.execute(
                "SELECT account_id, id, due_on, balance FROM invoices"
                " WHERE organisation_id = %s AND status = 'open' AND balance > 0 ORDER BY account_id",
                (ORGANISATION,),
            ):
                yield account, Invoice(number, due_on, balance)

    def invoices_of(self, account: int) -> list[Invoice]:
        rows = self._run(
            "SELECT id, due_on, balance FROM invoices WHERE account_id = %s AND status = 'open'", (account,)
        )
        return [Invoice(*row) for row in rows]

    def save(self, decided: Sequence[Decided], today: date) -> None:
        given = (today, self.steps, self._workflow, _same)
        fresh = [one for one in decided if one.before is None]
        altered = [one for one in decided if one.before is not None]
        positions, reminders = self._positions, self._reminders
        self._insert("floor_positions", positions, list(map(positions.row, position_values(fresh, *given))))
        if altered:
            names = ", ".join(f"{name} = %s" for name in positions.named[:-1])
            rows = list(map(positions.pick, position_values(altered, *given)))
            self._change(f"UPDATE floor_positions SET {names} WHERE {positions.named[-1]} = %s", rows)
        if gone := withdrawn(altered):
            self._change(
                "UPDATE floor_reminders SET state = 'withdrawn', why = 'no longer due', settled_at = %s"
                " WHERE account_id = %s AND cycle = %s AND state = 'queued'",
                [(moment(today), *one) for one in gone],
            )
        self._insert("floor_reminders", reminders, list(map(reminders.row, reminder_values(decided, *given))))

    def keep_reasons(self, decided: Sequence[Decided], today: date) -> None:
        (ground,) = self._run("SELECT max(id) FROM grounds").fetchone() or (0,)
        decisions = decision_values(decided, today, self.steps, ground, _same)
        self._copy("floor_decisions", self._decisions, decisions)
        self._copy("floor_history_notes", self._notes, note_values(decided, today, self.steps))

    def _copy(self, table: str, columns: Shape, rows: Iterator[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns.columns)
        with self._cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(columns.row(row))

    def lay_ground(self) -> None:
        self._run(f"INSERT INTO grounds (organisation_id, fingerprint, content, used_from) VALUES {GROUND}")
        self._connection.commit()

    def forget(self) -> None:
        self._run(f"TRUNCATE {', '.join(f'floor_{table}' for table in TABLES)}")
        self._connection.commit()

    def pay(self, invoice: int, today: date) -> None:
        (total,) = self._run(
            "UPDATE invoices SET status = 'paid', paid = total, balance = 0, settled_on = %s WHERE id = %s"
            " RETURNING total",
            (today, invoice),
        ).fetchone() or (0,)
        self._insert("payments", self._payments, [self._payments.row((invoice, f"floor-{invoice}", today, total))])

    def _insert(self, table: str, columns: Shape, rows: list[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns.columns)
        if len(rows) < _MANY:
            marks = ", ".join(["%s"] * len(columns.columns))
            self._change(f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", rows)
            return
        self._run(f"CREATE TEMP TABLE IF NOT EXISTS new_{table} ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0")
        with self._cursor.copy(f"COPY new_{table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        self._run(f"INSERT INTO {table} ({names}) SELECT {names} FROM new_{table} ON CONFLICT DO NOTHING")
        self._run(f"TRUNCATE new_{table}")

    def _change(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        if len(rows) == 1:
            self._run(sql, rows[0])
        elif rows:
            self._cursor.executemany(sql, rows)

    def _position(self, state: str, cycle: int, done: str | None, assigned: str | None, *rest: Any) -> Position:
        return Position(state, cycle, self._place_of[done], self._place_named[assigned], *rest)

    def _shape(self, table: str, named: Sequence[str]) -> Shape:
        rows = self._run(
            "SELECT column_name::text, data_type::text, is_nullable = 'NO' AND column_default IS NULL"
            " FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s",
            (table,),
        )
        return shape(named, [Known(*row) for row in rows])


def _same(day: date | None) -> date | None:
    return day
