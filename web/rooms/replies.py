"""Replies: what debtors wrote back, whose it is, and what nobody has read yet."""

from fastapi import APIRouter, Request, Response

from jobs import acts
from store import screens
from store.tables import AccountRow, ReplyRow
from web._pages import back, page
from web._visit import Desk, Looking, NotFound, Said, Working

router = APIRouter()


@router.get("/replies")
def replies(desk: Looking) -> Response:
    with desk.office.database.reading() as session:
        adrift = desk.signed.sees_every_organisation
        return page(
            desk,
            "replies.html",
            unread=screens.replies(session, desk.id, "unread"),
            unmatched=screens.replies(session, desk.id, "unmatched", adrift=adrift),
            done=screens.replies(session, desk.id, "done"),
        )


@router.get("/replies/{reply_id}")
def reply(desk: Looking, reply_id: int, find: str = "") -> Response:
    """One reply, whole; and, while nobody knows whose it is, the accounts that it may belong to."""
    row, find = _reply(desk, reply_id), find.strip()[:100]
    likely = [one["account"] for one in row.candidates if isinstance(one.get("account"), int)]
    with desk.office.database.reading() as session:
        account = screens.one(session, AccountRow, desk.id, row.account_id) if row.account_id else None
        choices = screens.accounts_like(session, desk.id, find, ids=likely) if account is None else []
    return page(desk, "reply.html", reply=row, account=account, choices=choices, likely=likely, find=find)


@router.post("/replies/{reply_id}/read")
def read(desk: Working, reply_id: int) -> Response:
    row = _reply(desk, reply_id)
    acts.read_reply(desk.office, reply_id, by=desk.by)
    return back(_where_from(desk.request, row), "read")


@router.post("/replies/{reply_id}/match")
def match(desk: Working, reply_id: int, account: Said = "") -> Response:
    """A person says whose reply it is."""
    _reply(desk, reply_id)
    number = int(account) if account.isdigit() and len(account) < 10 else 0
    desk.own(AccountRow, number)
    acts.match_reply(desk.office, reply_id, account_id=number, by=desk.by)
    return back(f"/accounts/{number}", "matched")


def _reply(desk: Desk, reply_id: int) -> ReplyRow:
    with desk.office.database.reading() as session:
        row = screens.reply(session, desk.id, reply_id, adrift=desk.signed.sees_every_organisation)
    if row is None:
        raise NotFound
    return row


def _where_from(request: Request, row: ReplyRow) -> str:
    """Back to the account when the button was pressed there, else to the queue."""
    if row.account_id and request.query_params.get("on") == "account":
        return f"/accounts/{row.account_id}"
    return "/replies"
