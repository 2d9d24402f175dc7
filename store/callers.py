"""Whose address or number is this? The same one may belong to several accounts, and is written in many ways."""

from sqlalchemy import func, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col

from engine.workflow import Channel
from store.numbers import country_of, e164, tail
from store.tables import AccountRow, ContactRow, OrganisationRow

_BETWEEN_DIGITS = (" ", "\u00a0", "-", "\u2011", ".", "/", "(", ")")


def accounts_of(session: Session, medium: str, address: str, *, organisation_id: int | None = None) -> set[int]:
    """The accounts to which this email address or number (in the form of E.164) belongs, in one organisation or all."""
    if not address:
        return set()
    if medium == Channel.EMAIL:
        return _of_email(session, address.strip().lower(), organisation_id)
    return _of_number(session, address, organisation_id)


def _of_email(session: Session, lower: str, organisation_id: int | None) -> set[int]:
    query = (
        select(AccountRow.id)
        .outerjoin(ContactRow, col(ContactRow.account_id) == col(AccountRow.id))
        .where(or_(func.lower(AccountRow.email) == lower, func.lower(ContactRow.email) == lower))
    )
    if organisation_id is not None:
        query = query.where(col(AccountRow.organisation_id) == organisation_id)
    return set(session.scalars(query))


def _of_number(session: Session, number: str, organisation_id: int | None) -> set[int]:
    """Looks for the last digits first; only what has those is taken apart, in the country of its organisation."""
    ending = f"%{tail(number)}"
    written = (col(AccountRow.mobile), col(AccountRow.phone), col(ContactRow.mobile))
    query = (
        select(AccountRow.id, OrganisationRow.country, OrganisationRow.locale, *written)  # type: ignore[call-overload]
        .join(OrganisationRow, col(OrganisationRow.id) == col(AccountRow.organisation_id))
        .outerjoin(ContactRow, col(ContactRow.account_id) == col(AccountRow.id))
        .where(or_(*[_digits(column).like(ending) for column in written]))
    )
    if organisation_id is not None:
        query = query.where(col(AccountRow.organisation_id) == organisation_id)
    return {
        account
        for account, country, locale, *numbers in session.execute(query)
        if any(e164(text, country_of(country, locale)) == number for text in numbers if text)
    }


def _digits(column: ColumnElement[str]) -> ColumnElement[str]:
    found: ColumnElement[str] = column
    for mark in _BETWEEN_DIGITS:
        found = func.replace(found, mark, "")
    return found
