"""The forms on the page of one account: what a person says about it, its invoices and its reminders."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Response

from jobs import account_acts, acts, assigning, invoice_acts
from jobs.acting import NotAllowed
from store.tables import AccountRow, HoldRow, InvoiceRow, ReminderRow, WorkflowRow
from web._pages import back
from web._visit import Desk, NotFound, Said, Working, number_of

router = APIRouter()

_NONE: list[str] = []


@router.post("/accounts/{account_id}/pause")
def pause(desk: Working, account_id: int, why: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.pause_account(desk.office, account_id, by=desk.by, why=why.strip())
    return back(f"/accounts/{account_id}", "paused")


@router.post("/accounts/{account_id}/resume")
def resume(desk: Working, account_id: int) -> Response:
    desk.own(AccountRow, account_id)
    account_acts.resume_account(desk.office, account_id, by=desk.by)
    return back(f"/accounts/{account_id}", "resumed")


@router.post("/accounts/{account_id}/mute")
def mute(desk: Working, account_id: int, why: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.mute_account(desk.office, account_id, by=desk.by, why=why.strip())
    return back(f"/accounts/{account_id}", "muted")


@router.post("/accounts/{account_id}/unmute")
def unmute(desk: Working, account_id: int) -> Response:
    desk.own(AccountRow, account_id)
    account_acts.unmute_account(desk.office, account_id, by=desk.by)
    return back(f"/accounts/{account_id}", "unmuted")


@router.post("/accounts/{account_id}/expect")
def expect(
    desk: Working, account_id: int, until: Said = "", why: Said = "", invoices: Annotated[list[str], Form()] = _NONE
) -> Response:
    desk.own(AccountRow, account_id)
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise NotAllowed("Write the day on which the payment is expected like 2026-05-31.") from None
    numbers = [_own_invoice(desk, account_id, invoice) for invoice in invoices]
    account_acts.expect_payment(desk.office, account_id, until=day, by=desk.by, why=why.strip(), invoices=numbers)
    return back(f"/accounts/{account_id}", "expected")


@router.post("/accounts/{account_id}/expect-no-more")
def expect_no_more(desk: Working, account_id: int) -> Response:
    desk.own(AccountRow, account_id)
    account_acts.no_longer_expected(desk.office, account_id, by=desk.by)
    return back(f"/accounts/{account_id}", "not-expected")


@router.post("/accounts/{account_id}/questions")
def ask(desk: Working, account_id: int, text: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.ask_question(desk.office, account_id, text=text, by=desk.by)
    return back(f"/accounts/{account_id}", "asked")


@router.post("/holds/{hold_id}/answer")
def answer(desk: Working, hold_id: int, text: Said = "") -> Response:
    question: HoldRow = desk.own(HoldRow, hold_id)
    account_acts.answer_question(desk.office, hold_id, text=text, by=desk.by)
    return back(f"/accounts/{question.account_id}", "answered")


@router.post("/accounts/{account_id}/hand-over")
def hand_over(desk: Working, account_id: int, why: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.hand_over(desk.office, account_id, by=desk.by, why=why.strip())
    return back(f"/accounts/{account_id}", "handed-over")


@router.post("/accounts/{account_id}/take-back")
def take_back(desk: Working, account_id: int) -> Response:
    desk.own(AccountRow, account_id)
    account_acts.take_back(desk.office, account_id, by=desk.by)
    return back(f"/accounts/{account_id}", "taken-back")


@router.post("/accounts/{account_id}/notes")
def note(desk: Working, account_id: int, text: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.add_note(desk.office, account_id, text=text.strip(), by=desk.by)
    return back(f"/accounts/{account_id}", "noted")


@router.post("/accounts/{account_id}/no-statements")
def no_statements(desk: Working, account_id: int, why: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.no_more_statements(desk.office, account_id, by=desk.by, why=why.strip())
    return back(f"/accounts/{account_id}", "no-statements")


@router.post("/accounts/{account_id}/statements")
def statements(desk: Working, account_id: int) -> Response:
    desk.own(AccountRow, account_id)
    account_acts.statements_again(desk.office, account_id, by=desk.by)
    return back(f"/accounts/{account_id}", "statements")


@router.post("/accounts/{account_id}/time-zone")
def time_zone(desk: Working, account_id: int, zone: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.set_time_zone(desk.office, account_id, time_zone=zone, by=desk.by)
    return back(f"/accounts/{account_id}", "zone")


@router.post("/accounts/{account_id}/workflow")
def workflow(desk: Working, account_id: int, place: Said = "") -> Response:
    """`place` is a workflow's number, or the number and one of its steps: `12`, `12:r2`."""
    desk.own(AccountRow, account_id)
    number, _, step = place.partition(":")
    chosen = desk.own_number(WorkflowRow, number)
    assigning.assign_workflow(desk.office, [account_id], chosen, by=desk.by, step_id=step or None)
    return back(f"/accounts/{account_id}", "assigned")


