"""See a reminder before anybody gets it: a step's words with the figures of a real account, as they stand today.

Nothing is kept, and nothing is sent. What a preview shows is what `deliver` would send this minute: the same words, the
same figures, the same look.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from engine.holds import HoldKind
from engine.receivables import InvoiceStatus
from jobs.speaking import Written, look_of, put_into_words, statement_for
from store.tables import AccountRow, HoldRow, InvoiceRow, OrganisationRow
from wording import Line, Rendered, TemplateProblem, placeholders
from wording.segments import Segments, count

_OPEN = (col(InvoiceRow.status) == InvoiceStatus.OPEN, col(InvoiceRow.balance) > 0)


class Sample(NamedTuple):
    """An account that a preview can be made for."""

    account_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A step as this account would get it. `segments` are those of an SMS; `problem` says why there are no words."""

    account: str
    words: Rendered | None
    segments: Segments | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is to be known of a step's words while they are typed: which placeholders nothing will ever fill in, why
    they cannot be filled in, and what an SMS comes to.
    """

    name: str
    unknown: tuple[str, ...] = ()
    problem: str = ""
    segments: Segments | None = None


def samples(session: Session, organisation_id: int, most: int = 100) -> tuple[Sample, ...]:
    """Accounts with open invoices, the largest amount first; any account where nobody owes anything."""
    owed = (
        select(col(InvoiceRow.account_id), func.sum(col(InvoiceRow.balance)).label("owed"))
        .where(col(InvoiceRow.organisation_id) == organisation_id, *_OPEN)
        .group_by(col(InvoiceRow.account_id))
        .subquery()
    )
    query = (
        select(AccountRow.id, AccountRow.name)
        .outerjoin(owed, owed.c.account_id == col(AccountRow.id))
        .where(col(AccountRow.organisation_id) == organisation_id, col(AccountRow.archived).is_(False))
        .order_by(func.coalesce(owed.c.owed, 0).desc(), col(AccountRow.name))
        .limit(most)
    )
    return tuple(Sample(int(number), name) for number, name in session.execute(query))


def preview(
    session: Session, organisation: OrganisationRow, account_id: int, written: Written, as_of: date, *, invoice: int = 0
) -> Preview:
    """These words for this account, or about one `invoice` of it. Raises LookupError for anybody else's account."""
    account = session.get(AccountRow, account_id)
    if account is None or account.organisation_id != organisation.id:
        raise LookupError(f"there is no account number {account_id}")
    lines = lines_of(session, organisation, account, as_of, invoice=invoice)
    statement = statement_for(session, organisation, account, lines, as_of)
    try:
        words = put_into_words(written, statement, look_of(session, organisation))
    except TemplateProblem as problem:
        return Preview(account.name, None, problem=str(problem))
    return Preview(account.name, words, count(words.text) if written.channel == "sms" else None)


def first_invoice(session: Session, account_id: int) -> int:
    """The one that a workflow which reminds invoices one by one speaks of first: the oldest open one; 0 for none."""
    query = select(InvoiceRow.id).where(col(InvoiceRow.account_id) == account_id, *_OPEN)
    oldest = (col(InvoiceRow.due_on), col(InvoiceRow.balance).desc(), col(InvoiceRow.number))
    return int(session.scalar(query.order_by(*oldest).limit(1)) or 0)


def lines_of(
    session: Session, organisation: OrganisationRow, account: AccountRow, as_of: date, *, invoice: int = 0
) -> tuple[Line, ...]:
    """The account's open invoices as a statement lists them, or this one of them alone."""
    query = select(InvoiceRow).where(col(InvoiceRow.account_id) == account.id, *_OPEN)
    rows = list(session.scalars(query.where(col(InvoiceRow.id) == invoice) if invoice else query))
    disputed = _disputed(session, account, as_of)
    return tuple(
        Line(
            number=row.number,
            reference=row.reference,
            issued_on=row.issued_on,
            due_on=row.due_on,
            total=row.total,
            balance=row.balance,
            currency=row.currency,
            age=(as_of - row.due_on).days,
            disputed=row.id in disputed,
            link=(row.online_link or "") if organisation.link_invoices else "",
        )
        for row in rows
    )


def looked_at(
    session: Session,
    organisation: OrganisationRow,
    steps: Iterable[tuple[str, Written]],
    *,
    per_invoice: bool,
    account_id: int | None,
    as_of: date,
) -> tuple[Looked, ...]:
    """What is to be known of each step, by its name. An SMS is counted as this account would get it."""
    found = []
    for name, written in steps:
        unknown, problem = _unknown(written, per_invoice=per_invoice)
        segments = None
        if written.channel == "sms" and written.body.strip() and account_id is not None and not unknown and not problem:
            about = first_invoice(session, account_id) if per_invoice else 0
            made = preview(session, organisation, account_id, written, as_of, invoice=about)
            segments, problem = made.segments, made.problem
        found.append(Looked(name, unknown, problem, segments))
    return tuple(found)


def _unknown(written: Written, *, per_invoice: bool) -> tuple[tuple[str, ...], str]:
    """The placeholders that do not exist, and what keeps the words from being read at all."""
    parts = [("body", written.body), *([("subject", written.subject)] if written.channel == "email" else [])]
    names: dict[str, None] = {}
    try:
        for part, words in parts:
            names |= dict.fromkeys(placeholders(words, part=part, per_invoice=per_invoice).unknown)
    except TemplateProblem as problem:
        return tuple(names), str(problem)
    return tuple(names), ""


def _disputed(session: Session, account: AccountRow, as_of: date) -> set[int]:
    query = select(HoldRow).where(
        col(HoldRow.account_id) == account.id,
        col(HoldRow.kind) == HoldKind.DISPUTE,
        col(HoldRow.invoice_id).is_not(None),
        col(HoldRow.lifted_at).is_(None),
    )
    return {
        int(hold.invoice_id)
        for hold in session.scalars(query)
        if hold.invoice_id is not None and hold.since <= as_of and (hold.until is None or as_of <= hold.until)
    }
