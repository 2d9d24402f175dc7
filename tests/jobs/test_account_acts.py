"""Mirrors jobs/account_acts.py: what people may do about one account, and what each act leaves behind."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, select

from engine.holds import HoldKind
from engine.notes import NoteKind
from engine.reminders import ReminderState
from engine.workflow import Channel
from jobs import account_acts as acts
from jobs import assigning, invoice_acts
from jobs.acting import NotAllowed
from jobs.drafts import Draft
from store.tables import AccountRow, HistoryNoteRow, HoldRow, InvoiceRow, ReminderRow
from tests.jobs.firm import BY, Firm, an_email
from town import Town

FERN = "Fern & Fig Café"
JAN = 2026, 1


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    yield firm
    firm.close()


def notes(firm: Firm, account: int, *kinds: NoteKind) -> list[str]:
    """What people and the engine have written into the history of this account."""
    query = select(HistoryNoteRow.text).where(
        HistoryNoteRow.account_id == account, col(HistoryNoteRow.kind).in_(kinds or (NoteKind.NOTE,))
    )
    with firm.office.database.reading() as session:
        return list(session.scalars(query.order_by(col(HistoryNoteRow.id))))


def open_holds(firm: Firm, account: int) -> list[tuple[str, str]]:
    with firm.office.database.reading() as session:
        query = select(HoldRow).where(HoldRow.account_id == account, col(HoldRow.lifted_at).is_(None))
        return [(hold.kind, hold.why) for hold in session.scalars(query)]


def waiting(firm: Firm, account: int) -> int:
    """The number of the reminder that is queued for this account."""
    query = select(ReminderRow.id).where(ReminderRow.account_id == account, ReminderRow.state == ReminderState.QUEUED)
    with firm.office.database.reading() as session:
        return session.scalars(query).one() or 0


def reminder(firm: Firm, number: int) -> ReminderRow:
    with firm.office.database.reading() as session:
        row = session.get(ReminderRow, number)
        assert row is not None
        return row


def test_a_paused_account_hears_nothing_and_is_told_who_paused_it(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    town.connect()
    number = town.account(FERN).id or 0
    acts.pause_account(town.office, number, by="Olive Owner", why="she is on holiday")
    town.walk(date(2026, 1, 6), date(2026, 1, 14))

    assert town.control.mails() == []
    assert town.position(FERN).held_because == "the account is paused: she is on holiday"

    acts.resume_account(town.office, number, by="Olive Owner")
    town.day(date(2026, 1, 15))
    assert len(town.control.mails()) == 1
    texts = [note.text for note in town.notes(FERN)]
    assert "Paused by Olive Owner: she is on holiday" in texts
    assert "Resumed by Olive Owner." in texts


def test_a_note_by_a_person_reaches_the_ledger(a_town: Callable[..., Town]) -> None:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    town.connect()
    acts.add_note(town.office, town.account(FERN).id or 0, text="Rang her, she is fine.", by="Olive Owner")
    town.work()

    assert any(note["details"].startswith("Rang her, she is fine.") for note in town.control.notes())
    with pytest.raises(NotAllowed, match="empty"):
        acts.add_note(town.office, town.account(FERN).id or 0, text="  ", by="Olive Owner")


def test_pausing_twice_pauses_once(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    acts.pause_account(firm.office, ivy, by=BY)
    acts.pause_account(firm.office, ivy, by=BY)

    assert open_holds(firm, ivy) == [(HoldKind.PAUSED, "")]
    assert notes(firm, ivy) == ["Paused by Olive Owner."]


def test_a_muted_account_is_never_reminded_and_begins_again_when_it_is_unmuted(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.walk(date(*JAN, 5), date(*JAN, 12))
    assert firm.sent(ivy) == ["R1"]

    acts.mute_account(firm.office, ivy, by=BY, why="they are family")
    firm.walk(date(*JAN, 13), date(*JAN, 27))
    assert (firm.position(ivy).state, firm.sent(ivy)) == ("clear", ["R1"])

    acts.unmute_account(firm.office, ivy, by=BY)
    firm.day(date(*JAN, 28))
    assert firm.sent(ivy) == ["R1", "R1"], "from its beginning"
    assert notes(firm, ivy) == ["Muted by Olive Owner: they are family", "Unmuted by Olive Owner."]


def test_unmuting_an_account_that_is_not_muted_begins_nothing_again(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.walk(date(*JAN, 5), date(*JAN, 12))
    acts.unmute_account(firm.office, ivy, by=BY)

    assert firm.position(ivy).assigned_step == "R1"
    assert notes(firm, ivy) == []


def test_an_expected_payment_holds_through_its_day_and_a_new_date_takes_the_place_of_the_old(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    acts.expect_payment(firm.office, ivy, until=date(*JAN, 20), by=BY)
    acts.expect_payment(firm.office, ivy, until=date(*JAN, 14), by=BY, why="Jo rang")
    assert open_holds(firm, ivy) == [(HoldKind.PROMISE, "Jo rang")]

    firm.walk(date(*JAN, 6), date(*JAN, 14))
    assert firm.sent(ivy) == []
    assert firm.position(ivy).held_because == "payment is expected by 14 January 2026: Jo rang"
    firm.day(date(*JAN, 15))
    assert firm.sent(ivy) == ["R1"]
    assert notes(firm, ivy) == [
        "Olive Owner expects payment by 20 January 2026.",
        "Olive Owner expects payment by 14 January 2026: Jo rang",
    ]


def test_an_expected_payment_can_be_taken_away_again(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    acts.expect_payment(firm.office, ivy, until=date(*JAN, 30), by=BY)
    acts.no_longer_expected(firm.office, ivy, by=BY)
    acts.no_longer_expected(firm.office, ivy, by=BY)
    firm.walk(date(*JAN, 6), date(*JAN, 9))

    assert firm.sent(ivy) == ["R1"]
    assert notes(firm, ivy)[1:] == ["Olive Owner no longer expects payment by a certain day."]


@pytest.mark.parametrize(("until", "sentence"), [(date(*JAN, 4), "in the past"), (date(2062, 1, 20), "a year away")])
def test_a_date_that_has_gone_or_lies_far_ahead_is_refused(firm: Firm, until: date, sentence: str) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))

    with pytest.raises(NotAllowed, match=sentence):
        acts.expect_payment(firm.office, ivy, until=until, by=BY)


def test_a_question_holds_everything_until_it_is_answered(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    acts.ask_question(firm.office, ivy, text=" Was the second part delivered? ", by=BY)
    firm.walk(date(*JAN, 6), date(*JAN, 12))
    assert firm.sent(ivy) == []
    assert firm.position(ivy).held_because == "a note needs a response first: Was the second part delivered?"

    (question,) = firm.rows(HoldRow)
    acts.answer_question(firm.office, question.id, text="Yes, last week.", by="Sam")
    firm.day(date(*JAN, 13))
    assert firm.sent(ivy) == ["R1"]
    assert notes(firm, ivy) == [
        "Question by Olive Owner: Was the second part delivered?",
        "Sam answered “Was the second part delivered?”: Yes, last week.",
    ]
    with pytest.raises(NotAllowed, match="Sam has answered this question already"):
        acts.answer_question(firm.office, question.id, text="Yes.", by=BY)


def test_questions_and_answers_need_words_and_only_a_question_can_be_answered(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    acts.pause_account(firm.office, ivy, by=BY)
    (hold,) = firm.rows(HoldRow)

    for act in (
        lambda: acts.ask_question(firm.office, ivy, text="  ", by=BY),
        lambda: acts.answer_question(firm.office, hold.id, text="", by=BY),
        lambda: acts.answer_question(firm.office, hold.id, text="Yes.", by=BY),
        lambda: acts.answer_question(firm.office, 999, text="Yes.", by=BY),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert open_holds(firm, ivy) == [(HoldKind.PAUSED, "")]


def test_a_debt_that_was_handed_over_is_left_alone_and_comes_back_when_nothing_is_overdue(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.walk(date(*JAN, 5), date(*JAN, 9))
    acts.hand_over(firm.office, ivy, by=BY, why="Ledger & Sons")
    acts.hand_over(firm.office, ivy, by=BY)
    firm.walk(date(*JAN, 10), date(*JAN, 26))
    assert firm.sent(ivy) == ["R1"]
    assert firm.position(ivy).held_because == "the account was handed over to collections: Ledger & Sons"

    firm.pay("Ivy 1")
    assert firm.position(ivy).state == "clear"
    assert open_holds(firm, ivy) == []
    assert notes(firm, ivy) == ["Handed over to collections by Olive Owner: Ledger & Sons"]


def test_a_debt_can_be_taken_back(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.day(date(*JAN, 5))
    acts.hand_over(firm.office, ivy, by=BY)
    acts.take_back(firm.office, ivy, by=BY)
    firm.day(date(*JAN, 9))

    assert firm.sent(ivy) == ["R1"]
    assert notes(firm, ivy)[-1] == "Taken back from collections by Olive Owner."


def test_a_disputed_a_paused_or_a_paid_debt_is_not_handed_over(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2), date(*JAN, 3), date(*JAN, 30))
    firm.day(date(*JAN, 5))
    (_, second, third) = [row.id for row in firm.rows(InvoiceRow)]
    invoice_acts.dispute_invoice(firm.office, third, why="it is not due yet", by=BY)
    invoice_acts.dispute_invoice(firm.office, second, why="wrong colour", by=BY)
    with pytest.raises(NotAllowed, match="Ivy 2 is disputed"):
        acts.hand_over(firm.office, ivy, by=BY)
    invoice_acts.settle_dispute(firm.office, second, by=BY)

    acts.pause_account(firm.office, ivy, by=BY)
    with pytest.raises(NotAllowed, match="paused"):
        acts.hand_over(firm.office, ivy, by=BY)
    acts.resume_account(firm.office, ivy, by=BY)

    acts.hand_over(firm.office, ivy, by=BY)
    acts.take_back(firm.office, ivy, by=BY)
    firm.pay("Ivy 1")
    firm.pay("Ivy 2")
    with pytest.raises(NotAllowed, match="Nothing is overdue"):
        acts.hand_over(firm.office, ivy, by=BY)


BY_HAND = Draft("By hand", (an_email("Look first", 5, manual=True), an_email("Final", 12)))
CALLS = Draft("Calls", (an_email("Ring them", 5, channel=Channel.CALL), an_email("Final", 12)))


def test_a_step_that_waits_for_a_person_goes_at_the_next_sending_time_once_it_is_approved(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2), default_workflow_id=firm.save(BY_HAND))
    firm.walk(date(*JAN, 5), date(*JAN, 8))
    assert firm.position(ivy).state == "pending"
    number = waiting(firm, ivy)

    acts.approve_reminder(firm.office, number, by=BY)
    row = reminder(firm, number)
    assert (row.approved_by, row.held_because, row.state) == (BY, "", ReminderState.QUEUED)
    assert row.send_after == datetime(*JAN, 9, 9, tzinfo=UTC), "today's sending time has passed"
    with pytest.raises(NotAllowed, match="Look first does not wait for anybody any more"):
        acts.approve_reminder(firm.office, number, by=BY)

    firm.day(date(*JAN, 9))
    assert firm.sent(ivy) == ["Look first"]
    assert notes(firm, ivy) == ["Look first was approved by Olive Owner."]


def test_an_approved_step_still_waits_for_whatever_holds_it(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2), default_workflow_id=firm.save(BY_HAND))
    firm.walk(date(*JAN, 5), date(*JAN, 8))
    acts.pause_account(firm.office, ivy, by=BY)
    acts.approve_reminder(firm.office, waiting(firm, ivy), by=BY)
    firm.day(date(*JAN, 9))
    assert firm.sent(ivy) == []

    acts.resume_account(firm.office, ivy, by=BY)
    firm.day(date(*JAN, 10))
    assert firm.sent(ivy) == ["Look first"]


def test_a_call_that_waits_is_recorded_as_made_on_the_spot(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2), default_workflow_id=firm.save(CALLS))
    firm.walk(date(*JAN, 5), date(*JAN, 8))
    number = waiting(firm, ivy)
    acts.approve_reminder(firm.office, number, by=BY)

    row = reminder(firm, number)
    assert (row.state, row.performed_on, row.approved_by) == (ReminderState.SENT, date(*JAN, 8), BY)
    assert firm.position(ivy).assigned_step == "Ring them"
    assert firm.position(ivy).next_step == "Final"
    assert notes(firm, ivy, NoteKind.REMINDER_SENT) == ["Ring them: the call was made by Olive Owner."]
    with pytest.raises(NotAllowed, match="does not wait"):
        acts.approve_reminder(firm.office, number, by=BY)


def test_only_what_waits_for_a_person_can_be_approved(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.walk(date(*JAN, 5), date(*JAN, 8))
    firm.now = datetime(*JAN, 9, 7, tzinfo=UTC)
    acts.add_note(firm.office, ivy, text="x", by=BY)
    firm.pay("nothing")

    with pytest.raises(NotAllowed, match="R1 does not wait"):
        acts.approve_reminder(firm.office, waiting(firm, ivy), by=BY)
    with pytest.raises(NotAllowed, match="no such reminder"):
        acts.approve_reminder(firm.office, 999, by=BY)


def test_an_account_may_live_in_a_time_zone_of_its_own(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    acts.set_time_zone(firm.office, ivy, time_zone="America/New_York", by=BY)
    acts.set_time_zone(firm.office, ivy, time_zone="America/New_York", by=BY)
    assert firm.rows(AccountRow)[0].time_zone == "America/New_York"

    acts.set_time_zone(firm.office, ivy, time_zone="", by=BY)
    assert notes(firm, ivy) == [
        "Time zone set to America/New York by Olive Owner.",
        "Time zone set to that of the organisation by Olive Owner.",
    ]
    with pytest.raises(NotAllowed, match="is not a time zone"):
        acts.set_time_zone(firm.office, ivy, time_zone="New York", by=BY)


def test_where_the_debtor_lives_moves_what_is_queued_into_their_hours(firm: Firm) -> None:
    firm.change(contact_rules="uk")
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.now = datetime(*JAN, 9, 7, tzinfo=UTC)
    firm.change(ledger_as_of=firm.now)
    firm.pay("nothing")
    number = waiting(firm, ivy)
    assert reminder(firm, number).send_after == datetime(*JAN, 9, 9, tzinfo=UTC)

    acts.set_time_zone(firm.office, ivy, time_zone="America/New_York", by=BY)
    assert reminder(firm, number).send_after == datetime(*JAN, 9, 13, tzinfo=UTC), "8 o'clock over there"


@pytest.mark.parametrize(
    "act",
    [acts.pause_account, acts.resume_account, acts.mute_account, acts.unmute_account, acts.hand_over, acts.take_back],
)
def test_nothing_can_be_done_about_an_account_that_nobody_has(firm: Firm, act: Callable[..., None]) -> None:
    with pytest.raises(NotAllowed, match="no such account"):
        act(firm.office, 999, by=BY)


def test_whatever_people_do_is_followed_by_a_look_in_the_same_commit(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(*JAN, 2))
    firm.walk(date(*JAN, 5), date(*JAN, 9))
    assert firm.position(ivy).next_step != "Look first"
    other = firm.save(BY_HAND)
    assigning.assign_workflow(firm.office, [ivy], other, by=BY)

    assert (firm.position(ivy).workflow_id, firm.position(ivy).next_step) == (other, "Look first")
