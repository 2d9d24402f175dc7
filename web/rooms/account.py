"""One account: where it stands and why, what comes next, what is open, and everything that has happened."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from engine.ageing import OpenInvoice, totals
from engine.holds import HoldKind, sentence
from engine.position import Held
from engine.reminders import ReminderState
from jobs import account_acts, acts
from jobs.explain import explain
from store import screens
from store.screens import AccountFile
from store.tables import AccountRow, MessageRow, ReminderRow
from web._headers import LETTER_POLICY
from web._history import FIRST, MORE, timeline
from web._ladder import ladder
from web._pages import back, page
from web._visit import Looking, NotFound, Said, Working

router = APIRouter()


@router.get("/accounts/{account_id}")
def account(desk: Looking, account_id: int, history: str = "") -> Response:
    show = MORE if history == "all" else FIRST
    with desk.office.database.reading() as session:
        file = screens.account(session, desk.id, account_id, history=show)
    if file is None:
        raise NotFound
    explanation = explain(desk.office, account_id).explanation
    decision = explanation.decision
    entries, more = timeline(file, show)
    state = decision.position.state
    return page(
        desk,
        "account.html",
        account=file.account,
        file=file,
        decision=decision,
        explanation=explanation,
        kind=type(state).__name__.lower(),
        held=[sentence(hold) for hold in state.holds] if isinstance(state, Held) else [],
        rungs=ladder(decision.position, decision.cycle, file.reminders),
        totals=_totals(file, desk.as_of),
        marks=_marks(file, desk.as_of),
        holds=[hold for hold in file.holds if hold.invoice_id is None],
        paused=any(hold.kind == HoldKind.PAUSED and hold.invoice_id is None for hold in file.holds),
        doubts=[row for row in file.reminders if row.state == ReminderState.UNSURE],
        refusals=[row for row in file.reminders if row.state == ReminderState.REFUSED],
        entries=entries,
        more=more and show == FIRST,
    )


def _totals(file: AccountFile, as_of: date) -> Any:
    return totals(
        (OpenInvoice(row.id or 0, row.number, row.due_on, row.balance, row.currency) for row in file.invoices), as_of
    )


def _marks(file: AccountFile, as_of: date) -> dict[int, list[str]]:
    """What a person or the ledger has said about single invoices, by invoice."""
    marks: dict[int, list[str]] = {row.id or 0: [] for row in file.invoices}
    for hold in file.holds:
        if hold.invoice_id in marks and (hold.until is None or hold.until >= as_of):
            marks[hold.invoice_id].append({HoldKind.DISPUTE: "disputed"}.get(HoldKind(hold.kind), hold.kind))
    return marks


@router.get("/accounts/{account_id}/reminders/{reminder_id}")
def reminder(desk: Looking, account_id: int, reminder_id: int) -> Response:
    """Exactly what was sent, to whom and when."""
    row: ReminderRow = desk.own(ReminderRow, reminder_id)
    if row.account_id != account_id:
        raise NotFound
    with desk.office.database.reading() as session:
        messages = screens.messages_of(session, desk.id, reminder_id)
    return page(desk, "reminder.html", account=desk.own(AccountRow, account_id), reminder=row, messages=messages)


@router.get("/messages/{message_id}/letter")
def letter(desk: Looking, message_id: int) -> Response:
    """The message as the debtor's mail program shows it: in a frame that runs nothing and loads nothing."""
    row: MessageRow = desk.own(MessageRow, message_id)
    return HTMLResponse(row.html, headers={"content-security-policy": LETTER_POLICY})


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


@router.post("/accounts/{account_id}/notes")
def note(desk: Working, account_id: int, text: Said = "") -> Response:
    desk.own(AccountRow, account_id)
    account_acts.add_note(desk.office, account_id, text=text.strip(), by=desk.by)
    return back(f"/accounts/{account_id}", "noted")


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
