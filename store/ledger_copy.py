"""The faithful copy of the ledger: rows from outside are compared with what we have, and only differences are written.

Taking the same rows in twice changes nothing, so an overlap between two readings, a repeated sync or one that was cut
short can do no harm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlmodel import Session

from engine.receivables import Account, Credit, Invoice, InvoiceStatus
from store.changes import Changes, note_money, people
from store.differences import Altered, Differences, Sheet, numbers_of, numbers_question
from store.payers import billed_with_question, payers_among
from store.rows import Question, Row, all_rows, days, insert, moments, piped, scaled, together, write

T = TypeVar("T")

_CHUNK = 1000
_ACCOUNTS = Sheet(
    "accounts",
    (
        *("ledger_id", "name", "number", "email", "phone", "mobile", "first_name", "last_name", "currency", "archived"),
        *("merged_into", "billed_with", "changed_at"),
    ),
    ("time_zone",),
)
_INVOICES = Sheet(
    "invoices",
    (
        *("ledger_id", "account_id", "number", "reference", "issued_on", "due_on", "total", "balance", "paid"),
        *("credited", "currency", "status", "settled_on", "expected_on", "billed_for", "changed_at"),
    ),
    ("settled_seen_at", "settled_by_run", "online_link"),
)
_CREDITS = Sheet(
    "credits",
    (
        *("ledger_id", "account_id", "kind", "number", "issued_on", "total", "remaining", "currency", "status"),
        *("billed_for", "changed_at"),
    ),
)
PAYMENT = ("invoice_id", "ledger_id", "paid_on", "amount")
ALLOCATION = ("invoice_id", "document_ledger_id", "credit_ledger_id", "kind", "on", "amount")
_ACCOUNT = 1
_NUMBER = 2
"""Where an invoice's row names its account and its number."""


