"""Mirrors web/rooms/replies.py: a reply is read, shown safely, decided about, and its files are only ever saved."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from channels import Refused, Unavailable
from store import inbox
from store.tables import AddressStopRow, HoldRow, InvoiceRow, PostRow, ReplyRow
from tests.jobs.sending_house import Answering, plug_in
from tests.web.books import Books
from tests.web.visitor import Visitor

PAID, PROMISE, DISPUTE, STOP, CONTACT = range(5)


def rows(books: Books, table: Any, *where: Any) -> list[Any]:
    with books.office.database.reading() as session:
        return list(session.scalars(select(table).where(*where).order_by(table.id)))


def the_reply(books: Books) -> str:
    return f"/replies/{books.ids['reply'][0]}"


def holds(books: Books, kind: str) -> list[HoldRow]:
    account = books.accounts["reply"]
    where = (col(HoldRow.account_id) == account, col(HoldRow.kind) == kind, col(HoldRow.lifted_at).is_(None))
    return rows(books, HoldRow, *where)


def test_a_file_is_saved_and_never_shown(books: Books, anna: Visitor) -> None:
    answer = anna.get(f"{the_reply(books)}/files/1")

    assert answer.body == b"<b>300</b>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition == "attachment; filename=\"Zahlung _ber 3.html\"; filename*=UTF-8''Zahlung%20%C3%BCber%203.html"


def test_a_file_that_is_none_leads_nowhere(books: Books, anna: Visitor) -> None:
    for place in ("0", "7", "-1", "x"):
        assert anna.get(f"{the_reply(books)}/files/{place}").status == 404


def test_the_laid_out_reply_is_shown_in_a_frame_that_runs_and_loads_nothing(books: Books, anna: Visitor) -> None:
    assert '<iframe class="letter"' in anna.get(the_reply(books)).text
    assert " sandbox " in anna.get(the_reply(books)).text

    policy = anna.get(f"{the_reply(books)}/letter").headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")


def test_what_is_known_of_the_sender_is_shown(books: Books, anna: Visitor) -> None:
    words = anna.get(the_reply(books)).words

    assert "domain not confirmed" in words and "different sender" in words


def test_a_promise_that_is_confirmed_holds_until_its_day(books: Books, anna: Visitor) -> None:
    assert anna.post(f"{the_reply(books)}/suggestions/{PROMISE}/confirm", until="2026-07-17").status == 303

    (hold,) = holds(books, "promise")
    assert (hold.until, hold.by) == (date(2026, 7, 17), "Anna Reed")
    assert "confirmed Anna Reed" in anna.get(the_reply(books)).words


def test_a_promise_needs_its_day(books: Books, anna: Visitor) -> None:
    for until in ("", "Friday", "2020-01-01"):
        assert anna.post(f"{the_reply(books)}/suggestions/{PROMISE}/confirm", until=until).status == 409
    assert holds(books, "promise") == []


def test_a_dispute_that_is_confirmed_is_about_the_chosen_invoices_alone(books: Books, anna: Visitor) -> None:
    mine = rows(books, InvoiceRow, col(InvoiceRow.account_id) == books.accounts["reply"])
    path = f"{the_reply(books)}/suggestions/{DISPUTE}/confirm"

    assert anna.post(path).status == 409
    other = rows(books, InvoiceRow, col(InvoiceRow.account_id) == books.accounts["due"])[0]
    assert anna.post(path, invoices=[other.id]).status == 404
    assert anna.post(path, invoices=[mine[0].id]).status == 303

    assert [hold.invoice_id for hold in holds(books, "dispute")] == [mine[0].id]


def test_already_paid_becomes_a_question_and_no_payment(books: Books, anna: Visitor) -> None:
    before = [(row.balance, row.status) for row in rows(books, InvoiceRow)]
    assert anna.post(f"{the_reply(books)}/suggestions/{PAID}/confirm").status == 303

    assert [hold.kind for hold in holds(books, "question")] == ["question"]
    assert [(row.balance, row.status) for row in rows(books, InvoiceRow)] == before


def test_a_stop_that_is_confirmed_stops_the_address_it_came_from(books: Books, anna: Visitor) -> None:
    assert anna.post(f"{the_reply(books)}/suggestions/{STOP}/confirm").status == 303

    (stop,) = rows(books, AddressStopRow, col(AddressStopRow.medium) == "email")
    assert (stop.address, stop.kind, stop.by) == ("jo@brackenfield.example", "opt-out", "Anna Reed")


def test_what_is_dismissed_does_nothing_and_is_decided_only_once(books: Books, anna: Visitor) -> None:
    for place in range(5):
        assert anna.post(f"{the_reply(books)}/suggestions/{place}/dismiss").status == 303
        assert anna.post(f"{the_reply(books)}/suggestions/{place}/confirm", until="2026-07-17").status == 409

    assert holds(books, "promise") == holds(books, "dispute") == []
    assert anna.post(f"{the_reply(books)}/suggestions/9/dismiss").status == 409


def test_a_stopped_number_is_shown_at_its_account_and_lifted_with_a_reason(books: Books, anna: Visitor) -> None:
    account, stop = f"/accounts/{books.accounts['reply']}", f"/stops/{books.ids['stop'][0]}/lift"
    assert "+447700900123 is stopped for text messages: they asked us to stop" in anna.get(account).words

    assert anna.post(stop, why=" ", account=books.accounts["reply"]).status == 409
    assert anna.post(stop, why="They rang and want texts again", account=books.accounts["reply"]).status == 303
    assert "is stopped" not in anna.get(account).words
    assert "They rang and want texts again" in anna.get(account).words
    assert anna.post(stop, why="again", account=books.accounts["reply"]).status == 409


def a_post_aside(books: Books) -> int:
    with books.office.database.unit_of_work() as unit:
        row = PostRow(channel="email_smtp", event_id="odd", received_at=books.clock(), raw=b"x", problem="It is odd.")
        unit.add(row)
        unit.flush()
        return int(row.id or 0)


def test_a_post_that_nobody_could_read_is_shown_and_read_again_when_asked(books: Books, anna: Visitor) -> None:
    post = a_post_aside(books)
    assert "Could not be read 1" in anna.get("/replies").words and "It is odd." in anna.get("/replies").words

    assert anna.post(f"/posts/{post}/again").status == 303
    assert rows(books, PostRow, col(PostRow.id) == post)[0].problem == ""
    assert ("receive", "") in books.pokes
    assert "Could not be read" not in anna.get("/replies").words
    assert anna.post(f"/posts/{post}/again").status == 409


def test_a_post_that_nothing_is_to_be_done_about_is_kept(books: Books, anna: Visitor) -> None:
    post = a_post_aside(books)

    assert anna.post(f"/posts/{post}/aside").status == 303
    assert "Could not be read" not in anna.get("/replies").words
    assert rows(books, PostRow, col(PostRow.id) == post)[0].raw == b"x"


def test_a_post_that_nobody_could_read_is_saved_as_it_came(books: Books, anna: Visitor) -> None:
    post = a_post_aside(books)
    assert f'href="/posts/{post}/original"' in anna.get("/replies").text

    saved = anna.get(f"/posts/{post}/original")
    assert (saved.status, saved.text, saved.headers["content-type"]) == (200, "x", "application/octet-stream")
    assert saved.headers["content-disposition"].startswith(f'attachment; filename="email_smtp-{post}.eml"')
    assert anna.get(f"/posts/{post + 1}/original").status == 404


def test_a_post_that_is_tried_on_says_so(books: Books, anna: Visitor) -> None:
    post = a_post_aside(books)
    assert "tried again by itself" not in anna.get("/replies").words
    with books.office.database.unit_of_work() as unit:
        unit.get_one(PostRow, post).problem = inbox.TRIPPED

    assert "It is tried again by itself every hour, for a day." in anna.get("/replies").words


def test_every_reply_is_saved_as_it_came(books: Books, anna: Visitor, carl: Visitor) -> None:
    assert f'href="{the_reply(books)}/original"' in anna.get(the_reply(books)).text

    saved = anna.get(f"{the_reply(books)}/original")
    (row,) = rows(books, ReplyRow, col(ReplyRow.id) == books.ids["reply"][0])
    (post,) = rows(books, PostRow, col(PostRow.id) == row.post_id)
    assert (saved.body, saved.headers["content-type"]) == (post.raw, "application/octet-stream")


@pytest.mark.parametrize("kind", ["bounce", "out of office", "machine"])
def test_nobody_is_asked_to_read_what_a_machine_wrote_to_an_account(books: Books, anna: Visitor, kind: str) -> None:
    with books.office.database.unit_of_work() as unit:
        unit.get_one(ReplyRow, books.ids["reply"][0]).kind = kind

    for path in (the_reply(books), f"/accounts/{books.accounts['reply']}"):
        page = anna.get(path)
        assert f"{the_reply(books)}/read" not in page.text and ">not read<" not in page.text, path
    assert "nobody needs to: a machine wrote it" in anna.get(the_reply(books)).words


def test_a_reply_without_text_says_so_instead_of_showing_nothing(books: Books, anna: Visitor) -> None:
    with books.office.database.unit_of_work() as unit:
        row = unit.get_one(ReplyRow, books.ids["reply"][0])
        row.said, row.text = "", ""

    assert "It has no text that could be read." in anna.get("/replies").words
    assert "Save it as it came to see what is in it." in anna.get(the_reply(books)).words


def test_who_does_not_see_every_organisation_sees_no_post_of_nobodys(books: Books, carl: Visitor) -> None:
    post = a_post_aside(books)
    assert carl.get(f"/posts/{post}/original").status == 404

    assert "Could not be read" not in carl.get("/replies").words
    assert "Something came in that nobody could read" not in carl.get("/replies").words, "it is asked of the first"
    assert carl.post(f"/posts/{post}/again").status == 404
    assert carl.post(f"/posts/{post}/aside").status == 404


def test_who_is_asked_about_nobodys_post_and_may_not_see_it_is_told_who_does(books: Books, sam: Visitor) -> None:
    assert "Something came in that nobody could read" not in sam.get("/replies").words
    a_post_aside(books)

    page = sam.get("/replies").words
    assert "Something came in that nobody could read" in page and "It is odd." not in page


def test_an_unread_reply_says_what_waits_to_be_decided(books: Books, anna: Visitor) -> None:
    seems = "it is paid already, a promise to pay, a dispute, they want no more messages, somebody has left"
    assert f"Seems to say: {seems}." in anna.get("/replies").words
    assert rows(books, ReplyRow)[0].suggestions[0]["state"] == "open"


def the_answering_channel(books: Books, *answers: Any) -> Answering:
    """The mails of this firm go by a provider that answers as the test wants."""
    speaking = Answering(list(answers))
    speaking.read = books_raw  # type: ignore[attr-defined]
    return plug_in(books.office, "email_smtp", speaking)


def books_raw(_: bytes) -> Any:
    raise ValueError("what the books keep of this reply is no mail")


def test_a_person_answers_from_the_page_and_is_told_what_became_of_it(books: Books, anna: Visitor) -> None:
    speaking = the_answering_channel(books)
    assert "Send the answer" in anna.get(the_reply(books)).words

    answer = anna.post(f"{the_reply(books)}/answer", text="Of course, Jo.", place="0")
    assert answer.headers["location"].endswith("?said=answer-sent")
    assert [(mail.to, mail.text.splitlines()[0]) for mail in speaking.given] == [
        ("jo@brackenfield.example", "Of course, Jo.")
    ]
    words = anna.get(the_reply(books)).words
    assert "Answer by Anna Reed Sent" in words and "Read by Anna Reed" in words
    assert "Anna Reed answered" in anna.get(f"/accounts/{books.accounts['reply']}").words


def test_an_answer_that_does_not_leave_is_never_called_sent(books: Books, anna: Visitor) -> None:
    the_answering_channel(books, Unavailable("the mail server is away"), Refused("no such mailbox"))

    kept = anna.post(f"{the_reply(books)}/answer", text="Of course, Jo.", place="0")
    assert kept.headers["location"].endswith("?said=answer-waits")
    refused = anna.post(f"{the_reply(books)}/answer", text="And one thing more.", place="1")
    assert refused.headers["location"].endswith("?said=answer-look")
    assert "No such mailbox" in anna.get(the_reply(books)).words


def test_an_empty_answer_is_refused_with_a_sentence(books: Books, anna: Visitor) -> None:
    the_answering_channel(books)

    assert anna.post(f"{the_reply(books)}/answer", text=" ", place="0").status == 409


def test_without_a_channel_the_page_says_why_nobody_can_answer_there(books: Books, anna: Visitor) -> None:
    words = anna.get(the_reply(books)).words

    assert "No channel for emails is set up any more" in words and "Send the answer" not in words


def test_what_followed_from_a_reply_is_told_beside_it_and_is_not_the_reply_once_more(
    books: Books, anna: Visitor
) -> None:
    account = f"/accounts/{books.accounts['reply']}"
    before = anna.get(account).text.count('<p class="event">Reply from')
    anna.post(f"{the_reply(books)}/suggestions/{STOP}/confirm")

    page = anna.get(account)
    assert page.text.count('<p class="event">Reply from') == before
    assert page.words.count("Nothing more is sent to jo@brackenfield.example by email") == 2, (
        "in history, and as a task"
    )
