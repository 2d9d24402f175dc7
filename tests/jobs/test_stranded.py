"""Mirrors jobs/stranded.py: a doubt is settled by evidence, never by a second try."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from channels import Receipt, Unavailable, Unsure
from engine.reminders import ReminderState
from jobs import acts, deliver
from jobs.looking_up import known_of
from store.tables import MessageRow
from tests.jobs.sending_house import MORNING, Answering, debts, plug_in
from town import Town


def doubt(a_town: Callable[..., Town], **channel: object) -> tuple[Town, Answering]:
    town = debts(a_town, "Fern")
    speaking = plug_in(town.office, "email_smtp", Answering([Unsure("the line broke")], **channel))  # type: ignore[arg-type]
    deliver.deliver_due(town.office)
    assert town.reminders("Fern")[0].state == ReminderState.UNSURE
    return town, speaking


def later(town: Town, minutes: int) -> None:
    town.move(MORNING + timedelta(minutes=minutes))
    deliver.deliver_due(town.office)


def message(town: Town) -> MessageRow:
    row: MessageRow = town._of(MessageRow, "Fern")[-1]
    return row


def test_a_provider_that_keeps_records_is_asked_after_2_10_30_and_120_minutes(a_town: Callable[..., Town]) -> None:
    town, speaking = doubt(a_town)
    asked = []
    for minute in (1, 2, 9, 10, 29, 30, 119, 120, 121, 600):
        later(town, minute)
        asked.append(len(speaking.asked))

    assert asked == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert len(speaking.given) == 1, "a doubt is never sent again by itself"
    assert town.reminders("Fern")[0].state == ReminderState.UNSURE
    assert "asked 4 times" in town.notes("Fern")[-1].text
    assert "proves nothing" in known_of(message(town))


def test_what_the_provider_has_in_its_records_has_gone(a_town: Callable[..., Town]) -> None:
    town, speaking = doubt(a_town)
    later(town, 2)
    speaking.records[str(message(town).id)] = Receipt("SG1", MORNING, "It was found in the logs.")
    later(town, 10)

    (reminder,) = town.reminders("Fern")
    assert reminder.state == ReminderState.SENT and reminder.heard
    assert [task for task in town.tasks() if task.kind == "unsure"] == []
    later(town, 30)
    assert len(speaking.asked) == 2, "nobody asks about what is settled"


def test_a_mail_server_of_ones_own_is_not_asked(a_town: Callable[..., Town]) -> None:
    town, speaking = doubt(a_town, evidence_waits=())
    later(town, 600)
    assert speaking.asked == []
    assert message(town).evidence_next_at is None


def test_a_person_may_settle_it_while_the_provider_is_still_to_be_asked(a_town: Callable[..., Town]) -> None:
    town, speaking = doubt(a_town)
    acts.settle_unsure(town.office, town.reminders("Fern")[0].id or 0, went=True, by="Olive Owner")
    later(town, 10)
    assert speaking.asked == []
    assert town.reminders("Fern")[0].state == ReminderState.SENT


@pytest.mark.parametrize(("until", "next_try"), [(None, 5), (90, 90), (1, 5)])
def test_nothing_is_tried_again_before_the_provider_wants_it(
    a_town: Callable[..., Town], until: int | None, next_try: int
) -> None:
    town = debts(a_town, "Fern")
    when = MORNING + timedelta(minutes=until) if until is not None else None
    plug_in(town.office, "email_smtp", Answering([Unavailable("too many requests", until=when)]))
    deliver.deliver_due(town.office)
    assert town.reminders("Fern")[0].next_attempt_at == MORNING + timedelta(minutes=next_try)


def test_after_the_last_look_the_task_says_how_often_the_provider_was_asked_and_what_to_do(
    a_town: Callable[..., Town],
) -> None:
    town, _ = doubt(a_town)
    for minute in (2, 10, 30):
        later(town, minute)
    (task,) = [task for task in town.tasks() if task.kind == "unsure"]
    assert "The provider is asked whether it took it" in task.text
    later(town, 120)
    (task,) = [task for task in town.tasks() if task.kind == "unsure"]
    assert "asked 4 times" in task.text and "say whether it went" in task.text
    assert "is asked whether" not in task.text, "nobody waits for an answer that does not come any more"
