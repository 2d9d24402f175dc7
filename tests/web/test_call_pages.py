"""Mirrors web/rooms/calls.py and call_settings.py: the list of calls, one screen for each, and what a form may do."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from engine.words import in_words
from jobs.calls import CallState
from jobs.unknown_calls import ask_a_person
from store.tables import HoldRow, MessageRow, PhoneCallRow, ReminderRow, VoiceConsentRow
from tests.web.books import Books
from tests.web.calling import NAMES, an_invoice_of, with_calls
from tests.web.filling import NOW, TODAY, Filling
from tests.web.nesting import problems
from tests.web.test_queries import questions
from tests.web.visitor import Visitor

SPOKEN, PUT_OFF, PROMISED, PLAIN = NAMES
"""Ready and spoken to before; snoozed; held by a promise; ready and never rung."""


@pytest.fixture
def calls(books: Books) -> dict[str, int]:
    return with_calls(books)


def rows(books: Books, table: Any) -> list[Any]:
    with books.office.database.reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_the_list_shows_who_is_to_be_rung_the_largest_debt_first(anna: Visitor, calls: dict[str, int]) -> None:
    words = anna.get("/calls").words

    assert "Ready to call 2" in words and "Snoozed 1" in words and "Held 1" in words
    assert words.index(SPOKEN) < words.index(PLAIN)
    assert PUT_OFF not in words and PROMISED not in words


def test_the_list_says_what_to_know_before_ringing(anna: Visitor, calls: dict[str, int]) -> None:
    answer = anna.get("/calls")

    assert "£4,518.40 overdue" in answer.words
    assert "is 31 days overdue" in answer.words
    assert 'href="tel:+442079460008"' in answer.text and "020 7946 0008" in answer.words
    assert "It is 08:20 on Tuesday. They may be rung now." in answer.words
    assert "payment expected (3 min 12 s). The cheque is in the post" in answer.words
    assert "by 12 Jul 2026 , which has passed" in answer.words


def test_what_is_snoozed_or_held_says_until_when_and_why(anna: Visitor, calls: dict[str, int]) -> None:
    assert f"{PUT_OFF} " in anna.get("/calls?tab=snoozed").words
    assert "Snoozed until 14 Jul 2026, 13:20 by Anna Reed" in anna.get("/calls?tab=snoozed").words
    assert (
        f"Do not ring: Payment is expected by {in_words(TODAY + timedelta(days=3))}"
        in anna.get("/calls?tab=held").words
    )


def test_a_call_has_all_on_one_screen(anna: Visitor, calls: dict[str, int]) -> None:
    answer = anna.get(f"/calls/{calls[SPOKEN]}")

    assert problems(answer.text) == []
    for words in (
        "Friendly call waits for a person",
        "£4,200.00",
        "Pat Quill",
        "The cheque is in the post",
        "Ask for Jo; £4,518.40 are overdue.",
        "What came of it",
        "Submit and next step",
        "Snooze",
    ):
        assert words in answer.words, words


def test_submit_comes_back_to_the_list_and_keeps_the_call_on_it(
    anna: Visitor, books: Books, calls: dict[str, int]
) -> None:
    seen = "0"
    answer = anna.post(f"/calls/{calls[PLAIN]}/result", result="no answer", then="stay", note="rang twice", seen=seen)

    assert answer.headers["location"] == "/calls?said=call-noted"
    assert PLAIN in anna.get("/calls").words
    call = rows(books, PhoneCallRow)[-1]
    assert (call.result, call.note, call.by) == ("no answer", "rang twice", "Anna Reed")


def test_submit_and_next_step_takes_the_call_off_the_list(anna: Visitor, books: Books, calls: dict[str, int]) -> None:
    answer = anna.post(f"/calls/{calls[PLAIN]}/result", result="spoke", then="next step", note="fine")

    assert answer.headers["location"] == "/calls?said=called"
    assert PLAIN not in anna.get("/calls").words
    assert (
        "No call waits here any more. Friendly call was done on 14 Jul 2026" in anna.get(f"/calls/{calls[PLAIN]}").words
    )


def test_a_promise_and_a_snooze_are_typed_in_the_organisations_own_time(
    anna: Visitor, books: Books, calls: dict[str, int]
) -> None:
    anna.post(
        f"/calls/{calls[PLAIN]}/result", result="payment expected", then="snooze", promised="2026-07-20",
        until="2026-07-14T11:30",
    )  # fmt: skip

    with books.office.database.reading() as session:
        reminder = session.get(ReminderRow, calls[PLAIN])
    assert reminder is not None and reminder.snoozed_until == NOW.replace(hour=10, minute=30)
    assert rows(books, HoldRow)[-1].until == TODAY + timedelta(days=6)


def test_a_dispute_marks_the_invoices_that_were_ticked(anna: Visitor, books: Books, calls: dict[str, int]) -> None:
    invoice = an_invoice_of(books, calls[PLAIN])
    anna.post(f"/calls/{calls[PLAIN]}/result", result="dispute", then="stay", note="never came", invoices=invoice)

    hold = rows(books, HoldRow)[-1]
    assert (hold.kind, hold.invoice_id, hold.why) == ("dispute", invoice, "never came")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"then": "stay"}, "Say what came of the call"),
        ({"result": "spoke", "then": "elsewhere"}, "not one of the choices"),
        ({"result": "singing", "then": "stay"}, "not one of the choices"),
        ({"result": "payment expected", "then": "stay", "promised": "soon"}, "like 2026-05-31"),
        ({"then": "snooze", "until": "later"}, "Say until when"),
        ({"then": "snooze", "until": "2026-07-14T07:00"}, "That moment has passed"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    anna: Visitor, books: Books, calls: dict[str, int], fields: dict[str, str], sentence: str
) -> None:
    before = len(rows(books, PhoneCallRow))
    answer = anna.post(f"/calls/{calls[PLAIN]}/result", **fields)

    assert answer.status == 409
    assert sentence in answer.words
    assert len(rows(books, PhoneCallRow)) == before


def test_another_accounts_invoice_cannot_be_disputed_here(anna: Visitor, books: Books, calls: dict[str, int]) -> None:
    other = an_invoice_of(books, calls[SPOKEN])
    answer = anna.post(f"/calls/{calls[PLAIN]}/result", result="dispute", then="stay", note="x", invoices=other)

    assert answer.status == 404


def test_a_snoozed_call_is_put_back_by_a_button(anna: Visitor, calls: dict[str, int]) -> None:
    anna.post(f"/calls/{calls[PUT_OFF]}/wake")

    assert PUT_OFF in anna.get("/calls").words


def test_without_a_telephone_provider_the_numbers_are_links_and_there_is_no_button(
    anna: Visitor, calls: dict[str, int]
) -> None:
    answer = anna.get(f"/calls/{calls[PLAIN]}")

    assert f'/calls/{calls[PLAIN]}/ring"' not in answer.text
    assert 'href="tel:' in answer.text
    assert "The links dial on the device in your hand" in answer.words


def test_support_staff_see_the_calls_and_are_shown_no_form(sam: Visitor, books: Books, calls: dict[str, int]) -> None:
    for path in ("/calls", "/calls?tab=snoozed", f"/calls/{calls[PLAIN]}"):
        page = sam.get(path)
        forms = [form.split('"')[0] for form in page.text.split('<form method="post" action="')[1:]]
        assert page.status == 200
        assert set(forms) == {"/sign-out"}, path


def test_another_organisation_sees_none_of_our_calls(carl: Visitor, calls: dict[str, int]) -> None:
    assert SPOKEN not in carl.get("/calls").text
    assert carl.get(f"/calls/{calls[SPOKEN]}").status == 404
    assert carl.post(f"/calls/{calls[SPOKEN]}/result", result="spoke", then="stay").status == 404


def test_the_list_asks_as_much_for_thirty_calls_more(anna: Visitor, books: Books, calls: dict[str, int]) -> None:
    with questions(books) as before:
        anna.get("/calls")
    with books.office.database.unit_of_work() as unit:
        known = unit.get(ReminderRow, calls[PLAIN])
        assert known is not None
        filling = Filling(unit, books.ours)
        filling.number = 2000
        for place in range(30):
            number = filling.account(f"Another {place}", (40, "55.00"))
            copied = known.model_dump(exclude={"id", "account_id"})
            unit.add(ReminderRow(**copied, account_id=number))
    with questions(books) as after:
        page = anna.get("/calls")

    assert "Ready to call 32" in page.words
    assert len(after) == len(before) <= 25


def test_ones_own_telephone_is_saved_and_shown_as_people_write_it(anna: Visitor) -> None:
    assert anna.post("/settings/calls/own-number", number="+44 20 7946 0999").status == 303
    assert 'value="020 7946 0999"' in anna.get("/settings/calls").text
    assert anna.post("/settings/calls/own-number", number="no number").status == 409


def test_a_machine_calls_nobody_until_a_country_is_chosen_and_somebody_has_agreed(
    anna: Visitor, books: Books, calls: dict[str, int]
) -> None:
    refused = anna.post(f"/calls/{calls[PLAIN]}/machine")
    assert refused.status == 409

    with books.office.database.reading() as session:
        account = session.get(ReminderRow, calls[PLAIN]).account_id  # type: ignore[union-attr]
    anna.post("/settings/calls/voice", countries="gb, au")
    anna.post(f"/accounts/{account}/voice", number="+447911123453", how="by email", given_on="2026-07-01")
    page = anna.get(f"/accounts/{account}/voice")
    assert "07911 123453 Agreed on 1 Jul 2026 : By email." in page.words
    (consent,) = rows(books, VoiceConsentRow)
    anna.post(f"/accounts/{account}/voice/withdraw", consent=consent.id)
    assert "Withdrawn" in anna.get(f"/accounts/{account}/voice").words


def test_only_who_decides_chooses_where_machines_may_call(anna: Visitor, books: Books) -> None:
    anna.post("/organisation", organisation=books.theirs)  # where she is an agent

    assert anna.post("/settings/calls/voice", countries="GB").status == 403


def test_how_far_a_call_has_come_is_a_frame_of_ours_that_can_do_nothing(anna: Visitor, calls: dict[str, int]) -> None:
    frame = anna.get(f"/calls/{calls[PLAIN]}/line")

    assert frame.words.endswith("No call of yours is on the line.")
    policy = frame.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "form-action 'none'" in policy and "frame-ancestors 'self'" in policy
    assert "refresh" not in frame.text


def in_doubt(books: Books, reminder: int) -> None:
    """A colleague had a call put through, and nobody knows whether it was."""
    with books.office.database.unit_of_work() as unit:
        row = unit.get(ReminderRow, reminder)
        assert row is not None
        message = MessageRow(
            organisation_id=books.ours,
            account_id=row.account_id,
            reminder_id=reminder,
            channel="call_twilio",
            to="+442079460038",
            evidence_tries=4,
            created_at=NOW - timedelta(hours=3),
        )
        unit.add(message)
        unit.flush()
        call = PhoneCallRow(
            organisation_id=books.ours,
            account_id=row.account_id,
            reminder_id=reminder,
            message_id=message.id,
            number="+442079460038",
            by="Cleo Marsh",
            begun_at=NOW - timedelta(hours=3),
            state=CallState.UNSURE,
        )
        unit.add(call)
        unit.flush()
        ask_a_person(unit, books.office, call, message)


@pytest.mark.parametrize("waits", [True, False])
def test_whoever_finds_out_whether_a_colleague_s_call_rang_says_so_on_its_page(
    anna: Visitor, books: Books, calls: dict[str, int], waits: bool
) -> None:
    """Also when the account has paid since, and no call waits any more."""
    in_doubt(books, calls[PLAIN])
    if not waits:
        with books.office.database.unit_of_work() as unit:
            unit.execute(update(ReminderRow).where(col(ReminderRow.id) == calls[PLAIN]).values(state="withdrawn"))
    asked = "nobody knows whether Cleo Marsh was put through to 020 7946 0038"
    assert asked in anna.get("/").words

    page = anna.get(f"/calls/{calls[PLAIN]}")
    assert "Was this call put through? Cleo Marsh began it on" in page.words and problems(page.text) == []
    call = rows(books, PhoneCallRow)[-1].id
    said = anna.post(f"/calls/{calls[PLAIN]}/doubt", call=str(call), said="rang")

    assert said.headers["location"] == f"/calls/{calls[PLAIN]}?said=call-settled"
    assert asked not in anna.get("/").words
    assert "Was this call put through?" not in anna.get(f"/calls/{calls[PLAIN]}").words