@router.post("/accounts/{account_id}/default-workflow")
def default_workflow(desk: Working, account_id: int, workflow: Said = "") -> Response:
    """An empty choice means that of the organisation."""
    desk.own(AccountRow, account_id)
    chosen = desk.own_number(WorkflowRow, workflow) if workflow else None
    assigning.set_account_default(desk.office, account_id, chosen, by=desk.by)
    return back(f"/accounts/{account_id}", "default")


@router.post("/accounts/{account_id}/invoices/mute")
def mute_invoice(desk: Working, account_id: int, invoice: Said = "", why: Said = "") -> Response:
    number = _own_invoice(desk, account_id, invoice)
    invoice_acts.mute_invoice(desk.office, number, why=why, by=desk.by)
    return back(f"/accounts/{account_id}", "invoice-muted")


@router.post("/accounts/{account_id}/invoices/dispute")
def dispute(desk: Working, account_id: int, invoice: Said = "", why: Said = "", ask: Said = "") -> Response:
    number = _own_invoice(desk, account_id, invoice)
    invoice_acts.dispute_invoice(desk.office, number, why=why, by=desk.by, ask=ask == "on")
    return back(f"/accounts/{account_id}", "disputed")


@router.post("/invoices/{invoice_id}/unmute")
def unmute_invoice(desk: Working, invoice_id: int) -> Response:
    row: InvoiceRow = desk.own(InvoiceRow, invoice_id)
    invoice_acts.unmute_invoice(desk.office, invoice_id, by=desk.by)
    return back(f"/accounts/{row.account_id}", "invoice-unmuted")


@router.post("/invoices/{invoice_id}/settle-dispute")
def settle_dispute(desk: Working, invoice_id: int) -> Response:
    row: InvoiceRow = desk.own(InvoiceRow, invoice_id)
    invoice_acts.settle_dispute(desk.office, invoice_id, by=desk.by)
    return back(f"/accounts/{row.account_id}", "dispute-settled")


@router.post("/reminders/{reminder_id}/approve")
def approve(desk: Working, reminder_id: int) -> Response:
    row: ReminderRow = desk.own(ReminderRow, reminder_id)
    account_acts.approve_reminder(desk.office, reminder_id, by=desk.by)
    return back(f"/accounts/{row.account_id}", "called" if row.channel == "call" else "approved")


@router.post("/reminders/{reminder_id}/settle")
def settle(desk: Working, reminder_id: int, went: Said = "") -> Response:
    """A person's word on a reminder of which nobody knows whether it went out."""
    row: ReminderRow = desk.own(ReminderRow, reminder_id)
    if went not in ("yes", "no"):
        raise NotFound
    acts.settle_unsure(desk.office, reminder_id, went=went == "yes", by=desk.by)
    return back(f"/accounts/{row.account_id}", "went" if went == "yes" else "went-not")


@router.post("/reminders/{reminder_id}/again")
def again(desk: Working, reminder_id: int) -> Response:
    row: ReminderRow = desk.own(ReminderRow, reminder_id)
    acts.try_again(desk.office, reminder_id, by=desk.by)
    return back(f"/accounts/{row.account_id}", "again")


def _own_invoice(desk: Desk, account_id: int, invoice: str) -> int:
    desk.own(AccountRow, account_id)
    row: InvoiceRow = desk.own(InvoiceRow, number_of(invoice))
    if row.account_id != account_id:
        raise NotFound
    return int(row.id or 0)
