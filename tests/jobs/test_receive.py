"""Mirrors jobs/receive.py, jobs/belonging.py, jobs/keywords.py and jobs/reply_acts.py: what a reply does, and may not.

Texts are stored as Twilio posts them, mails as they come out of a mailbox; both are read by the product's own channels.
"""

import threading
from base64 import encodebytes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from channels import reply_address, settings_of
from engine.holds import HoldKind
from engine.reminders import ReminderState
from jobs import acts, reply_acts
from jobs.receive import TRIES, understand, understand_all
from store import inbox
from store.tables import (
    AccountRow,
    AddressStopRow,
    CreditRow,
    HistoryNoteRow,
    HoldRow,
    InvoiceRow,
    MessageRow,
    PaymentRow,
    PostRow,
    ReminderRow,
    ReplyRow,
    TaskRow,
    VoiceConsentRow,
    WriteBackRow,
)
from tests.jobs.firm import BY, Firm
from tests.jobs.test_deliveries import sent

AT = datetime(2026, 3, 4, 10, tzinfo=UTC)
NUMBER = "+447400123456"


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[Firm]:
    firm = Firm.founded(sqlite_url)
    ready(firm)
    yield firm
    firm.close()


def ready(firm: Firm) -> None:
    firm.now = AT
    firm.change(ledger_as_of=AT, country="GB")
    twilio = {"account_sid": "AC" + "0" * 32, "auth_token": "token", "from_number": "+15005550006"}
    firm.office.channels = {
        "email_smtp": settings_of("email_smtp")(host="mail.example", from_address="accounts@firm.example"),
        "sms_twilio": settings_of("sms_twilio")(**twilio),
    }


def text(firm: Firm, said: str, *, sender: str = NUMBER, **more: str) -> None:
    """A text message comes in, and is understood."""
    number = len(firm.rows(PostRow))
    fields = {"MessageSid": f"SM{number:032}", "From": sender, "To": "+15005550006", "Body": said, "NumMedia": "0"}
    keep(firm, "sms_twilio", b"reply\n\n" + urlencode(fields | more).encode())


