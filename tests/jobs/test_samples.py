"""Mirrors jobs/samples.py: a step in one's own inbox, and in nobody else's."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from jobs.acting import NotAllowed
from jobs.samples import saved_step, send_sample
from store.tables import StepRow
from tests.jobs.sending_house import debts
from town import Town


def test_a_sample_goes_to_the_person_alone_and_leaves_no_trace(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    with town.office.database.reading() as session:
        step = session.scalars(select(StepRow).order_by(StepRow.day)).first()
    assert step is not None
    before = len(town.notes("Fern"))
    sampled = saved_step(town.office, step.workflow_id, step.step_id)
    to = send_sample(town.office, town.organisation, sampled, user_id=town.owner)

    (mail,) = town.control.mails()
    assert mail["to"] == [to] == ["owner@firm.example"]
    assert mail["subject"].startswith("[Sample: Fern] ")
    assert "INV-000" in mail["text"] and "fern@debtor.example" in mail["text"]
    assert len(town.notes("Fern")) == before and town.reminders("Fern")[0].state == "queued"


def test_a_step_that_is_not_saved_cannot_be_tried(a_town: Callable[..., Town]) -> None:
    town = debts(a_town, "Fern")
    with pytest.raises(NotAllowed, match="Save the workflow"):
        saved_step(town.office, 1, "no such step")
