"""Mirrors jobs/acts.py: what people may do, and what each act leaves behind."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from engine.reminders import ReminderState
from jobs import acts
from store.tables import OrganisationRow
from town import Town

FERN = "Fern & Fig Café"


def a_firm(a_town: Callable[..., Town]) -> Town:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="1000.00", number="INV-A")
    town.connect()
    return town


def test_pausing_the_organisation_holds_everything_and_says_so(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    acts.pause_organisation(town.office, town.organisation, by="Olive Owner", why="we are moving house")
    town.walk(date(2026, 1, 6), date(2026, 1, 13))

    assert town.control.mails() == []
    assert town.position(FERN).held_because == "sending is paused for the whole organisation: we are moving house"


def test_sending_cannot_start_before_the_ledger_has_been_read(a_town: Callable[..., Town]) -> None:
    town = a_town(company=False)
    with town.office.database.unit_of_work() as unit:
        unit.add(OrganisationRow(id=7, name="Unread", created_at=town.clock(), paused_at=town.clock()))

    with pytest.raises(acts.NotAllowed, match="has not been read yet"):
        acts.resume_organisation(town.office, 7, by="Olive Owner")


@pytest.mark.parametrize("went", [True, False])
def test_a_person_settles_a_doubt_either_way(a_town: Callable[..., Town], went: bool) -> None:
    town = a_firm(a_town)
    town.control.faults(smtp={"drop_after_data": 1})
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    (unsure,) = town.reminders(FERN)
    acts.settle_unsure(town.office, unsure.id or 0, went=went, by="Olive Owner")

    assert town.tasks() == []
    if went:
        assert town.reminders(FERN)[0].state == ReminderState.SENT
        assert town.position(FERN).assigned_step == "Reminder 1"
    else:
        town.work()
        assert town.reminders(FERN)[0].state == ReminderState.SENT
        assert len(town.control.mails()) == 2, "the first had gone after all: the person was wrong, not the product"


def test_a_doubt_that_was_settled_cannot_be_settled_again(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.walk(date(2026, 1, 6), date(2026, 1, 13))

    with pytest.raises(acts.NotAllowed, match="no doubt"):
        acts.settle_unsure(town.office, town.reminders(FERN)[0].id or 0, went=True, by="Olive Owner")


def test_a_reply_that_nobody_could_match_is_given_to_its_account_by_a_person(a_town: Callable[..., Town]) -> None:
    town = a_firm(a_town)
    town.walk(date(2026, 1, 6), date(2026, 1, 13))
    mail = town.control.mails()[0]["message_id"]
    town.control.reply(mail, "Paid today.", from_="boss@other.example", as_new_thread=True, subject="Hello")
    town.work()
    with town.office.database.reading() as session:
        from store.tables import ReplyRow

        (reply,) = session.scalars(select(ReplyRow)).all()
    acts.match_reply(town.office, reply.id or 0, account_id=town.account(FERN).id or 0, by="Olive Owner")

    assert [one.matched_by for one in town.replies(FERN)] == ["person"]
    assert any("Paid today." in note.text for note in town.notes(FERN))
    assert town.tasks() == []
    with pytest.raises(acts.NotAllowed, match="belongs to an account already"):
        acts.match_reply(town.office, reply.id or 0, account_id=town.account(FERN).id or 0, by="Olive Owner")