def mail(
    firm: Firm, said: str, *, sender: str = "mia@ivy.example", to: str = "accounts@firm.example", **headers: str
) -> None:
    lines = [f"From: Mia <{sender}>", f"To: {to}", "Content-Type: text/plain; charset=utf-8"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    keep(firm, "email_smtp", "\r\n".join([*lines, "", said]).encode())


def keep(firm: Firm, channel: str, raw: bytes) -> None:
    with firm.office.database.unit_of_work() as unit:
        inbox.keep_post(unit, channel=channel, event_id=str(len(firm.rows(PostRow))), raw=raw, at=firm.now)
    understand_all(firm.office)


def signed(firm: Firm, account: int, attempt: int) -> str:
    return reply_address("accounts@firm.example", account=account, attempt=attempt, key=firm.office.reply_keys[0])


def bounce(firm: Firm, to: str, failed: str) -> None:
    """A mail server sends back what it could not deliver, to the signed address."""
    raw = (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undeliverable\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {failed}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 nobody here\r\n\r\n--b--\r\n"
    )
    keep(firm, "email_smtp", raw.encode())


def reply(firm: Firm) -> ReplyRow:
    return max(firm.rows(ReplyRow), key=lambda row: row.id)


def holds(firm: Firm, account: int) -> dict[str, str]:
    with firm.office.database.reading() as session:
        query = select(HoldRow).where(col(HoldRow.account_id) == account, col(HoldRow.lifted_at).is_(None))
        return {row.kind: row.why for row in session.scalars(query)}


def stopped(firm: Firm) -> list[tuple[int, str, str]]:
    rows = [row for row in firm.rows(AddressStopRow) if row.lifted_at is None]
    return [(row.organisation_id, row.medium, row.address) for row in rows]


def tasks(firm: Firm) -> list[str]:
    return [row.kind for row in firm.rows(TaskRow) if row.closed_at is None]


def kinds(firm: Firm) -> list[tuple[str, str]]:
    return [(one["kind"], one["day"]) for one in reply(firm).suggestions]


# --- text messages


def test_a_text_is_given_to_whoever_has_its_number_and_goes_into_history_and_ledger(firm: Firm) -> None:
    ivy = firm.account("Ivy", mobile="07400 123456")
    text(firm, "We pay on Friday")

    assert (reply(firm).account_id, reply(firm).matched_by) == (ivy, "sender")
    (note,) = [row for row in firm.rows(HistoryNoteRow) if row.kind == "reply"]
    assert note.text == f"Reply from {NUMBER}: “We pay on Friday”"
    assert [row.note_id for row in firm.rows(WriteBackRow)] == [note.id]
    assert set(holds(firm, ivy)) == {HoldKind.REPLY}
    assert kinds(firm) == [("promise", "2026-03-06")]


def test_a_number_that_accounts_share_answers_what_was_sent_to_it_last(firm: Firm) -> None:
    ivy, oak = firm.account("Ivy", mobile="07400 123456"), firm.account("Oak", mobile="+44 7400 123456")
    sent(firm, ivy, NUMBER, channel="sms_twilio", created_at=AT)
    sent(firm, oak, NUMBER, channel="sms_twilio", created_at=AT)
    text(firm, "OK")
    assert (reply(firm).account_id, reply(firm).matched_by) == (oak, "thread")

    text(firm, "It is about Ivy1", sender=NUMBER)
    assert reply(firm).account_id == oak


def test_a_shared_number_that_was_sent_nothing_lately_belongs_to_nobody(firm: Firm) -> None:
    ivy, oak = firm.account("Ivy", mobile="07400 123456"), firm.account("Oak", mobile="07400 123456")
    sent(firm, oak, NUMBER, channel="sms_twilio", created_at=AT)
    firm.now += timedelta(days=120)
    text(firm, "Who is this?")

    assert reply(firm).account_id is None
    assert reply(firm).candidates == [{"account": ivy}, {"account": oak}]
    assert tasks(firm) == ["unmatched reply"]
    assert set(holds(firm, ivy)) == set(holds(firm, oak)) == {HoldKind.REPLY}, "neither is chased meanwhile"


def test_saying_whose_it_is_frees_the_others(firm: Firm) -> None:
    ivy, oak = firm.account("Ivy", mobile="07400 123456"), firm.account("Oak", mobile="07400 123456")
    text(firm, "We pay on Friday")
    acts.match_reply(firm.office, int(reply(firm).id or 0), account_id=ivy, by=BY)

    assert set(holds(firm, ivy)) == {HoldKind.REPLY}
    assert holds(firm, oak) == {}
    assert kinds(firm) == [("promise", "2026-03-06")]
    assert tasks(firm) == []


@pytest.mark.parametrize("said", ["STOP", "stop.", "Stopp", "ARRET"])
def test_the_word_stop_stops_the_number_before_anybody_has_read_it(firm: Firm, said: str) -> None:
    ivy = firm.account("Ivy", mobile="07400 123456")
    text(firm, said)

    assert stopped(firm) == [(firm.id, "sms", NUMBER)]
    assert tasks(firm) == ["opt-out"]
    assert any("Nothing more is sent to +447400123456 by text message" in row.text for row in firm.rows(HistoryNoteRow))
    assert reply(firm).account_id == ivy and reply(firm).suggestions == []


def test_the_providers_word_for_a_stop_counts_in_any_language(firm: Firm) -> None:
    firm.account("Ivy", mobile="07400 123456")
    text(firm, "sluta skicka", OptOutType="STOP")

    assert stopped(firm) == [(firm.id, "sms", NUMBER)]


def test_start_lifts_what_stop_stopped_and_nothing_else(firm: Firm) -> None:
    firm.account("Ivy", mobile="07400 123456")
    text(firm, "STOP")
    with firm.office.database.unit_of_work() as unit:
        bad = {"kind": "bounce", "source": "test", "since": AT, "organisation_id": firm.id}
        unit.add(AddressStopRow(medium="sms", address="+447400999999", **bad))
    text(firm, "START")

    assert stopped(firm) == [(firm.id, "sms", "+447400999999")]
    assert tasks(firm) == []


def test_a_stop_from_a_number_that_nobody_knows_stops_it_everywhere(firm: Firm) -> None:
    other = firm.another("Quayside")
    text(firm, "STOP", sender="+447400777777")

    assert stopped(firm) == [(firm.id, "sms", "+447400777777"), (other, "sms", "+447400777777")]


@pytest.mark.parametrize("said", ["STOP", "Who is this?"])
def test_texts_that_concern_two_organisations_and_come_in_at_once_do_not_wait_for_one_another(
    database_url: str, said: str
) -> None:
    firm = Firm.founded(database_url)
    ready(firm)
    other = firm.another("Another Firm")
    numbers = [f"+4474001234{place:02}" for place in range(40)]
    for place, number in enumerate(numbers):
        first, last = (firm.id, other) if place % 2 else (other, firm.id)
        for organisation in (first, last):
            with firm.office.database.unit_of_work() as unit:
                row = AccountRow(organisation_id=organisation, ledger_id=number, name=number, mobile=number)
                unit.add(row)
                unit.flush()
                account = int(row.id or 0)
            if said == "STOP" and organisation == last:  # else it may be either's
                sent(firm, account, number, channel="sms_twilio", created_at=AT)
        fields = {"MessageSid": f"SM{place:032}", "From": number, "To": "+15005550006", "Body": said}
        with firm.office.database.unit_of_work() as unit:
            raw = b"reply\n\n" + urlencode(fields).encode()
            inbox.keep_post(unit, channel="sms_twilio", event_id=number, raw=raw, at=AT)
    together = threading.Barrier(2)

    def read(posts: list[int]) -> None:
        try:
            for post in posts:
                together.wait()
                understand(firm.office, post)
        except BaseException:
            together.abort()  # the other one must not wait for ever
            raise

    posts = sorted(row.id for row in firm.rows(PostRow))
    with ThreadPoolExecutor(2) as workers:
        for half in [workers.submit(read, posts[start::2]) for start in (0, 1)]:
            half.result()

    assert {row.attempts for row in firm.rows(PostRow)} == {1}
    assert len(stopped(firm)) == (2 * len(numbers) if said == "STOP" else 0)
    assert len(firm.rows(HoldRow)) == len(numbers) * (1 if said == "STOP" else 2)
    firm.close()


def test_help_and_yes_stop_nothing(firm: Firm) -> None:
    firm.account("Ivy", mobile="07400 123456")
    text(firm, "HELP")
    text(firm, "Yes")

    assert stopped(firm) == []


# --- mails


def test_stop_in_a_persons_own_words_holds_at_once_and_stops_when_it_is_confirmed(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 2, 1), email="mia@ivy.example")
    firm.change(reply_holds=False)
    mail(firm, "Please stop emailing me.")

    assert set(holds(firm, ivy)) == {HoldKind.QUESTION}
    assert stopped(firm) == []
    acts.read_reply(firm.office, int(reply(firm).id or 0), by=BY)
    assert set(holds(firm, ivy)) == {HoldKind.QUESTION}, "reading it decides nothing"

    reply_acts.confirm(firm.office, int(reply(firm).id or 0), 0, by=BY)
    assert stopped(firm) == [(firm.id, "email", "mia@ivy.example")]
    assert holds(firm, ivy) == {}
    assert "is stopped: they asked us to stop" in firm.position(ivy).held_because


