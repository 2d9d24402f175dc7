"""What people may do about a reply: read it, say whose it is, and decide about what it seems to say.

A suggestion becomes true by a person's word alone: a promise holds until its day, a dispute holds its invoices,
"already paid" becomes a question to look into, and "stop" stops the address it came from.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from channels import medium_of
from engine.holds import HoldKind
from engine.suggestions import SuggestionKind
from jobs import account_acts, invoice_acts, receive
from jobs.acting import NotAllowed, account_in, lift
from jobs.belonging import belongs
from jobs.office import Office
from jobs.recalculate import recalculate_in
from jobs.stops import stop_address
from store import inbox, stops, tasks
from store.leases import one_at_a_time
from store.tables import HoldRow, PostRow, ReplyRow


def read_reply(office: Office, reply_id: int, *, by: str) -> None:
    """A person has read it: the hold that it put on the next step is lifted."""
    with office.database.unit_of_work() as unit:
        reply = _reply(unit, reply_id)
        reply.read_at, reply.read_by = reply.read_at or office.clock(), reply.read_by or by
        if reply.account_id is None and reply.organisation_id is not None:
            key, number = f"reply:{reply_id}", reply.organisation_id
            tasks.close_task(unit, organisation_id=number, key=key, at=office.clock(), by=by)
        _let_go(unit, office, reply_id, HoldKind.REPLY, by=by)
        if reply.account_id is not None and reply.organisation_id is not None:
            recalculate_in(unit, office, reply.organisation_id, [reply.account_id])


def match_reply(office: Office, reply_id: int, *, account_id: int, by: str) -> None:
    """A person says whose reply this is. Others that it might have been are held by it no more."""
    with office.database.unit_of_work() as unit:
        reply = _reply(unit, reply_id)
        account, _ = account_in(unit, account_id)
        unit.refresh(reply)  # a colleague may have said whose it is while we waited
        if reply.account_id is not None:
            raise NotAllowed("This reply belongs to an account already.")
        if reply.organisation_id is not None:  # where it waited; it may turn out to be another organisation's
            key = f"reply:{reply_id}"
            tasks.close_task(unit, organisation_id=reply.organisation_id, key=key, at=office.clock(), by=by)
        _let_go(unit, office, reply_id, HoldKind.REPLY, by=by)
        reply.account_id, reply.organisation_id = account_id, account.organisation_id
        reply.matched_by, reply.candidates = "person", []
        belongs(unit, office, reply, account)
        recalculate_in(unit, office, account.organisation_id, [account_id])


def confirm(
    office: Office, reply_id: int, place: int, *, by: str, until: date | None = None, invoices: Collection[int] = ()
) -> None:
    """A person says that the reply means what was suggested. `until` is the day of a promise, `invoices` are those of a
    dispute. Raises NotAllowed with a sentence.
    """
    with office.database.reading() as session:
        reply = _reply(session, reply_id)
        account_id, one = _of_account(reply), _open(reply, place)
    who = reply.sender_name or reply.sender
    why = f"{who} wrote: “{one['words']}”"
    match SuggestionKind(one["kind"]):
        case SuggestionKind.PROMISE:
            if until is None:
                raise NotAllowed("Give the day by which the payment is expected.")
            account_acts.expect_payment(office, account_id, until=until, by=by, why=why)
        case SuggestionKind.DISPUTE:
            if not invoices:
                raise NotAllowed("Choose the invoices that are disputed.")
            for invoice in invoices:
                invoice_acts.dispute_invoice(office, invoice, why=why, by=by)
        case SuggestionKind.PAID:
            question = f"{who} says that it is paid: “{one['words']}”. Look for the payment in the ledger"
            account_acts.ask_question(office, account_id, text=question, by=by)
        case SuggestionKind.STOP:
            _stop(office, reply, one["words"], by=by)
        case SuggestionKind.NEW_CONTACT:
            pass  # there is a task about it, which stays until the ledger is right
    _decided(office, reply_id, place, "confirmed", by=by)


def dismiss(office: Office, reply_id: int, place: int, *, by: str) -> None:
    """A person says that it is not what the reply means."""
    with office.database.reading() as session:
        _open(_reply(session, reply_id), place)
    _decided(office, reply_id, place, "dismissed", by=by)


def try_post_again(office: Office, post_id: int, *, by: str) -> None:
    """A post that nobody could read, or that was not believed, is understood after all."""
    with office.database.unit_of_work() as unit:
        post = _post_aside(unit, post_id)
        post.problem, post.attempts = "", 0
        receive.nothing_to_look_for(unit, office, post, by=by)


def set_post_aside(office: Office, post_id: int, *, by: str) -> None:
    """A person has looked at it: nothing is to be done about this post."""
    with office.database.unit_of_work() as unit:
        post = _post_aside(unit, post_id)
        post.processed_at = office.clock()
        receive.nothing_to_look_for(unit, office, post, by=by)


def _stop(office: Office, reply: ReplyRow, words: str, *, by: str) -> None:
    with office.database.unit_of_work() as unit:
        account, _ = account_in(unit, _of_account(reply))
        stop_address(
            unit,
            office,
            organisation_id=account.organisation_id,
            account_id=account.id,
            medium=medium_of(reply.channel),
            address=reply.sender,
            kind=stops.OPT_OUT,
            source="a reply",
            said=words,
            by=by,
            reply_id=reply.id,
        )


def _decided(office: Office, reply_id: int, place: int, state: str, *, by: str) -> None:
    """Marks one suggestion. What "stop" held at once is free again: the address is stopped, or nothing was meant."""
    with office.database.unit_of_work() as unit:
        reply = _reply(unit, reply_id)
        kept = [dict(one) for one in reply.suggestions]
        if kept[place]["state"] != "open":
            return
        kept[place] |= {"state": state, "by": by}
        reply.suggestions = kept
        if kept[place]["kind"] == SuggestionKind.STOP:
            _let_go(unit, office, reply_id, HoldKind.QUESTION, by=by)
        if kept[place]["kind"] == SuggestionKind.NEW_CONTACT and state == "dismissed" and reply.organisation_id:
            key, number = f"contact:{reply_id}", reply.organisation_id
            tasks.close_task(unit, organisation_id=number, key=key, at=office.clock(), by=by)


def _let_go(unit: Session, office: Office, reply_id: int, kind: HoldKind, *, by: str) -> None:
    """Lifts what this reply holds, and looks at those accounts again."""
    query = select(HoldRow).where(col(HoldRow.reply_id) == reply_id, col(HoldRow.lifted_at).is_(None))
    holds = [hold for hold in unit.scalars(query) if hold.kind == kind]
    whose = sorted({(hold.organisation_id, hold.account_id) for hold in holds})
    for organisation_id in dict(whose):  # all in one order, before anything is written: two people may do this at once
        one_at_a_time(unit, organisation_id)
    lift(unit, office, holds, by=by)
    for organisation_id, account_id in whose:
        recalculate_in(unit, office, organisation_id, [account_id])


def _open(reply: ReplyRow, place: int) -> dict[str, Any]:
    if not 0 <= place < len(reply.suggestions):
        raise NotAllowed("There is no such suggestion.")
    one = reply.suggestions[place]
    if one["state"] != "open":
        raise NotAllowed(f"{one['by']} has decided about this already.")
    return one


def _of_account(reply: ReplyRow) -> int:
    if reply.account_id is None:
        raise NotAllowed("Say whose reply it is first.")
    return reply.account_id


def _reply(unit: Session, reply_id: int) -> ReplyRow:
    reply = unit.get(ReplyRow, reply_id)
    if reply is None:
        raise NotAllowed("There is no such reply.")
    return reply


def _post_aside(unit: Session, post_id: int) -> PostRow:
    post = inbox.post_aside(unit, post_id)
    if post is None:
        raise NotAllowed("This post has been dealt with already.")
    return post
