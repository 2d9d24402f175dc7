"""What a support bundle is made of: the newest of everything that tells how the machine did, of one organisation.

Nothing here is masked yet, but nothing that could be left out is fetched: no grant, no message, no reply, no note.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, text
from sqlmodel import Session, SQLModel, col

from store.rows import is_sqlite
from store.tables import (
    AccountRow,
    ChangeRow,
    ConnectionRow,
    ContactRow,
    InvoiceRow,
    MembershipRow,
    OrganisationRow,
    ReminderRow,
    ReplyRow,
    SetAsideRow,
    SyncRunRow,
    TaskRow,
    UserRow,
    WriteBackRow,
)

COLUMNS = frozenset(column.name for table in SQLModel.metadata.tables.values() for column in table.c) | {
    *("settings", "connection", "write_backs", "reminders", "tasks"),
}
"""The names under which things are told here."""

_NOT_SETTINGS = {
    *("id", "name", "sender_name", "paused_by", "paused_why", "lease_generation", "sending_to", "sending_to_number"),
    *("registration", "phone", "mobile", "direct_phone", "contact_email", "website"),
    *("postal_address", "street_address", "pay_details", "small_print"),
}


def runs(session: Session, organisation_id: int, most: int) -> list[SyncRunRow]:
    query = select(SyncRunRow).where(col(SyncRunRow.organisation_id) == organisation_id)
    return list(session.scalars(query.order_by(col(SyncRunRow.id).desc()).limit(most)))


def changes(session: Session, organisation_id: int, most: int) -> list[ChangeRow]:
    query = select(ChangeRow).where(col(ChangeRow.organisation_id) == organisation_id)
    return list(session.scalars(query.order_by(col(ChangeRow.id).desc()).limit(most)))


def set_aside(session: Session, organisation_id: int, most: int) -> list[SetAsideRow]:
    query = select(SetAsideRow).join(SyncRunRow, col(SyncRunRow.id) == SetAsideRow.sync_run_id)
    query = query.where(col(SyncRunRow.organisation_id) == organisation_id)
    return list(session.scalars(query.order_by(col(SetAsideRow.id).desc()).limit(most)))


def standing(session: Session, organisation_id: int) -> dict[str, Any]:
    """The organisation's settings, and its connection: when it was made, renewed, and when it ends."""
    organisation = session.get(OrganisationRow, organisation_id)
    assert organisation is not None
    connection = session.scalars(
        select(ConnectionRow).where(col(ConnectionRow.organisation_id) == organisation_id)
    ).one_or_none()
    told = {"settings": organisation.model_dump(exclude=_NOT_SETTINGS), "connection": None}
    if connection is not None:
        told["connection"] = connection.model_dump(
            exclude={"id", "organisation_id", "tenant_name", "sealed_grant", "provider_connection", "connected_by"}
        )
    return told


def failures(session: Session, organisation_id: int) -> dict[str, Any]:
    """What did not go as it should: by kind and reason, with the newest of each."""
    unwritten = col(WriteBackRow.state) != "written"
    doubtful = col(ReminderRow.state).in_(("unsure", "refused", "sending"))
    return {
        "write_backs": _rows(
            session, WriteBackRow, organisation_id, unwritten, ("state", "attempts", "next_attempt_at", "why")
        ),
        "reminders": _rows(
            session, ReminderRow, organisation_id, doubtful, ("id", "account_id", "state", "channel", "attempts", "why")
        ),
        "tasks": _rows(
            session,
            TaskRow,
            organisation_id,
            col(TaskRow.closed_at).is_(None),
            ("kind", "account_id", "opened_at", "text"),
        ),
    }


def _rows(
    session: Session, table: Any, organisation_id: int, where: Any, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    query = select(*(getattr(table, name) for name in names)).where(table.organisation_id == organisation_id, where)
    return [dict(zip(names, row, strict=True)) for row in session.execute(query.limit(200))]


def counts(session: Session, organisation_id: int) -> dict[str, int]:
    """Rows of each table that belong to the organisation."""
    found = {}
    for table in sorted(SQLModel.metadata.tables.values(), key=lambda one: one.name):
        if "organisation_id" in table.c:
            query = select(func.count()).select_from(table).where(table.c.organisation_id == organisation_id)
            found[table.name] = session.execute(query).scalar_one()
    return found


def database_facts(session: Session) -> dict[str, Any]:
    """Kind and version of the database, and of our tables in it."""
    asked = "SELECT sqlite_version()" if is_sqlite(session) else "SHOW server_version"
    return {
        "database": f"{'SQLite' if is_sqlite(session) else 'PostgreSQL'} {session.execute(text(asked)).scalar_one()}",
        "migration": session.execute(text("SELECT version_num FROM alembic_version")).scalar_one(),
    }


def personal_words(session: Session, organisation_id: int) -> Iterator[str]:
    """Every name, address, telephone number and invoice number that belongs to the organisation or its people."""
    ours = col(AccountRow.organisation_id) == organisation_id
    account = (AccountRow.name, AccountRow.number, AccountRow.email, AccountRow.phone, AccountRow.mobile)
    yield from _words(session, select(*account, AccountRow.first_name, AccountRow.last_name).where(ours))
    contact = select(ContactRow.name, ContactRow.email, ContactRow.mobile)
    yield from _words(session, contact.join(AccountRow, col(AccountRow.id) == ContactRow.account_id).where(ours))
    mine = col(InvoiceRow.organisation_id) == organisation_id
    yield from _words(session, select(InvoiceRow.number, InvoiceRow.reference).where(mine))
    heard = select(ReplyRow.sender, ReplyRow.sender_name).where(col(ReplyRow.organisation_id) == organisation_id)
    yield from _words(session, heard)
    member = select(UserRow.name, UserRow.email).join(MembershipRow, col(MembershipRow.user_id) == UserRow.id)
    yield from _words(session, member.where(col(MembershipRow.organisation_id) == organisation_id))
    own = select(OrganisationRow.name, OrganisationRow.sender_name).where(col(OrganisationRow.id) == organisation_id)
    yield from _words(session, own)


def _words(session: Session, query: Any) -> Iterator[str]:
    for row in session.execute(query):
        yield from (word for word in row if word)