def test_a_stop_that_was_not_meant_is_let_go(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 2, 1), email="mia@ivy.example")
    mail(firm, "Do not call me on Mondays.")
    reply_acts.dismiss(firm.office, int(reply(firm).id or 0), 0, by=BY)

    assert set(holds(firm, ivy)) == {HoldKind.REPLY}
    assert stopped(firm) == []


def test_a_mail_that_came_back_to_the_signed_address_stops_the_address_and_holds_nothing_else(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="pay@ivy.example")
    attempt = sent(firm, ivy, "pay@ivy.example")
    bounce(firm, signed(firm, ivy, attempt), "pay@ivy.example")

    assert stopped(firm) == [(firm.id, "email", "pay@ivy.example")]
    assert tasks(firm) == ["bounce"] and holds(firm, ivy) == {}
    (row,) = [row for row in firm.rows(MessageRow) if row.id == attempt]
    assert (row.delivery, row.delivery_why) == ("failed", "550 5.1.1 nobody here")


def test_a_bounce_that_anybody_may_have_written_only_holds_until_a_person_has_looked(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="pay@ivy.example")
    bounce(firm, "accounts@firm.example", "pay@ivy.example")

    assert stopped(firm) == []
    assert set(holds(firm, ivy)) == {HoldKind.NO_ADDRESS}
    acts.close_task(firm.office, firm.rows(TaskRow)[0].id, by=BY)
    assert holds(firm, ivy) == {}


