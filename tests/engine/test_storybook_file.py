"""Mirrors engine/storybook/file.py and what it reads with: a story file is understood in full, or refused in full."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ageing import OpenInvoice
from engine.facts import AfterMoveBack, FirstContact, Rules
from engine.happenings import HAPPENINGS
from engine.story import Event, When
from engine.storybook.file import ExpectedPosition, Mode, StoryFile, StoryProblem, read_story
from engine.storybook.lines import lines_of
from engine.workflow import Channel, Link, Step, WorkflowKind

STORY = """\
title = "Everything that a file can say"
start = 2026-05-01
until = 2026-08-31
modes = ["legacy", "smart"]
currency = "GBP"
default_workflow = "House"
account_default = "Own"

[settings]
send_weekdays = ["mon", "fri"]
min_days_between_reminders = 3
after_move_back = "resend"
first_contact = "by_age"
return_over_link = false
disputed_invoices_drive = true
pause_when_in_credit = true
ignore_below = 0.10
stale_after_days = 2

[[workflow]]
name = "House"
steps = [
  { name = "R1", day = 7, channel = "email" },
  { name = "R2", day = 21, channel = "sms" },
  { name = "R3", day = 35, channel = "call" },
  { name = "R4", day = 42, channel = "email", manual = true },
]
move_to = { workflow = "Own", after_days = 7 }

[[workflow]]
name = "Own"
kind = "account"
repeat_every = 14
steps = [{ name = "O1", day = -3 }]

[[invoice]]
id = "A"
due = 2026-05-19
amount = 1000.10

[[invoice]]
id = "B"
due = 2026-06-06
currency = "EUR"

[[event]]
on = 2026-06-30
when = "after_send"
pay = ["A"]
balance = { B = 12.34 }

[[event]]
on = 2026-07-01
add = [
  { id = "C", due = 2026-07-05, amount = 5 },
]
promise = 2027-01-01

[expect.smart]
sends = [["2026-05-26", "R1"], [2026-06-09, "R2"]]

[[expect.smart.position]]
on = 2026-06-30
workflow = "House"
step = "R2"
state = "waiting"
next_step = ""
next_due_on = 2026-07-11
driver = "B"

