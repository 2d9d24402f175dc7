"""Mirrors web/rooms/workflows.py and web/_workflow_form.py: a workflow is written, looked over, saved or refused."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from engine.workflow import WorkflowKind
from jobs.drafts import Draft, draft_of
from jobs.office import Office
from store.tables import AccountRow, InvoiceRow, OrganisationRow, WorkflowRow
from tests.web.books import Books
from tests.web.nesting import problems
from tests.web.test_scope import everything
from tests.web.visitor import Answer, Visitor
from web._workflow_form import UNREADABLE, Form, Row, form_of, read

LIST = "/settings/workflows"
BAD = "<script>alert('x')</script>"


@pytest.fixture
def standard(books: Books) -> int:
    return books.ids["workflow"][0]


def fields(page: Answer) -> dict[str, str]:
    """What a browser would send of the form on this page, were a button without a name pressed."""
    form = page.text.split('id="editor"')[1].split("</form>")[0]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        about = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if about.get("type") not in ("checkbox", "radio") or re.search(r"\bchecked\b", tag):
            sent[about["name"]] = about.get("value", "on")
    for name, inside in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        sent[name] = re.sub("\r?\n", "\r\n", html.unescape(inside))  # as browsers do
    for name, inside in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inside) or re.search(r'<option value="([^"]*)"', inside)
        sent[name] = chosen[1] if chosen else ""
    del sent["csrf"]
    return sent


def flawed(page: Answer) -> list[str]:
    """The fields beside which something is told, in the order of the page."""
    return re.findall(r'<span class="flaw" id="([\w-]+)-flaw">', page.text)


def workflow(books: Books, number: int) -> Draft:
    with books.office.database.reading() as session:
        return draft_of(session, books.ours, number)


def names(books: Books) -> list[str]:
    with books.office.database.reading() as session:
        query = select(WorkflowRow.name).where(WorkflowRow.organisation_id == books.ours)
        return list(session.exec(query.order_by(col(WorkflowRow.id))))


def test_the_list_says_what_each_workflow_does_and_how_many_accounts_are_on_it(
    anna: Visitor, books: Books, standard: int
) -> None:
    anna.post(
        f"{LIST}/{standard}",
        **fields(anna.get(f"{LIST}/{standard}")) | {"follows": "repeat", "repeat_every": 14, "act": "save"},
    )
    page = anna.get(LIST)

    assert "Standard default Smart workflow, version 2, 28 accounts on it." in page.words
    assert "After that The last step is repeated every 14 days." in page.words
    assert "Call first Smart workflow, version 1, 1 account on it." in page.words
    assert "Gentle Smart workflow, version 1, no account on it." in page.words
    assert "Day 5 Approval Email, waits for a person" in page.words


def test_opening_a_workflow_and_saving_it_as_it_is_changes_nothing(anna: Visitor, books: Books, standard: int) -> None:
    before = workflow(books, standard), everything(books)

    answer = anna.post(f"{LIST}/{standard}", **fields(anna.get(f"{LIST}/{standard}")), act="save")

    assert answer.headers["location"] == f"{LIST}/{standard}?said=workflow-saved"
    assert (workflow(books, standard), everything(books)) == before


def test_an_edit_is_saved_with_what_is_typed_in_each_field(anna: Visitor, books: Books, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {
        "name": "House",
        "description": "For everybody",
        "step-1-day": "9",
        "step-1-manual": "on",
        "step-1-subject": "Your account",
        "step-1-body": "Please pay.\r\n\r\n{{ statement }}",
        "step-2-remove": "on",
        "step-3-channel": "call",
        "follows": "link",
        "link": str(standard + 2),
        "after_days": "10",
    }
    ids = [step.id for step in workflow(books, standard).steps]

    assert anna.post(f"{LIST}/{standard}", **typed, act="save").status == 303

    saved = workflow(books, standard)
    assert (saved.name, saved.description, saved.version) == ("House", "For everybody", 2)
    assert [step.id for step in saved.steps] == [ids[0], *ids[2:]]
    first, third = saved.steps[0], saved.steps[1]
    assert (first.day, first.manual, first.subject) == (9, True, "Your account")
    assert first.body == "Please pay.\n\n{{ statement }}"
    assert (third.channel, saved.link, saved.after_days) == ("call", standard + 2, 10)
    page = anna.get(f"{LIST}/{standard}?said=workflow-saved")
    assert "The workflow is saved." in page.words and fields(page)["link"] == str(standard + 2)


def test_what_makes_no_sense_is_refused_beside_its_field_and_what_was_typed_is_kept(
    anna: Visitor, books: Books, standard: int
) -> None:
    before = workflow(books, standard), everything(books)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {
        "name": "gentle",
        "step-2-day": "7",
        "step-3-day": "soon",
        "step-4-name": "",
        "step-5-subject": "{{ acount.name }}",
        "step-5-body": f"{BAD}",
        "follows": "repeat",
        "repeat_every": "0",
    }

    page = anna.post(f"{LIST}/{standard}", **typed, act="save")

    assert page.status == 422
    assert problems(page.text) == []
    flawed = re.findall(r'<span class="flaw" id="([\w-]+)-flaw">([^<]*)<', page.text)
    assert [field for field, _ in flawed] == [
        *("name", "step-2-day", "step-3-day", "step-4-name", "step-5-subject", "repeat_every")
    ]
    for field, text in flawed:
        assert f'aria-describedby="{field}-flaw"' in page.text
        assert f'<a href="#{field}">{text}</a>' in page.text
    assert "Nothing was saved." in page.words and "Reminder 1 is on day 7 already" in page.words
    assert "Reminder 2: Reminder 1 is on day 7 already. Choose another day." in page.words
    kept = fields(page)
    assert {name: kept[name] for name in typed if name != "step-3-day"} == {
        name: value for name, value in typed.items() if name != "step-3-day"
    }
    assert 'value="soon"' in page.text and BAD not in page.text
    assert (workflow(books, standard), everything(books)) == before


def test_a_step_is_added_by_a_button_and_nothing_is_saved_yet(anna: Visitor, books: Books, standard: int) -> None:
    before = workflow(books, standard)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"name": "Half done", "step-2-remove": "on"}

    page = anna.post(f"{LIST}/{standard}", **typed, act="add")
    shown = fields(page)

    assert page.status == 200
    assert (shown["name"], shown["step-2-name"], shown["step-5-name"], shown["step-5-day"]) == (
        *("Half done", "Reminder 3", "Reminder 6", "63"),
    )
    assert "Reminder 2 is taken out when you save." in page.words
    assert workflow(books, standard) == before

    added = shown | {"step-5-subject": "One more", "step-5-body": "Please pay."}
    assert anna.post(f"{LIST}/{standard}", **added, act="save").status == 303
    assert [step.name for step in workflow(books, standard).steps] == [
        *("Reminder 1", "Reminder 3", "Reminder 4", "Reminder 5", "Reminder 6")
    ]


def test_steps_are_shown_in_the_order_of_their_days(anna: Visitor, books: Books, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"step-1-day": "50"}
    anna.post(f"{LIST}/{standard}", **typed, act="save")

    page = fields(anna.get(f"{LIST}/{standard}"))
    assert [page[f"step-{place}-name"] for place in range(1, 6)] == [
        *("Reminder 2", "Reminder 3", "Reminder 4", "Reminder 1", "Reminder 5")
    ]


def test_what_would_change_is_shown_and_nothing_is_saved(anna: Visitor, books: Books, standard: int) -> None:
    before = workflow(books, standard), everything(books)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"step-3-day": "37"}

    page = anna.post(f"{LIST}/{standard}", **typed, act="impact")

    assert page.status == 200 and problems(page.text) == []
    number = books.accounts["reply"]
    assert f'<a href="/accounts/{number}">Brackenfield Estates</a>' in page.text
    assert (
        "At Reminder 2; Reminder 3 follows on 25 July 2026. At Reminder 2; Reminder 3 follows on 27 July 2026."
        in page.words
    )
    assert "Nothing has been saved" in page.words
    assert fields(page)["step-3-day"] == "37"
    assert (workflow(books, standard), everything(books)) == before

    unchanged = anna.post(f"{LIST}/{standard}", **typed | {"step-3-day": "35"}, act="impact")
    assert "No account would stand differently, though 28 are on this workflow." in unchanged.words


def test_an_answer_names_the_flaws_first(anna: Visitor, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"name": ""}

    assert "Give the workflow a name." in anna.post(f"{LIST}/{standard}", **typed, act="impact").words


def test_a_long_list_of_changes_is_cut_and_counted(
    anna: Visitor, standard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.rooms.workflows.SHOWN", 2)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"step-1-day": "1"}
    page = anna.post(f"{LIST}/{standard}", **typed, act="impact")

    total = int(re.findall(r"(\d+) of 30 accounts would stand differently", page.words)[0])
    assert page.text.count('data-label="Now"') == 2 and f"And {total - 2} more." in page.words


def test_a_workflow_is_made_from_a_pre_written_one_under_a_free_name(anna: Visitor, books: Books) -> None:
    page = anna.get(f"{LIST}/new?like=standard.en")
    assert "New workflow" in page.words and fields(page)["name"] == "Standard 2"

    answer = anna.post(f"{LIST}/new", **fields(page), act="save")

    number = int(re.findall(r"/(\d+)\?said=workflow-made", answer.headers["location"])[0])
    assert len(workflow(books, number).steps) == 5 and names(books)[-1] == "Standard 2"
    assert "Nobody is on it yet." in anna.get(answer.headers["location"]).words


def test_a_workflow_is_made_from_nothing(anna: Visitor, books: Books) -> None:
    page = anna.get(f"{LIST}/new")
    refused = anna.post(f"{LIST}/new", **fields(page), act="save")
    assert refused.status == 422 and "Give the workflow a name." in refused.words

    asked = anna.post(
        f"{LIST}/new", **fields(page) | {"name": "N", "step-1-subject": "S", "step-1-body": "B"}, act="impact"
    )
    assert "Nobody is on a new workflow yet" in asked.words

    assert anna.post(f"{LIST}/new", **fields(asked), act="save").status == 303
    assert names(books)[-1] == "N"
    assert anna.get(f"{LIST}/new?like=../standard").status == 200


def test_somebody_elses_edit_meanwhile_is_not_undone(anna: Visitor, books: Books, standard: int) -> None:
    opened = fields(anna.get(f"{LIST}/{standard}"))
    anna.post(f"{LIST}/{standard}", **opened | {"name": "Theirs"}, act="save")

    page = anna.post(f"{LIST}/{standard}", **opened | {"name": "Mine"}, act="save")

    assert page.status == 422 and "Somebody has saved this workflow since you opened it" in page.words
    assert fields(page)["name"] == "Mine" and workflow(books, standard).name == "Theirs"


def test_who_saves_what_was_deleted_meanwhile_loses_nothing_that_was_typed(anna: Visitor, books: Books) -> None:
    number = int(
        anna.post(f"{LIST}/{books.ids['workflow'][0]}/duplicate").headers["location"].split("/")[3].split("?")[0]
    )
    opened = fields(anna.get(f"{LIST}/{number}")) | {"name": "Mine", "step-1-body": "My own words."}
    anna.post(f"{LIST}/{number}/delete")

    page = anna.post(f"{LIST}/{number}", **opened, act="save")

    assert page.status == 404 and "it was deleted since you opened it" in page.words and problems(page.text) == []
    kept = fields(page)
    assert (kept["name"], kept["step-1-body"]) == ("Mine", "My own words.")
    assert 'action="/settings/workflows/new"' in page.text and f"{LIST}/{number}" not in page.text
    assert anna.post(f"{LIST}/new", **kept, act="save").status == 303 and names(books)[-1] == "Mine"


@pytest.mark.parametrize(
    "field",
    ["kind", "follows", "step-2-channel", "step-2-layout", "step-3-name", "step-3-day", "step-3-body", "version"],
)
def test_a_form_of_which_a_part_was_lost_on_the_way_saves_nothing(
    anna: Visitor, books: Books, standard: int, field: str
) -> None:
    before = workflow(books, standard), everything(books)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"description": "Changed"}
    del typed[field]

    page = anna.post(f"{LIST}/{standard}", **typed, act="save")

    assert page.status == 422 and problems(page.text) == []
    assert flawed(page) == ([field] if field != "version" else [])
    assert fields(page)["description"] == "Changed" and fields(page)["step-5-name"] == "Reminder 5"
    assert (workflow(books, standard), everything(books)) == before


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("kind", "both", "Choose what kind of workflow this is."),
        ("follows", "anything", "Choose what follows after the last step."),
        ("step-2-channel", "fax", "Choose how this step goes: email, SMS or call."),
        ("step-2-layout", "gone", "There is no such layout."),
        ("description", "x" * 301, "This is longer than 300 characters."),
        ("description", "a\0b", 'There is a character after "a" that cannot be printed.'),
        ("step-1-subject", "x" * 501, "This is longer than 500 characters."),
        ("step-1-subject", "\0", "There is a character that cannot be printed."),
        ("step-1-body", "x" * 20_001, "This is longer than 20,000 characters."),
        ("step-1-body", "Pay\r\nthis\x1b now", 'There is a character after "Pay\nthis" that cannot be printed.'),
        ("step-1-cc", "a\0@b.example", "that is no email address."),
        ("step-1-cc", ",".join(f"{n}@b.example" for n in range(21)), "A reminder goes to 20 others at most."),
    ],
)
def test_what_no_browser_would_send_is_refused_beside_its_field(
    anna: Visitor, books: Books, standard: int, field: str, value: str, told: str
) -> None:
    before = workflow(books, standard)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {field: value}

    page = anna.post(f"{LIST}/{standard}", **typed, act="save")

    assert page.status == 422 and flawed(page) == [field]
    assert " ".join(told.split()) in page.words and problems(page.text) == []
    assert anna.post(f"{LIST}/{standard}", **typed, act="impact").status == 422
    assert workflow(books, standard) == before


def test_who_moves_accounts_on_has_to_say_where_to(anna: Visitor, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"name": "N", "follows": "link", "link": "", "after_days": "3"}

    for path in (f"{LIST}/{standard}", f"{LIST}/new"):
        page = anna.post(path, **typed, act="save")
        assert flawed(page) == ["link"] and "Choose the workflow that accounts move on to." in page.words
        assert fields(page)["follows"] == "link" and fields(page)["after_days"] == "3"


def test_a_step_that_nothing_here_could_send_says_so(
    anna: Visitor, standard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"step-1-channel": "sms", "step-2-channel": "call"}
    monkeypatch.setattr(Office, "carrier_of", lambda _, medium: "email_smtp" if medium == "email" else None)

    page = anna.post(f"{LIST}/{standard}", **typed, act="look").words
    assert page.count("No carrier of text messages is set up here yet.") == 1
    assert "No carrier of emails" not in page


def test_an_address_with_a_number_that_no_row_can_have_is_not_there(anna: Visitor) -> None:
    assert anna.get(f"{LIST}/{'9' * 30}").status == 404


def test_a_workflow_is_copied_made_the_default_and_deleted(anna: Visitor, books: Books, standard: int) -> None:
    answer = anna.post(f"{LIST}/{standard}/duplicate")
    copy = int(re.findall(r"/(\d+)\?said=workflow-copied", answer.headers["location"])[0])
    assert names(books)[-1] == "Standard 2"

    assert anna.post(f"{LIST}/{copy}/default").headers["location"] == f"{LIST}?said=workflow-default"
    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
        assert row is not None and row.default_workflow_id == copy
    refused = anna.post(f"{LIST}/{copy}/delete")
    assert refused.status == 409 and "It is the default workflow. Make another one the default first." in refused.words

    anna.post(f"{LIST}/{standard}/default")
    assert "Delete this workflow" in anna.get(f"{LIST}/{copy}").words
    assert anna.post(f"{LIST}/{copy}/delete").headers["location"] == f"{LIST}?said=workflow-gone"
    assert "Standard 2" not in names(books)
    assert "It cannot be deleted. It is the default workflow." in anna.get(f"{LIST}/{standard}").words


def test_a_workflow_without_a_step_after_the_due_date_is_refused_as_the_default(anna: Visitor, books: Books) -> None:
    page = fields(anna.get(f"{LIST}/new")) | {
        "name": "Kind",
        "step-1-day": "-3",
        "step-1-subject": "S",
        "step-1-body": "B",
    }
    number = re.findall(r"/(\d+)\?", anna.post(f"{LIST}/new", **page, act="save").headers["location"])[0]

    refused = anna.post(f"{LIST}/{number}/default")
    assert refused.status == 409 and "nobody would be reminded" in refused.words


def test_another_organisations_workflow_is_not_there(anna: Visitor, carl: Visitor, books: Books, standard: int) -> None:
    theirs = books.ids["workflow"][1]
    before = everything(books)
    typed = fields(anna.get(f"{LIST}/{standard}"))

    for number in (theirs, 99999):
        assert anna.get(f"{LIST}/{number}").status == 404
        for act in ("", "/duplicate", "/default", "/delete"):
            assert anna.post(f"{LIST}/{number}{act}", **typed, act="save").status == 404
    linked = anna.post(f"{LIST}/{standard}", **typed | {"follows": "link", "link": theirs, "after_days": 3}, act="save")
    assert linked.status == 422 and "There is no such workflow." in linked.words
    assert f'value="{theirs}"' not in linked.text.split('id="link"')[1].split("</select>")[0]
    assert "Quayside" not in carl.get(f"{LIST}/{standard}").words
    assert everything(books) == before


def test_whoever_may_not_decide_sees_it_all_and_has_nothing_to_press(
    anna: Visitor, sam: Visitor, books: Books, standard: int
) -> None:
    page = sam.get(f"{LIST}/{standard}")
    assert "Only an owner or a manager may change this." in page.words
    assert len(re.findall(r'<fieldset (?:id="(?:steps|follows)" )?disabled', page.text)) == 3
    assert 'name="act"' not in page.text and "/delete" not in page.text and "/duplicate" not in page.text
    assert "Make a new workflow" not in sam.get(LIST).words
    assert sam.get(f"{LIST}/new").headers["location"] == LIST

    typed = fields(anna.get(f"{LIST}/{standard}")) | {"name": "Sam's"}
    assert sam.post(f"{LIST}/{standard}", **typed, act="save").status == 403
    anna.post("/organisation", organisation=books.theirs)  # where she is an agent
    assert anna.post(f"{LIST}/{books.ids['workflow'][1]}", **typed, act="save").status == 403


def test_a_form_that_is_not_ours_is_refused(anna: Visitor, books: Books, standard: int) -> None:
    before = everything(books)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"name": "Stolen"}

    for token in ("", "x"):
        assert anna.post(f"{LIST}/{standard}", token, **typed, act="save").status == 403
        assert anna.post(f"{LIST}/{standard}/delete", token).status == 403
    assert everything(books) == before


def test_whatever_is_typed_is_shown_as_words_and_never_as_markup(anna: Visitor, books: Books, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}"))
    typed |= {
        "name": BAD,
        "description": BAD,
        "step-1-name": BAD,
        "step-1-subject": BAD,
        "step-1-body": f"</textarea>{BAD}",
    }
    typed |= {"step-1-id": BAD, "version": "1"}
    assert anna.post(f"{LIST}/{standard}", **typed, act="save").status == 303

    with books.office.database.unit_of_work() as unit:
        unit.execute(AccountRow.__table__.update().values(name=BAD))  # type: ignore[attr-defined]
    for page in (
        anna.get(LIST),
        anna.get(f"{LIST}/{standard}"),
        anna.post(f"{LIST}/{standard}", **typed | {"step-1-day": "1", "version": "2"}, act="impact"),
        anna.post(f"{LIST}/{standard}", **typed | {"step-1-day": BAD, "link": BAD, "version": BAD}, act="save"),
        anna.post(f"{LIST}/{standard}", **typed | {"kind": BAD, "follows": BAD, "step-2-channel": BAD}, act="save"),
    ):
        assert BAD not in page.text and "&lt;script&gt;" in page.text
        assert problems(page.text) == []


def test_a_form_is_read_back_as_the_draft_that_it_was_made_from(books: Books, standard: int) -> None:
    draft = replace(workflow(books, standard), kind=WorkflowKind.INVOICE, link=3, after_days=9)

    assert form_of(draft).draft(standard) == draft
    assert form_of(replace(draft, link=None, after_days=0, repeat_every=5)).draft(standard).repeat_every == 5


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        *(("7", 7), (" 7 ", 7), ("-3", -3), ("−3", -3), ("–3", -3), ("+5", 5), ("7.5", UNREADABLE), ("", UNREADABLE)),
        *(("٣", UNREADABLE), ("1e3", UNREADABLE), ("9" * 50, UNREADABLE)),
    ],
)
def test_a_day_is_read_as_people_write_it(typed: str, day: int) -> None:
    assert Form(rows=(Row(day=typed),)).draft(None).steps[0].day == day


def test_a_form_with_odd_fields_is_read_as_far_as_it_goes() -> None:
    odd: dict[str, Any] = {
        "step-9-name": "Last",
        "step-2-name": "First",
        "step-x-name": "?",
        "step-2-body": "B",
        "link": "1",
    }
    form = read(odd)

    assert [row.name for row in form.rows] == ["First", "Last"]
    assert (form.draft(None).link, form.rows[0].body, form.rows[1].channel) == (None, "B", "")
    assert [flaw.field for flaw in form.unknown] == [
        *("kind", "step-1-channel", "step-1-layout", "step-2-channel", "step-2-layout", "follows")
    ]
    assert read({}).draft(None).steps == ()


# While it is written


def test_placeholders_that_do_not_exist_are_listed_without_leaving_the_page_or_saving(
    anna: Visitor, books: Books, standard: int
) -> None:
    before = everything(books)
    typed = fields(anna.get(f"{LIST}/{standard}")) | {
        "step-1-body": "Hi {{ contact.frist_name }} {{ invoice.number }}",
        "step-2-subject": "{{ statement }}",
        "step-3-body": "{{ open",
    }
    page = anna.post(f"{LIST}/{standard}", **typed, act="look")
    found = page.text.split('id="found"')[1].split("</div>")[0]

    assert "<code>contact.frist_name</code>, <code>invoice.number</code>" in found
    assert "<code>statement</code>" in found and "`{{` is not closed" in html.unescape(found)
    assert fields(page) == typed and "Nothing was saved" not in page.words
    assert everything(books) == before
    regular = anna.post(f"{LIST}/{standard}", **typed | {"kind": "invoice"}, act="look").text
    assert "<code>invoice.number</code>" not in regular.split('id="found"')[1].split("</div>")[0]


def test_all_is_well_is_said_too(anna: Visitor, standard: int) -> None:
    assert "Every placeholder is known." in anna.get(f"{LIST}/{standard}").words


def test_an_sms_is_counted_and_the_letters_that_make_it_dear_are_named(anna: Visitor, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"step-1-channel": "sms", "step-1-body": "Due: {{ account.name }}"}
    cheap = anna.post(f"{LIST}/{standard}", **typed, act="look").words
    dear = anna.post(f"{LIST}/{standard}", **typed | {"step-1-body": "Łódź " + "x" * 70}, act="look").words

    assert re.search(r"1 segment, \d+ characters; \d+ more fit before another is charged\.", cheap)
    assert "2 segments" in dear and "Because of Ł ó ź a segment has room for 70 characters only" in dear


def test_a_step_is_previewed_with_a_real_account_and_the_words_as_they_are_typed(
    anna: Visitor, books: Books, standard: int
) -> None:
    before = everything(books)
    account = books.accounts["due"]
    page = anna.get(f"{LIST}/{standard}")
    typed = fields(page) | {"preview_account": str(account), "step-2-subject": "For {{ account.name }} <b>"}
    name = page.text.split(f'<option value="{account}"')[1].split(">")[1].split("<")[0]
    answer = anna.post(f"{LIST}/preview?step=2", **typed)

    assert f"Subject: For {html.unescape(name)} <b>" in answer.words and "<b>" not in answer.text.split("<table")[0]
    assert "as at" in answer.words and "Nothing was sent" in answer.words
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert everything(books) == before


def test_a_preview_of_a_regular_workflow_speaks_of_the_oldest_invoice_alone(
    anna: Visitor, books: Books, standard: int
) -> None:
    account = books.accounts["due"]
    with books.office.database.unit_of_work() as unit:
        known = unit.scalars(select(InvoiceRow).where(col(InvoiceRow.account_id) == account)).first()
        assert known is not None
        older = {"number": "OLDER-1", "due_on": known.due_on - timedelta(days=90), "ledger_id": "older"}
        unit.add(InvoiceRow(**known.model_dump(exclude={"id", "online_link"}) | older))
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"preview_account": str(account), "step-1-body": "{{ statement }}"}
    smart = anna.post(f"{LIST}/preview?step=1", **typed).words
    regular = anna.post(f"{LIST}/preview?step=1", **typed | {"kind": "invoice"}).words

    assert "OLDER-1" in smart and known.number in smart
    assert "OLDER-1" in regular and known.number not in regular


def test_a_preview_of_words_that_cannot_be_filled_in_says_why(anna: Visitor, books: Books, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"preview_account": str(books.accounts["due"])}
    wrong = anna.post(f"{LIST}/preview?step=1", **typed | {"step-1-body": "{{ nonsense }}"})
    text = anna.post(f"{LIST}/preview?step=1", **typed | {"step-1-channel": "sms", "step-1-body": "Hi " + BAD})

    assert "It cannot be put into words." in wrong.words and "`nonsense` is not known" in wrong.words
    assert BAD not in text.text and "1 segment" in text.words


def test_nobody_previews_with_the_account_of_somebody_else(anna: Visitor, books: Books, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}"))

    theirs = books.accounts["theirs: reply"]
    for account, step in (
        (str(theirs), 1),
        ("x", 1),
        (str(books.accounts["due"]), 99),
        (str(books.accounts["due"]), 0),
    ):
        assert anna.post(f"{LIST}/preview?step={step}", **typed | {"preview_account": account}).status == 404


def test_how_an_email_looks_and_what_goes_with_it_is_saved_with_the_step(
    anna: Visitor, books: Books, standard: int
) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {
        "step-1-layout": "note",
        "step-1-attach": "on",
        "step-1-papers": "on",
        "step-1-cc": "boss@firm.example; clerk@firm.example",
    }
    assert anna.post(f"{LIST}/{standard}", **typed, act="save").status == 303

    first, second, *_ = workflow(books, standard).steps
    assert (first.layout, first.attach_statement, first.attach_invoices) == ("note", True, True)
    assert first.cc == ("boss@firm.example", "clerk@firm.example")
    assert (second.layout, second.attach_statement, second.attach_invoices, second.cc) == ("email", False, False, ())
    assert form_of(workflow(books, standard)).rows[0].cc == "boss@firm.example, clerk@firm.example"


def test_a_copy_to_what_is_no_address_is_refused(anna: Visitor, standard: int) -> None:
    typed = fields(anna.get(f"{LIST}/{standard}")) | {"step-1-cc": "the boss"}
    answer = anna.post(f"{LIST}/{standard}", **typed, act="save")

    assert answer.status == 422 and flawed(answer) == ["step-1-cc"]
    assert "A copy cannot go to 'the': that is no email address." in answer.words
    assert fields(answer)["step-1-cc"] == "the boss"
    assert re.search(r"<details open>\s*<summary>What it says", answer.text), "the field stands in an open place"


def test_every_prewritten_workflow_can_be_begun_from_in_each_language(anna: Visitor, books: Books) -> None:
    page = anna.get(LIST)
    offered = re.findall(r'<option value="([a-z-]+\.[a-z]{2})"', page.text)

    assert re.findall(r'<optgroup label="([^"]+)"', page.text) == ["English", "Deutsch"]
    assert {"standard.en", "credit-stop.de", "consumer.en", "public-sector.de"} <= set(offered) and len(offered) == 12
    for key in offered:
        begun = anna.get(f"{LIST}/new?like={key}")
        assert "Every placeholder is known." in begun.words or "segment" in begun.words
        made = anna.post(f"{LIST}/new", **fields(begun), act="save")
        assert made.status == 303, (key, made.words)
    assert "Liefersperre" in names(books) and "Credit stop" in names(books)


def test_a_german_firm_is_offered_german_words_first(anna: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.locale = "de_AT"

    assert re.findall(r'<optgroup label="([^"]+)"', anna.get(LIST).text) == ["Deutsch", "English"]