def test_a_reply_from_somebody_else_in_our_thread_is_accepted_and_marked(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="pay@ivy.example")
    address = signed(firm, ivy, sent(firm, ivy, "pay@ivy.example"))
    mail(firm, "I do their books.", sender="books@keeper.example", to=address)
    assert (reply(firm).account_id, reply(firm).matched_by, reply(firm).stranger) == (ivy, "token", True)

    mail(firm, "Me again.", sender="Pay@ivy.example", to=address)
    assert reply(firm).stranger is False


def test_an_answer_in_the_thread_by_the_providers_own_message_id_finds_its_account(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="pay@ivy.example")
    sent(firm, ivy, "pay@ivy.example", message_id="<ours@firm.example>", seen_as="<theirs@sg.example>")
    mail(firm, "Noted.", sender="someone@else.example", In_Reply_To="<theirs@sg.example>")

    assert (reply(firm).account_id, reply(firm).matched_by) == (ivy, "thread")


def test_two_signed_addresses_of_different_accounts_are_no_answer(firm: Firm) -> None:
    ivy, oak = firm.account("Ivy"), firm.account("Oak")
    both = [signed(firm, one, sent(firm, one, "pay@debtor.example")) for one in (ivy, oak)]
    mail(firm, "Which one?", to=", ".join(both))

    assert reply(firm).account_id is None
    assert tasks(firm) == ["unmatched reply"]


def test_a_signed_address_whose_attempt_is_another_accounts_proves_the_account_and_no_message(firm: Firm) -> None:
    """A database that was restored gives a number that is used up already to another attempt."""
    ivy = firm.account("Ivy", date(2026, 1, 1), email="pay@ivy.example")
    fern = firm.account("Fern", date(2026, 1, 1), email="pay@fern.example")
    attempt = sent(firm, fern, "pay@fern.example", state="unsure")
    bounce(firm, signed(firm, ivy, attempt), "pay@ivy.example")

    assert (reply(firm).account_id, reply(firm).reminder_id) == (ivy, None)
    assert stopped(firm) == []
    assert HoldKind.NO_ADDRESS in holds(firm, ivy)
    (doubt,) = [row for row in firm.rows(ReminderRow) if row.cycle >= 100]
    assert doubt.state == ReminderState.UNSURE


def test_a_signed_address_of_an_account_that_is_not_here_does_not_hide_who_wrote(firm: Firm) -> None:
    ivy = firm.account("Ivy", date(2026, 1, 1), email="pay@ivy.example")
    mail(firm, "We paid on Friday.", sender="pay@ivy.example", to=signed(firm, 7_777, 8_888))

    assert (reply(firm).account_id, reply(firm).matched_by) == (ivy, "sender")
    assert HoldKind.REPLY in holds(firm, ivy)


def test_an_absence_notice_holds_nothing_but_says_that_somebody_has_left(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="mia@ivy.example")
    mail(firm, "Mia is no longer with the company. We will pay on Friday.", Auto_Submitted="auto-replied")

    assert holds(firm, ivy) == {}
    assert tasks(firm) == ["contact"]
    assert kinds(firm) == [("new contact", "")]


