"""Mirrors jobs/impact.py: what an edit would change is told before it is saved, and is what saving it then changes."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from engine.position import due_at, place_done
from engine.workflow import Channel, WorkflowKind
from jobs.drafts import Draft
from jobs.impact import Effect, Impact, impact_of
from store.ground import workflows_of
from store.positions import WALK_COLUMNS, walk_of
from store.rows import all_rows
from store.tables import HoldRow, PositionRow, ReminderRow
from tests.jobs.firm import START, Firm, an_email


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firm on day 36 of its first invoices, with accounts everywhere along its workflow, on another and on none."""
    file = tmp_path_factory.mktemp("firm") / "arrears.db"
    firm = Firm.founded(f"sqlite:///{file}")
    late = firm.save(Draft("Late", (an_email("L1", 20), an_email("L2", 60))))
    single = firm.save(
        Draft("Single", (an_email("S1", 5), an_email("S2", 25), an_email("S3", 50)), kind=WorkflowKind.INVOICE)
    )
    for age in (1, 5, 8, 15, 20, 22, 30, 36):
        firm.account(f"Aged {age}", on(36 - age))
    firm.account("Two", on(4), on(20))
    firm.account("Young", on(50))
    firm.account("Nothing")
    firm.account("Late 1", on(2), default_workflow_id=late)
    firm.account("Alone", on(2), on(20), on(33), default_workflow_id=single)
    firm.account("No address", on(27), email="")
    paused = firm.account("Paused", on(25))
    with firm.office.database.unit_of_work() as unit:
        unit.add(HoldRow(organisation_id=firm.id, account_id=paused, kind="paused", since=START))
    firm.walk(on(0), on(36))
    firm.office.close()
    return file


@pytest.fixture
def firm(walked: Path, tmp_path: Path) -> Iterator[Firm]:
    shutil.copyfile(walked, tmp_path / "arrears.db")
    firm = Firm(f"sqlite:///{tmp_path / 'arrears.db'}", on(36))
    yield firm
    firm.close()


def on(day: int) -> date:
    return START + timedelta(days=day)


def impact(firm: Firm, draft: Draft) -> Impact:
    found = impact_of(firm.office, firm.id, draft)
    assert isinstance(found, Impact), found
    return found


def told(firm: Firm, draft: Draft) -> dict[str, tuple[Effect, str, str]]:
    return {change.name: (change.effect, change.before, change.after) for change in impact(firm, draft).changes}


def standing(firm: Firm) -> dict[int, Any]:
    """All that is stored of where the accounts stand and what is queued for them."""
    with firm.office.database.reading() as session:
        stands: dict[int, Any] = {
            row.account_id: [row.workflow_id, row.state, row.assigned_step, row.next_step, row.next_due_on]
            for row in session.scalars(select(PositionRow))
        }
        for reminder in session.scalars(select(ReminderRow).where(ReminderRow.state == "queued")):
            stands[reminder.account_id].append(
                (reminder.cycle, reminder.step_id, reminder.invoice_id, reminder.held_because)
            )
        workflows = workflows_of(session, firm.id)
        for account, *walk in all_rows(session, f"SELECT {', '.join(WALK_COLUMNS)} FROM invoice_walks"):
            run = walk_of(walk)
            workflow, place = workflows[run.workflow], place_done(run, workflows[run.workflow]) + 1
            follows = due_at(run, workflow, place) if workflow.step_at(place) and not run.ended else None
            stands[account].append((run.driver, workflow.step_at(place), follows))
    return stands


def edited(draft: Draft, how: str) -> Draft:
    """The draft after one of the edits that people make."""
    first, second, *others = draft.steps
    edits: dict[str, Draft] = {
        "nothing": draft,
        "words": replace(draft, steps=(replace(first, body="Please pay."), second, *others)),
        "first later": replace(draft, steps=(replace(first, day=first.day + 3), second, *others)),
        "first sooner": replace(draft, steps=(replace(first, day=first.day - 3), second, *others)),
        "second out": replace(draft, steps=(first, *others)),
        "first out": replace(draft, steps=(second, *others)),
        "one more between": replace(draft, steps=(*draft.steps, an_email("New", first.day + 2))),
        "one more at the end": replace(draft, steps=(*draft.steps, an_email("New", 90))),
        "one before the due date": replace(draft, steps=(*draft.steps, an_email("Soon", -20))),
        "by hand": replace(draft, steps=tuple(replace(step, manual=True) for step in draft.steps)),
        "by telephone": replace(draft, steps=(*draft.steps[:-1], replace(draft.steps[-1], channel=Channel.CALL))),
        "repeated": replace(draft, repeat_every=4),
        "order turned round": replace(
            draft, steps=(replace(first, day=second.day), replace(second, day=first.day), *others)
        ),
    }
    return edits[how]


