"""A firm on a bad month: its people change the books at random, its line fails, and its computer is switched off.

Everything is drawn from one pair of dice, so a month that went wrong can be lived again.
"""

import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import urllib3
from sqlalchemy import func, select
from sqlmodel import col

from jobs import sync, write_back
from jobs.account_acts import add_note
from jobs.ledgers import KeptGrant
from sandbox.control.client import ControlRefused
from store.tables import (
    AccountRow,
    AllocationRow,
    ConnectionRow,
    CreditRow,
    HistoryNoteRow,
    InvoiceRow,
    OrganisationRow,
    PaymentRow,
    WriteBackRow,
)
from town import Town

FAULTS = (
    "429min:20",
    "429conc:5",
    "503",
    "500html",
    "401",
    "html",
    "slow:0.01",
    "drop_before",
    "drop_after",
    "truncated",
)
"""What may befall the next call. The number after a colon: seconds to wait, or seconds of slowness."""

QUICKBOOKS_FAULTS = (
    *("429", "429xml", "401", "500", "503", "504", "500empty", "500html", "html", "fault_in_200", "truncated_cdc"),
    *("slow:0.01", "drop_before", "drop_after", "truncated"),
)
TOKEN_FAULTS = ("lost_answer", "500", "slow:0.01")

KILLED = [(step, when) for step in ("ledger_of", "take_in", "recalculate_in") for when in ("before", "after")]
KILLED_WRITING = [("pack", "after"), ("hand_over", "after"), ("write_down", "after")]


class BadMonth:
    """Changes, faults and syncs in a town whose ledger is connected already."""

    def __init__(self, town: Town, kind: str, seed: int) -> None:
        self.town = town
        self._at_xero = kind == "xero"
        self.dice = random.Random(seed)
        self.changes = self.syncs = self.killed = self.notes = 0
        self._deeds: list[Callable[[], Any]] = [
            *[self._invoiced] * 9,
            *[self._paid] * 6,
            *[self._part_paid] * 3,
            self._payment_taken_back,
            *[self._credited] * 2,
            self._overpaid,
            self._allocated,
            self._voided,
            self._put_off,
            self._moved,
            self._new_customer,
        ]

    # --- what people do

    def change(self) -> None:
        """One change that the books allow."""
        while True:
            try:
                if self.dice.choice(self._deeds)() is not False:
                    self.changes += 1
                    return
            except (ControlRefused, IndexError):
                continue  # there is nothing just now that this could be done to; people do something else

    def _open(self) -> dict[str, Any]:
        return self.dice.choice([one for one in self.town.control.invoices("AUTHORISED") if Decimal(one["balance"])])

    def _new_customer(self) -> None:
        number = self.dice.randrange(10**6)
        self.town.control.add_contact(f"Customer {number}", email=f"c{number}@debtor.example")

    def _invoiced(self) -> None:
        customer = self.dice.choice(self.town.control.contacts())
        due = self.town.clock().date() + timedelta(days=self.dice.randrange(-60, 30))
        amount = Decimal(self.dice.randrange(100, 500_000)) / 100
        self.town.control.add_invoice(customer["id"], due=due, amount=amount)

    def _paid(self) -> None:
        self.town.control.pay(self._open()["id"])

    def _part_paid(self) -> None:
        invoice = self._open()
        self.town.control.pay(invoice["id"], self._part(invoice))

    def _payment_taken_back(self) -> None:
        payments = [one for one in self.town.control.payments() if one["status"] == "AUTHORISED"]
        self.town.control.delete_payment(self.dice.choice(payments)["id"])

    def _credited(self) -> None:
        invoice = self._open()
        self.town.control.credit(invoice["id"], self._part(invoice))

    def _overpaid(self) -> None:
        self.town.control.add_overpayment(self._open()["contact_id"], Decimal(self.dice.randrange(100, 9_000)) / 100)

    def _allocated(self) -> None:
        invoice = self._open()
        self.town.control.allocate(
            self.town.control.add_credit_note(invoice["contact_id"], "5.00"), invoice["id"], "1.00"
        )

    def _voided(self) -> None:
        self.town.control.void(self._open()["id"])

    def _put_off(self) -> None:
        """A new due date. On a part-paid invoice too, of which the ledger's list of changes may say nothing."""
        due = self.town.clock().date() + timedelta(days=self.dice.randrange(-30, 30))
        self.town.control.edit_invoice(self._open()["id"], due=due)

    def _moved(self) -> None:
        customer = self.dice.choice(self.town.control.contacts())
        self.town.control.edit_contact(customer["id"], email=f"new{self.dice.randrange(10**6)}@debtor.example")

    def _part(self, invoice: dict[str, Any]) -> Decimal:
        return max(
            Decimal("0.01"), (Decimal(invoice["balance"]) * self.dice.randrange(10, 90) / 100).quantize(Decimal("0.01"))
        )

    # --- what happens to the daemon

    def sync(self) -> None:
        """Some time passes, and the ledger is read; something may go wrong, and the computer may be switched off."""
        self.town.move(self.town.clock() + timedelta(minutes=self.dice.randrange(1, 45)))
        if self.dice.random() < 0.4:
            calls, keys = ("next", "token") if self._at_xero else ("quickbooks", "quickbooks_token")
            some = FAULTS if self._at_xero else QUICKBOOKS_FAULTS
            faults = {calls: self.dice.choices(some, k=self.dice.randrange(1, 3))}
            if self.dice.random() < 0.3:
                faults[keys] = [self.dice.choice(TOKEN_FAULTS)]
            self.town.control.faults(**faults)
        if self.dice.random() < 0.06:
            self.killed += self.town.killed_at("sync", "sync_due", *self.dice.choice(KILLED)) < 0
        else:
            self.town.sync()
        self.syncs += 1
        if self.dice.random() < 0.3:
            self._write_something()

    def _write_something(self) -> None:
        with self.town.office.database.reading() as session:
            account = self.dice.choice(session.scalars(select(AccountRow.id)).all())
        self.notes += 1
        add_note(self.town.office, account, text=f"We spoke, {self.notes}.", by="Olive Owner")
        if self.dice.random() < 0.15:
            self.killed += self.town.killed_at("write_back", "write_back", *self.dice.choice(KILLED_WRITING)) < 0
        else:
            write_back.write_back(self.town.office)

    # --- a quiet point

    def rest(self) -> None:
        """The line is good again, hours pass, and the schedule does its rounds."""
        self.town.control.faults(clear=True)
        for _ in range(3):
            self.town.move(self.town.clock() + timedelta(hours=2))
            self.town.sync()
            write_back.write_back(self.town.office)
            self.syncs += 1
        sync.check(self.town.office, self.town.organisation)  # as in every night