def test_a_newsletter_is_nobodys_task(firm: Firm) -> None:
    firm.account("Ivy", email="mia@ivy.example")
    mail(firm, "Sale!", sender="news@shop.example", List_Id="<news.shop.example>")
    mail(firm, "Sale!", List_Id="<news.ivy.example>")

    assert [row.kind for row in firm.rows(ReplyRow)] == ["bulk", "bulk"]
    assert tasks(firm) == [] and firm.rows(HistoryNoteRow) == []


def test_what_cannot_be_read_is_kept_and_read_again_when_asked(firm: Firm) -> None:
    keep(firm, "email_smtp", b" \r\n")

    (post,) = firm.rows(PostRow)
    assert post.problem == "The mail is empty." and tasks(firm) == ["unreadable reply"]
    reply_acts.try_post_again(firm.office, int(post.id or 0), by=BY)
    assert tasks(firm) == []
    understand_all(firm.office)
    assert firm.rows(PostRow)[0].problem == "The mail is empty." and tasks(firm) == ["unreadable reply"]
    reply_acts.set_post_aside(firm.office, int(post.id or 0), by=BY)
    assert tasks(firm) == []


def trips(monkeypatch: pytest.MonkeyPatch, fault: Exception | None) -> None:
    """From now on something of ours, not the mail itself, goes wrong whenever a post is read."""

    def tripped(*_: object) -> object:
        assert fault is not None
        raise fault

    monkeypatch.undo()
    if fault is not None:
        monkeypatch.setattr("jobs.receive.matched", tripped)


