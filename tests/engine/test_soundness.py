"""Mirrors engine/soundness.py: a workflow that makes no sense is refused, each flaw beside its field."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ageing import OpenInvoice
from engine.facts import Rules
from engine.soundness import Flaw, Words, flaws_of
from engine.story import Event, People, Story, When, tell
from engine.workflow import Channel, Link, Step, Workflow, WorkflowKind

R1, R2, R3 = Step("r1", "Reminder 1", 7), Step("r2", "Reminder 2", 21), Step("r3", "Reminder 3", 35)
COURTESY = Step("c1", "Friendly word", -3)
CALL = Step("c", "Call", 40, Channel.CALL)
W = Workflow(1, "House", (R1, R2, R3))
FIRM = Workflow(2, "Firm", (Step("f1", "Firm 1", 30),))
LAST = Workflow(3, "Last", (Step("l1", "Last 1", 60),))
SINGLE = Workflow(4, "Single", (Step("s1", "Single 1", 5),), WorkflowKind.INVOICE)
OTHERS = {one.id: one for one in (FIRM, LAST, SINGLE)}


def fields(workflow: Workflow, **more: object) -> list[str]:
    return [flaw.field for flaw in flaws_of(workflow, OTHERS, **more)]  # type: ignore[arg-type]


def texts(workflow: Workflow, others: dict[object, Workflow] = OTHERS, **more: object) -> str:  # type: ignore[assignment]
    return " ".join(flaw.text for flaw in flaws_of(workflow, others, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sound",
    [
        W,
        replace(W, steps=(R3, R1, R2)),
        replace(W, steps=(COURTESY,)),
        replace(W, link=Link(2, 14)),
        replace(W, repeat_every=7),
        replace(W, steps=(Step("a", "A", -60), Step("b", "B", 720))),
        replace(W, kind=WorkflowKind.INVOICE),
        replace(W, kind=WorkflowKind.INVOICE, steps=(R1, CALL)),
        replace(W, kind=WorkflowKind.INVOICE, steps=(CALL, R1)),
        replace(W, steps=(R1, Step("s", "SMS", 14, Channel.SMS), CALL)),
    ],
)
def test_a_workflow_that_makes_sense_has_no_flaw(sound: Workflow) -> None:
    assert flaws_of(sound, OTHERS) == ()


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        (replace(W, name="  "), ["name"]),
        (replace(W, name="firm "), ["name"]),
        (replace(W, name="x" * 81), ["name"]),
        (replace(W, name="two\nlines"), ["name"]),
        (replace(W, steps=()), ["steps"]),
        (replace(W, steps=(COURTESY,), link=Link(2, 14)), ["steps"]),
        (replace(W, steps=(COURTESY,), repeat_every=7), ["steps"]),
        (replace(W, steps=tuple(Step(f"s{n}", f"S{n}", n) for n in range(1, 42))), ["steps"]),
        (replace(W, steps=(R1, R2, replace(R3, day=21))), ["step-3-day"]),
        (replace(W, steps=(R1, R2, replace(R3, name="reminder 1"))), ["step-3-name"]),
        (replace(W, steps=(R1, replace(R2, name=""), R3)), ["step-2-name"]),
        (replace(W, steps=(replace(R1, day=-61), R2, replace(R3, day=721))), ["step-1-day", "step-3-day"]),
        (replace(W, steps=(replace(R1, day=999), replace(R2, day=999))), ["step-1-day", "step-2-day"]),
        (replace(W, link=Link(1, 14)), ["link"]),
        (replace(W, link=Link(9, 14)), ["link"]),
        (replace(W, link=Link(0, 14)), ["link"]),
        (replace(W, id=0, link=Link(0, 14)), ["link"]),
        (replace(W, link=Link(4, 14)), ["link"]),
        (replace(W, link=Link(2, 0)), ["after_days"]),
        (replace(W, link=Link(9, 366)), ["link", "after_days"]),
        (replace(W, link=Link(2, 14), repeat_every=7), ["repeat_every"]),
        (replace(W, repeat_every=366), ["repeat_every"]),
        (replace(W, repeat_every=-1), ["repeat_every"]),
        (replace(W, kind=WorkflowKind.INVOICE, link=Link(2, 14)), ["link"]),
        (replace(W, kind=WorkflowKind.INVOICE, steps=(R1, replace(R2, channel=Channel.SMS))), ["step-2-channel"]),
        (replace(W, kind=WorkflowKind.INVOICE, steps=(R1, replace(CALL, day=9), R3)), ["step-2-channel"]),
        (replace(W, kind=WorkflowKind.INVOICE, steps=(replace(CALL, day=-1), R1)), ["step-1-channel"]),
    ],
)
def test_each_flaw_is_told_beside_its_field(workflow: Workflow, expected: list[str]) -> None:
    assert fields(workflow) == expected


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_form() -> None:
    wrong = Workflow(1, "", (R1, replace(R2, name="", day=7)), link=Link(9, 0))

    assert fields(wrong) == ["name", "step-2-name", "step-2-day", "link", "after_days"]


def test_a_circle_over_several_workflows_is_named() -> None:
    others = {2: replace(FIRM, link=Link(3, 5)), 3: replace(LAST, link=Link(1, 5))}

    assert "House → Firm → Last → House" in texts(replace(W, link=Link(2, 14)), others)  # type: ignore[arg-type]


def test_a_circle_that_others_make_among_themselves_is_not_walked_into() -> None:
    others = {2: replace(FIRM, link=Link(3, 5)), 3: replace(LAST, link=Link(2, 5))}

    assert "House → Firm → Last → Firm" in texts(replace(W, link=Link(2, 14)), others)  # type: ignore[arg-type]


def test_links_one_after_another_are_no_circle_and_the_saved_version_of_itself_does_not_count() -> None:
    others = {1: replace(W, link=Link(1, 5)), 2: replace(FIRM, link=Link(3, 5)), 3: LAST}

    assert flaws_of(replace(W, link=Link(2, 14)), others) == ()


def test_a_workflow_that_others_lead_to_stays_a_smart_one() -> None:
    others = {2: replace(FIRM, link=Link(1, 5))}

    assert flaws_of(replace(W, kind=WorkflowKind.INVOICE), others)[0].field == "kind"


def test_accounts_on_a_workflow_keep_a_step_and_their_kind() -> None:
    assert texts(replace(W, steps=()), accounts=12).startswith(
        "12 accounts are on this workflow. Keep at least one step"
    )
    assert fields(replace(W, steps=(COURTESY,)), accounts=1) == ["steps"]
    assert fields(replace(W, kind=WorkflowKind.INVOICE), before=W, accounts=1) == ["kind"]
    assert fields(replace(W, kind=WorkflowKind.INVOICE), before=W, accounts=0) == []


def test_a_workflow_on_which_accounts_begin_or_to_which_others_lead_keeps_a_step_after_the_due_date() -> None:
    friendly = replace(W, steps=(COURTESY,))
    leading = {2: replace(FIRM, link=Link(1, 5))}

    assert "Accounts begin on this workflow" in texts(friendly, begun_on=True)
    assert fields(replace(W, steps=()), begun_on=True) == ["steps"]
    assert "Firm moves accounts on to this workflow." in texts(friendly, leading)  # type: ignore[arg-type]
    assert flaws_of(W, leading, begun_on=True) == ()


def test_nobody_is_moved_on_to_where_nothing_is_said() -> None:
    others = {2: replace(FIRM, steps=(COURTESY,))}

    assert "Firm has no step after the due date" in texts(replace(W, link=Link(2, 14)), others)  # type: ignore[arg-type]


def test_words_that_are_too_long_or_cannot_be_printed_are_refused_beside_their_field() -> None:
    good = Words("Hello", "Please pay.\n\n\tThank you.")
    for subject, body, field in (
        ("x" * 501, good.body, "step-1-subject"),
        ("Hel\0lo", good.body, "step-1-subject"),
        (good.subject, "x" * 20_001, "step-1-body"),
        (good.subject, "Pay\x1b", "step-1-body"),
    ):
        words = {step.id: good for step in W.steps} | {"r1": Words(subject, body)}
        assert fields(W, words=words) == [field]
    assert fields(W, description="x" * 301) == ["description"]
    assert 'after "For all"' in texts(W, description="For all\0of them")


def test_a_copy_that_can_go_nowhere_is_told_beside_its_field_and_matters_to_an_email_only() -> None:
    words = {step.id: Words("Hello", "Please pay", copies_problem="No address.") for step in W.steps}
    steps = (R1, replace(R2, channel=Channel.SMS), replace(R3, channel=Channel.CALL))

    assert fields(replace(W, steps=steps), words=words) == ["step-1-cc"]


def test_an_email_needs_a_subject_and_words_an_sms_words_and_a_call_nothing() -> None:
    steps = (R1, replace(R2, channel=Channel.SMS), replace(R3, channel=Channel.CALL))
    none = {step.id: Words() for step in steps}
    written = {"r1": Words("Hello", "Please pay"), "r2": Words("", "Please pay"), "r3": Words()}

    assert fields(replace(W, steps=steps), words=none) == ["step-1-subject", "step-1-body", "step-2-body"]
    assert fields(replace(W, steps=steps), words={}) == ["step-1-subject", "step-1-body", "step-2-body"]
    assert fields(replace(W, steps=steps), words=written) == []


def test_words_that_cannot_be_filled_in_are_told_as_whoever_looked_at_them_said_it() -> None:
    words = {step.id: Words("Hello", "Please pay") for step in W.steps}
    words["r2"] = Words("{{ x }}", "{{ y", "`x` is not known.", "In the body: this cannot be read.")

    assert flaws_of(W, OTHERS, words) == (
        Flaw("step-2-subject", "`x` is not known."),
        Flaw("step-2-body", "In the body: this cannot be read."),
    )


START = date(2025, 1, 1)
NAMES = [f"I{number}" for number in range(4)]


@st.composite
def workflows(draw: st.DrawFn, number: int) -> Workflow:
    """Anything that a person might fill in, sound or not."""
    days = draw(st.lists(st.integers(-12, 30), max_size=4, unique=draw(st.sampled_from([True, True, False]))))
    kind = draw(st.sampled_from([WorkflowKind.ACCOUNT, WorkflowKind.ACCOUNT, WorkflowKind.INVOICE]))
    channels = st.sampled_from(Channel) if kind is WorkflowKind.ACCOUNT else st.just(Channel.EMAIL)
    steps = tuple(
        Step(f"{number}-{place}", f"Step {number}-{place}", day, draw(channels), draw(st.booleans()))
        for place, day in enumerate(days)
    )
    link = draw(st.none() | st.builds(Link, st.integers(1, 3), st.integers(0, 5)))
    repeat = draw(st.sampled_from([0, 1, 6])) if link is None else 0
    return Workflow(number, f"W{number}", steps, kind, link=link, repeat_every=repeat)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Three workflows, saved one after another, and refused where they make no sense beside the others."""
    known = {number: Workflow(number, f"W{number}", (R1, R2)) for number in (1, 2, 3)}
    for number in draw(st.permutations([1, 2, 3])):
        typed = draw(workflows(number))
        if flaws_of(typed, known) == ():
            known[number] = typed
    invoices = tuple(
        OpenInvoice(name, name, START + timedelta(days=draw(st.integers(-40, 60))), Decimal(100), "GBP")
        for name in NAMES
    )
    happenings = st.one_of(
        st.tuples(
            st.sampled_from(["pay", "dispute", "mute_invoice", "void"]), st.sampled_from(NAMES).map(lambda n: [n])
        ),
        st.tuples(st.sampled_from(["assign", "organisation_default"]), st.sampled_from([1, 2, 3])),
        st.tuples(st.sampled_from(["pause", "smart", "sms_number", "mute_account"]), st.booleans()),
    )
    told = draw(st.lists(st.tuples(happenings, st.integers(0, 90), st.sampled_from(When)), max_size=6))
    return Story(
        start=START,
        until=START + timedelta(days=90),
        workflows=known,
        default_workflow=draw(st.sampled_from([1, 2, 3])),
        invoices=invoices,
        events=tuple(Event(START + timedelta(days=on), what, value, when) for (what, value), on, when in told),
        rules=Rules(ignore_below=Decimal(0)),
        people=draw(st.sampled_from(People)),
    )


@settings(max_examples=80, deadline=None)
@given(stories())
def test_whatever_workflow_passes_can_be_walked_to_its_end(story: Story) -> None:
    told = tell(story)

    assert len(told.positions) == 91
    assert all(position.because for position in told.positions.values())
