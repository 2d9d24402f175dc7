"""Lays the made-up ledger into a fresh database, as if it had been synced, in seconds instead of minutes.

The tables come from the product's own migration and the organisation, with the Standard workflow, from its own code;
only the accounts and invoices are poured in by the driver directly. Columns that are not named here are filled from
the defaults in the tables' classes, so that a new column in the product needs no line here.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Column
from sqlalchemy.engine import Dialect

from bench.ledger import AS_OF, Invoice, account_ledger_id, open_invoices
from jobs.connect import add_workflow
from store import Database
from store.tables import AccountRow, InvoiceRow, OrganisationRow

SYNCED_AT = datetime.combine(AS_OF, time(5), UTC)
FRESH_UNTIL = SYNCED_AT + timedelta(days=2)  # nothing is held as stale on the days that are looked at


def lay(url: str, *, accounts: int, invoices: int) -> None:
    """Makes the tables in this empty database and fills them with one organisation, its accounts and invoices."""
    database = Database(url)
    database.migrate()
    with database.unit_of_work() as unit:
        organisation = OrganisationRow(
            name="Brightwater Trading", currency="GBP", created_at=SYNCED_AT, ledger_as_of=FRESH_UNTIL
        )
        unit.add(organisation)
        unit.flush()
        assert organisation.id is not None
        organisation.default_workflow_id = add_workflow(unit, organisation.id, "standard")
        number = organisation.id
    for table, names, rows in (
        (AccountRow, ACCOUNT, _accounts(number, accounts)),
        (InvoiceRow, INVOICE, _invoices(number, open_invoices(accounts, invoices))),
    ):
        _pour(database, table.__table__, names, rows)
    database.close()


ACCOUNT = ("id", "organisation_id", "ledger_id", "name", "email", "first_name", "currency")
INVOICE = (
    "id",
    "organisation_id",
    "account_id",
    "ledger_id",
    "number",
    "issued_on",
    "due_on",
    "total",
    "balance",
    "currency",
)


def _accounts(organisation: int, accounts: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, accounts + 1):
        email = f"pay@a{number:06d}.example"
        yield number, organisation, account_ledger_id(number), f"Account {number:06d}", email, "Sam", "GBP"


def _invoices(organisation: int, invoices: Iterable[Invoice]) -> Iterator[tuple[Any, ...]]:
    for invoice in invoices:
        amount = Decimal(invoice.cents) / 100
        yield (
            invoice.number,
            organisation,
            invoice.account,
            invoice.ledger_id,
            invoice.name,
            invoice.issued_on,
            invoice.due_on,
            amount,
            amount,
            "GBP",
        )


def _pour(database: Database, table: Any, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    dialect = database.engine.dialect
    named = [table.columns[name] for name in names]
    filled = [column for column in table.columns if column.name not in names]
    columns = ", ".join(f'"{column.name}"' for column in (*named, *filled))
    said, tail = _binders(named, dialect), _as_bound(_binders(filled, dialect), map(_default, filled))
    ready = (_as_bound(said, row) + tail for row in rows)
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        if dialect.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" * len(table.columns))
            cursor.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", ready)
        else:
            with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                for row in ready:
                    copy.write_row(row)
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}")
        connection.commit()
    finally:
        connection.close()


def _default(column: Column[Any]) -> Any:
    """What a column holds that the made-up ledger says nothing about."""
    if column.default is not None:
        given = column.default.arg
        return given(None) if callable(given) else given
    if column.nullable or column.server_default is not None:
        return None
    return _EMPTY[column.type.python_type]


_EMPTY: dict[type, Any] = {
    bool: False,
    int: 0,
    str: "",
    bytes: b"",
    Decimal: Decimal(0),
    date: AS_OF,
    datetime: SYNCED_AT,
    time: time(9),
    dict: {},
    list: [],
}


def _binders(columns: Sequence[Column[Any]], dialect: Dialect) -> list[Any]:
    """For each column, what turns a value into one that the driver takes; None where it goes as it is."""
    return [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]


def _as_bound(binders: Sequence[Any], values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(binder(value) if binder else value for binder, value in zip(binders, values, strict=True))
