"""Replies: what debtors wrote back, whose it is, what it seems to say, and what nobody has read yet."""

from datetime import date
from html import escape
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from channels import file_in
from engine.reminders import ReminderState
from jobs import acts, answering, receive, reply_acts
from jobs.acting import NotAllowed
from jobs.matching import first_organisation
from jobs.stops import lift_stop
from store import inbox, screens
from store.tables import AccountRow, AddressStopRow, InvoiceRow, PostRow, ReplyRow
from web._headers import LETTER_POLICY
from web._pages import back, page
from web._visit import Desk, Looking, NotFound, Said, Working, number_of

router = APIRouter()

_NONE: list[str] = []


@router.get("/replies")
def replies(desk: Looking) -> Response:
    with desk.office.database.reading() as session:
        adrift = desk.signed.sees_every_organisation
        nobodys = inbox.all_aside(session)
        return page(
            desk,
            "replies.html",
            unread=screens.replies(session, desk.id, "unread"),
            unmatched=screens.replies(session, desk.id, "unmatched", adrift=adrift),
            done=screens.replies(session, desk.id, "done"),
            aside=[
                (one, receive.is_tried_on(one.problem, one.received_at, desk.office.clock()))
                for one in (nobodys if adrift else ())
            ],
            kept_from_here=bool(nobodys) and not adrift and desk.id == first_organisation(session),
        )


@router.get("/replies/{reply_id}")
def reply(desk: Looking, reply_id: int, find: str = "") -> Response:
    """One reply, whole; and, while nobody knows whose it is, the accounts that it may belong to."""
    row, find = _reply(desk, reply_id), find.strip()[:100]
    likely = [one["account"] for one in row.candidates if isinstance(one.get("account"), int)]
    with desk.office.database.reading() as session:
        account = screens.one(session, AccountRow, desk.id, row.account_id) if row.account_id else None
        choices = screens.accounts_like(session, desk.id, find, ids=likely) if account is None else []
        invoices = screens.open_invoices(session, desk.id, row.account_id) if account is not None else []
        may = answering.answerable(session, desk.office, desk.organisation, row) if account is not None else None
        answers = answering.answers_to(session, row) if account is not None else []
    said = f"{row.subject}\n{row.said}"
    return page(
        desk,
        "reply.html",
        reply=row,
        account=account,
        choices=choices,
        likely=likely,
        find=find,
        invoices=invoices,
        may=may,
        answers=answers,
        longest=answering.LONGEST,
        seems=[one | {"day": _day(one["day"])} for one in row.suggestions],
        named={one.id for one in invoices if one.number and one.number in said},
    )


@router.get("/replies/{reply_id}/letter")
def letter(desk: Looking, reply_id: int) -> Response:
    """An HTML reply in a frame that runs nothing and loads nothing; it was made harmless when it came in."""
    row = _reply(desk, reply_id)
    shown = row.html or f"<pre>{escape(row.text)}</pre>"
    whole = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Reply</title></head><body>{shown}</body>'
    )
    return HTMLResponse(f"{whole}</html>", headers={"content-security-policy": LETTER_POLICY})


@router.get("/replies/{reply_id}/files/{place}")
def file(desk: Looking, reply_id: int, place: int) -> Response:
    """A file that came with a reply, out of the raw mail: to be saved, never to be shown."""
    row = _reply(desk, reply_id)
    with desk.office.database.reading() as session:
        post = session.get(PostRow, row.post_id)
    try:
        name, _, content = file_in(row.channel, post.raw if post is not None else b"", place)
    except LookupError:
        raise NotFound from None
    return _to_be_saved(name, content)


@router.get("/replies/{reply_id}/original")
def whole(desk: Looking, reply_id: int) -> Response:
    """The reply to the byte as it came in, whatever we made of it."""
    row = _reply(desk, reply_id)
    with desk.office.database.reading() as session:
        post = session.get(PostRow, row.post_id)
    if post is None:
        raise NotFound
    return _as_it_came(post)


@router.post("/replies/{reply_id}/read")
def read(desk: Working, reply_id: int) -> Response:
    row = _reply(desk, reply_id)
    acts.read_reply(desk.office, reply_id, by=desk.by)
    return back(_where_from(desk.request, row), "read")


@router.post("/replies/{reply_id}/answer")
def answer(desk: Working, reply_id: int, text: Said = "", place: Said = "0") -> Response:
    """A person writes back, and is told what became of it."""
    _reply(desk, reply_id)
    state = answering.answer(desk.office, reply_id, text=text, place=number_of(place), by=desk.by)
    return back(f"/replies/{reply_id}", _ANSWERED.get(state, "answer-look"))


