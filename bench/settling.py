"""Brings every account to where it would stand in earnest: its reminders sent on their days, the next one waited for.

After the first look at an old ledger every account with something overdue is due at once, and if nothing is ever sent
it stays due: no firm's books look like that. So what had to be sent by today is taken as sent, each step on its day, in
the product's positions and in the floor's alike. Neither side is measured while it takes that in.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from typing import Any

import psycopg

_WALKED = (
    "CREATE TEMP TABLE walked (account_id INTEGER PRIMARY KEY, step TEXT, day INTEGER, heard DATE, ended BOOLEAN)",
    "UPDATE positions SET done = step, done_day = day, anchor = driver_due_on, performed = TRUE, ended = walked.ended,"
    " last_heard_on = heard, last_reminded_on = heard, last_step_on = heard, look_again_on = NULL"
    " FROM walked WHERE walked.account_id = positions.account_id",
    "UPDATE floor_positions SET done = step, done_day = day, anchor = driver_due_on"
    " FROM walked WHERE walked.account_id = floor_positions.account_id",
)


def settle(url: str, now: str) -> None:
    """Takes every step that has come due by that day as sent on its day."""
    today = date.fromisoformat(now[:10])
    with _cursor(url) as (run, many):
        steps = list(run("SELECT step_id, day FROM steps WHERE day > 0 ORDER BY day"))
        walked = []
        for account, due_on in run("SELECT account_id, driver_due_on FROM positions WHERE driver_due_on IS NOT NULL"):
            due = date.fromisoformat(due_on) if isinstance(due_on, str) else due_on
            past = [step for step in steps if step[1] <= (today - due).days]
            if past:
                step, day = past[-1]
                heard = (due + timedelta(days=day)).isoformat()
                walked.append((account, step, day, heard, len(past) == len(steps)))
        make, *changes = _WALKED
        run(make)
        many("INSERT INTO walked VALUES (?, ?, ?, ?, ?)", walked)
        for change in changes:
            run(change)
        for table in ("reminders", "floor_reminders"):
            run(f"UPDATE {table} SET state = 'sent', counted = TRUE WHERE state = 'queued'")


@contextmanager
def _cursor(url: str) -> Iterator[tuple[Any, Any]]:
    """One way to run a statement and one to run it for many rows, alike on both databases; one commit."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            yield (lambda query: connection.execute(query).fetchall()), connection.executemany
            connection.commit()
        return
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:

        def run(query: str) -> Sequence[Any]:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else ()

        yield run, lambda query, rows: cursor.executemany(query.replace("?", "%s"), rows)
