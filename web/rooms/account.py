"""One account: where it stands and why, what comes next, what is open, and everything that has happened."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from engine.ageing import OpenInvoice, totals
from engine.holds import HoldKind, sentence
from engine.letters import LETTER_CYCLE
from engine.position import Held
from engine.reasons import Explanation, Reason
from engine.reminders import ReminderState
from jobs.account_acts import waits_for_a_person
from jobs.explain import Explained, explain
from jobs.invoice_papers import invoice_paper
from jobs.looking_up import known_of
from jobs.speaking import look_of
from store import screens
from store.ground import workflows_of
from store.screens import AccountFile
from store.tables import AccountRow, HoldRow, InvoiceRow, MessageRow, ReminderRow
from store.tasks import key_of
from web._headers import LETTER_POLICY
from web._history import FIRST, MORE, timeline
from web._ladder import ladder
from web._pages import page
from web._say import sentence as sentence_of
from web._shown_letter import with_pictures
from web._visit import Desk, Looking, NotFound
from web._zones import zones_by_region
from wording.look import LOGO, logo_of

router = APIRouter()

TOLD_OF = {
    "delivered": "delivered",
    "deferred": "delayed on its way",
    "failed": "did not arrive",
    "opted out": "they asked us to stop",
    "complaint": "reported as unwanted",
}
"""What a provider has told of a message, as the history shows it."""

LIFTS = {
    HoldKind.PAUSED: ("resume", "Resume the account"),
    HoldKind.MUTED: ("unmute", "Unmute the account"),
    HoldKind.PROMISE: ("expect-no-more", "Wait no longer"),
    HoldKind.HANDED_OVER: ("take-back", "Take it back"),
}
"""How a hold is lifted: the form that does it, and what its button says."""


@router.get("/accounts/{account_id}")
def account(desk: Looking, account_id: int, history: str = "", at: str = "") -> Response:
    show = MORE if history == "all" or at else FIRST
    with desk.office.database.reading() as session:
        file = screens.account(session, desk.id, account_id, history=show)
        choices = () if at else tuple(workflows_of(session, desk.id).values())
    if file is None:
        raise NotFound
    if at:
        return _on_a_past_day(desk, file, at)
    told = explain(desk.office, account_id)
    entries, more = timeline(file, show)
    holds = _holds(file, desk.as_of)
    doubts, refusals = _in_state(file, ReminderState.UNSURE), _in_state(file, ReminderState.REFUSED)
    asked = {key_of(row, row.state): row for row in (*doubts, *refusals)}
    return page(
        desk,
        "account.html",
        account=file.account,
        file=file,
        **_stands(told, file),
        held=_held(told.explanation),
        totals=_totals(file, desk.as_of),
        marks=_marks(file, desk.as_of),
        holds=holds,
        lifts=LIFTS,
        told_of=TOLD_OF,
        kinds={hold.kind for hold in holds},
        waits=[row for row in file.reminders if waits_for_a_person(row)],
        letters=[row for row in file.reminders if row.cycle == LETTER_CYCLE and row.state == ReminderState.QUEUED],
        doubts=doubts,
        refusals=refusals,
        asked={asked[task.key].id: task.text for task in file.tasks if task.key in asked},
        tasks=[task for task in file.tasks if task.key not in asked],
        promised=[row for row in file.invoices if _may_be_promised(row, file, desk.as_of)],
        questions=[hold for hold in holds if hold.kind == HoldKind.QUESTION],
        choices=choices,
        zones=zones_by_region(file.account.time_zone),
        entries=entries,
        more=more and show == FIRST,
    )


def _in_state(file: AccountFile, state: ReminderState) -> list[ReminderRow]:
    return [row for row in file.reminders if row.state == state]


def _on_a_past_day(desk: Desk, file: AccountFile, at: str) -> Response:
    """Why it stood where it stood, from the facts that were known on that day."""
    try:
        told = explain(desk.office, file.account.id or 0, date.fromisoformat(at))
    except ValueError:
        return page(desk, "account_then.html", account=file.account, at="", problem="Write the day like 2026-05-31.")
    except LookupError as unknown:
        problem = sentence_of(str(unknown.args[0]))
        return page(desk, "account_then.html", account=file.account, at=at, problem=problem)
    return page(
        desk, "account_then.html", account=file.account, at=at, problem="", kept=told.kept, **_stands(told, file)
    )


def _stands(told: Explained, file: AccountFile) -> dict[str, Any]:
    """What the part of a page says that tells where the account stands on that day, and why."""
    explanation = told.explanation
    decision = explanation.decision
    known = tuple(row for row in file.reminders if row.performed_on is None or row.performed_on <= told.as_of)
    return {
        "as_of": told.as_of,
        "decision": decision,
        "kind": type(decision.position.state).__name__.lower(),
        "rungs": ladder(decision, known),
        "primary": explanation.primary,
        "besides": explanation.besides,
        "courtesy": explanation.courtesy,
        "nothing_follows": explanation.nothing_follows,
        "reasons": _primary_first(explanation),
        "leaves_at": _leaves_at(told, file),
        "at_the_door": told.waits,
    }


def _primary_first(explanation: Explanation) -> list[Reason]:
    primary = explanation.primary
    return [primary, *(reason for reason in explanation.reasons if reason is not primary)]


def _leaves_at(told: Explained, file: AccountFile) -> datetime | None:
    """The moment for which the next step is queued, where it is queued to leave."""
    step = told.explanation.decision.position.next_step
    if step is None or told.kept is not None:
        return None
    queued = (row for row in file.reminders if row.state == ReminderState.QUEUED and not row.held_because)
    return next((row.send_after for row in queued if row.step_id == step.id), None)


def _held(explanation: Explanation) -> list[str]:
    state = explanation.decision.position.state
    return [sentence(hold) for hold in state.holds] if isinstance(state, Held) else []


def _holds(file: AccountFile, as_of: date) -> list[HoldRow]:
    """What people have said about the whole account, and that still holds."""
    return [hold for hold in file.holds if hold.invoice_id is None and (hold.until is None or hold.until >= as_of)]


def _may_be_promised(row: InvoiceRow, file: AccountFile, as_of: date) -> bool:
    """Overdue, and neither disputed nor muted: what a promise to pay can be about."""
    return row.due_on < as_of and not any(hold.invoice_id == row.id for hold in file.holds)


def _totals(file: AccountFile, as_of: date) -> Any:
    return totals(
        (OpenInvoice(row.id or 0, row.number, row.due_on, row.balance, row.currency) for row in file.invoices), as_of
    )


def _marks(file: AccountFile, as_of: date) -> dict[int, list[HoldRow]]:
    """What a person has said about single invoices, by invoice."""
    marks: dict[int, list[HoldRow]] = {row.id or 0: [] for row in file.invoices}
    for hold in file.holds:
        if hold.invoice_id in marks and (hold.until is None or hold.until >= as_of):
            marks[hold.invoice_id].append(hold)
    return marks


@router.get("/accounts/{account_id}/reminders/{reminder_id}")
def reminder(desk: Looking, account_id: int, reminder_id: int) -> Response:
    """Exactly what was sent, to whom and when."""
    row: ReminderRow = desk.own(ReminderRow, reminder_id)
    if row.account_id != account_id:
        raise NotFound
    with desk.office.database.reading() as session:
        messages = screens.messages_of(session, desk.id, reminder_id)
    account: AccountRow = desk.own(AccountRow, account_id)
    return page(desk, "reminder.html", account=account, reminder=row, messages=messages, known_of=known_of)


@router.get("/invoices/{invoice_id}/pdf")
def invoice_pdf(desk: Looking, invoice_id: int) -> Response:
    """The ledger's own paper, fetched now and handed on. Raises NotAllowed with a sentence when there is none."""
    desk.own(InvoiceRow, invoice_id)
    paper = invoice_paper(desk.office, invoice_id)
    headers = {"content-disposition": f'attachment; filename="{paper.name}"'}
    return Response(paper.pdf, media_type="application/pdf", headers=headers)


@router.get("/messages/{message_id}/letter")
def letter(desk: Looking, message_id: int) -> Response:
    """The message as the debtor's mail program shows it: in a frame that runs nothing and loads nothing."""
    row: MessageRow = desk.own(MessageRow, message_id)
    with desk.office.database.reading() as session:
        logo = logo_of(look_of(session, desk.organisation)) if f"cid:{LOGO}" in row.html else None
    return HTMLResponse(
        with_pictures(row.html, [logo] if logo else []), headers={"content-security-policy": LETTER_POLICY}
    )
