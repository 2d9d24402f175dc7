"""The look before a reminder leaves, shared by those that leave right after it.

The ledger is asked how exactly those invoices stand that are about to be chased, and it counts its calls. So one
question is about the reminder at hand and the next ones of the same organisation, as many invoices as fit. What it says
is good for half a minute; whoever comes later is asked about anew. Where a ledger leaves us waiting in vain, the rest
of its reminders wait for the next round: a question may take a minute then, and other organisations stand in line.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import select
from sqlmodel import Session, col

from connector import Ledger, Purpose, Records, Unreachable
from engine.receivables import InvoiceStatus
from jobs.carried import with_their_calls
from jobs.governors import governor_of
from jobs.ledgers import ledger_of
from jobs.office import Office
from store.tables import ConnectionRow, InvoiceRow, ReminderRow

GOOD_FOR = timedelta(seconds=30)
"""So old may be what the ledger said of an invoice when its reminder is about to leave."""

TOO_OLD = timedelta(minutes=2)
"""Nothing leaves on an answer of that age, however long it had to wait for its turn with the database."""


_LONGEST_IN_VAIN = 30.0
"""Real seconds in a row that one round waits for answers of one ledger that do not come. What is refused at once is
asked for each reminder alone: the next one may be answered.
"""


def is_younger(at: datetime, age: timedelta, now: datetime) -> bool:
    """Whether what was said then is not older than that. By a clock that was set back since, nobody can tell."""
    return timedelta(0) <= now - at <= age


@dataclass(frozen=True, slots=True)
class Look:
    """What the ledger said of these invoices (its own ids), and when it was asked."""

    ledger: Ledger
    connection_id: int
    asked: frozenset[str]
    records: Records
    at: datetime

    def only(self, invoice_ids: Collection[str]) -> Records:
        """What it said of some of them."""
        told = tuple(invoice for invoice in self.records.invoices if invoice.ledger_id in invoice_ids)
        return replace(self.records, invoices=told)


@dataclass(slots=True)
class Looks:
    """The looks of one round of deliveries. `ahead`: the numbers of the reminders that leave in it, in their order."""

    office: Office
    ahead: Sequence[int] = ()
    _latest: dict[int, Look] = field(default_factory=dict)
    _in_vain: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Real seconds by organisation, since its ledger last answered."""

    def of(self, connection: ConnectionRow, reminder_id: int, invoice_ids: Sequence[str]) -> Look:
        """How the invoices of this reminder stand, as the ledger said just now. Raises LedgerFailure."""
        now = self.office.clock()
        latest = self._latest.get(connection.organisation_id)
        if latest is not None and is_younger(latest.at, GOOD_FOR, now) and latest.asked.issuperset(invoice_ids):
            return latest
        if self._in_vain[connection.organisation_id] >= _LONGEST_IN_VAIN:
            raise Unreachable("it did not answer about the reminders before this one, and is asked in a few minutes")
        ledger = ledger_of(self.office, connection, governor_of(self.office, connection, Purpose.SENDING))
        ids = self._with_the_next(connection.organisation_id, reminder_id, invoice_ids, ledger.looks_at_once)
        begun = monotonic()
        try:
            (records,) = with_their_calls(ledger.calls, map(ledger.look_again, [ids]))
        except Unreachable:
            self._in_vain[connection.organisation_id] += monotonic() - begun
            raise
        self._in_vain[connection.organisation_id] = 0
        look = Look(ledger, int(connection.id or 0), frozenset(ids), records, now)
        self._latest[connection.organisation_id] = look
        return look

    def _with_the_next(
        self, organisation_id: int, reminder_id: int, invoice_ids: Sequence[str], most: int
    ) -> list[str]:
        """These invoices, and those of the reminders that follow: whole accounts, while they fit into one call."""
        ids = dict.fromkeys(invoice_ids)
        if reminder_id not in self.ahead:
            return [*ids]
        place = self.ahead.index(reminder_id) + 1
        with self.office.database.reading() as session:
            owed = _open_invoices(session, organisation_id, self.ahead[place : place + most])
        for following in self.ahead[place : place + most]:
            more = owed.get(following, ())
            if len(ids) + len(more) > most:
                break
            ids.update(dict.fromkeys(more))
        return [*ids]


def _open_invoices(session: Session, organisation_id: int, reminder_ids: Sequence[int]) -> dict[int, list[str]]:
    """The open invoices of the accounts of these reminders, by reminder."""
    query = (
        select(ReminderRow.id, InvoiceRow.ledger_id)
        .join(InvoiceRow, col(InvoiceRow.account_id) == ReminderRow.account_id)
        .where(
            col(ReminderRow.id).in_(reminder_ids),
            col(ReminderRow.organisation_id) == organisation_id,
            col(InvoiceRow.status) == InvoiceStatus.OPEN,
        )
    )
    owed: dict[int, list[str]] = {}
    for reminder, ledger_id in session.execute(query):
        owed.setdefault(reminder, []).append(ledger_id)
    return owed
