"""A firm whose books are written straight into its database. There is no ledger and no channel, and no way to any."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from sqlalchemy import text
from sqlmodel import Session, SQLModel

from engine.workflow import Step
from fresh_books import open_books
from jobs.office import Office
from store import Vault
from store.people import add_member
from store.tables import (
    AccountRow,
    AllocationRow,
    HoldRow,
    InvoiceRow,
    OrganisationRow,
    PaymentRow,
    StepRow,
    UserRow,
    WorkflowRow,
)

MONDAY = date(2026, 6, 1)
ZERO = Decimal(0)


class Unplugged:
    """One organisation. Its clock stands still until a test sets `now`."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.now = datetime.combine(MONDAY, time(6), UTC)
        self.office = Office(open_books(url), Vault((("k1", b"k" * 32),)), clock=lambda: self.now)
        given = {"name": "Quiet Joinery", "currency": "GBP", "created_at": self.now, "ledger_as_of": self.now}
        self.id = self._add(OrganisationRow(**(given | settings)))
        self.count = 0

    def workflow(self, name: str, *steps: Step, default: bool = True, **more: Any) -> int:
        number = self._add(WorkflowRow(organisation_id=self.id, name=name, **more))
        with self.office.database.unit_of_work() as unit:
            for step in steps:
                unit.add(
                    StepRow(
                        workflow_id=number,
                        step_id=step.id,
                        name=step.name,
                        day=step.day,
                        channel=step.channel,
                        manual=step.manual,
                        subject="Your account",
                        body=step.template or "You owe {{ account.total_overdue }}.",
                    )
                )
        if default:
            self.settle(default_workflow_id=number)
        return number

    def settle(self, **settings: Any) -> None:
        with self.office.database.unit_of_work() as unit:
            row = unit.get(OrganisationRow, self.id)
            assert row is not None
            for name, value in settings.items():
                setattr(row, name, value)

    def account(self, name: str, *due: str, **more: Any) -> int:
        """An account with an open invoice for each due date."""
        given = {"email": "pay@debtor.example", "ledger_id": name}
        number = self._add(AccountRow(organisation_id=self.id, name=name, **(given | more)))
        for day in due:
            self.invoice(number, day)
        return number

    def invoice(
        self,
        account: int,
        due: str,
        *,
        settled: str | None = None,
        status: str = "",
        parts: tuple[tuple[str, int], ...] = (),
        credited: tuple[tuple[str, int], ...] = (),
        **more: Any,
    ) -> int:
        """One invoice over 100; `parts` are part payments and `credited` credits used on it, each a day and a sum."""
        self.count += 1
        used, day = Decimal(sum(part for _, part in (*parts, *credited))), date.fromisoformat
        given: dict[str, Any] = {
            "ledger_id": f"i{self.count}",
            "number": f"INV-{self.count}",
            "due_on": day(due),
            "total": Decimal(100),
            "balance": ZERO if settled or status else Decimal(100) - used,
            "currency": "GBP",
            "status": status or ("paid" if settled else "open"),
            "settled_on": day(settled) if settled else None,
        }
        number = self._add(InvoiceRow(organisation_id=self.id, account_id=account, **(given | more)))
        with self.office.database.unit_of_work() as unit:
            for place, (on, amount) in enumerate(parts):
                paid = PaymentRow(invoice_id=number, ledger_id=f"p{place}", paid_on=day(on), amount=Decimal(amount))
                unit.add(paid)
            for place, (on, amount) in enumerate(credited):
                unit.add(
                    AllocationRow(invoice_id=number, credit_ledger_id=f"c{place}", on=day(on), amount=Decimal(amount))
                )
        return number

    def hold(self, account: int, kind: str, **more: Any) -> None:
        given = {"since": MONDAY, "by": "Olive Owner"}
        self._add(HoldRow(organisation_id=self.id, account_id=account, kind=kind, **(given | more)))

    def person(self, name: str, role: str) -> None:
        number = self._add(UserRow(email=f"{name}@firm.example", name=name, password_hash="-", created_at=self.now))
        with self.office.database.unit_of_work() as unit:
            add_member(unit, user_id=number, organisation_id=self.id, role=role)

    def everything(self) -> dict[str, list[Any]]:
        """Every row of every table."""
        with self.office.database.reading() as session:
            return {table: _rows(session, table) for table in sorted(SQLModel.metadata.tables)}

    def _add(self, row: Any) -> int:
        with self.office.database.unit_of_work() as unit:
            unit.add(row)
            unit.flush()
            return int(row.id)


def _rows(session: Session, table: str) -> list[Any]:
    return sorted(map(repr, session.execute(text(f"SELECT * FROM {table}")).all()))


@contextmanager
def no_network() -> Iterator[None]:
    """Whoever opens a connection in here fails."""

    def denied(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    with patch.object(socket.socket, "connect", denied), patch.object(socket.socket, "connect_ex", denied):
        yield
