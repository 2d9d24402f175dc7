"""Who speaks in a letter, and how it looks: what an organisation has said of itself, read once for every letter of it.

A reminder, a statement, a sample to oneself and a preview on the page all take it from here, so they look alike.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from store.tables import AccountRow, LogoRow, MembershipRow, OrganisationRow, UserRow
from wording import Layout, Line, Look, Rendered, Statement, render, said, texted


@dataclass(frozen=True, slots=True)
class Written:
    """The words of one step, as much as a message needs of them. `channel` is `email`, `sms` or `call`."""

    channel: str
    subject: str
    body: str
    layout: Layout = "email"


def tongue_of(organisation: OrganisationRow) -> str:
    """What this organisation writes and speaks, as a channel is told it (RFC 5646): `de-AT`."""
    return organisation.locale.replace("_", "-")


def look_of(session: Session, organisation: OrganisationRow) -> Look:
    """How this organisation's letters and statements look."""
    logo = session.scalar(select(LogoRow.content).where(col(LogoRow.organisation_id) == organisation.id))
    return Look(
        accent=organisation.accent,
        logo=logo or b"",
        address=organisation.postal_address,
        pay_details=organisation.pay_details,
        small_print=organisation.small_print,
    )


def statement_for(
    session: Session, organisation: OrganisationRow, account: AccountRow, lines: tuple[Line, ...], as_of: date
) -> Statement:
    """Everything that a letter to this account may say, with these invoices on it."""
    first, _, last = (owner := _owner(session, organisation)).name.partition(" ")
    return Statement(
        organisation=organisation.name,
        account=account.name,
        as_of=as_of,
        lines=tuple(sorted(lines, key=lambda line: (line.due_on, line.number))),
        locale=organisation.locale,
        account_number=account.number,
        contact_first_name=account.first_name,
        contact_last_name=account.last_name,
        contact_email=account.email,
        sender_name=organisation.sender_name or organisation.name,
        currency=account.currency or organisation.currency,
        organisation_phone=organisation.phone,
        organisation_registration=organisation.registration,
        organisation_mobile=organisation.mobile,
        organisation_direct_phone=organisation.direct_phone,
        organisation_email=organisation.contact_email,
        organisation_website=organisation.website,
        organisation_address=organisation.postal_address,
        organisation_street_address=organisation.street_address or organisation.postal_address,
        owner_first_name=first,
        owner_last_name=last,
        owner_email=owner.email,
        contact_phone=account.phone,
        contact_mobile=account.mobile,
        pay_details=organisation.pay_details,
    )


def put_into_words(written: Written, statement: Statement, look: Look) -> Rendered:
    """The step's words with these facts, as its channel takes them. Raises TemplateProblem.

    An SMS and a call have text only. Its subject is empty.
    """
    match written.channel:
        case "sms":
            return Rendered("", texted(written.body, statement), "")
        case "call":
            return Rendered("", said(written.body, statement), "")
        case _:
            return render(written.subject, written.body, statement, layout=written.layout, look=look)


@dataclass(frozen=True, slots=True)
class _Owner:
    name: str = ""
    email: str = ""


def _owner(session: Session, organisation: OrganisationRow) -> _Owner:
    """The first owner by the order of joining; somebody without a name of their own is known by their address."""
    query = (
        select(UserRow.name, UserRow.email)
        .join(MembershipRow, col(MembershipRow.user_id) == col(UserRow.id))
        .where(col(MembershipRow.organisation_id) == organisation.id, col(MembershipRow.role) == "owner")
        .order_by(col(UserRow.id))
        .limit(1)
    )
    found = session.execute(query).first()
    return _Owner(" ".join(found[0].split()), found[1]) if found else _Owner()
