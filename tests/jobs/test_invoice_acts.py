"""Mirrors jobs/invoice_acts.py: an invoice that is left out, and one that is disputed."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlmodel import col, select

from engine.holds import HoldKind
from engine.notes import NoteKind
from jobs import account_acts
from jobs import invoice_acts as acts
from jobs.acting import NotAllowed
from store.tables import HistoryNoteRow, HoldRow, InvoiceRow
from tests.jobs.firm import BY, Firm

JAN = 2026, 1


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    """Ivy owes two invoices: the older one drives her account to the step R2."""
    firm = Firm.founded(sqlite_url)
    firm.account("Ivy", date(*JAN, 2), date(*JAN, 13))
    firm.walk(date(*JAN, 5), date(*JAN, 23))
    yield firm
    firm.close()


def invoices(firm: Firm) -> tuple[int, int]:
    older, younger = firm.rows(InvoiceRow)
    return older.id, younger.id


def notes(firm: Firm) -> list[tuple[int | None, str]]:
    with firm.office.database.reading() as session:
        query = select(HistoryNoteRow).where(HistoryNoteRow.kind == NoteKind.NOTE).order_by(col(HistoryNoteRow.id))
        return [(note.invoice_id, note.text) for note in session.scalars(query)]


def drives(firm: Firm) -> int | None:
    return firm.position(1).driver_id


def test_a_muted_invoice_counts_for_nothing_until_it_is_unmuted(firm: Firm) -> None:
    older, younger = invoices(firm)
    assert drives(firm) == older
    acts.mute_invoice(firm.office, older, why="the credit note is on its way", by=BY)
    acts.mute_invoice(firm.office, older, why="again", by=BY)

    assert drives(firm) == younger
    assert firm.position(1).assigned_step == "R1", "moved back to what fits the younger one"
    acts.unmute_invoice(firm.office, older, by=BY)
    assert drives(firm) == older
    assert firm.position(1).assigned_step == "R1", "never forward"
    assert notes(firm) == [
        (older, "Ivy 1 was muted by Olive Owner: the credit note is on its way"),
        (older, "Ivy 1 was unmuted by Olive Owner."),
    ]


def test_a_disputed_invoice_neither_drives_nor_counts_until_it_is_settled(firm: Firm) -> None:
    older, younger = invoices(firm)
    acts.dispute_invoice(firm.office, older, why="wrong colour", by=BY)
    assert drives(firm) == younger

    acts.settle_dispute(firm.office, older, by=BY)
    assert drives(firm) == older
    assert notes(firm) == [
        (older, "Ivy 1 was marked as disputed by Olive Owner: wrong colour"),
        (older, "The dispute about Ivy 1 was settled by Olive Owner."),
    ]


def test_a_dispute_may_ask_a_colleague_for_a_response_and_holds_everything_until_then(firm: Firm) -> None:
    older, _ = invoices(firm)
    acts.dispute_invoice(firm.office, older, why="wrong colour.", by=BY, ask=True)

    dispute, question = firm.rows(HoldRow)
    assert (dispute.kind, dispute.invoice_id) == (HoldKind.DISPUTE, older)
    assert (question.kind, question.invoice_id, question.why) == (
        HoldKind.QUESTION,
        None,
        "Ivy 1 is disputed: wrong colour",
    ), "a full stop comes when it is read"
    assert notes(firm) == [
        (older, "Ivy 1 was marked as disputed by Olive Owner: wrong colour. A response is asked for.")
    ]
    account_acts.answer_question(firm.office, question.id, text="The colour was as ordered.", by="Sam")
    assert [hold.kind for hold in firm.rows(HoldRow) if hold.lifted_at is None] == [HoldKind.DISPUTE]


@pytest.mark.parametrize("act", [acts.mute_invoice, acts.dispute_invoice])
def test_both_need_a_description_and_an_open_invoice(firm: Firm, act: Callable[..., None]) -> None:
    older, _ = invoices(firm)
    with pytest.raises(NotAllowed, match="Say why"):
        act(firm.office, older, why=" ", by=BY)
    with pytest.raises(NotAllowed, match="no such invoice"):
        act(firm.office, 999, why="x", by=BY)
    firm.pay("Ivy 1")
    with pytest.raises(NotAllowed, match="Ivy 1 is settled already"):
        act(firm.office, older, why="x", by=BY)
    assert firm.rows(HoldRow) == []


@pytest.mark.parametrize("act", [acts.unmute_invoice, acts.settle_dispute])
def test_lifting_what_is_not_there_changes_nothing(firm: Firm, act: Callable[..., None]) -> None:
    older, _ = invoices(firm)
    act(firm.office, older, by=BY)

    assert notes(firm) == []
    assert drives(firm) == older
