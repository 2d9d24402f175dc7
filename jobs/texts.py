"""The text messages of days to come: how long each would be, in the firm's own words and with that day's figures."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from engine.ageing import OpenInvoice
from engine.facts import Facts
from engine.story import Send
from engine.workflow import Channel
from store.tables import AccountRow, OrganisationRow, StepRow, WorkflowRow
from wording import Line, Statement, TemplateProblem, texted
from wording.segments import count


class Texts:
    """Words for the text messages of these accounts."""

    def __init__(self, session: Session, organisation: OrganisationRow, accounts: Mapping[int, AccountRow]) -> None:
        self._organisation, self._accounts = organisation, accounts
        query = (
            select(WorkflowRow.name, StepRow.name, StepRow.body)  # type: ignore[call-overload]
            .join(StepRow, col(StepRow.workflow_id) == WorkflowRow.id)
            .where(col(WorkflowRow.organisation_id) == organisation.id, col(StepRow.channel) == Channel.SMS)
        )
        self._bodies = {(workflow, step): body for workflow, step, body in session.execute(query)}

    def segments(self, account_id: int, send: Send, facts: Facts) -> int:
        """How many segments this text message takes. One whose wording cannot be rendered counts as one."""
        listed = set(send.invoices)
        lines = tuple(_line(invoice, send) for invoice in facts.invoices if invoice.id in listed)
        statement = _statement(self._organisation, self._accounts[account_id], lines, send)
        try:
            return count(texted(self._bodies.get((send.workflow, send.step), ""), statement)).segments
        except TemplateProblem:
            return 1


def _line(invoice: OpenInvoice, send: Send) -> Line:
    return Line(
        number=invoice.number,
        reference="",
        issued_on=None,
        due_on=invoice.due_on,
        total=invoice.balance,
        balance=invoice.balance,
        currency=invoice.currency,
        age=invoice.age(send.on),
    )


def _statement(organisation: OrganisationRow, account: AccountRow, lines: tuple[Line, ...], send: Send) -> Statement:
    return Statement(
        organisation=organisation.name,
        account=account.name,
        as_of=send.on,
        lines=lines,
        locale=organisation.locale,
        account_number=account.number,
        contact_first_name=account.first_name,
        contact_last_name=account.last_name,
        contact_email=account.email,
        sender_name=organisation.sender_name or organisation.name,
    )