[[expect.smart.position]]
on = 2026-07-01
driver = ""
next_due_on = ""
"""


def story(text: str = STORY) -> StoryFile:
    file = read_story(text)
    assert isinstance(file, StoryFile), "\n".join(str(problem) for problem in file)
    return file


def problems(text: str) -> tuple[StoryProblem, ...]:
    found = read_story(text)
    assert isinstance(found, tuple), "this was accepted"
    return found


def line_of(part: str) -> int:
    """The line of the story above where this stands first."""
    return STORY[: STORY.index(part)].count("\n") + 1


def test_a_whole_file_becomes_a_story_for_each_mode() -> None:
    file = story()

    assert file.title == "Everything that a file can say"
    assert file.modes == (Mode.LEGACY, Mode.SMART)
    smart = file.stories[Mode.SMART]
    assert (smart.start, smart.until, smart.currency) == (date(2026, 5, 1), date(2026, 8, 31), "GBP")
    assert (smart.default_workflow, smart.account_default) == ("House", "Own")
    assert smart.rules.reassess_on_payment
    assert not file.stories[Mode.LEGACY].rules.reassess_on_payment


def test_the_settings_become_the_rules_of_the_engine() -> None:
    rules = story().stories[Mode.SMART].rules

    assert rules.sending.weekdays == frozenset({0, 4})
    assert rules.min_days_between_reminders == 3
    assert rules.after_move_back is AfterMoveBack.RESEND
    assert rules.first_contact is FirstContact.BY_AGE
    assert not rules.return_over_link
    assert rules.disputed_invoices_drive
    assert rules.pause_when_in_credit
    assert rules.ignore_below == Decimal("0.10")
    assert rules.stale_after_days == 2


def test_what_a_file_does_not_settle_is_as_the_engine_has_it() -> None:
    text = STORY[: STORY.index("[settings]")] + STORY[STORY.index("[[workflow]]") :]

    assert story(text).stories[Mode.SMART].rules == Rules()


def test_workflows_are_known_by_their_names_with_steps_link_kind_and_repetition() -> None:
    house, own = story().stories[Mode.SMART].workflows.values()

    assert house.steps == (
        Step("R1", "R1", 7),
        Step("R2", "R2", 21, Channel.SMS),
        Step("R3", "R3", 35, Channel.CALL),
        Step("R4", "R4", 42, manual=True),
    )
    assert house.link == Link("Own", 7)
    assert (own.id, own.name, own.kind, own.repeat_every) == ("Own", "Own", WorkflowKind.ACCOUNT, 14)
    assert own.steps == (Step("O1", "O1", -3),)


def test_amounts_are_exact_and_a_hundred_where_none_is_given() -> None:
    assert story().stories[Mode.SMART].invoices == (
        OpenInvoice("A", "A", date(2026, 5, 19), Decimal("1000.10"), "GBP"),
        OpenInvoice("B", "B", date(2026, 6, 6), Decimal(100), "EUR"),
    )


def test_events_keep_their_order_and_say_before_or_after_the_sending_time() -> None:
    added = (OpenInvoice("C", "C", date(2026, 7, 5), Decimal(5), "GBP"),)

    assert story().stories[Mode.LEGACY].events == (
        Event(date(2026, 6, 30), "pay", ("A",), When.AFTER_SEND),
        Event(date(2026, 6, 30), "balance", {"B": Decimal("12.34")}, When.AFTER_SEND),
        Event(date(2026, 7, 1), "add", added),
        Event(date(2026, 7, 1), "promise", date(2027, 1, 1)),
    )


def test_an_invoice_may_appear_and_be_paid_in_one_moment_whichever_stands_first() -> None:
    events = (
        story(
            STORY.replace("promise = 2027-01-01", "[[event]]\non = 2026-06-30\nbalance = { A = 1 }").replace(
                "add = [", 'pay = ["C"]\nadd = ['
            )
        )
        .stories[Mode.SMART]
        .events
    )

    assert [(event.on.isoformat(), event.what) for event in events] == [
        ("2026-06-30", "balance"),
        ("2026-06-30", "pay"),
        ("2026-06-30", "balance"),
        ("2026-07-01", "add"),
        ("2026-07-01", "pay"),
    ]


def test_expectations_hold_only_what_the_file_gives() -> None:
    file = story()

    assert Mode.LEGACY not in file.expectations
    assert file.expectations[Mode.SMART].sends == ((date(2026, 5, 26), "R1"), (date(2026, 6, 9), "R2"))
    full, short = file.expectations[Mode.SMART].positions
    assert full.given == {
        "workflow": "House",
        "step": "R2",
        "state": "waiting",
        "next_step": "",
        "next_due_on": date(2026, 7, 11),
        "driver": "B",
    }
    assert short == ExpectedPosition(date(2026, 7, 1), {"driver": "", "next_due_on": ""})


def test_every_event_that_the_engine_knows_can_be_told_in_a_file() -> None:
    (problem,) = problems(STORY.replace('pay = ["A"]\nbalance = { B = 12.34 }\n', ""))

    told = set(problem.accepted.removeprefix("accepted are one or more of ").split(", "))
    assert told == {*HAPPENINGS, "approve"}


WRONG = {
    "a setting with a typing error": (
        "stale_after_days = 2",
        "stale_after_day = 2",
        "the setting 'stale_after_day' is not known; did you mean 'stale_after_days'? Accepted are send_weekdays, ",
    ),
    "a setting nobody knows": (
        "stale_after_days = 2",
        "zeal = 2",
        "the setting 'zeal' is not known; accepted are send_w",
    ),
    "a key of the file": (
        "currency =",
        "curency =",
        "a story has no key 'curency'; did you mean 'currency'? Accepted ",
    ),
    "a key of a workflow": (
        "kind =",
        "kinds =",
        "a workflow has no key 'kinds'; did you mean 'kind'? Accepted are name",
    ),
    "a key of a step": (
        "manual = true",
        "by_hand = true",
        "a step has no key 'by_hand'; accepted are name, day, channel",
    ),
    "a key of a link": ("after_days = 7", "after_days = 7, days = 7", "'move_to' has no key 'days'; "),
    "a key of an invoice": (
        'currency = "EUR"',
        'curr = "EUR"',
        "an invoice has no key 'curr'; did you mean 'currency'?",
    ),
    "a key of an event": (
        "promise =",
        "promised =",
        "an event has no key 'promised'; did you mean 'promise'? Accepted",
    ),
    "a key of a position": ('driver = "B"', 'drives = "B"', "a position has no key 'drives'; did you mean 'driver'?"),
    "a mode in the expectations": (
        "[expect.smart]",
        "[expect.smarter]",
        "[expect] has no key 'smarter'; did you mean 'sm",
    ),
    "a date in quotation marks": (
        "due = 2026-05-19",
        'due = "2026-05-19"',
        "'due' is the text '2026-05-19'; accepted is a date without quotation marks, like 2025-06-30",
    ),
    "a date with a time": (
        "due = 2026-05-19",
        "due = 2026-05-19T09:00:00",
        "'due' is the time 2026-05-19 09:00:00; accepted",
    ),
    "a time instead of a date": (
        "due = 2026-05-19",
        "due = 09:00:00",
        "'due' is the time 09:00:00; accepted is a date",
    ),
    "an amount in quotation marks": (
        "1000.10",
        '"1000.10"',
        "'amount' is the text '1000.10'; accepted is an amount of 0",
    ),
    "an amount below nil": ("1000.10", "-5", "'amount' is the number -5; accepted is an amount of 0 or more"),
    "an amount that is none": ("1000.10", "nan", "'amount' is the number NaN; accepted is an amount of 0 or more"),
    "a yes as a text": (
        "manual = true",
        'manual = "yes"',
        "'manual' is the text 'yes'; accepted is true or false, withou",
    ),
    "a yes as a number": (
        "manual = true",
        "manual = 1",
        "'manual' is the number 1; accepted is true or false, without q",
    ),
    "a day that is no number": (
        "day = 21",
        "day = true",
        "'day' is true; accepted is a whole number from -3660 to 3660",
    ),
    "half a day": ("day = 21", "day = 21.5", "'day' is the number 21.5; accepted is a whole number from -3660 to 3660"),
    "a channel": ('"sms"', '"fax"', "'channel' is the text 'fax'; accepted are email, sms, call"),
    "a weekday": (
        '"fri"]',
        '"friday"]',
        "'send_weekdays' holds the text 'friday'; did you mean 'fri'? Accepted are mon,",
    ),
    "no weekday": ('["mon", "fri"]', "[]", "'send_weekdays' is an empty list; accepted is at least one of mon, tue"),
    "a word of a setting": (
        '"resend"',
        '"repeat"',
        "'after_move_back' is the text 'repeat'; accepted are wait, resend",
    ),
    "a mode": ('["legacy", "smart"]', '["smart", "both"]', "'modes' holds the text 'both'; accepted are legacy, smart"),
    "no mode": ('["legacy", "smart"]', "[]", "'modes' is an empty list; accepted are legacy, smart, or both"),
    "a mode that is not told": (
        '["legacy", "smart"]',
        '["legacy"]',
        "the story is not told in the mode 'smart'; accepted is what the key 'modes' names: legacy",
    ),
    "a kind": ('"account"', '"customer"', "'kind' is the text 'customer'; accepted are account, invoice"),
    "a currency": (
        '"EUR"',
        '"euro"',
        "'currency' is the text 'euro'; accepted is three capital letters in quotation marks",
    ),
    "a name of two lines": (
        '"Everything that a file can say"',
        '"a\\nb"',
        "'title' is the text 'a\\nb'; accepted is a name",
    ),
    "a nameless step": ('name = "O1", ', "", "a step needs the key 'name'; accepted is a name in quotation marks"),
    "a step without a day": (", day = -3", "", "a step needs the key 'day'; accepted is a whole number from"),
    "a workflow without steps": (
        'steps = [{ name = "O1", day = -3 }]\n',
        "",
        "a workflow needs the key 'steps'; accepted i",
    ),
    "steps that are no list": (
        '[{ name = "O1", day = -3 }]',
        '"O1"',
        "'steps' is the text 'O1'; accepted is a list of steps",
    ),
    "a step that is no table": (
        '{ name = "O1", day = -3 }',
        '"O1"',
        "'steps' holds the text 'O1'; accepted is a table with",
    ),
    "a link to nowhere": (
        'workflow = "Own",',
        'workflow = "Owl",',
        "'workflow' is the text 'Owl'; did you mean 'Own'? Accept",
    ),
    "a link without its days": (
        ", after_days = 7",
        "",
        "'move_to' needs the key 'after_days'; accepted is a whole number",
    ),
    "a default nobody declares": (
        'default_workflow = "House"',
        'default_workflow = "Home"',
        "'default_workflow' is the text 'Home'; did you mean 'House'? Accepted are House, Own",
    ),
    "a file without a default": (
        'default_workflow = "House"\n',
        "",
        "a story needs the key 'default_workflow'; accepted are ",
    ),
    "a file without a start": (
        "start = 2026-05-01\n",
        "",
        "a story needs the key 'start'; accepted is a date without quot",
    ),
    "an end before the start": (
        "until = 2026-08-31",
        "until = 2026-04-30",
        "'until' is the date 2026-04-30; accepted is 2026-05-01, the first day, or a day after it",
    ),
    "a story without end": (
        "until = 2026-08-31",
        "until = 2126-08-31",
        "'until' is the date 2126-08-31; accepted is a story",
    ),
    "an invoice nobody declares": ('pay = ["A"]', 'pay = ["A", "D"]', "'pay' holds the text 'D'; accepted are A, B, C"),
    "a balance of an invoice nobody declares": ("{ B =", "{ D =", "'balance' names 'D'; accepted are A, B, C"),
    "a balance that is no amount": (
        "{ B = 12.34",
        "{ B = true",
        "'balance' gives 'B' true; accepted is an amount of 0 or",
    ),
    "a balance that is no table": (
        "{ B = 12.34 }",
        "12.34",
        "'balance' is the number 12.34; accepted is a table like {",
    ),
    "a payment before the invoice": (
        'pay = ["A"]',
        'pay = ["C"]',
        "'pay' names 'C', which is added to the ledger only later; accepted is a moment after its 'add'",
    ),
    "an event in which nothing happens": (
        'pay = ["A"]\nbalance = { B = 12.34 }\n',
        "",
        "nothing happens in this event; acc",
    ),
    "an event outside the story": (
        "on = 2026-06-30\nwhen",
        "on = 2025-06-30\nwhen",
        "'on' is the date 2025-06-30; accepted is a day of the story, from 2026-05-01 to 2026-08-31, without quotation",
    ),
    "a time of the day": (
        '"after_send"',
        '"evening"',
        "'when' is the text 'evening'; accepted are before_send, after_send",
    ),
    "a send that is no pair": (
        '["2026-05-26", "R1"]',
        '"R1"',
        "'sends' holds the text 'R1'; accepted is a day and a step, ",
    ),
    "a send on no day": (
        "2026-05-26",
        "2026-05-32",
        "'sends' holds the text '2026-05-32'; accepted is a day of the story",
    ),
    "a send of no step": (
        '"2026-05-26", "R1"',
        '"2026-05-26", "R5"',
        "'sends' holds the text 'R5'; accepted are R1, R2, R3, R4",
    ),
    "a state": ('"waiting"', '"snoozed"', "'state' is the text 'snoozed'; accepted are clear, waiting, pending, idle"),
    "a step nobody declares": (
        'step = "R2"',
        'step = "R9"',
        "'step' is the text 'R9'; accepted are \"\", R1, R2, R3",
    ),
    "a driver nobody declares": (
        'driver = "B"',
        'driver = "D"',
        "'driver' is the text 'D'; accepted are \"\", A, B, C",
    ),
    "a workflow that moves on and repeats": (
        "move_to =",
        "repeat_every = 3\nmove_to =",
        "there is a 'move_to' and a 'repeat_every'; accepted is one of the two",
    ),
}


@pytest.mark.parametrize(("right", "wrong", "sentence"), WRONG.values(), ids=list(WRONG))
def test_a_mistake_is_told_with_its_line_what_was_found_and_what_would_be_accepted(
    right: str, wrong: str, sentence: str
) -> None:
    assert right in STORY
    text = STORY.replace(right, wrong, 1)

    said = [str(problem) for problem in problems(text)]
    assert any(sentence in one for one in said), said
    assert all(re.match(r"line \d+: [^;]+; .*[Aa]ccepted (is|are) ", one) for one in said)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("manual = true", "manual = 1"),
        ("day = 35", "day = 1.5"),
        ('{ id = "C", due', '{ id = "C", dew = 1, due'),
        ("promise = 2027-01-01", "promise = 1"),
        ('[2026-06-09, "R2"]', '[2026-06-09, "R7"]'),
        ('driver = ""', 'driver = "Q"'),
        ("balance = { B = 12.34 }", "balance = { Q = 12.34 }"),
        ("ignore_below = 0.10", "'ignore below' = 0.10"),
    ],
)
def test_the_line_is_the_one_where_the_mistake_stands(part: str, wrong: str) -> None:
    assert [problem.line for problem in problems(STORY.replace(part, wrong))] == [line_of(part)]


def test_a_missing_key_is_looked_for_at_the_head_of_its_table() -> None:
    (problem,) = problems(STORY.replace("due = 2026-06-06\n", ""))

    assert (problem.line, problem.key) == (line_of('[[invoice]]\nid = "B"'), "due")
    assert problem.found == "an invoice needs the key 'due'"
    assert problem.accepted == "accepted is a date without quotation marks, like 2025-06-30"


def test_a_name_given_twice_is_told_with_the_line_of_the_first() -> None:
    twice = STORY.replace('id = "B"', 'id = "A"').replace('name = "R2"', 'name = "R1"').replace('id = "C"', 'id = "A"')
    first, second, third = line_of('id = "A"'), line_of('id = "B"'), line_of('id = "C"')

    assert [str(problem) for problem in problems(twice) if "already" in problem.found] == [
        f"line {line_of('R2')}: a step is called 'R1' already, on line {line_of('R1')}; accepted is another 'name'",
        f"line {second}: an invoice is called 'A' already, on line {first}; accepted is another 'id'",
        f"line {third}: an invoice is called 'A' already, on line {first}; accepted is another 'id'",
    ]


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_lines() -> None:
    text = (
        STORY.replace("currency =", "curency =", 1).replace("day = 21", "day = 1.5").replace('"after_send"', '"later"')
    )
    found = problems(text.replace('driver = "B"', 'driver = "Q"'))

    lines = [problem.line for problem in found]
    assert lines == sorted(lines)
    assert [problem.key for problem in found] == ["curency", "day", "when", "driver"]


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        (STORY + "title = \n", STORY.count("\n") + 1, "Invalid value"),
        (STORY.replace("day = 21,", "day = 21"), line_of("day = 21"), "Unclosed inline table"),
        (STORY.replace("2026-06-06", "2026-06-31"), line_of("2026-06-06"), "Invalid date or datetime"),
        ('title = "begun', 1, "Unterminated string"),
        ("a = " + "[" * 5000, 1, "nested too deeply"),
        ("a = " + "9" * 5000, 1, "Exceeds the limit"),
        ("a = 1e9999999999999999999", 1, "too large"),
        ("a = 1\n\n[a]\n", 3, "Cannot"),
    ],
    ids=lambda value: str(value)[:12].strip(),
)
def test_what_is_not_even_toml_is_told_with_its_line_too(wrong: str, line: int, said: str) -> None:
    (problem,) = problems(wrong)

    assert said in problem.found
    assert problem.line == line
    assert problem.accepted.startswith("accepted is a key, an equals sign and a value")


def test_an_empty_file_is_told_what_it_needs() -> None:
    assert {problem.key for problem in problems("")} == {"start", "until", "default_workflow", "workflow"}


def test_an_invoice_that_is_added_later_may_be_muted_or_disputed_before() -> None:
    assert story(STORY.replace('pay = ["A"]', 'mute_invoice = ["C"]\ndispute = ["C"]'))


def test_a_workflow_of_kind_invoice_writes_emails_and_moves_nowhere() -> None:
    text = STORY.replace('name = "House"', 'name = "House"\nkind = "invoice"')

    assert [problem.found for problem in problems(text)] == [
        "the step 'R2' of a workflow of kind 'invoice' goes by sms",
        "the step 'R3' of a workflow of kind 'invoice' goes by call",
        "a workflow of kind 'invoice' moves nowhere",
    ]


def test_lines_are_known_through_every_way_of_writing_toml() -> None:
    text = """# a comment with a [header] and a "quote
