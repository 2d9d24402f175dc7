"""Mirrors jobs/answering.py: a person answers a reply, once, honestly, and no account moves because of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from channels import Refused, Unavailable, Unsure
from daemon.serving import mind_a_restored_database
from engine.reminders import ANSWER_CYCLE, ReminderState
from jobs import acts, answering, deliver, receive, write_back
from jobs.acting import NotAllowed
from jobs.claiming import CLAIM
from jobs.stops import stop_address
from jobs.trying_out import SendingMode
from store import HighWater, stops
from store.facts import facts_of, ground_of
from store.tables import HoldRow, MessageRow, OrganisationRow, ReminderRow, ReplyRow
from tests.jobs.sending_house import Answering, debts, organisation_in, plug_in, settle
from town import Town

WROTE = "Could you send INV-000 once more? I cannot find it."
SAID = "Of course, Fern. It is in your inbox in a minute.\n\nOlive"


def asked(a_town: Callable[..., Town]) -> tuple[Town, ReplyRow]:
    """Fern was reminded and has answered with a question."""
    town = debts(a_town, "Fern")
    deliver.deliver_due(town.office)
    (mail,) = town.mails_to("fern@debtor.example")
    town.control.reply(mail["message_id"], WROTE)
    receive.receive(town.office)
    (reply,) = town.replies("Fern")
    return town, reply


def answer(town: Town, reply: ReplyRow, text: str = SAID, place: int = 0) -> ReminderState:
    return answering.answer(town.office, int(reply.id or 0), text=text, place=place, by="Olive Owner")


def by_mail(town: Town, speaking: Answering) -> Answering:
    """A mail server that answers as the test wants; what came in is read as ever."""
    real = town.office.channel("email_smtp")
    speaking.read = real.read  # type: ignore[attr-defined]
    return plug_in(town.office, "email_smtp", speaking)


def answers(town: Town) -> list[ReminderRow]:
    return [row for row in town.reminders("Fern") if row.cycle == ANSWER_CYCLE]


def stands(town: Town) -> dict[str, Any]:
    """Where the account stands, and the reminders that its workflow has."""
    steps = [(row.step_id, row.state) for row in town.reminders("Fern") if row.cycle != ANSWER_CYCLE]
    return {**town.position("Fern").model_dump(exclude={"decided_at", "as_of", "because"}), "steps": steps}


def stop(town: Town, medium: str, address: str, kind: str = stops.OPT_OUT) -> None:
    with town.office.database.unit_of_work() as unit:
        about: dict[str, Any] = {"organisation_id": town.organisation, "account_id": town.account("Fern").id}
        stop_address(unit, town.office, medium=medium, address=address, kind=kind, source="a person", **about)


def test_an_answer_goes_to_whoever_wrote_in_their_own_thread_with_their_words_below_it(
    a_town: Callable[..., Town],
) -> None:
    town, reply = asked(a_town)
    assert answer(town, reply) == ReminderState.SENT

    reminded, mail = town.mails_to("fern@debtor.example")
    theirs = town.control.inbox()[-1]
    assert mail["to"] == ["fern@debtor.example"] and mail["subject"].startswith("Re: ")
    text = mail["text"].replace("\r\n", "\n")
    assert text.startswith(SAID) and f"> {WROTE}" in text
    assert mail["headers"]["In-Reply-To"] == theirs["message_id"]
    assert reminded["message_id"] in mail["headers"]["References"]
    assert mail["reply_to"].startswith("replies+"), "signed, as a reminder's is"


def test_it_stands_in_the_history_and_in_the_ledger_in_the_persons_own_words(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    answer(town, reply)
    write_back.write_back(town.office)

    told = "Olive Owner answered Fern <fern@debtor.example>: “Of course, Fern. It is in your inbox in a minute. Olive”"
    assert told in [note.text for note in town.notes("Fern")]
    assert any("Olive Owner answered" in note["details"] for note in town.control.notes(town.account("Fern").ledger_id))
    assert not any(WROTE in note.text for note in town.notes("Fern") if "answered" in note.text), "not its quotation"


def test_whoever_answers_has_read_it_and_the_hold_is_over(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    assert [hold.kind for hold in town._of(HoldRow, "Fern") if hold.lifted_at is None] == ["reply"]
    answer(town, reply)

    assert [hold.kind for hold in town._of(HoldRow, "Fern") if hold.lifted_at is None] == []
    assert town.replies("Fern")[0].read_by == "Olive Owner"


def test_no_account_moves_because_of_an_answer(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    acts.read_reply(town.office, int(reply.id or 0), by="Olive Owner")
    before = stands(town)
    answer(town, reply)

    assert stands(town) == before
    town.move(town.clock() + timedelta(days=1))
    town.work()
    assert stands(town)["steps"] == before["steps"] and stands(town)["done"] == before["done"]


def test_an_answer_is_no_contact_that_a_limit_would_count(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    answer(town, reply)
    settle(town, contact_rules="uk")
    with town.office.database.reading() as session:
        number = int(town.account("Fern").id or 0)
        (facts,) = facts_of(session, ground_of(session, town.organisation), [number]).values()

    assert len(facts.contacted) == 1, "the reminder alone"


def test_pressed_twice_it_goes_once_and_two_people_do_not_answer_over_one_another(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    assert [answer(town, reply), answer(town, reply)] == [ReminderState.SENT] * 2
    assert len(answers(town)) == 1 and len(town.mails_to("fern@debtor.example")) == 2

    with pytest.raises(NotAllowed, match="Olive Owner has answered meanwhile"):
        answer(town, reply, "Something else")
    assert answer(town, reply, "And one thing more", place=1) == ReminderState.SENT
    assert len(answers(town)) == 2


def test_a_pause_of_all_sending_is_about_reminders_and_keeps_no_answer(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    acts.pause_organisation(town.office, town.organisation, by="Olive Owner")

    assert answer(town, reply) == ReminderState.SENT


def test_in_shadow_mode_an_answer_leaves_nobody_and_the_ledger_is_not_told(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    settle(town, sending_mode=SendingMode.SHADOW)
    answer(town, reply)
    write_back.write_back(town.office)

    assert len(town.mails_to("fern@debtor.example")) == 1, "the reminder alone"
    assert "nothing left, because sending runs in shadow mode" in town.notes("Fern")[-1].text
    assert not any("answer" in note["details"].lower() for note in town.control.notes(town.account("Fern").ledger_id))


def test_tried_out_on_ourselves_it_goes_to_us_and_into_nobodys_thread(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    settle(town, sending_mode=SendingMode.TO_ME, sending_to="olive@firm.example")
    answer(town, reply)

    (mail,) = town.mails_to("olive@firm.example")
    assert mail["subject"].startswith("[Test: ") and "In-Reply-To" not in mail["headers"]
    assert len(town.mails_to("fern@debtor.example")) == 1


def test_who_wants_no_more_reminders_is_still_answered_and_gets_no_reminder(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    stop(town, "email", "fern@debtor.example")
    with town.office.database.reading() as session:
        told = answering.answerable(session, town.office, organisation_in(session, town), town.replies("Fern")[0])
    assert "They asked us to stop" in told.warnings[0] and not told.problem

    assert answer(town, reply) == ReminderState.SENT
    town.move(town.clock() + timedelta(days=30))
    town.work()
    assert len(town.mails_to("fern@debtor.example")) == 2, "the first reminder, and the answer"


def test_who_has_texted_stop_is_texted_no_answer(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    speaking = plug_in(town.office, "sms_twilio", Answering(sender="+447700900900"))
    with town.office.database.unit_of_work() as unit:
        row = unit.get(ReplyRow, reply.id)
        assert row is not None
        row.channel, row.sender = "sms_twilio", "+447700900123"
    assert answer(town, reply, "Of course – it’s on its way.") == ReminderState.SENT
    assert speaking.given[0].text == "Of course - it's on its way.", (
        "in letters that keep it cheap, without a quotation"
    )

    stop(town, "sms", "+447700900123")
    with pytest.raises(NotAllowed, match="texted STOP"):
        answer(town, reply, "One thing more", place=1)
    assert len(speaking.given) == 1


def test_what_cannot_leave_just_now_is_kept_and_leaves_later_in_the_same_words(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    speaking = by_mail(town, Answering([Unavailable("the mail server is away")]))
    assert answer(town, reply) == ReminderState.QUEUED
    town.move(town.clock() + timedelta(minutes=6))
    deliver.deliver_due(town.office)

    assert [row.state for row in answers(town)] == [ReminderState.SENT]
    first, second = speaking.given
    assert (first.text, first.subject, first.to) == (second.text, second.subject, second.to)
    assert first.attempt != second.attempt and first.references == second.references != ()


def test_a_refused_answer_is_a_task_and_is_tried_again_by_a_person(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    speaking = by_mail(town, Answering([Refused("no such mailbox")]))
    assert answer(town, reply) == ReminderState.REFUSED
    assert any("Answer to fern@debtor.example was refused" in task.text for task in town.tasks())

    acts.try_again(town.office, int(answers(town)[0].id or 0), by="Olive Owner")
    deliver.deliver_due(town.office)
    assert [row.state for row in answers(town)] == [ReminderState.SENT] and len(speaking.given) == 2


def test_a_doubtful_answer_is_never_sent_again_by_itself(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    speaking = by_mail(town, Answering([Unsure("the line broke")], evidence_waits=()))
    assert answer(town, reply) == ReminderState.UNSURE
    town.move(town.clock() + timedelta(days=3))
    deliver.deliver_due(town.office)

    assert [row.state for row in answers(town)] == [ReminderState.UNSURE]
    assert [message.to for message in speaking.given].count("fern@debtor.example") == 1
    assert any(task.kind == "unsure" for task in town.tasks())


def test_one_that_was_being_handed_over_when_the_process_died_is_a_doubt(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    by_mail(town, Answering(evidence_waits=()))
    begun = answering._begin(town.office, int(reply.id or 0), SAID, 0, "Olive Owner")  # and no further
    assert not isinstance(begun, int)
    deliver.deliver_due(town.office)
    assert [row.state for row in answers(town)] == [ReminderState.SENDING], "it may be going this very moment"

    town.move(town.clock() + CLAIM + timedelta(minutes=1))
    deliver.deliver_due(town.office)
    assert [row.state for row in answers(town)] == [ReminderState.UNSURE]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"account_id": None}, "Say whose reply it is first"),
        ({"kind": "out of office"}, "written by a machine"),
        ({"channel": "sms_twilio"}, "No channel for text messages"),
    ],
)
def test_what_cannot_be_answered_says_why(a_town: Callable[..., Town], changed: dict[str, Any], why: str) -> None:
    town, reply = asked(a_town)
    with town.office.database.unit_of_work() as unit:
        row = unit.get(ReplyRow, reply.id)
        assert row is not None
        for name, value in changed.items():
            setattr(row, name, value)

    with pytest.raises(NotAllowed, match=why):
        answer(town, reply)
    assert answers(town) == []


@pytest.mark.parametrize(("text", "why"), [("  ", "Write your answer first"), ("a" * 10_001, "10,001 characters")])
def test_nothing_and_far_too_much_are_no_answers(a_town: Callable[..., Town], text: str, why: str) -> None:
    town, reply = asked(a_town)

    with pytest.raises(NotAllowed, match=why):
        answer(town, reply, text)
    with town.office.database.reading() as session:
        assert len(session.scalars(select(MessageRow)).all()) == 1 and session.scalars(select(OrganisationRow)).one()


def test_their_next_answer_finds_the_account_by_our_answer(a_town: Callable[..., Town]) -> None:
    town, reply = asked(a_town)
    answer(town, reply)
    mail = town.mails_to("fern@debtor.example")[-1]
    town.control.reply(mail["message_id"], "Got it, thank you.")
    receive.receive(town.office)

    assert [(one.said, one.matched_by) for one in town.replies("Fern")][1] == ("Got it, thank you.", "token")


def test_a_restored_database_leaves_an_answer_that_waited_then_to_a_person(a_town: Callable[..., Town]) -> None:
    """It may have gone after the copy was made; a pause of all sending would not hold it."""
    town, reply = asked(a_town)
    speaking = by_mail(town, Answering([Unavailable("the mail server is full")]))
    assert answer(town, reply) == ReminderState.QUEUED
    town.office.high_water = mark = HighWater(town.folder / "high-water")
    mark.rise(1_000)  # so many had left by the time of the accident
    mind_a_restored_database(town.office)
    town.move(town.clock() + timedelta(hours=2))
    town.work()

    assert [row.state for row in answers(town)] == [ReminderState.UNSURE]
    assert len(speaking.given) == 1
    assert [task.kind for task in town.tasks() if "restored" in task.text] == ["unsure"]
    acts.resume_organisation(town.office, town.organisation, by="Olive Owner")
    acts.settle_unsure(town.office, int(answers(town)[0].id or 0), went=False, by="Olive Owner")
    town.work()
    assert [row.state for row in answers(town)] == [ReminderState.SENT]