EDITS = (
    *("nothing", "words", "first later", "first sooner", "second out", "first out", "one more between"),
    *("one more at the end", "one before the due date", "by hand", "by telephone", "repeated", "order turned round"),
)


@pytest.mark.parametrize("how", EDITS)
@pytest.mark.parametrize("workflow", ["House", "Late", "Single"])
def test_exactly_those_accounts_change_that_the_answer_named(firm: Firm, workflow: str, how: str) -> None:
    number = {"House": 1, "Late": 2, "Single": 3}[workflow]
    draft = edited(firm.draft(number), how)
    before, found = standing(firm), impact(firm, draft)

    firm.save(draft)
    after = standing(firm)

    changed = {account for account in after if after[account] != before[account]}
    named = {change.account_id for change in found.changes}
    # A step that lies ahead and will go in another way is no other row yet.
    assert changed <= named if how in ("by hand", "by telephone") else changed == named
    if how in ("nothing", "words"):
        assert named == set()
    elif how in ("second out", "by hand"):
        assert named != set()


def test_the_answer_writes_nothing(firm: Firm) -> None:
    before = firm.everything()
    found = impact(firm, edited(firm.draft(1), "second out"))

    assert found.changes and firm.everything() == before
    assert firm.draft(1).version == 1


def test_a_step_that_is_taken_out_moves_whoever_stands_on_it_and_whoever_waits_for_it(firm: Firm) -> None:
    found = told(firm, edited(firm.draft(1), "second out"))

    assert found["Aged 22"] == (
        Effect.DIFFERENT,
        "at R2; R3 follows on 19 February 2026",
        "at R1; R3 follows on 19 February 2026",
    )
    assert found["Aged 15"] == (
        Effect.LATER,
        "at R1; R2 follows on 12 February 2026",
        "at R1; R3 follows on 26 February 2026",
    )
    assert not {"Aged 1", "Aged 36", "Late 1", "Alone", "Nothing", "Young"} & found.keys()


def test_a_step_that_is_put_in_earlier_changes_nobody_who_is_past_it(firm: Firm) -> None:
    found = told(firm, replace(firm.draft(1), steps=(*firm.draft(1).steps, an_email("New", 16))))

    assert found["Aged 15"][2] == "at R1; New follows on 7 February 2026"
    assert not {"Aged 22", "Aged 30", "Aged 36"} & found.keys()


def test_a_step_that_is_put_in_later_lies_ahead_of_whoever_is_before_it_and_wakes_nobody(firm: Firm) -> None:
    later = replace(firm.draft(1), steps=(*firm.draft(1).steps, an_email("New", 30)))
    assert told(firm, later)["Aged 22"][2] == "at R2; New follows on 14 February 2026"

    at_the_end = replace(firm.draft(1), steps=(*firm.draft(1).steps, an_email("New", 90)))
    assert told(firm, at_the_end) == {}


def test_a_link_that_is_added_rescues_no_idle_account(firm: Firm) -> None:
    assert firm.position(8).state == "idle"
    draft = replace(firm.draft(1), link=2, after_days=1)

    assert told(firm, draft) == {}
    firm.save(draft)
    firm.walk(on(37), on(40))
    assert firm.position(8).state == "idle"


def test_what_becomes_due_and_what_is_taken_back_come_first_and_everything_is_counted(firm: Firm) -> None:
    firm.change(paused_at=firm.now)
    firm.walk(on(37), on(38))  # Aged 5 has R1 due now, and the pause holds it
    sooner = replace(firm.draft(1), steps=(replace(firm.draft(1).steps[0], day=2), *firm.draft(1).steps[1:]))
    later = replace(firm.draft(1), steps=(replace(firm.draft(1).steps[0], day=9), *firm.draft(1).steps[1:]))

    found = impact(firm, sooner)
    assert found.changes[0].name == "Aged 1" and found.changes[0].effect is Effect.BECOMES_DUE
    assert found.changes[0].before == "at the start; R1 follows on 12 February 2026"
    assert found.changes[0].after == "R1 is due, but sending is paused for the whole organisation"
    assert sum(found.counts.values()) == len(found.changes)
    assert next(iter(found.counts)) is Effect.BECOMES_DUE

    assert told(firm, later)["Aged 5"] == (
        Effect.TAKEN_BACK,
        "R1 is due, but sending is paused for the whole organisation",
        "at the start; R1 follows on 10 February 2026",
    )


