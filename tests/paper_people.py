"""What people do in a story, done with the product's own acts. What the product does not allow is left undone."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from engine.holds import HoldKind
from jobs import account_acts, assigning, invoice_acts, workflows
from jobs.acting import NotAllowed, open_holds
from jobs.office import Office
from jobs.reminder_settings import save_reminder_settings, settings_of
from store.tables import AccountRow, OrganisationRow, ReminderRow

BY = "Olive Owner"
WHY = "as the story has it"


def _pause(office: Office, account: int, value: bool) -> None:
    act = account_acts.pause_account if value else account_acts.resume_account
    act(office, account, by=BY)


def _mute_account(office: Office, account: int, value: bool) -> None:
    act = account_acts.mute_account if value else account_acts.unmute_account
    act(office, account, by=BY)


def _question(office: Office, account: int, value: bool) -> None:
    if value:
        account_acts.ask_question(office, account, text=WHY, by=BY)
        return
    with office.database.reading() as session:
        asked = [hold.id for hold in open_holds(session, account, HoldKind.QUESTION)]
    for number in asked:
        account_acts.answer_question(office, int(number or 0), text=WHY, by=BY)


def _promise(office: Office, account: int, value: date) -> None:
    account_acts.expect_payment(office, account, until=value, by=BY)


def _assign(office: Office, account: int, workflow: int) -> None:
    with suppress(NotAllowed):
        assigning.assign_workflow(office, [account], workflow, by=BY)


def _account_default(office: Office, account: int, workflow: int) -> None:
    assigning.set_account_default(office, account, workflow, by=BY)


def _organisation_default(office: Office, account: int, workflow: int) -> None:
    with office.database.reading() as session:
        number = int(_organisation(session, account).id or 0)
    workflows.make_default(office, number, workflow, by=BY)


def _smart(office: Office, account: int, value: bool) -> None:
    with office.database.reading() as session:
        organisation = _organisation(session, account)
    settings = replace(settings_of(organisation), reassess_on_payment=value)
    save_reminder_settings(office, int(organisation.id or 0), settings, by=BY)


def _approve(office: Office, account: int, step: str) -> None:
    """Lets the step of this name go, if it waits for a person."""
    with office.database.reading() as session:
        query = select(ReminderRow).where(col(ReminderRow.account_id) == account, col(ReminderRow.step_name) == step)
        waiting = [row.id for row in session.scalars(query) if account_acts.waits_for_a_person(row)]
    for number in waiting:
        account_acts.approve_reminder(office, int(number or 0), by=BY)


def _each(act: Callable[..., None], **words: str) -> Callable[[Office, int, list[int]], None]:
    def done(office: Office, account: int, invoices: list[int]) -> None:
        for invoice in invoices:
            act(office, invoice, by=BY, **words)

    return done


PEOPLE: dict[str, Callable[[Office, int, Any], None]] = {
    "pause": _pause,
    "mute_account": _mute_account,
    "question": _question,
    "promise": _promise,
    "assign": _assign,
    "account_default": _account_default,
    "organisation_default": _organisation_default,
    "smart": _smart,
    "mute_invoice": _each(invoice_acts.mute_invoice, why=WHY),
    "unmute_invoice": _each(invoice_acts.unmute_invoice),
    "dispute": _each(invoice_acts.dispute_invoice, why=WHY),
    "settle_dispute": _each(invoice_acts.settle_dispute),
    "approve": _approve,
}
"""How a person does what an event of a story says: to this account, with that value.

Workflows and invoices are named by the numbers that the store has given them.
"""

OF_WORKFLOWS = ("assign", "account_default", "organisation_default")
OF_INVOICES = ("mute_invoice", "unmute_invoice", "dispute", "settle_dispute")


def _organisation(session: Session, account: int) -> OrganisationRow:
    row = session.get(AccountRow, account)
    assert row is not None
    organisation = session.get(OrganisationRow, row.organisation_id)
    assert organisation is not None
    return organisation
