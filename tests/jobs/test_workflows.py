"""Mirrors jobs/workflows.py and jobs/drafts.py: what an edit does to the accounts that walk along a workflow."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.reminders import ReminderState
from engine.workflow import Channel, WorkflowKind
from jobs import workflows
from jobs.drafts import Draft, DraftStep, blank_draft, free_name, prewritten_draft
from jobs.workflows import Saved, delete_workflow, duplicate_workflow, make_default, save_workflow
from store.tables import AssignmentRow, AuditRow, ReminderRow, StepRow, WorkflowRow
from tests.jobs.firm import BY, HOUSE, START, Firm, an_email, on
from wording.prewritten import prewritten_names

pytestmark = pytest.mark.filterwarnings("error::sqlalchemy.exc.SAWarning")


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    firm = Firm.founded(f"sqlite:///{tmp_path / 'arrears.db'}")
    yield firm
    firm.close()


def with_steps(draft: Draft, change: Callable[[tuple[DraftStep, ...]], tuple[DraftStep, ...]]) -> Draft:
    return replace(draft, steps=change(draft.steps))


def without(draft: Draft, name: str) -> Draft:
    return with_steps(draft, lambda steps: tuple(step for step in steps if step.name != name))


def and_also(draft: Draft, *added: DraftStep) -> Draft:
    return with_steps(draft, lambda steps: (*steps, *added))


# What an edit does to accounts under way


def test_a_step_that_was_taken_out_counts_as_the_one_before_it(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))
    assert firm.sent(ivy) == ["R1", "R2"]

    firm.save(without(firm.draft(firm.house), "R2"))
    position = firm.position(ivy)
    assert (position.assigned_step, position.next_step, position.next_due_on) == ("R1", "R3", on(35))

    firm.walk(on(23), on(40))
    assert firm.sent(ivy) == ["R1", "R2", "R3"]


def test_a_step_that_was_put_in_earlier_is_not_sent_any_more(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))

    firm.save(and_also(firm.draft(firm.house), an_email("Early", 14)))
    assert firm.position(ivy).next_step == "R3"

    firm.walk(on(23), on(60))
    assert firm.sent(ivy) == ["R1", "R2", "R3"]


def test_a_step_that_was_put_in_later_lies_ahead(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))

    firm.save(and_also(firm.draft(firm.house), an_email("Late", 28)))
    position = firm.position(ivy)
    assert (position.next_step, position.next_due_on) == ("Late", on(28))

    firm.walk(on(23), on(60))
    assert firm.sent(ivy) == ["R1", "R2", "Late", "R3"]


def test_an_idle_account_stays_idle_while_those_that_come_after_get_the_new_step(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    oak = firm.account("Oak", on(10))
    firm.walk(on(1), on(36))
    assert firm.position(ivy).state == "idle"

    firm.save(and_also(firm.draft(firm.house), an_email("R4", 50)))
    assert firm.position(ivy).state == "idle"

    firm.walk(on(37), on(70))
    assert firm.sent(ivy) == ["R1", "R2", "R3"]
    assert firm.sent(oak) == ["R1", "R2", "R3", "R4"]


@pytest.mark.parametrize("follows", ["link", "repeat"])
def test_what_follows_the_last_step_does_not_wake_an_account_that_has_come_to_rest(firm: Firm, follows: str) -> None:
    firm_hand = firm.save(Draft("Firm", (an_email("F1", 40),)))
    ivy = firm.account("Ivy", START)
    oak = firm.account("Oak", on(10))
    firm.walk(on(1), on(36))

    house = firm.draft(firm.house)
    more = {"link": firm_hand, "after_days": 5} if follows == "link" else {"repeat_every": 7}
    firm.save(replace(house, **more))  # type: ignore[arg-type]
    firm.walk(on(37), on(53))

    assert (firm.position(ivy).state, firm.position(ivy).workflow_id) == ("idle", firm.house)
    assert firm.sent(ivy) == ["R1", "R2", "R3"]
    assert firm.sent(oak) == ["R1", "R2", "R3", "F1" if follows == "link" else "R3"]


def test_the_queued_reminder_of_a_step_that_was_taken_out_is_taken_back_in_the_same_commit(firm: Firm) -> None:
    house = with_steps(firm.draft(firm.house), lambda steps: (replace(steps[0], manual=True), *steps[1:]))
    firm.save(house)
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(8))
    assert firm.reminders(ivy, ReminderState.QUEUED) == ["R1"]

    firm.save(without(firm.draft(firm.house), "R1"))

    assert firm.reminders(ivy, ReminderState.QUEUED) == []
    assert firm.reminders(ivy, ReminderState.WITHDRAWN) == ["R1"]
    assert firm.position(ivy).next_step == "R2"


def test_what_has_not_left_goes_by_the_new_name_and_channel_of_its_step(firm: Firm) -> None:
    firm.change(paused_at=firm.now)
    ivy = firm.account("Ivy", START, mobile="+447700900123")
    firm.walk(on(1), on(8))
    house = firm.draft(firm.house)

    first = replace(house.steps[0], name="First", channel=Channel.SMS, manual=True, body="Please pay.")
    firm.save(with_steps(house, lambda steps: (first, *steps[1:])))

    (queued,) = firm.rows(ReminderRow)
    assert (queued.step_name, queued.channel, queued.state) == ("First", "sms", "queued")
    assert queued.held_because == "it waits for a person"
    assert firm.position(ivy).assigned_step == "First"


def test_moving_the_next_step_to_another_day_takes_it_back_until_then(firm: Firm) -> None:
    firm.change(paused_at=firm.now)
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(8))
    house = firm.draft(firm.house)

    firm.save(with_steps(house, lambda steps: (replace(steps[0], day=12), *steps[1:])))

    assert firm.reminders(ivy, ReminderState.WITHDRAWN) == ["R1"]
    assert firm.position(ivy).next_due_on == on(12)
    firm.change(paused_at=None)
    firm.walk(on(9), on(12))
    assert firm.sent(ivy) == ["R1"]


# Saving


def test_saving_counts_the_version_up_and_leaves_a_mark(firm: Firm) -> None:
    saved = save_workflow(
        firm.office,
        firm.id,
        replace(and_also(without(firm.draft(firm.house), "R2"), an_email("R4", 50)), name="Home"),
        by="Anna Reed",
    )

    assert isinstance(saved, Saved) and (saved.workflow_id, saved.version) == (firm.house, 2)
    mark = firm.rows(AuditRow)[-1]
    assert (mark.by, mark.what) == ("Anna Reed", "workflow saved")
    assert mark.details | {"workflow": 0} == {
        "workflow": 0,
        "name": "Home",
        "version": 2,
        "name_before": "House",
        "added": ["R4"],
        "removed": ["R2"],
        "changed": [],
    }


def test_steps_keep_their_ids_and_new_ones_get_ids_that_nothing_ever_had(firm: Firm) -> None:
    before = {step.name: step.id for step in firm.draft(firm.house).steps}
    firm.save(without(firm.draft(firm.house), "R2"))

    firm.save(and_also(firm.draft(firm.house), replace(an_email("R2", 21), id=before["R2"])))
    after = {step.name: step.id for step in firm.draft(firm.house).steps}

    assert (after["R1"], after["R3"]) == (before["R1"], before["R3"])
    assert after["R2"] not in before.values()


def test_an_id_that_is_given_twice_is_kept_once(firm: Firm) -> None:
    house = firm.draft(firm.house)

    firm.save(and_also(house, replace(an_email("R4", 50), id=house.steps[0].id)))

    assert len({step.id for step in firm.draft(firm.house).steps}) == 4


def test_saving_what_was_not_changed_changes_nothing(firm: Firm) -> None:
    firm.account("Ivy", START)
    firm.day(on(1))
    before = firm.everything()
    house = firm.draft(firm.house)

    saved = save_workflow(firm.office, firm.id, with_steps(house, lambda steps: steps[::-1]), by=BY)

    assert saved == Saved(firm.house, 1)
    assert firm.everything() == before


def test_a_draft_with_a_flaw_is_refused_with_all_of_them_and_nothing_is_written(firm: Firm) -> None:
    house = firm.draft(firm.house)
    before, steps = firm.everything(), [row.model_dump() for row in firm.rows(StepRow)]

    flaws = firm.flaws(
        Draft(" ", (an_email("R1", 7), DraftStep("R2", 7, subject="{{ nobody }}", body="{% if %}")), link=house.id)
    )

    assert [flaw.field for flaw in flaws] == ["name", "step-2-day", "step-2-subject", "step-2-body", "after_days"]
    assert "the placeholder `nobody` is not known" in flaws[2].text
    assert flaws[3].text.startswith("In the body")
    assert firm.everything() == before and [row.model_dump() for row in firm.rows(StepRow)] == steps


def test_words_that_say_nothing_to_an_account_of_which_little_is_known_are_refused(firm: Firm) -> None:
    (flaw,) = firm.flaws(Draft("New", (DraftStep("R1", 7, subject="{{ contact.first_name }}", body="Pay"),)))

    assert flaw.text == "For an account of which the ledger says less: the subject is empty."


def test_a_text_message_has_no_room_for_the_table_of_invoices(firm: Firm) -> None:
    (flaw,) = firm.flaws(Draft("New", (replace(an_email("R1", 7), channel=Channel.SMS),)))

    assert flaw.field == "step-1-body" and "no room for the table" in flaw.text


def test_accounts_that_are_on_a_workflow_are_not_left_without_a_step(firm: Firm) -> None:
    firm.account("Ivy", START)
    firm.day(on(1))

    assert firm.flaws(replace(firm.draft(firm.house), steps=()))[0].text.startswith("1 account is on this workflow.")
    assert firm.flaws(replace(firm.draft(firm.house), kind=WorkflowKind.INVOICE))[0].field == "kind"


@pytest.mark.parametrize("whose", ["everybody's", "an account's own"])
def test_a_default_is_not_left_without_a_step_after_the_due_date_though_nobody_is_on_it(firm: Firm, whose: str) -> None:
    number = firm.house
    if whose != "everybody's":
        number = firm.save(Draft("Spare", (an_email("S1", 5),)))
        firm.account("Ivy", default_workflow_id=number)
    draft = firm.draft(number)

    (flaw,) = firm.flaws(replace(draft, steps=(replace(draft.steps[0], day=-3),)))

    assert flaw.field == "steps" and flaw.text.startswith("Accounts begin on this workflow")


def test_two_people_who_edit_at_once_do_not_undo_each_others_work(firm: Firm) -> None:
    mine = theirs = firm.draft(firm.house)
    firm.save(without(theirs, "R2"))

    (flaw,) = firm.flaws(and_also(mine, an_email("R4", 50)))

    assert flaw.field == "" and "it is version 2 now, and yours was made from version 1" in flaw.text
    assert [step.name for step in firm.draft(firm.house).steps] == ["R1", "R3"]


def test_a_workflow_of_another_organisation_is_as_good_as_none(firm: Firm) -> None:
    ours, firm.id = firm.id, firm.another("Quayside Printworks")
    theirs = firm.save(HOUSE)
    firm.id = ours
    before = firm.everything()

    for act in (
        lambda: save_workflow(firm.office, ours, replace(HOUSE, id=theirs, version=1), by=BY),
        lambda: duplicate_workflow(firm.office, ours, theirs, by=BY),
        lambda: make_default(firm.office, ours, theirs, by=BY),
        lambda: delete_workflow(firm.office, ours, theirs, by=BY),
    ):
        with pytest.raises(LookupError):
            act()
    assert firm.flaws(replace(HOUSE, name="New", link=theirs, after_days=3))[0].field == "link"
    assert firm.everything() == before


def test_an_edit_and_the_look_that_follows_it_are_one_commit(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def trips(*_: object) -> None:
        raise RuntimeError("the line broke")

    house = firm.draft(firm.house)
    monkeypatch.setattr(workflows, "recalculate_in", trips)
    with pytest.raises(RuntimeError):
        save_workflow(firm.office, firm.id, without(house, "R2"), by=BY)

    assert firm.draft(firm.house) == house


def test_saving_works_alike_on_both_databases(database_url: str) -> None:
    firm = Firm.founded(database_url)
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))
    firm.save(and_also(without(firm.draft(firm.house), "R2"), an_email("R4", 50)))

    assert (firm.position(ivy).assigned_step, firm.position(ivy).next_step) == ("R1", "R3")
    copy = duplicate_workflow(firm.office, firm.id, firm.house, by=BY)
    assert make_default(firm.office, firm.id, copy.workflow_id, by=BY) is None
    assert delete_workflow(firm.office, firm.id, firm.house, by=BY) is not None
    firm.close()


def test_a_copy_of_a_workflow_sends_each_step_as_the_original_does(firm: Firm) -> None:
    dressed = an_email("Last", 50, layout="note", attach_statement=True, attach_invoices=True, cc=("boss@x.example",))
    by_hand = an_email("By hand", 60, manual=True)
    number = firm.save(replace(HOUSE, name="Dressed", steps=(*HOUSE.steps, dressed, by_hand)))

    copy = duplicate_workflow(firm.office, firm.id, number, by=BY)

    original, copied = firm.draft(number), firm.draft(copy.workflow_id)
    assert copied.steps[3] == replace(dressed, id=copied.steps[3].id)
    assert copied == replace(original, id=copy.workflow_id, name="Dressed 2", version=1, steps=copied.steps)
    assert [replace(step, id="") for step in copied.steps] == [replace(step, id="") for step in original.steps]


# Where a draft comes from


@pytest.mark.parametrize(("name", "language"), prewritten_names())
def test_every_pre_written_workflow_can_be_saved_as_it_is(firm: Firm, name: str, language: str) -> None:
    draft = prewritten_draft(name, language)
    number = firm.save(draft)

    saved = firm.draft(number)
    assert [(step.name, step.day, step.body) for step in saved.steps] == [
        (step.name, step.day, step.body) for step in sorted(draft.steps, key=lambda step: step.day)
    ]


def test_a_blank_workflow_wants_a_name_and_words(firm: Firm) -> None:
    assert [flaw.field for flaw in firm.flaws(blank_draft())] == ["name", "step-1-subject", "step-1-body"]


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("Standard", ["standard ", "Standard 2"]) == "Standard 3"
    assert free_name("Standard", ["Gentle"]) == "Standard"


def test_a_copy_is_the_same_under_another_name_and_walks_nobody(firm: Firm) -> None:
    firm.account("Ivy", START)
    firm.day(on(1))
    copied = duplicate_workflow(firm.office, firm.id, firm.house, by=BY)

    original, copy = firm.draft(firm.house), firm.draft(copied.workflow_id)
    assert (copy.name, copy.version) == ("House 2", 1)
    assert [replace(step, id="") for step in copy.steps] == [replace(step, id="") for step in original.steps]
    assert not {step.id for step in copy.steps} & {step.id for step in original.steps}
    assert delete_workflow(firm.office, firm.id, copied.workflow_id, by=BY) is None


# The default, and the end


def test_a_new_default_is_for_accounts_that_begin_and_never_for_those_under_way(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    oak = firm.account("Oak", on(20))
    firm.walk(on(1), on(8))
    gentle = firm.save(Draft("Gentle", (an_email("G1", 10),)))

    assert make_default(firm.office, firm.id, gentle, by=BY) is None
    assert firm.position(ivy).workflow_id == firm.house
    assert firm.position(oak).workflow_id == gentle

    firm.walk(on(9), on(32))
    assert (firm.sent(ivy), firm.sent(oak)) == (["R1", "R2"], ["G1"])
    assert firm.rows(AuditRow)[-1].what == "default workflow chosen"


def test_a_workflow_that_never_asks_for_what_is_overdue_cannot_be_the_default(firm: Firm) -> None:
    kind = firm.save(Draft("Kind", (an_email("Soon", -3),)))

    flaw = make_default(firm.office, firm.id, kind, by=BY)
    assert flaw is not None and "nobody would be reminded" in flaw.text


def test_a_workflow_that_nothing_needs_is_deleted_with_its_steps(firm: Firm) -> None:
    spare = firm.save(Draft("Spare", (an_email("S1", 5),)))

    assert delete_workflow(firm.office, firm.id, spare, by=BY) is None
    assert [row.name for row in firm.rows(WorkflowRow)] == ["House"]
    assert {row.workflow_id for row in firm.rows(StepRow)} == {firm.house}
    assert firm.rows(AuditRow)[-1].what == "workflow deleted"


@pytest.mark.parametrize(
    ("needed", "told"),
    [
        ("default", "It is the default workflow."),
        ("own default", "It is the own default of 1 account."),
        ("link", "House moves accounts on to it."),
        ("account", "1 account is on it."),
        ("assignment", "Accounts have been put on it"),
        ("reminder", "Reminders have been queued by it"),
    ],
)
def test_a_workflow_that_something_needs_is_kept_and_says_why(firm: Firm, needed: str, told: str) -> None:
    spare = firm.save(Draft("Spare", (an_email("S1", 5),)))
    if needed == "link":
        firm.save(replace(firm.draft(firm.house), link=spare, after_days=3))
    elif needed == "own default":
        firm.account("Ivy", default_workflow_id=spare)
    elif needed == "assignment":
        ivy = firm.account("Ivy")
        with firm.office.database.unit_of_work() as unit:
            unit.add(AssignmentRow(organisation_id=firm.id, account_id=ivy, workflow_id=spare, at=firm.now))
    elif needed != "reminder":
        make_default(firm.office, firm.id, spare, by=BY)
    if needed in ("account", "reminder"):
        make_default(firm.office, firm.id, spare, by=BY)
        firm.account("Ivy", START)
        firm.walk(on(1), on(5))
        make_default(firm.office, firm.id, firm.house, by=BY)
    if needed == "reminder":
        firm.pay("Ivy 1")

    flaw = delete_workflow(firm.office, firm.id, spare, by=BY)

    assert flaw is not None and flaw.text.startswith(told)
    assert [row.name for row in firm.rows(WorkflowRow)] == ["House", "Spare"]


def test_an_account_whose_last_steps_were_taken_out_comes_to_rest(firm: Firm) -> None:
    ivy = firm.account("Ivy", START)
    firm.walk(on(1), on(22))
    firm.save(without(firm.draft(firm.house), "R3"))
    assert firm.position(ivy).state == "idle"

    firm.walk(on(23), on(45))

    assert firm.sent(ivy) == ["R1", "R2"]
