"""Mirrors web.rooms: what the pages say, and what their buttons do."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from engine.holds import HoldKind
from jobs.settle import task_on
from store.tables import AccountRow, HistoryNoteRow, HoldRow, OrganisationRow, ReminderRow, ReplyRow, TaskRow
from tests.web.books import Books
from tests.web.visitor import Visitor

BAD = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def test_the_front_page_says_whether_it_is_safe_to_send_and_why(anna: Visitor) -> None:
    page = anna.get("/").words

    assert "Is it safe to send? Yes, and some accounts wait for a person." in page
    assert "It is not known whether 1 reminder went out." in page
    assert "2 replies have not been read." in page
    assert "£68," in page and "€2,790.00" in page


def test_a_paused_organisation_is_shown_its_plan_and_starts_with_one_button(anna: Visitor, books: Books) -> None:
    going = re.findall(r"09:00 (\d+ reminders)", anna.get("/").words)[0]
    assert anna.post("/sending/pause", why="stocktaking").headers["location"] == "/?said=stopped"
    page = anna.get("/").words
    assert "No. Sending is paused." in page
    assert "by Anna Reed since 14 Jul 2026: stocktaking." in page
    assert "What would go out" in page and f"{going} would go out at Tuesday, 14 July 2026, 09:00" in page
    assert "Eastgate Dental Practice Reminder 2: something holds the account besides; its page says what" in page

    assert anna.post("/sending/start").headers["location"] == "/?said=sending"
    assert "Sending is on." in anna.get("/").words and "What goes out next" in anna.get("/").words
    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
    assert row is not None and row.paused_at is None


@pytest.mark.parametrize("stop", ["braked", "capped"])
def test_while_the_brake_or_a_cap_holds_no_line_says_that_sending_is_on(anna: Visitor, books: Books, stop: str) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get_one(OrganisationRow, books.ours)
        setattr(row, f"{stop}_at", books.clock())
        setattr(row, f"{stop}_why", "Something is odd.")
    page = anna.get("/").words

    assert "Nobody has paused sending." in page and "Sending is on." not in page
    assert "What would go out" in page and "What goes out next" not in page
    assert ("Once they are released" in page) == (stop == "capped")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: setattr(row, "ledger_as_of", None), "The ledger has not been read yet."),
        (lambda row: setattr(row, "ledger_as_of", row.ledger_as_of - timedelta(days=3)), "last read 3 days ago"),
    ],
)
def test_nothing_is_safe_to_send_on_data_that_is_missing_or_old(
    anna: Visitor, books: Books, change: Callable[[OrganisationRow], None], said: str
) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        change(row)

    page = anna.get("/").words
    assert "No. Nothing is sent for the moment." in page
    assert said in page


def test_a_user_without_an_organisation_is_welcomed(nia: Visitor) -> None:
    page = nia.get("/")

    assert "Welcome, Nia Hart" in page.words
    assert 'href="/connections/xero/begin"' in page.text
    assert nia.get("/accounts").headers["location"] == "/"


def test_the_largest_overdue_account_comes_first(anna: Visitor) -> None:
    page = anna.get("/accounts").words

    assert page.index("Larkspur Hotels Group") < page.index("Brackenfield Estates") < page.index("Ivy Cottage")
    assert "Page 1 of 2" in page


@pytest.mark.parametrize(
    ("tab", "there", "elsewhere"),
    [
        ("pending", ["Kestrel Signs", "Dunmore", "Morrow", "Hollis"], ["Eastgate", "Greenhill", "Fenwick"]),
        ("snoozed", ["Brackenfield", "Greenhill"], ["Kestrel", "Eastgate", "Dunmore"]),
        ("idle", ["Fenwick Haulage"], ["Brackenfield", "Eastgate"]),
        ("paused", ["Eastgate Dental"], ["Brackenfield", "Fenwick"]),
    ],
)
def test_each_tab_holds_its_accounts(anna: Visitor, tab: str, there: list[str], elsewhere: list[str]) -> None:
    """Pending waits for a person, Snoozed for a day."""
    page = anna.get(f"/accounts?tab={tab}").words

    assert [name for name in there if name not in page] == []
    assert [name for name in elsewhere if name in page] == []


@pytest.mark.parametrize("find", ["bracken", "jo@brackenfield", "INV-2001", "inv-2004"])
def test_an_account_is_found_by_name_email_or_invoice_number_even_a_paid_one(anna: Visitor, find: str) -> None:
    page = anna.get(f"/accounts?find={find}").words

    assert "Brackenfield Estates" in page
    assert "Larkspur" not in page


def test_a_search_that_finds_nothing_says_so(anna: Visitor) -> None:
    assert "No account has “100%_” in its name" in anna.get("/accounts?find=100%25_").words


def test_an_account_says_why_it_stands_where_it_stands(anna: Visitor, books: Books) -> None:
    page = anna.get(f"/accounts/{books.accounts['reply']}").words

    assert "INV-2001 is the oldest overdue invoice at 24 days; Reminder 3 follows on 25 July 2026." in page
    assert "Reminder 2 done 11 Jul 2026" in page
    assert "Reminder 3 next, 25 Jul 2026" in page
    assert "Credit note CN-88 £180.00" in page
    assert page.index("Reply from Jo Marsh") < page.index("Moved back from Reminder 3") < page.index("Rang Jo.")


def test_pausing_and_resuming_an_account_leaves_its_mark(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]

    anna.post(f"/accounts/{number}/pause", why="they rang")
    page = anna.get(f"/accounts/{number}?said=paused").words
    assert "Ivy Cottage Interiors Paused" in page
    assert "They rang. Anna Reed, since 14 Jul 2026" in page
    assert "Nothing is sent to it until somebody resumes it." in page

    anna.post(f"/accounts/{number}/resume")
    assert "Nothing holds this account." in anna.get(f"/accounts/{number}").words
    with books.office.database.reading() as session:
        hold = session.exec(select(HoldRow).where(HoldRow.account_id == number)).one()
    assert (hold.kind, hold.by, hold.lifted_by) == (HoldKind.PAUSED, "Anna Reed", "Anna Reed")


def test_a_note_is_kept_with_its_author(anna: Visitor, books: Books) -> None:
    number = books.accounts["due"]

    assert anna.post(f"/accounts/{number}/notes", text=f" {BAD} ").status == 303

    page = anna.get(f"/accounts/{number}")
    assert BAD not in page.text and "&lt;script&gt;alert" in page.text
    with books.office.database.reading() as session:
        note = session.exec(select(HistoryNoteRow).where(HistoryNoteRow.account_id == number)).all()[-1]
    assert (note.text, note.by) == (BAD, "Anna Reed")


def test_what_is_in_doubt_is_asked_once_on_each_page_and_can_be_settled_there(anna: Visitor, books: Books) -> None:
    number = books.accounts["unsure"]
    with books.office.database.unit_of_work() as unit:
        doubt = unit.scalars(
            select(ReminderRow).where(ReminderRow.account_id == number, ReminderRow.state == "unsure")
        ).one()
        task_on(unit, doubt, "unsure", "Nobody knows whether it went out. Ask.", books.clock())
        doubts = doubt.id

    for path in ("/", f"/accounts/{number}"):
        page = anna.get(path)
        assert page.words.count("Nobody knows whether it went out. Ask.") == 1, path
        assert page.text.count(f"/reminders/{doubts}/settle") == 2, path
    message = anna.get(f"/accounts/{number}/reminders/{doubts}")
    assert message.text.count(f"/reminders/{doubts}/settle") == 2 and "Message-ID" in message.words
    anna.post(f"/reminders/{doubts}/settle", went="yes")
    assert f"/reminders/{doubts}/settle" not in anna.get(f"/accounts/{number}/reminders/{doubts}").text


def test_a_doubt_is_settled_by_a_person(anna: Visitor, books: Books) -> None:
    number = books.accounts["unsure"]
    with books.office.database.reading() as session:
        doubt = session.exec(
            select(ReminderRow.id).where(ReminderRow.account_id == number, ReminderRow.state == "unsure")
        ).one()

    assert anna.post(f"/reminders/{doubt}/settle", went="maybe").status == 404
    assert anna.post(f"/reminders/{doubt}/settle", went="yes").status == 303
    assert anna.post(f"/reminders/{doubt}/settle", went="yes").status == 409

    with books.office.database.reading() as session:
        row = session.get(ReminderRow, doubt)
        note = session.exec(select(HistoryNoteRow).where(HistoryNoteRow.account_id == number)).all()[-1]
    assert row is not None and row.state == "sent"
    assert note.kind == "reminder sent" and note.text.endswith("Anna Reed says that it went."), "and on whose word"


def test_a_refused_reminder_is_tried_again(anna: Visitor, books: Books) -> None:
    with books.office.database.reading() as session:
        refused = session.exec(
            select(ReminderRow.id).where(
                ReminderRow.account_id == books.accounts["refused"], ReminderRow.state == "refused"
            )
        ).one()

    assert anna.post(f"/reminders/{refused}/again").status == 303
    assert anna.post(f"/reminders/{refused}/again").status == 409


def test_a_task_is_closed(anna: Visitor, books: Books) -> None:
    task = books.ids["task"][0]
    anna.post(f"/tasks/{task}/close")

    with books.office.database.reading() as session:
        row = session.get(TaskRow, task)
    assert row is not None and row.closed_by == "Anna Reed"


def test_reading_a_reply_lets_the_next_reminder_go(anna: Visitor, books: Books) -> None:
    number, reply = books.accounts["reply"], books.ids["reply"][0]

    answer = anna.post(f"/replies/{reply}/read?on=account")

    assert answer.headers["location"] == f"/accounts/{number}?said=read"
    with books.office.database.reading() as session:
        holds = session.exec(select(HoldRow).where(HoldRow.account_id == number, col(HoldRow.lifted_at).is_(None)))
        assert holds.all() == []


def test_a_reply_without_an_account_is_given_to_one(anna: Visitor, books: Books) -> None:
    reply, number = books.ids["unmatched"][0], books.accounts["due"]
    assert f'value="{number}"' in anna.get(f"/replies/{reply}?find=ivy").text

    assert (
        anna.post(f"/replies/{reply}/match", account=number).headers["location"] == f"/accounts/{number}?said=matched"
    )

    with books.office.database.reading() as session:
        row = session.get(ReplyRow, reply)
    assert row is not None and (row.account_id, row.matched_by) == (number, "person")


def test_what_strangers_write_stays_text(anna: Visitor, books: Books) -> None:
    number, reply = books.accounts["reply"], books.ids["reply"][0]
    with books.office.database.unit_of_work() as unit:
        account, row = unit.get(AccountRow, number), unit.get(ReplyRow, reply)
        task = unit.get(TaskRow, books.ids["task"][0])
        assert account and row and task
        account.name = account.email = BAD
        row.said = row.text = row.subject = row.sender = row.sender_name = task.text = BAD

    for path in ("/", "/accounts", f"/accounts/{number}", "/replies", f"/replies/{reply}", f"/accounts?find={BAD}"):
        page = anna.get(path).text
        assert "<script" not in page and "<img" not in page, path
        assert "&lt;script&gt;" in page, path


def test_a_link_from_the_ledger_is_a_link_only_when_it_is_one(anna: Visitor, books: Books) -> None:
    from store.tables import InvoiceRow

    with books.office.database.unit_of_work() as unit:
        first, second = unit.exec(select(InvoiceRow).where(InvoiceRow.account_id == books.accounts["dispute"])).all()
        first.online_link, second.online_link = "javascript:alert(1)", "https://in.xero.com/abc"

    pages = [anna.get(f"/invoices/{number}").text for number in (first.id, second.id)]
    assert "javascript:" not in pages[0]
    assert 'href="https://in.xero.com/abc"' in pages[1]


def test_sync_now_asks_the_schedule(anna: Visitor, books: Books) -> None:
    anna.post("/sync-log/sync")

    assert books.pokes == [("sync", str(books.ours))]


def test_a_failed_run_says_what_happened_and_what_to_do(anna: Visitor) -> None:
    assert (
        "Xero answered 503 for the list of credit notes, three times. Nothing to do now" in anna.get("/sync-log").words
    )
    assert "What to do: Nothing to do now: the next sync tries again." in anna.get("/sync-log/4").words


def test_what_could_not_be_read_is_shown_raw_and_harmless(anna: Visitor) -> None:
    page = anna.get("/sync-log/1").text

    assert "&lt;b&gt;12&lt;/b&gt;" in page and "<b>12</b>" not in page


SETTINGS = {
    "sending_time": "10:30",
    "weekdays": ["0", "2"],
    "time_zone": "Europe/Berlin",
    "locale": "de_DE",
    "gap": "3",
    "sender_name": "Buchhaltung",
}


def test_reminder_settings_are_saved_whole(anna: Visitor, books: Books) -> None:
    assert anna.post("/settings/reminders", **SETTINGS).headers["location"] == "/settings/reminders?said=saved"

    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
    assert row is not None
    assert (row.sending_time.isoformat(), row.sending_weekdays, row.time_zone) == ("10:30:00", [0, 2], "Europe/Berlin")
    assert (row.min_days_between_reminders, row.reply_holds, row.sender_name) == (3, False, "Buchhaltung")
    assert "13.460,00\N{NO-BREAK SPACE}£" in anna.get("/accounts").text


@pytest.mark.parametrize(
    "wrong", [{"time_zone": "Mars/Base"}, {"gap": "many"}, {"sending_time": "25:99"}, {"weekdays": []}]
)
def test_settings_that_cannot_be_are_refused_in_a_sentence(
    anna: Visitor, books: Books, wrong: dict[str, object]
) -> None:
    assert anna.post("/settings/reminders", **(SETTINGS | wrong)).status == 409

    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
    assert row is not None and row.time_zone == "Europe/London"


def test_smart_workflows_are_always_on_where_they_are_locked_and_a_choice_elsewhere(
    anna: Visitor, books: Books
) -> None:
    page = anna.get("/settings/reminders")
    assert "always on" in page.words and "42 days" in page.words and "24 days" in page.words
    anna.post("/settings/reminders", **SETTINGS)  # without the switch, as a browser sends a disabled one
    assert _reassesses(books) is True

    with books.office.database.unit_of_work() as unit:
        row = unit.get(OrganisationRow, books.ours)
        assert row is not None
        row.reassess_locked = False
    anna.post("/settings/reminders", **SETTINGS)
    assert _reassesses(books) is False
    anna.post("/settings/reminders", **SETTINGS, smart="on")
    assert _reassesses(books) is True


def _reassesses(books: Books) -> bool:
    with books.office.database.reading() as session:
        row = session.get(OrganisationRow, books.ours)
        assert row is not None
        return row.reassess_on_payment


def test_amounts_of_two_currencies_are_never_added_up(anna: Visitor, books: Books) -> None:
    page = anna.get(f"/accounts/{books.accounts['euro']}").words

    assert "Open €2,790.00 Overdue €1,840.00 Open £412.50 Overdue £412.50" in page
    assert str(Decimal("3202.50")) not in page.replace(",", "")


def test_every_page_is_well_nested(app: FastAPI, books: Books, anna: Visitor) -> None:
    """A form inside a paragraph, or a tag left open, is mended by browsers in ways that nobody has drawn."""
    from tests.web.nesting import problems
    from tests.web.routes import filled, routes

    for method, path in routes(app):
        if method == "GET" and "/letter" not in path and path != "/health":
            assert problems(anna.get(filled(path, books, "ours")).text) == [], path