def test_an_account_whose_next_steps_are_all_taken_out_comes_to_its_end(firm: Firm) -> None:
    draft = firm.draft(1)
    found = told(firm, replace(draft, steps=draft.steps[:2]))

    assert found["Aged 22"] == (
        Effect.ENDS,
        "at R2; R3 follows on 19 February 2026",
        "at R2; every step is done and nothing follows",
    )


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"channel": Channel.CALL}, "by email", "by telephone"),
        ({"manual": True}, "by itself", "when a person says so"),
    ],
)
def test_a_step_that_will_go_in_another_way_is_told_too(
    firm: Firm, change: dict[str, Any], before: str, after: str
) -> None:
    draft = firm.draft(1)
    found = told(firm, replace(draft, steps=(*draft.steps[:2], replace(draft.steps[2], **change))))

    assert found["Aged 22"][1:] == (
        f"{before}: at R2; R3 follows on 19 February 2026",
        f"{after}: at R2; R3 follows on 19 February 2026",
    )


def test_a_step_that_is_due_longer_is_told_with_its_days(firm: Firm) -> None:
    firm.change(paused_at=firm.now)
    firm.walk(on(37), on(38))
    found = told(firm, edited(firm.draft(1), "first sooner"))

    assert found["Aged 5"][1].startswith("since 8 February 2026: R1 is due, but sending is paused")
    assert found["Aged 5"][2].startswith("since 5 February 2026: R1 is due, but sending is paused")


def test_another_name_or_other_words_for_a_step_change_no_account(firm: Firm) -> None:
    draft = firm.draft(1)
    steps = tuple(replace(step, name=f"Letter {place}", body="Pay") for place, step in enumerate(draft.steps))

    assert told(firm, replace(draft, name="Home", steps=steps)) == {}


def test_the_invoices_of_a_regular_workflow_are_told_one_by_one(firm: Firm) -> None:
    draft = firm.draft(3)
    found = told(firm, replace(draft, steps=(draft.steps[0], replace(draft.steps[1], day=30), draft.steps[2])))

    assert found["Alone"] == (
        Effect.DIFFERENT,
        "Alone 3: at the start; S1 follows on 8 February 2026; Alone 2: S2 on 15 February 2026",
        "Alone 3: at the start; S1 follows on 8 February 2026; Alone 2: S2 on 20 February 2026",
    )


def test_a_courtesy_step_that_is_new_is_told_for_the_invoice_it_concerns(firm: Firm) -> None:
    found = told(firm, replace(firm.draft(1), steps=(*firm.draft(1).steps, an_email("Soon", -20))))

    assert found == {
        "Young": (Effect.BECOMES_DUE, "nothing is overdue", "nothing is overdue; Soon for Young 1 is due"),
    }


def test_a_workflow_that_is_not_there_yet_changes_nobody(firm: Firm) -> None:
    found = impact(firm, Draft("New", (an_email("N1", 3),)))

    assert (found.looked_at, found.on_it, found.changes) == (0, 0, ())


def test_a_draft_with_flaws_is_answered_with_them(firm: Firm) -> None:
    flaws = impact_of(firm.office, firm.id, replace(firm.draft(1), name=""))

    assert not isinstance(flaws, Impact) and [flaw.field for flaw in flaws] == ["name"]
    with pytest.raises(LookupError):
        impact_of(firm.office, firm.id, replace(firm.draft(1), id=99))


def test_the_number_of_questions_does_not_depend_on_the_number_of_accounts(firm: Firm) -> None:
    draft = edited(firm.draft(1), "second out")

    def asked() -> int:
        seen: list[str] = []
        listener = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(firm.office.database.engine, "before_cursor_execute", listener)
        impact(firm, draft)
        event.remove(firm.office.database.engine, "before_cursor_execute", listener)
        return len(seen)

    few = asked()
    for number in range(40):
        firm.account(f"More {number}", on(20))
    assert asked() == few


def test_it_works_alike_on_both_databases(database_url: str) -> None:
    firm = Firm.founded(database_url)
    firm.account("Ivy", START)
    firm.walk(on(1), on(22))

    found = told(firm, edited(firm.draft(firm.house), "second out"))
    assert found["Ivy"][1:] == (
        "at R2; R3 follows on 5 February 2026",
        "at R1; R3 follows on 5 February 2026",
    )
    firm.close()
