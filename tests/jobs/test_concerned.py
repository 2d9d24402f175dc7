"""Mirrors jobs/concerned.py: a note that goes into the ledger hangs on the invoice that it is about."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import urllib3
from sqlalchemy import select, update
from sqlmodel import col

from engine.notes import NoteKind
from jobs import write_back
from jobs.concerned import invoice_concerned
from jobs.ledgers import KeptGrant
from store.history import write_note
from store.tables import ConnectionRow, HistoryNoteRow, InvoiceRow, MessageRow
from town import Town

FERN = "Fern & Fig Café"
MAIL = "fern@fig.example"


def reminded(a_town: Callable[..., Town]) -> Town:
    """Three invoices are overdue, and the first reminder has left. The oldest is neither the first nor the last."""
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email=MAIL)
    for number, due in (("INV-1", "2026-01-04"), ("INV-2", "2026-01-02"), ("INV-3", "2026-01-03")):
        town.control.add_invoice(FERN, due=due, amount="100.00", number=number)
    town.connect("quickbooks")
    town.walk(date(2026, 1, 5), date(2026, 1, 9))
    assert len(town.mails_to(MAIL)) == 1
    return town


def hung(town: Town) -> list[tuple[str | None, str]]:
    """What hangs on invoices at QuickBooks: the number of the invoice, and the note."""
    with town.office.database.reading() as session:
        row = session.scalars(select(ConnectionRow)).one()
    grant, _ = KeptGrant(town.office, int(row.id or 0), row.organisation_id).load()
    url = f"{town.world.quickbooks.api_url}/v3/company/{row.tenant}/query"
    headers = {"Authorization": f"Bearer {grant.access_token}", "Accept": "application/json"}
    query = "SELECT * FROM Attachable MAXRESULTS 1000"
    said = urllib3.request("GET", url, fields={"query": query}, headers=headers).json()
    rows = said["QueryResponse"].get("Attachable", [])
    return [(number_of(town, row["AttachableRef"][0]["EntityRef"]["value"]), row["Note"]) for row in rows]


def number_of(town: Town, ledger_id: str) -> str | None:
    with town.office.database.reading() as session:
        row = session.scalars(select(InvoiceRow).where(col(InvoiceRow.ledger_id) == ledger_id)).one_or_none()
    return row.number if row is not None else None


def concerned(town: Town, note: HistoryNoteRow) -> str | None:
    with town.office.database.reading() as session:
        return number_of(town, invoice_concerned(session, note))


def test_the_note_of_a_reminder_hangs_at_quickbooks_on_the_oldest_overdue_invoice_that_it_listed(
    a_town: Callable[..., Town],
) -> None:
    town = reminded(a_town)

    ((number, text),) = [one for one in hung(town) if "sent by email" in one[1]]

    assert number == "INV-2"
    assert f"sent by email to {MAIL}: 3 invoices listed" in text


def test_a_disputed_invoice_is_not_the_one_for_which_a_reminder_was_sent(a_town: Callable[..., Town]) -> None:
    town = reminded(a_town)
    (sent,) = [note for note in town.notes(FERN) if note.kind == NoteKind.REMINDER_SENT]
    assert concerned(town, sent) == "INV-2"

    with town.office.database.unit_of_work() as unit:
        message = unit.scalars(select(MessageRow)).one()
        lines = [{**line, "disputed": line["number"] == "INV-2"} for line in message.invoices]
        unit.execute(update(MessageRow).values(invoices=lines))

    assert concerned(town, sent) == "INV-3"


def test_a_note_about_one_invoice_hangs_on_that_one_and_a_note_about_none_on_none(a_town: Callable[..., Town]) -> None:
    town = reminded(a_town)
    account = town.account(FERN)
    with town.office.database.unit_of_work() as unit:
        last = unit.scalars(select(InvoiceRow).where(col(InvoiceRow.number) == "INV-3")).one()
        about = {"organisation_id": account.organisation_id, "account_id": account.id, "at": town.clock()}
        write_note(unit, kind=NoteKind.NOTE, text="They dispute it.", invoice_id=last.id, **about)
        write_note(unit, kind=NoteKind.NOTE, text="They are friendly.", **about)
    write_back.write_back(town.office)

    assert [number for number, text in hung(town) if "They dispute it." in text] == ["INV-3"]
    assert [number for number, text in hung(town) if "They are friendly." in text] == []
    assert [concerned(town, note) for note in town.notes(FERN)][-2:] == ["INV-3", None]


def test_a_message_put_into_words_later_does_not_move_a_note_to_another_invoice(a_town: Callable[..., Town]) -> None:
    town = reminded(a_town)
    (sent,) = [note for note in town.notes(FERN) if note.kind == NoteKind.REMINDER_SENT]
    with town.office.database.unit_of_work() as unit:
        first = unit.scalars(select(MessageRow)).one()
        lines = [line for line in first.invoices if line["number"] != "INV-2"]
        again = {"organisation_id": first.organisation_id, "account_id": first.account_id}
        later = town.clock().replace(hour=23)
        unit.add(MessageRow(reminder_id=first.reminder_id, invoices=lines, created_at=later, **again))

    assert concerned(town, sent) == "INV-2"