@dataclass(slots=True)
class TakenIn:
    """What one reading came to. `touched` are the accounts that have to be looked at again.

    `reopened` are the invoices that we knew as settled and that are open again: each as its account and its number.
    `set_aside` rows could not be read, and `gone` is how much of what we knew the ledger has deleted. `changes` are for
    the sync log.
    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    set_aside: int = 0
    gone: int = 0
    touched: set[int] = field(default_factory=set)
    reopened: set[tuple[int, str]] = field(default_factory=set)
    changes: Changes = field(default_factory=Changes)

    def count(self, found: Differences) -> None:
        new, changed = len(found.fresh), len(found.altered)
        self.seen += new + changed + found.unchanged
        self.new += new
        self.changed += changed
        self.unchanged += found.unchanged

    def count_accounts(self, found: Differences) -> None:
        """An account that was made of what its invoice said is counted when the ledger tells of it."""
        self.count(found)
        made = sum(one.known.said[-1] is None for one in found.altered)
        self.new += made
        self.changed -= made


def unknown_accounts(session: Session, organisation_id: int, ledger_ids: Iterable[str]) -> list[str]:
    """Those of these ledger ids that no account of ours has."""
    session.flush()
    wanted = sorted(set(ledger_ids))
    known: dict[str, int] = {}
    for chunk in chunks(wanted):
        known |= numbers_of(session, "accounts", organisation_id, chunk)
    return [ledger_id for ledger_id in wanted if ledger_id not in known]


def take_in_accounts(session: Session, organisation_id: int, accounts: Sequence[Account], taken: TakenIn) -> None:
    """Upserts accounts with their contacts."""
    session.flush()
    for chunk in chunks(latest(accounts)):
        _take_in_accounts(session, organisation_id, chunk, taken)


def take_in_invoices(
    session: Session,
    organisation_id: int,
    invoices: Sequence[Invoice],
    taken: TakenIn,
    *,
    now: datetime,
    run: int | None = None,
) -> None:
    """Upserts invoices with their payments; keeps when and from which sync run we learnt that one was settled."""
    session.flush()
    for chunk in chunks(latest(invoices)):
        _take_in_invoices(session, organisation_id, chunk, taken, (moments(session)(now), run))


def take_in_credits(session: Session, organisation_id: int, credits_: Sequence[Credit], taken: TakenIn) -> None:
    """Upserts credits. One whose account we do not know is left out: it holds no invoice and stops no reminder."""
    session.flush()
    for chunk in chunks(latest(credits_)):
        _take_in_credits(session, organisation_id, chunk, taken)


def latest(records: Sequence[T]) -> list[T]:
    """Of a record that comes twice in one reading the later one."""
    return [*{record.ledger_id: record for record in records}.values()]  # type: ignore[attr-defined]


def _take_in_accounts(session: Session, organisation_id: int, accounts: Sequence[Account], taken: TakenIn) -> None:
    (answer,) = together(session, [_ACCOUNTS.question(organisation_id, [account.ledger_id for account in accounts])])
    known = _ACCOUNTS.known(answer)
    moment = moments(session)
    found = _ACCOUNTS.compare([_account_row(account, moment) for account in accounts], known)
    taken.count_accounts(found)
    _ACCOUNTS.add(session, organisation_id, [(*row, "") for row in found.fresh])
    _ACCOUNTS.change(session, [(*one.said, *one.known.ours, one.known.id) for one in found.altered])
    taken.touched.update(one.known.id for one in found.altered)
    numbers = {ledger_id: one.id for ledger_id, one in known.items()}
    if found.fresh:
        fresh = numbers_of(session, "accounts", organisation_id, [row[0] for row in found.fresh])
        taken.touched.update(fresh.values())
        numbers |= fresh
    taken.changes.note(_ACCOUNTS, found, lambda row: numbers[row[0]])
    _take_in_contacts(session, {numbers[account.ledger_id]: account for account in accounts}, taken)


def _take_in_contacts(session: Session, accounts: Mapping[int, Account], taken: TakenIn) -> None:
    """The contacts of an account are replaced whole where any of them differs."""
    known: dict[int, list[Row]] = {}
    columns = ", ".join(_CONTACT)
    query = f"SELECT {columns} FROM contacts WHERE account_id IN (??) ORDER BY account_id, place"  # noqa: S608
    for row in all_rows(session, query, [[*accounts]]):
        known.setdefault(row[0], []).append(row)
    differ = {
        number: rows
        for number, account in accounts.items()
        if (rows := _contact_rows(number, account)) != known.get(number, [])
    }
    if not differ:
        return
    taken.touched.update(differ)
    for number in differ if taken.changes.has_room else ():
        told = [("contacts", people(known.get(number, [])), people(differ[number]))]
        taken.changes.besides("accounts", accounts[number].ledger_id, number, told)
    write(session, "DELETE FROM contacts WHERE account_id = ?", [(number,) for number in differ if number in known])
    if contacts := [row for rows in differ.values() for row in rows]:
        insert(session, "contacts", _CONTACT, contacts)


def _take_in_invoices(
    session: Session, organisation_id: int, invoices: Sequence[Invoice], taken: TakenIn, learnt: tuple[Any, int | None]
) -> None:
    accounts, payers, known = _asked(session, organisation_id, _INVOICES, invoices)
    accounts |= _made_of(session, organisation_id, [one for one in invoices if one.account_ledger_id not in accounts])
    day, moment = days(session), moments(session)
    found = _INVOICES.compare(
        [_invoice_row(accounts[invoice.account_ledger_id], payers, invoice, day, moment) for invoice in invoices],
        _INVOICES.known(known),
    )
    taken.count(found)
    taken.touched.update(row[_ACCOUNT] for row in found.fresh)
    taken.touched.update(number for one in found.altered for number in (one.known.said[_ACCOUNT], one.said[_ACCOUNT]))
    taken.reopened.update((one.said[_ACCOUNT], one.said[_NUMBER]) for one in found.altered if _reopened(one))
    changed = [(*one.said, *_beside(one.said, one.known.ours, learnt), one.known.id) for one in found.altered]
    told = {one.said[0]: one.known.id for one in found.altered}
    taken.changes.note(_INVOICES, found, lambda row: row[_ACCOUNT])
    note_money(session, taken.changes, invoices, found, lambda row: row[_ACCOUNT])
    with piped(session, len(invoices)):
        _INVOICES.add(session, organisation_id, [(*row, *_beside(row, _NOTHING, learnt)) for row in found.fresh])
        _INVOICES.change(session, changed)
        _replace_payments(session, told, invoices)
    new = {row[0] for row in found.fresh}
    paid = [one for one in invoices if one.ledger_id in new and (one.payments or one.allocations)]
    if paid:
        numbers = numbers_of(session, "invoices", organisation_id, [one.ledger_id for one in paid])
        _add_payments(session, numbers, paid)


def _take_in_credits(session: Session, organisation_id: int, credits_: Sequence[Credit], taken: TakenIn) -> None:
    accounts, payers, known = _asked(session, organisation_id, _CREDITS, credits_)
    day, moment = days(session), moments(session)
    rows = [
        (
            credit.ledger_id,
            payers.get(accounts[credit.account_ledger_id], accounts[credit.account_ledger_id]),
            credit.kind.value,
            credit.number,
            day(credit.issued_on),
            scaled(credit.total),
            scaled(credit.remaining),
            credit.currency,
            credit.status.value,
            accounts[credit.account_ledger_id] if accounts[credit.account_ledger_id] in payers else None,
            moment(credit.changed_at),
        )
        for credit in credits_
        if credit.account_ledger_id in accounts
    ]
    found = _CREDITS.compare(rows, _CREDITS.known(known))
    taken.count(found)
    taken.changes.note(_CREDITS, found, lambda row: row[_ACCOUNT])
    _CREDITS.add(session, organisation_id, found.fresh)
    _CREDITS.change(session, [(*one.said, one.known.id) for one in found.altered])
    taken.touched.update(row[_ACCOUNT] for row in found.fresh)
    taken.touched.update(one.said[_ACCOUNT] for one in found.altered)


def _asked(
    session: Session, organisation_id: int, sheet: Sheet, documents: Sequence[Invoice] | Sequence[Credit]
) -> tuple[dict[str, int], Mapping[int, int], list[Row]]:
    """Our numbers of the accounts that these documents name, who pays for whom, and what we have of the documents."""
    named = sorted({document.account_ledger_id for document in documents})
    accounts = numbers_question("accounts", organisation_id, named)
    ours = sheet.question(organisation_id, [one.ledger_id for one in documents])
    numbers, billed, known = together(session, [accounts, billed_with_question(organisation_id), ours])
    return dict(numbers), payers_among(session, organisation_id, billed), known  # type: ignore[arg-type]


def _made_of(session: Session, organisation_id: int, invoices: Sequence[Invoice]) -> dict[str, int]:
    """An account that was not seen yet is made from what its invoice says of it."""
    names = {invoice.account_ledger_id: invoice.account_name for invoice in invoices}
    if not names:
        return {}
    nothing = ("",) * 7
    rows = [
        (ledger_id, name or "(no name)", *nothing, False, None, None, None, "") for ledger_id, name in names.items()
    ]
    _ACCOUNTS.add(session, organisation_id, rows)
    return numbers_of(session, "accounts", organisation_id, names)


_NOTHING = (None, None, None)


def _beside(row: Row, known: Row, learnt: tuple[Any, int | None]) -> Row:
    """What we keep beside an invoice. The ledger had no link for it (""): it is asked again now that it has changed."""
    return (*_settled(row, known[:2], learnt), known[2] or None)


def _settled(row: Row, known: Row, learnt: tuple[Any, int | None]) -> Row:
    """When, and from which sync run, we learnt that an invoice was settled; nothing for one that is open (again)."""
    status = row[_STATUS]
    if status == InvoiceStatus.OPEN.value:
        return None, None
    if status == InvoiceStatus.UNKNOWN.value or known[0] is not None:
        return known
    return learnt


def _reopened(one: Altered) -> bool:
    return one.said[_STATUS] == InvoiceStatus.OPEN.value and one.known.ours[0] is not None


_STATUS = _INVOICES.said.index("status")


def _account_row(account: Account, moment: Any) -> Row:
    return (
        account.ledger_id,
        account.name,
        account.number,
        account.email,
        account.phone,
        account.mobile,
        account.first_name,
        account.last_name,
        account.currency,
        account.archived,
        account.merged_into,
        account.billed_with,
        moment(account.changed_at),
    )


_CONTACT = ("account_id", "place", "name", "email", "mobile", "role", "receives_reminders")


def _contact_rows(account_id: int, account: Account) -> list[Row]:
    return [
        (account_id, place, contact.name, contact.email, contact.mobile, contact.role, contact.receives_reminders)
        for place, contact in enumerate(account.contacts)
    ]


def _invoice_row(named: int, payers: Mapping[int, int], invoice: Invoice, day: Any, moment: Any) -> Row:
    """It stands with whoever pays it, and remembers the account that the ledger names where that is another one."""
    total = scaled(invoice.total)
    return (
        invoice.ledger_id,
        payers.get(named, named),
        invoice.number,
        invoice.reference,
        day(invoice.issued_on),
        day(invoice.due_on),
        total,
        total if invoice.balance is invoice.total else scaled(invoice.balance),
        scaled(invoice.paid),
        scaled(invoice.credited),
        invoice.currency,
        invoice.status.value,
        day(invoice.settled_on),
        day(invoice.expected_on),
        named if named in payers else None,
        moment(invoice.changed_at),
    )


def _replace_payments(session: Session, numbers: Mapping[str, int], invoices: Sequence[Invoice]) -> None:
    """The payments and allocations of these of our invoices, as far as this reading carried them."""
    carried = [one for one in invoices if one.ledger_id in numbers and one.payments is not None]
    if carried:
        which = [(numbers[one.ledger_id],) for one in carried]
        write(session, "DELETE FROM payments WHERE invoice_id = ?", which)
        write(session, "DELETE FROM allocations WHERE invoice_id = ?", which)
        _add_payments(session, numbers, carried)


def _add_payments(session: Session, numbers: Mapping[str, int], invoices: Sequence[Invoice]) -> None:
    day = days(session)
    payments = [
        (numbers[invoice.ledger_id], payment.ledger_id, day(payment.paid_on), scaled(payment.amount))
        for invoice in invoices
        for payment in latest(invoice.payments or ())
    ]
    allocations = [
        (numbers[invoice.ledger_id], "", used.ledger_id, used.kind.value, day(used.on), scaled(used.amount))
        for invoice in invoices
        for used in latest(invoice.allocations or ())
    ]
    if payments:
        insert(session, "payments", PAYMENT, payments)
    if allocations:
        insert(session, "allocations", ALLOCATION, allocations)


def follow_merges(session: Session, organisation_id: int, taken: TakenIn) -> None:
    """What still hangs on a merged account goes to the one it went into: its invoices, and what holds it.

    Looked at in every reading, so that it does not matter which of the two accounts the ledger shows first.
    """
    pairs = all_rows(
        session,
        "SELECT old.id, new.id FROM accounts old JOIN accounts new ON new.ledger_id = old.merged_into "
        "AND new.organisation_id = old.organisation_id "
        "WHERE old.organisation_id = ? AND old.merged_into IS NOT NULL AND old.id <> new.id",
        [organisation_id],
    )
    for old, new in pairs:
        hanging = [
            Question("UPDATE invoices SET account_id = ? WHERE account_id = ? RETURNING id", (new, old)),
            Question(
                "UPDATE holds SET account_id = ? WHERE account_id = ? AND lifted_at IS NULL RETURNING id", (new, old)
            ),
        ]
        if any(together(session, hanging)):
            taken.touched.update((old, new))


def chunks(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """By the thousand, which is as much as goes into one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