_ANSWERED = {ReminderState.SENT: "answer-sent", ReminderState.QUEUED: "answer-waits"}


@router.post("/replies/{reply_id}/match")
def match(desk: Working, reply_id: int, account: Said = "") -> Response:
    """A person says whose reply it is."""
    _reply(desk, reply_id)
    number = int(account) if account.isdigit() and len(account) < 10 else 0
    desk.own(AccountRow, number)
    acts.match_reply(desk.office, reply_id, account_id=number, by=desk.by)
    return back(f"/accounts/{number}", "matched")


@router.post("/replies/{reply_id}/suggestions/{place}/confirm")
def confirm(
    desk: Working, reply_id: int, place: int, until: Said = "", invoices: Annotated[list[str], Form()] = _NONE
) -> Response:
    """A person says that this is what the reply means."""
    row = _reply(desk, reply_id)
    numbers = [_own_invoice(desk, row, invoice) for invoice in invoices]
    reply_acts.confirm(desk.office, reply_id, place, by=desk.by, until=_day(until), invoices=numbers)
    return back(f"/replies/{reply_id}", "confirmed")


@router.post("/replies/{reply_id}/suggestions/{place}/dismiss")
def dismiss(desk: Working, reply_id: int, place: int) -> Response:
    _reply(desk, reply_id)
    reply_acts.dismiss(desk.office, reply_id, place, by=desk.by)
    return back(f"/replies/{reply_id}", "dismissed")


@router.post("/stops/{stop_id}/lift")
def lift(desk: Working, stop_id: int, why: Said = "", account: Said = "") -> Response:
    """A person says why this address may be written to again."""
    desk.own(AddressStopRow, stop_id)
    lift_stop(desk.office, stop_id, by=desk.by, why=why)
    return back(f"/accounts/{desk.own_number(AccountRow, account)}" if account else "/accounts", "stop-lifted")


@router.get("/posts/{post}/original")
def original(desk: Looking, post: int) -> Response:
    """What could not be read, to the byte as it came in, for a person's own eyes."""
    _sees_all(desk)
    with desk.office.database.reading() as session:
        row = inbox.post_aside(session, post)
    if row is None:
        raise NotFound
    return _as_it_came(row)


@router.post("/posts/{post}/again")
def again(desk: Working, post: int) -> Response:
    """What could not be read, or was not believed, is read after all."""
    _sees_all(desk)
    reply_acts.try_post_again(desk.office, post, by=desk.by)
    desk.request.app.state.poke("receive", "")
    return back("/replies", "post-again")


@router.post("/posts/{post}/aside")
def aside(desk: Working, post: int) -> Response:
    _sees_all(desk)
    reply_acts.set_post_aside(desk.office, post, by=desk.by)
    return back("/replies", "post-aside")


def _as_it_came(post: PostRow) -> Response:
    return _to_be_saved(f"{post.channel}-{post.id}.{'eml' if post.channel == 'email_smtp' else 'txt'}", post.raw)


def _to_be_saved(name: str, content: bytes) -> Response:
    """Whatever its sender calls it, the browser is told nothing that it could open it with."""
    plain_name = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type="application/octet-stream", headers={"content-disposition": disposition})


def _reply(desk: Desk, reply_id: int) -> ReplyRow:
    with desk.office.database.reading() as session:
        row = screens.reply(session, desk.id, reply_id, adrift=desk.signed.sees_every_organisation)
    if row is None:
        raise NotFound
    return row


def _sees_all(desk: Desk) -> None:
    """What nobody could read belongs to no organisation yet, so only who sees them all may decide about it."""
    if not desk.signed.sees_every_organisation:
        raise NotFound


def _own_invoice(desk: Desk, row: ReplyRow, text: str) -> int:
    """An invoice of the account whose reply this is. Raises NotFound for any other."""
    invoice: Any = desk.own(InvoiceRow, number_of(text))
    if invoice.account_id != row.account_id:
        raise NotFound
    return int(invoice.id)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotAllowed("Write the day on which the payment is expected like 2026-05-31.") from None


def _where_from(request: Request, row: ReplyRow) -> str:
    """Back to the account when the button was pressed there, else to the queue."""
    if row.account_id and request.query_params.get("on") == "account":
        return f"/accounts/{row.account_id}"
    return "/replies"
