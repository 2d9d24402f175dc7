"""The story of one invoice: when we learnt what about it, from which sync run and from which of its calls."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from store.screens.every_page import own_row
from store.tables import AccountRow, AllocationRow, ChangeRow, InvoiceRow, PaymentRow, SyncRunRow

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Learnt:
    """One change of the invoice with the run that it came with."""

    change: ChangeRow
    run: SyncRunRow

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls that may have carried it; mostly one. None once they are no longer kept."""
        first, last = self.change.first_call, self.change.last_call
        return self.run.calls[first - 1 : last] if first else []

    @property
    def settles(self) -> bool:
        """Whether this is how we learnt that nothing is open any more."""
        return any(name == "status" and new not in ("open", "unknown") for name, _, new in self.change.fields)


@dataclass(frozen=True, slots=True)
class InvoiceStory:
    """`settled_by` is the run that said it was settled, which is kept for longer than what it changed.

    `account` pays; `branch` is whom the ledger bills, where that is somebody else.
    """

    invoice: InvoiceRow
    account: AccountRow
    branch: AccountRow | None
    payments: tuple[PaymentRow, ...]
    credits: tuple[AllocationRow, ...]
    learnt: tuple[Learnt, ...]
    settled_by: SyncRunRow | None

    @property
    def settling(self) -> Learnt | None:
        """The newest news that settled it, while it is settled."""
        if self.invoice.settled_seen_at is None:
            return None
        return next((one for one in self.learnt if one.settles), None)


def invoice_story(session: Session, organisation_id: int, invoice_id: int) -> InvoiceStory | None:
    """The newest first; None when the organisation has no such invoice."""
    invoice = session.scalars(own_row(InvoiceRow, organisation_id, invoice_id)).one_or_none()
    if invoice is None:
        return None
    account = session.scalars(own_row(AccountRow, organisation_id, invoice.account_id)).one()
    learnt: Any = (
        select(ChangeRow, SyncRunRow)
        .join(SyncRunRow, col(SyncRunRow.id) == ChangeRow.sync_run_id)
        .where(
            col(ChangeRow.organisation_id) == organisation_id,
            col(ChangeRow.list) == "invoices",
            col(ChangeRow.ledger_id) == invoice.ledger_id,
        )
        .order_by(col(ChangeRow.at).desc(), col(ChangeRow.id).desc())
        .limit(LONGEST)
    )
    paid = select(PaymentRow).where(col(PaymentRow.invoice_id) == invoice_id).order_by(col(PaymentRow.paid_on))
    used = select(AllocationRow).where(col(AllocationRow.invoice_id) == invoice_id).order_by(col(AllocationRow.on))
    return InvoiceStory(
        invoice=invoice,
        account=account,
        branch=session.scalars(own_row(AccountRow, organisation_id, invoice.billed_for or 0)).one_or_none(),
        payments=tuple(session.scalars(paid)),
        credits=tuple(session.scalars(used)),
        learnt=tuple(Learnt(*row) for row in session.execute(learnt)),
        settled_by=session.scalars(own_row(SyncRunRow, organisation_id, invoice.settled_by_run or 0)).one_or_none(),
    )


def invoices_numbered(session: Session, organisation_id: int, number: str) -> tuple[InvoiceRow, ...]:
    """The invoices of this number; a ledger may have given one number twice."""
    query = select(InvoiceRow).where(
        col(InvoiceRow.organisation_id) == organisation_id, col(InvoiceRow.number) == number
    )
    return tuple(session.scalars(query.order_by(col(InvoiceRow.id)).limit(20)))
