"""Whom a reminder goes to, by each medium: the one place that knows, asked in the second before it leaves.

An address that is stopped is left out, whether it would get the message itself or a copy. An email goes to the
account's own address and is copied to the people there who get reminders; a text message goes to one mobile alone; a
machine calls only the number whose owner has agreed to it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from engine.workflow import Channel
from jobs.consents import number_for_a_machine
from store.numbers import home_of, mobile
from store.stops import plainly, stopped_among, why_left_out, why_stopped
from store.tables import AccountRow, ContactRow, OrganisationRow


class Addressees(NamedTuple):
    """Whom a reminder goes to. `to` is empty when nobody can be reached by this medium."""

    to: str
    name: str
    cc: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """A sentence for each who would have got it, had the address not been stopped."""


NOBODY = Addressees("", "")


def addressees(
    session: Session,
    organisation: OrganisationRow,
    account: AccountRow,
    channel: Channel,
    copies: Iterable[str] = (),
) -> Addressees:
    """`copies`: the addresses that the step itself copies an email to. One address is used once."""
    match channel:
        case Channel.EMAIL:
            return _by_email(session, organisation, account, copies)
        case Channel.SMS:
            return _by_text(session, organisation, account)
        case Channel.CALL:
            number = number_for_a_machine(session, organisation, account)
            return Addressees(number, _person(account)) if number else NOBODY


def _by_email(
    session: Session, organisation: OrganisationRow, account: AccountRow, copies: Iterable[str]
) -> Addressees:
    people = [(account.email, _person(account))]
    people += [(contact.email, contact.name) for contact in _reminded(session, account)]
    known: dict[str, tuple[str, str]] = {}
    for email, name in people:
        if email.strip():
            known.setdefault(plainly(email), (email, name))
    wanted = {plainly(email): email for email in copies if email.strip()}
    stopped = stopped_among(session, int(organisation.id or 0), Channel.EMAIL, [*known, *wanted])
    (to, name), *others = [one for key, one in known.items() if key not in stopped] or [("", "")]
    if not to:
        return NOBODY
    ours = [email for key, email in wanted.items() if key not in stopped and key not in known]
    left_out = [why_left_out(row, organisation.time_zone) for row in stopped.values()]
    return Addressees(to, name, (*(email for email, _ in others), *ours), tuple(left_out))


def why_not_texted(session: Session, organisation: OrganisationRow, account: AccountRow) -> str:
    """Why an account can get no text message: its number is stopped, or there is none. Without a full stop."""
    numbers = [number for number, _ in _mobiles(session, organisation, account)]
    stopped = stopped_among(session, int(organisation.id or 0), Channel.SMS, numbers)
    told = (why_stopped(row, organisation.time_zone) for row in stopped.values())
    return next(told, "the account has no usable mobile number")


def _by_text(session: Session, organisation: OrganisationRow, account: AccountRow) -> Addressees:
    numbers = _mobiles(session, organisation, account)
    stopped = stopped_among(session, int(organisation.id or 0), Channel.SMS, [number for number, _ in numbers])
    for number, name in numbers:
        if number and number not in stopped:
            return Addressees(number, name)
    return NOBODY


def _mobiles(session: Session, organisation: OrganisationRow, account: AccountRow) -> list[tuple[str, str]]:
    """The mobiles of the account and of the people there who get reminders, each with whose it is; "" for no number."""
    written = [(account.mobile, _person(account))]
    written += [(contact.mobile, contact.name) for contact in _reminded(session, account)]
    return [(mobile(text, home_of(organisation)), name) for text, name in written if text]


def _reminded(session: Session, account: AccountRow) -> Sequence[ContactRow]:
    query = select(ContactRow).where(
        col(ContactRow.account_id) == account.id, col(ContactRow.receives_reminders).is_(True)
    )
    return session.scalars(query.order_by(col(ContactRow.place))).all()


def _person(account: AccountRow) -> str:
    return f"{account.first_name} {account.last_name}".strip() or account.name
