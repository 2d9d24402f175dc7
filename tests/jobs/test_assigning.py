"""Mirrors jobs/assigning.py: which workflow accounts are on, now and the next time they begin."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlmodel import col, select

from engine.notes import NoteKind
from engine.reminders import ReminderState
from engine.workflow import WorkflowKind
from jobs import account_acts, assigning, invoice_acts
from jobs.acting import NotAllowed
from jobs.drafts import Draft
from store.tables import AssignmentRow, HistoryNoteRow, InvoiceRow
from tests.jobs.firm import BY, Firm, an_email

JAN = 2026, 1
GENTLE = Draft("Gentle", (an_email("G1", 10), an_email("G2", 20), an_email("G3", 30)))


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    yield firm
    firm.close()


def notes(firm: Firm, account: int) -> list[str]:
    told = (NoteKind.NOTE, NoteKind.ASSIGNED)
    query = select(HistoryNoteRow.text).where(HistoryNoteRow.account_id == account, col(HistoryNoteRow.kind).in_(told))
    with firm.office.database.reading() as session:
        return list(session.scalars(query.order_by(col(HistoryNoteRow.id))))


def step(firm: Firm, workflow: int, name: str) -> str:
    return next(one.id for one in firm.draft(workflow).steps if one.name == name)


def test_several_accounts_begin_on_another_workflow_and_a_paused_one_is_named(firm: Firm) -> None:
    ivy, jay, kit, lee = (firm.account(name, date(*JAN, 2)) for name in ("Ivy", "Jay", "Kit", "Lee"))
    far = firm.account("Max", date(*JAN, 30))
    firm.walk(date(*JAN, 5), date(*JAN, 9))
    account_acts.pause_account(firm.office, jay, by=BY)
    account_acts.mute_account(firm.office, kit, by=BY)
    gentle = firm.save(GENTLE)

    assigned = assigning.assign_workflow(firm.office, [ivy, jay, kit, lee, far, ivy], gentle, by=BY)

    assert assigned.moved == 2
    assert [(one.name, one.why) for one in assigned.refused] == [
        ("Jay", "it is paused; resume it first"),
        ("Kit", "it is muted; unmute it first"),
        ("Max", "nothing is overdue, so there is nothing to begin; choose its default workflow instead"),
    ]
    assert [firm.position(one).workflow_id for one in (ivy, jay, lee)] == [gentle, firm.house, gentle]
    assert firm.position(ivy).next_step == "G1"
    assert notes(firm, ivy) == ["Moved to Gentle by Olive Owner: it begins at G1."]
    assert len(firm.rows(AssignmentRow)) == 2
    assert all(row.taken_at is not None for row in firm.rows(AssignmentRow))


def test_what_was_queued_on_the_old_workflow_is_taken_back(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    account_acts.ask_question(firm.office, ivy, text="?", by=BY)
    firm.walk(date(*JAN, 5), date(*JAN, 9))
    assert firm.reminders(ivy, ReminderState.QUEUED) == ["R1"]
    assigning.assign_workflow(firm.office, [ivy], firm.save(GENTLE), by=BY)

    assert firm.reminders(ivy, ReminderState.QUEUED) == []


@pytest.mark.parametrize("hold", ["pause", "mute", "nothing"])
def test_one_account_that_cannot_be_moved_is_refused_with_the_reason(firm: Firm, hold: str) -> None:
    ivy = firm.account("Ivy", date(*JAN, 30) if hold == "nothing" else date(*JAN, 2))
    firm.day(date(*JAN, 5))
    if hold == "pause":
        account_acts.pause_account(firm.office, ivy, by=BY)
    elif hold == "mute":
        account_acts.mute_account(firm.office, ivy, by=BY)
    gentle = firm.save(GENTLE)

    with pytest.raises(NotAllowed, match=f"Ivy was not moved: .*{hold}"):
        assigning.assign_workflow(firm.office, [ivy], gentle, by=BY)
    assert firm.rows(AssignmentRow) == []


def test_an_account_can_stand_at_a_chosen_step(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    gentle = firm.save(GENTLE)
    assigning.assign_workflow(firm.office, [ivy], gentle, by=BY, step_id=step(firm, gentle, "G2"))

    position = firm.position(ivy)
    assert (position.next_step, position.next_due_on) == ("G2", date(*JAN, 22))
    assert notes(firm, ivy) == ["Moved to Gentle by Olive Owner: it begins at G2."]


def test_a_step_that_is_not_there_or_an_invoice_of_its_own_way_cannot_be_chosen(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    gentle = firm.save(GENTLE)
    alone = firm.save(Draft("Each", (an_email("E1", 5),), kind=WorkflowKind.INVOICE))

    with pytest.raises(NotAllowed, match="Gentle has no such step"):
        assigning.assign_workflow(firm.office, [ivy], gentle, by=BY, step_id=step(firm, firm.house, "R1"))
    with pytest.raises(NotAllowed, match="every invoice walks alone"):
        assigning.assign_workflow(firm.office, [ivy], alone, by=BY, step_id=step(firm, alone, "E1"))
    assert firm.rows(AssignmentRow) == []


def test_an_account_in_dispute_is_moved_and_history_says_so(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    invoice_acts.dispute_invoice(firm.office, firm.rows(InvoiceRow)[0].id, why="wrong colour", by=BY)
    gentle = firm.save(GENTLE)
    assigning.assign_workflow(firm.office, [ivy], gentle, by=BY)

    assert firm.position(ivy).workflow_id == gentle
    assert notes(firm, ivy)[-1].startswith("Moved to Gentle by Olive Owner")


def test_nobody_can_be_moved_onto_or_out_of_another_organisation(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    ours, firm.id = firm.id, firm.another("Next door")
    theirs = firm.save(GENTLE)
    firm.id = ours

    with pytest.raises(NotAllowed, match="no such account"):
        assigning.assign_workflow(firm.office, [ivy], theirs, by=BY)
    with pytest.raises(NotAllowed, match="no such workflow"):
        assigning.set_account_default(firm.office, ivy, theirs, by=BY)
    with pytest.raises(NotAllowed, match="no such workflow"):
        assigning.assign_workflow(firm.office, [ivy], 999, by=BY)
    with pytest.raises(NotAllowed, match="Tick one first"):
        assigning.assign_workflow(firm.office, [], firm.house, by=BY)


def test_a_default_of_its_own_moves_nobody_today_and_counts_from_the_next_beginning(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2), date(*JAN, 30))
    firm.day(date(*JAN, 5))
    gentle = firm.save(GENTLE)
    assigning.set_account_default(firm.office, ivy, gentle, by=BY)
    assigning.set_account_default(firm.office, ivy, gentle, by=BY)
    assert firm.position(ivy).workflow_id == firm.house

    firm.pay("Ivy 1")
    firm.day(date(*JAN, 31))
    assert firm.position(ivy).workflow_id == gentle
    assigning.set_account_default(firm.office, ivy, None, by=BY)
    assert firm.position(ivy).workflow_id == gentle
    assert notes(firm, ivy) == [
        "Default workflow set to Gentle by Olive Owner. It counts from the next beginning.",
        "The default workflow of the organisation applies again, says Olive Owner. It counts from the next beginning.",
    ]
