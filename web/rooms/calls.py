"""Calls: the day's list, the largest debt first, and one screen for each call.

The list says whom to ring and why; the screen of a call says what to know before ringing, rings if a telephone provider
is set up, and takes down what came of it. Everything works without a script: how far a call has come is a small frame
that draws itself anew, so that nobody's half-written note is lost.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Response
from sqlmodel import Session

from engine.workflow import Channel
from jobs.acting import NotAllowed
from jobs.call_day import call_day, the_call
from jobs.call_doubts import ask_the_provider, settle_doubt
from jobs.call_results import LONGEST_NOTE, Result, Then, Told, last_settled, wake, write_down
from jobs.calling import can_ring, doubtful, ring, under_way
from jobs.consents import number_for_a_machine
from jobs.previews import preview
from jobs.speaking import Written
from store import screens
from store.numbers import home_of, shown
from store.screens.call_list import calls_of, notes_of
from store.tables import AccountRow, InvoiceRow, PhoneCallRow, ReminderRow, StepRow, UserRow
from web._pages import back, number_in, page
from web._visit import Desk, Looking, NotFound, Said, Working, number_of

router = APIRouter()

TABS = {
    "ready": ("Ready to call", "No call waits to be made today. Call steps come here when their day has come."),
    "snoozed": (
        "Snoozed",
        "No call is put off. A call that somebody snoozes comes back by itself when its time is up.",
    ),
    "held": ("Held", "Nothing speaks against any of the calls that wait."),
}
RESULTS = {
    Result.NO_ANSWER: "No answer",
    Result.RECEPTION: "Reached the reception",
    Result.LEFT_MESSAGE: "Left a message",
    Result.SPOKE: "Spoke to them",
    Result.PAYMENT_EXPECTED: "Payment expected",
    Result.DISPUTE: "They dispute it",
    Result.WRONG_NUMBER: "Wrong number",
}
MOST = 50
"""Calls shown on one page of the list: more than a person makes before noon."""

_NONE: list[str] = []


@router.get("/calls")
def calls(desk: Looking, tab: str = "ready") -> Response:
    tab = tab if tab in TABS else "ready"
    day = call_day(desk.office, desk.id)
    under = {"ready": day.ready, "snoozed": day.snoozed, "held": day.held}
    at, chosen = number_in(desk.request, "page"), under[tab]
    return page(
        desk,
        "calls.html",
        tabs=TABS,
        tab=tab,
        counts={name: len(theirs) for name, theirs in under.items()},
        calls=chosen[(at - 1) * MOST : at * MOST],
        page=at,
        pages=max(1, -(-len(chosen) // MOST)),
        results=RESULTS,
    )


@router.get("/calls/{reminder_id}")
def one_call(desk: Looking, reminder_id: int) -> Response:
    reminder: ReminderRow = desk.own(ReminderRow, reminder_id)
    call = the_call(desk.office, desk.id, reminder_id)
    account: AccountRow = desk.own(AccountRow, reminder.account_id)
    with desk.office.database.reading() as session:
        file = screens.account(session, desk.id, reminder.account_id, history=1)
        earlier = calls_of(session, desk.id, reminder.account_id)
        notes = notes_of(session, desk.id, reminder.account_id)
        last = last_settled(session, reminder_id)
        user = session.get(UserRow, desk.signed.user_id)
        notes_to_say = _what_to_say(desk, session, reminder)
        machine = number_for_a_machine(session, desk.organisation, account) if call is not None else ""
    assert file is not None and user is not None
    home, now = home_of(desk.organisation), desk.office.clock()
    line = _on_the_line(desk, earlier, reminder_id)
    return page(
        desk,
        "call.html",
        reminder=reminder,
        account=account,
        call=call,
        file=file,
        notes=notes,
        earlier=_earlier(desk, earlier),
        holds=[hold for hold in file.holds if hold.invoice_id is None and (hold.until or desk.as_of) >= desk.as_of],
        on_the_line=line,
        ringing=line is not None and under_way(line, now),
        doubts=[one for one in earlier if _is_unknown(one, reminder_id, now)],
        what_to_say=notes_to_say,
        machine=shown(machine, home) if machine and can_ring(desk.office) else "",
        last_seen=last.id if last is not None else 0,
        can_ring=can_ring(desk.office),
        own=shown(user.phone, home) if user.phone else "",
        results=RESULTS,
        tomorrow=_tomorrow(desk),
        longest_note=LONGEST_NOTE,
    )


@router.get("/calls/{reminder_id}/line")
def line(desk: Looking, reminder_id: int) -> Response:
    """How far the person's call has come, in a frame of its own that is drawn anew every few seconds."""
    reminder: ReminderRow = desk.own(ReminderRow, reminder_id)
    with desk.office.database.reading() as session:
        earlier = calls_of(session, desk.id, reminder.account_id)
    call = _on_the_line(desk, earlier, reminder_id)
    now = desk.office.clock()
    answer = page(
        desk,
        "line.html",
        call=call,
        again=call is not None and under_way(call, now),
        doubt=call is not None and doubtful(call, now),
        number=shown(call.number, home_of(desk.organisation)) if call is not None else "",
    )
    answer.headers["content-security-policy"] = _FRAME_POLICY
    return answer


_FRAME_POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'"