def differences(town: Town) -> list[str]:
    """Everything in which our copy is not what the ledger says, to the cent."""
    ours, theirs = _ours(town), _theirs(town)
    return [
        f"{what} {name}: the ledger says {theirs[what].get(name)}, the copy {ours[what].get(name)}"
        for what in theirs
        for name in sorted({*ours[what], *theirs[what]})
        if ours[what].get(name) != theirs[what].get(name)
    ]


def _theirs(town: Town) -> dict[str, dict[str, Any]]:
    customers = {one["name"]: one for one in town.control.contacts()}
    invoices = [one for one in town.control.invoices("AUTHORISED") if Decimal(one["balance"])]
    owing = {one["contact"] for one in invoices}
    return {
        "invoice": {
            one["number"]: (one["contact"], one["due"], Decimal(one["total"]), Decimal(one["balance"]))
            for one in invoices
        },
        "settled of": {one["number"]: Decimal(one["total"]) - Decimal(one["balance"]) for one in invoices},
        "address of": {name: customers[name]["email"] or "" for name in owing},
    }


def _ours(town: Town) -> dict[str, dict[str, Any]]:
    with town.office.database.reading() as session:
        rows = session.execute(
            select(InvoiceRow, AccountRow)
            .join(AccountRow, col(AccountRow.id) == InvoiceRow.account_id)
            .where(col(InvoiceRow.status) == "open", col(InvoiceRow.balance) > 0)
        ).all()
        settled: dict[int, Decimal] = {}
        for table in (PaymentRow, AllocationRow):
            for number, amount in session.execute(select(table.invoice_id, table.amount)):  # type: ignore[call-overload]
                settled[number] = settled.get(number, Decimal(0)) + amount
    return {
        "invoice": {
            one.number: (account.name, one.due_on.isoformat(), one.total, one.balance) for one, account in rows
        },
        "settled of": {one.number: settled.get(one.id, Decimal(0)) for one, _ in rows},
        "address of": {account.name: account.email for _, account in rows},
    }


def credit_left(town: Town) -> Decimal:
    """All the money in the customers' favour that our copy knows of."""
    with town.office.database.reading() as session:
        left = session.scalars(select(CreditRow.remaining).where(col(CreditRow.status) == "open")).all()
    return sum(left, Decimal(0))


def grant_is_alive(town: Town) -> bool:
    with town.office.database.reading() as session:
        return session.scalars(select(ConnectionRow.state)).one() == "active"


def notes_not_written(town: Town) -> int:
    with town.office.database.reading() as session:
        waiting = select(func.count()).select_from(WriteBackRow).where(col(WriteBackRow.state) != "written")
        return session.scalars(waiting).one()


def our_notes(town: Town) -> Counter[str]:
    """The notes that belong into the ledger."""
    with town.office.database.reading() as session:
        query = select(HistoryNoteRow.text).join(WriteBackRow, col(WriteBackRow.note_id) == HistoryNoteRow.id)
        return Counter(session.scalars(query))


def notes_at_xero(town: Town) -> Counter[str]:
    return Counter(note["details"].partition(" [arrears")[0] for note in town.control.notes())


def marks_at_quickbooks(town: Town) -> list[Counter[str]]:
    """How often each mark of ours stands in the attachments, and in the customers' own notes."""
    texts = [rows_at_quickbooks(town, entity) for entity in ("Attachable", "Customer")]
    return [
        Counter(mark for row in rows for mark in re.findall(r"\[arrears [^]]+\]", str(row.get(field, ""))))
        for rows, field in zip(texts, ("Note", "Notes"), strict=True)
    ]


def rows_at_quickbooks(town: Town, entity: str) -> list[dict[str, Any]]:
    with town.office.database.reading() as session:
        row = session.scalars(select(ConnectionRow)).one()
    grant, _ = KeptGrant(town.office, int(row.id or 0), row.organisation_id).load()
    url = f"{town.world.quickbooks.api_url}/v3/company/{row.tenant}/query"
    headers = {"Authorization": f"Bearer {grant.access_token}", "Accept": "application/json"}
    query = f"SELECT * FROM {entity} MAXRESULTS 1000"
    answer: dict[str, Any] = urllib3.request("GET", url, fields={"query": query}, headers=headers).json()
    rows: list[dict[str, Any]] = answer["QueryResponse"].get(entity, [])
    return rows


def is_fresh(town: Town) -> bool:
    """Whether the copy says of itself that it is as of now."""
    with town.office.database.reading() as session:
        return session.scalars(select(OrganisationRow.ledger_as_of)).one() == town.clock()