a.b = 1
'quoted.key' = \"\"\"
three [lines]
\"\"\"
[[list]]
x = [ # one
  1,
  { y = 'it''s', z = [[1], [2]] },
]
[list.inner]
when = 2026-01-01 10:00:00
[[list]]
[list.inner]
d."e f".g = "]"
""".replace("it''s", "its").replace('\\"', '"')
    lines = lines_of(text)

    assert lines["a",] == lines["a", "b"] == 2
    assert lines["quoted.key",] == 3
    assert lines["list",] == lines["list", 0] == 6
    assert (lines["list", 0, "x", 0], lines["list", 0, "x", 1]) == (8, 9)
    assert lines["list", 0, "x", 1, "z", 1, 0] == 9
    assert (lines["list", 0, "inner"], lines["list", 0, "inner", "when"]) == (11, 12)
    assert (lines["list", 1], lines["list", 1, "inner"]) == (13, 14)
    assert lines["list", 1, "inner", "d", "e f", "g"] == 15


SHARDS = re.findall(r"\w+|[^\w\s]|\s+", STORY)
STRANGE = st.sampled_from(
    ["", "0", "-1", "true", '""', "[]", "{}", "nan", "2026-01-01", '"A"', "[[event]]\n", "\n", "=", "R1"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SHARDS) - 1), STRANGE), min_size=1, max_size=3))
def test_whatever_is_broken_in_a_file_is_a_value_and_never_an_error(changes: list[tuple[int, str]]) -> None:
    shards = list(SHARDS)
    for place, strange in changes:
        shards[place] = strange
    text = "".join(shards)
    found = read_story(text)

    if isinstance(found, tuple):
        assert found
        assert all(1 <= problem.line <= text.count("\n") + 1 for problem in found)


def test_a_link_to_a_workflow_of_single_invoices_is_refused() -> None:
    told = read_story(
        """
start = 2026-01-01
until = 2026-02-01
default_workflow = "A"

[[workflow]]
name = "A"
steps = [{ name = "R1", day = 7 }]
move_to = { workflow = "B", after_days = 7 }

[[workflow]]
name = "B"
kind = "invoice"
steps = [{ name = "S1", day = 7 }]
"""
    )

    assert isinstance(told, tuple)
    assert [(problem.line, problem.key) for problem in told] == [(9, "move_to")]


def test_an_unknown_key_of_an_event_is_one_mistake_and_told_once() -> None:
    text = STORY + '\n[[event]]\non = 2026-06-01\npaid = ["A"]\n'

    (problem,) = problems(text)
    assert problem.key == "paid"
    assert "an event has no key 'paid'" in problem.found