@router.post("/calls/{reminder_id}/ring")
def put_through(desk: Working, reminder_id: int, number: Said = "", nevertheless: Said = "") -> Response:
    desk.own(ReminderRow, reminder_id)
    agent = _own_number(desk)
    if not agent:
        raise NotAllowed("Save your own telephone number under Settings → Calls first: it is the one that rings.")
    ring(desk.office, desk.id, reminder_id, number=number, agent=agent, by=desk.by, nevertheless=nevertheless.strip())
    return back(f"/calls/{reminder_id}")


@router.post("/calls/{reminder_id}/doubt")
def doubt(desk: Working, reminder_id: int, call: Said = "", said: Said = "") -> Response:
    """A person's word on a call of which nobody knows whether it was put through; or a question to the provider."""
    desk.own(ReminderRow, reminder_id)
    row: PhoneCallRow = desk.own(PhoneCallRow, number_of(call))
    if row.reminder_id != reminder_id or said not in ("ask", "rang", "not"):
        raise NotFound
    if said == "ask":
        found = ask_the_provider(desk.office, int(row.id or 0))
        return back(f"/calls/{reminder_id}", "call-found" if found else "call-not-found")
    settle_doubt(desk.office, int(row.id or 0), rang=said == "rang", by=desk.by)
    return back(f"/calls/{reminder_id}", "call-settled")


@router.post("/calls/{reminder_id}/wake")
def wake_up(desk: Working, reminder_id: int) -> Response:
    desk.own(ReminderRow, reminder_id)
    wake(desk.office, reminder_id, by=desk.by)
    return back(f"/calls/{reminder_id}", "awake")


@router.post("/calls/{reminder_id}/result")
def result(
    desk: Working,
    reminder_id: int,
    result: Said = "",
    then: Said = "",
    note: Said = "",
    number: Said = "",
    whom: Said = "",
    promised: Said = "",
    until: Said = "",
    seen: Said = "0",
    invoices: Annotated[list[str], Form()] = _NONE,
) -> Response:
    reminder: ReminderRow = desk.own(ReminderRow, reminder_id)
    told = Told(
        result=_one_of(Result, result) if result else None,
        then=_one_of(Then, then),
        note=note.strip(),
        number=number,
        name=whom,
        promised_on=_day(promised) if result == Result.PAYMENT_EXPECTED else None,
        invoices=_own_invoices(desk, reminder, invoices),
        until=_moment(desk, until) if then == Then.SNOOZE else None,
        last_seen=number_of(seen),
    )
    write_down(desk.office, reminder_id, told, by=desk.by)
    return back("/calls", {"stay": "call-noted", "next step": "called", "snooze": "call-snoozed"}[told.then])


def _own_number(desk: Desk) -> str:
    with desk.office.database.reading() as session:
        user = session.get(UserRow, desk.signed.user_id)
    return user.phone if user is not None else ""


def _one_of(words: Any, text: str) -> Any:
    if text not in {one.value for one in words}:
        raise NotAllowed("That is not one of the choices. Load the page again.")
    return words(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotAllowed("Give the day by which the payment is expected, like 2026-05-31.") from None


def _moment(desk: Desk, text: str) -> datetime:
    """On the organisation's wall clock."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(desk.organisation.time_zone))
    except ValueError:
        raise NotAllowed("Say until when the call is put off, like 2026-05-31T09:30.") from None


def _own_invoices(desk: Desk, reminder: ReminderRow, invoices: list[str]) -> tuple[int, ...]:
    """Raises NotFound for one that is another account's."""
    rows: list[InvoiceRow] = [desk.own(InvoiceRow, number_of(one)) for one in invoices]
    if any(row.account_id != reminder.account_id for row in rows):
        raise NotFound
    return tuple(int(row.id or 0) for row in rows)


def _on_the_line(desk: Desk, earlier: Sequence[PhoneCallRow], reminder_id: int) -> PhoneCallRow | None:
    """The newest call that this person had put through for this step, until they have written what came of it."""
    mine = (
        call
        for call in earlier
        if call.reminder_id == reminder_id and call.message_id is not None and call.by == desk.by
    )
    call = next(mine, None)
    recent = call is not None and (call.settled_at is None or call.state == "not made")
    return call if recent else None


def _is_unknown(call: PhoneCallRow, reminder_id: int, now: datetime) -> bool:
    """Whether anybody's call for this step is in doubt. One by machine is settled with its reminder."""
    return call.reminder_id == reminder_id and not call.by_machine and doubtful(call, now)


def _earlier(desk: Desk, calls: Sequence[PhoneCallRow]) -> list[tuple[PhoneCallRow, str]]:
    home = home_of(desk.organisation)
    return [(call, shown(call.number, home)) for call in calls]


def _what_to_say(desk: Desk, session: Session, reminder: ReminderRow) -> str:
    """The notes for whoever rings that somebody has written into the step, with the figures of today."""
    step = session.get(StepRow, (reminder.workflow_id, reminder.step_id))
    if step is None or not step.body.strip():
        return ""
    written = Written(Channel.CALL, "", step.body)
    account, about = reminder.account_id, reminder.invoice_id
    told = preview(session, desk.organisation, account, written, desk.as_of, invoice=about)
    return told.words.text if told.words is not None else told.problem


def _tomorrow(desk: Desk) -> str:
    """Tomorrow at the sending time, as a field for a moment takes it."""
    at: time = desk.organisation.sending_time
    return datetime.combine(desk.as_of + timedelta(days=1), at).strftime("%Y-%m-%dT%H:%M")