def test_an_answer_that_trips_us_for_minutes_is_asked_for_and_read_all_the_same(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivy = firm.account("Ivy", email="mia@ivy.example")
    trips(monkeypatch, OSError("the disk is full"))
    mail(firm, "We pay on Friday.")
    for _ in range(TRIES):
        assert tasks(firm) == [], "what may be over in a moment is nobody's task"
        understand_all(firm.office)
    assert tasks(firm) == ["unreadable reply"]
    assert [one.problem for one in the_aside(firm)] == [inbox.TRIPPED]
    trips(monkeypatch, None)

    firm.now += timedelta(minutes=59)
    assert understand_all(firm.office) == 0, "in the same hour a person alone has it read again"
    firm.now += timedelta(minutes=1)
    assert understand_all(firm.office) == 1
    assert reply(firm).account_id == ivy and the_aside(firm) == []
    assert "unreadable reply" not in tasks(firm)


def test_what_trips_us_for_a_day_is_left_to_the_person_who_was_asked(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips(monkeypatch, OSError("the disk is full"))
    mail(firm, "We pay on Friday.")
    tried = []
    for _ in range(7 * 60):
        firm.now += timedelta(minutes=10)
        tried.append(understand_all(firm.office))
        with firm.office.database.reading() as session:
            assert len(tried) < TRIES or not inbox.not_understood(session), "it keeps no reminder waiting"

    assert sum(tried) == TRIES + 24
    assert tried[-6 * 24 :] == [0] * 6 * 24 and tasks(firm) == ["unreadable reply"]


@pytest.mark.parametrize("later", [timedelta(hours=9), timedelta(days=3)])
def test_a_post_that_trips_us_again_late_is_tried_on_no_more_than_once_an_hour(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, later: timedelta
) -> None:
    trips(monkeypatch, OSError("the disk is full"))
    mail(firm, "We pay on Friday.")
    for _ in range(TRIES):
        understand_all(firm.office)
    firm.now += later
    reply_acts.try_post_again(firm.office, int(firm.rows(PostRow)[0].id or 0), by=BY)
    for _ in range(TRIES + 1):
        assert understand_all(firm.office) == 1

    assert understand_all(firm.office) == 0 and tasks(firm) == ["unreadable reply"]
    firm.now += timedelta(hours=1)
    assert understand_all(firm.office) == (later < timedelta(days=1))
    assert understand_all(firm.office) == 0


def test_hours_in_which_we_were_not_running_are_not_made_up_for_at_once(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips(monkeypatch, OSError("the disk is full"))
    mail(firm, "We pay on Friday.")
    for _ in range(TRIES):
        understand_all(firm.office)
    firm.now += timedelta(hours=7, minutes=30)

    assert [understand_all(firm.office) for _ in range(3)] == [1, 0, 0]


def the_aside(firm: Firm) -> list[Any]:
    with firm.office.database.reading() as session:
        return list(inbox.all_aside(session))


@pytest.mark.parametrize("order", [1, -1])
def test_mails_that_mean_harm_are_kept_and_keep_no_answer_from_being_read(firm: Firm, order: int) -> None:
    answer = b"From: Mia <mia@ivy.example>\r\nTo: accounts@firm.example\r\n\r\nWe pay on Friday."
    mails = [*HARMFUL.values(), answer][::order]
    with firm.office.database.unit_of_work() as unit:
        for number, raw in enumerate(mails):
            inbox.keep_post(unit, channel="email_smtp", event_id=str(number), raw=raw, at=firm.now)
    understand_all(firm.office)

    posts = firm.rows(PostRow)
    assert [post.raw for post in posts] == mails, "every byte is kept"
    assert all(post.processed_at or post.problem.endswith(".") for post in posts), "each is read, or says why not"
    assert len(firm.rows(ReplyRow)) == sum(post.problem == "" for post in posts)
    assert "We pay on Friday." in [row.said for row in firm.rows(ReplyRow)]


def nested(parts: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(parts))


def bomb() -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 5_000_000)
    head = b"Content-Type: application/zip; name=bomb.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head + encodebytes(packed.getvalue())


HARMFUL = {
    "parts inside parts without end": b"From: a@b.example\r\n" + nested(10_000) + b"\r\nhi",
    "parts beside parts": b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\npart\r\n" * 10_000,
    "an archive that would fill the disk": b"From: a@b.example\r\n" + bomb(),
    "an alphabet that is none": b"From: a@b.example\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe\x80",
    "a header without end": b"From: a@b.example\r\nReferences: " + b"<" * 1_000_000 + b"\r\n\r\nhi",
    "markup without end": b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<div><!--<![" * 50_000,
}


# --- what no reply may do


@pytest.fixture(scope="module")
def one_firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    firm = Firm.founded(f"sqlite:///{tmp_path_factory.mktemp('books') / 'arrears.db'}")
    ready(firm)
    firm.account("Ivy", date(2026, 2, 1), email="mia@ivy.example", mobile="07400 123456")
    yield firm
    firm.close()


CLAIMS = st.lists(
    st.sampled_from(
        [
            "We have paid Ivy 1 in full.",
            "Our bank details have changed: IBAN GB33BUKB20201555555555.",
            "My new address is mia@elsewhere.example, please update your records.",
            "The balance is 0.00 and the invoice is void.",
            "We will pay on Friday.",
            "We dispute this invoice.",
            "STOP",
            "START",
            "I agree to automatic calls.",
            "Credit us 100 GBP",
        ]
    ),
    min_size=1,
    max_size=5,
)


def untouchable(firm: Firm) -> list[Any]:
    """Money, addresses and consent."""
    return [
        [(row.number, row.balance, row.total, row.status, row.expected_on) for row in firm.rows(InvoiceRow)],
        [(row.email, row.mobile, row.phone) for row in firm.rows(AccountRow)],
        *[firm.rows(table) for table in (PaymentRow, CreditRow, VoiceConsentRow)],
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CLAIMS, st.booleans(), st.text(max_size=80))
def test_a_reply_never_moves_money_addresses_or_consent_and_never_lifts_a_hold(
    one_firm: Firm, claims: list[str], by_text: bool, junk: str
) -> None:
    firm = one_firm
    before, standing = untouchable(firm), {row.id for row in firm.rows(HoldRow) if row.lifted_at is None}
    said = "\n".join([*claims, junk.replace("\x00", "")])
    text(firm, said) if by_text else mail(firm, said)

    assert untouchable(firm) == before
    assert standing <= {row.id for row in firm.rows(HoldRow) if row.lifted_at is None}
