"""The forms on the page of one account: what a person says about it, its invoices and its reminders."""

from collections.abc import Callable
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

_WITH_A_REASON = {
    "pause": (account_acts.pause_account, "paused"),
    "mute": (account_acts.mute_account, "muted"),
    "hand-over": (account_acts.hand_over, "handed-over"),
    "no-statements": (account_acts.no_more_statements, "no-statements"),
}
_TAKEN_BACK = {
    "resume": (account_acts.resume_account, "resumed"),
    "unmute": (account_acts.unmute_account, "unmuted"),
    "take-back": (account_acts.take_back, "taken-back"),
    "statements": (account_acts.statements_again, "statements"),
    "expect-no-more": (account_acts.no_longer_expected, "not-expected"),
}
"""By the end of their address: what a person does with an account, and what they are told of it afterwards."""


def _for_a_reason(act: Callable[..., object], said: str) -> Callable[..., Response]:
    def form(desk: Working, account_id: int, why: Said = "") -> Response:
        desk.own(AccountRow, account_id)
        act(desk.office, account_id, by=desk.by, why=why.strip())
        return back(f"/accounts/{account_id}", said)

    return form


def _back_again(act: Callable[..., object], said: str) -> Callable[..., Response]:
    def form(desk: Working, account_id: int) -> Response:
        desk.own(AccountRow, account_id)
        act(desk.office, account_id, by=desk.by)
        return back(f"/accounts/{account_id}", said)

    return form


_FORMS = {end: _for_a_reason(*act) for end, act in _WITH_A_REASON.items()}
_FORMS |= {end: _back_again(*act) for end, act in _TAKEN_BACK.items()}
for _end, _form in _FORMS.items():
    router.post(f"/accounts/{{account_id}}/{_end}")(_form)


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


@router.post("/accounts/{account_id}/notes")
def note(desk: Working, account_id: int, text: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.add_note(desk.office, account_id, text=text.strip(), by=desk.by)
    return back(f"/accounts/{account_id}", "noted")


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
