"""Mirrors channels/email_sendgrid.py: a mail goes once by SendGrid, or we say why not, or that nobody knows."""

import itertools
import json
import logging
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandbox
from channels import (
    Attachment,
    Channel,
    Message,
    Receipt,
    Refused,
    Unavailable,
    Unsure,
    kinds,
    medium_of,
    open_channel,
    settings_of,
)
from channels._sendgrid_mail import ascii_name

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
NUMBERS = itertools.count(1000)
Settings = settings_of("email_sendgrid")


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=NOW, company=False) as world:
        yield world


@pytest.fixture
def channel(world) -> Iterator[Channel]:
    channel = a_channel(world)
    yield channel
    channel.close()


def a_channel(world: sandbox.Sandbox, **changes) -> Channel:
    usual = {
        "api_key": world.sendgrid.api_key,
        "host": world.sendgrid.host,
        "from_address": "accounts@brightwater.example",
        "from_name": "Brightwater Joinery",
        "answer_seconds": 5.0,
    }
    return open_channel("email_sendgrid", Settings(**{**usual, **changes}), clock=world.control.now)


def a_message(**changes) -> Message:
    usual = {
        "attempt": "57",
        "message_id": "<arrears.57.abc@brightwater.example>",
        "to": "mia@cafe.example",
        "to_name": "Mia O'Neill",
        "subject": "A quick reminder – £120",
        "text": "Hi Mia,\n\nplease pay £120.\n",
    }
    return Message(**{**usual, **changes})


def test_email_by_sendgrid_is_a_channel_of_its_own():
    assert "email_sendgrid" in kinds() and medium_of("email_sendgrid") == "email"


def test_a_reminder_that_was_taken_has_a_receipt_with_sendgrids_own_name_for_it(world, channel):
    receipt = channel.send(a_message())
    (mail,) = world.control.sendgrid.mails()

    assert receipt == Receipt(mail["sg_message_id"].partition(".")[0], NOW)
    assert len(receipt.provider_id) == 22


def test_a_mail_says_who_wrote_it_what_it_answers_and_that_a_machine_sent_it(world, channel):
    channel.send(
        a_message(
            reply_to="replies+abc@reply.brightwater.example",
            references=("<first@x.example>", "<last@x.example>"),
            html="<p>please pay <b>£120</b></p>",
        )
    )
    (letter,) = world.control.mails()

    assert letter["from"] == "Brightwater Joinery <accounts@brightwater.example>"
    assert (letter["to"], letter["subject"]) == (["mia@cafe.example"], "A quick reminder – £120")
    assert letter["message_id"] == "<arrears.57.abc@brightwater.example>"
    assert letter["reply_to"] == "replies+abc@reply.brightwater.example"
    headers = letter["headers"]
    assert headers["In-Reply-To"] == "<last@x.example>"
    assert headers["References"] == "<first@x.example> <last@x.example>"
    assert (headers["Auto-Submitted"], headers["X-Arrears-Attempt"]) == ("auto-generated", "57")
    assert "X-Auto-Response-Suppress" not in headers
    assert letter["text"].replace("\r\n", "\n") == "Hi Mia,\n\nplease pay £120.\n"
    assert "<b>£120</b>" in letter["html"]


def test_our_marks_go_with_it_and_say_nothing_of_anybody(world, channel):
    channel.send(a_message(token="0123456789abcdefghjkmnpqrstvw"))
    (mail,) = world.control.sendgrid.mails()

    assert mail["custom_args"] == {
        "arrears_attempt": "57",
        "arrears_mail": "arrears.57.abc",
        "arrears_token": "0123456789abcdefghjkmnpqrstvw",
    }
    assert mail["categories"] == []


def test_nothing_is_tracked(world):
    with Answering() as server:
        a_channel(world, host=server.url).send(a_message())

    tracking = server.asked[0]["tracking_settings"]
    assert {name: setting["enable"] for name, setting in tracking.items()} == {
        "click_tracking": False,
        "open_tracking": False,
        "subscription_tracking": False,
        "ganalytics": False,
    }
    assert tracking["click_tracking"]["enable_text"] is False
    assert not any(word in server.asked[0] for word in ("asm", "mail_settings", "ip_pool_name"))


def test_copies_pictures_and_files_go_with_it(world, channel):
    outcome = channel.send(
        a_message(
            cc=("boss@cafe.example", "MIA@cafe.example", "Boss@cafe.example"),
            html="<p><img src='cid:logo'></p>",
            attachments=(
                Attachment("logo.png", "image/png", b"\x89PNG", content_id="logo"),
                Attachment("Kontoauszug für Zoë.pdf", "application/pdf", b"%PDF"),
            ),
        )
    )
    (letter,) = world.control.mails()

    assert isinstance(outcome, Receipt)
    assert letter["cc"] == ["boss@cafe.example"]
    assert letter["attachments"] == ["Kontoauszug fur Zoe.pdf"] and "Content-ID: <logo>" in letter["raw"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("statement-A1.pdf", "statement-A1.pdf"),
        ("Übersicht.pdf", "Ubersicht.pdf"),
        ("請求書", "attachment"),
        ('a"b/c', "a_b_c"),
    ],
)
def test_the_names_of_files_are_written_in_ascii(name, plain):
    assert ascii_name(name) == plain


def test_names_may_have_the_commas_that_sendgrid_does_not_take(world, channel):
    outcome = channel.send(a_message(to_name="O'Neill, Mia; Café", from_name="Müller & Söhne, GmbH"))
    (letter,) = world.control.mails()

    assert isinstance(outcome, Receipt)
    assert letter["from"] == "Müller & Söhne GmbH <accounts@brightwater.example>"
    assert "O'Neill Mia Café" in letter["headers"]["To"]


def test_a_category_may_carry_the_day_and_absence_notices_may_be_declined(world):
    a_channel(world, category="arrears-{day}", suppress_out_of_office=True).send(a_message())

    assert world.control.sendgrid.mails()[0]["categories"] == ["arrears-2026-01-05"]
    assert world.control.mails()[0]["headers"]["X-Auto-Response-Suppress"] == "OOF"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"subject": "x\r\nBcc: all@example.com"}, "line break"),
        ({"to": "mia"}, "not an email address"),
        ({"to": "a@b.example, c@d.example"}, "not an email address"),
        ({"from_address": "büro@brightwater.example"}, "ASCII"),
        ({"text": " \n", "html": ""}, "no words"),
        ({"attachments": (Attachment("a.bin", "application/octet-stream", b"x" * 24_000_000),)}, "30 MB"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anybody_is_called(world, channel, changes, why):
    outcome = channel.send(a_message(**changes))

    assert isinstance(outcome, Refused) and why in outcome.why
    assert world.control.calls(door="sendgrid") == []


@pytest.mark.parametrize(
    ("fault", "outcome", "taken", "why"),
    [
        ("400", Refused, 0, "400 Bad Request"),
        ("401", Unavailable, 0, "check api_key"),
        ("403", Unavailable, 0, "right Mail Send"),
        ("429", Unavailable, 0, "too often"),
        ("500", Unsure, 0, "500 internal server error"),
        ("503", Unsure, 0, "503 Service Unavailable"),
        ("502html", Unsure, 0, "502 Bad Gateway"),
        ("500_after", Unsure, 1, "500"),
        ("drop_before", Unsure, 0, "broke off"),
        ("drop_after", Unsure, 1, "broke off"),
    ],
)
def test_each_answer_says_what_to_do_next_and_no_answer_is_a_riddle(world, channel, fault, outcome, taken, why):
    world.control.sendgrid.faults(fault)
    result = channel.send(a_message())

    assert type(result) is outcome and why in result.why and not result.why.endswith(".")
    assert isinstance(channel.send(a_message(attempt="58", message_id="")), Receipt)
    assert len(world.control.mails()) == taken + 1


def test_an_answer_that_does_not_come_in_time_is_a_riddle(world):
    with Answering(b"") as server:
        outcome = a_channel(world, host=server.url, answer_seconds=0.1).send(a_message())

    assert isinstance(outcome, Unsure) and "broke off" in outcome.why
    assert len(server.asked) == 1


def test_asked_too_often_says_from_when_it_may_be_asked_again(world, channel):
    world.control.sendgrid.limit(1)
    channel.send(a_message())

    assert channel.send(a_message()) == Unavailable(
        "SendGrid has been asked too often for the moment", NOW + timedelta(minutes=1)
    )


def test_a_mail_that_is_too_large_for_sendgrid_itself_is_refused_whoever_says_so(world):
    with Answering(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 6\r\n\r\n<html>") as server:
        outcome = a_channel(world, host=server.url).send(a_message())

    assert outcome == Refused("SendGrid refused the mail: 413 Request Entity Too Large")


@pytest.mark.parametrize(
    "status", ["200 OK", "201 Created", "408 Request Timeout", "404 Not Found", "301 Moved", "999 X"]
)
def test_only_202_means_that_it_was_taken(world, status):
    with Answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n".encode()) as server:
        outcome = a_channel(world, host=server.url).send(a_message())

    assert isinstance(outcome, Unavailable if status[:3] in ("301", "404") else Unsure)
    assert len(server.asked) == 1


def test_an_answer_that_breaks_off_after_its_status_still_says_what_it_says(world):
    with Answering(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 50\r\n\r\nhalf") as server:
        outcome = a_channel(world, host=server.url).send(a_message())

    assert outcome == Receipt("abc", NOW)


@pytest.mark.parametrize("host", ["http://127.0.0.1:{free}", "http://no.such.host.invalid", "https://127.0.0.1:{open}"])
def test_what_was_never_reached_has_certainly_taken_nothing(world, host):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    host = host.format(free=free, open=world.url.rpartition(":")[2])
    outcome = a_channel(world, host=host, answer_seconds=1.0).send(a_message())

    assert isinstance(outcome, Unavailable) and "cannot be reached" in outcome.why
    assert world.control.mails() == []


def test_one_line_is_kept_for_many_reminders_and_opened_again_when_it_was_cut(world):
    with Answering() as server:
        channel = a_channel(world, host=server.url)
        for _ in range(3):
            assert isinstance(channel.send(a_message()), Receipt)
        assert server.callers == 1
        server.cut()
        assert isinstance(channel.send(a_message()), Receipt)
        assert (server.callers, len(server.asked)) == (2, 4)
        channel.close()


def test_a_line_that_was_silent_for_long_is_not_trusted(world):
    with Answering() as server:
        channel = a_channel(world, host=server.url, keep_line_seconds=0.0)
        channel.send(a_message())
        channel.send(a_message())

    assert server.callers == 2


def test_many_threads_may_send_at_once_and_every_reminder_goes_once(world, channel):
    outcomes = []
    threads = [
        threading.Thread(target=lambda n=n: outcomes.append(channel.send(a_message(attempt=str(n), message_id=""))))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert sorted(int(mail["custom_args"]["arrears_attempt"]) for mail in world.control.sendgrid.mails()) == [
        *range(20)
    ]


def test_the_key_is_never_written_into_a_log_or_shown_with_the_settings(world, channel, caplog):
    with caplog.at_level(logging.DEBUG):
        channel.send(a_message())

    assert world.sendgrid.api_key not in caplog.text and "please pay" not in caplog.text
    assert world.sendgrid.api_key not in repr(Settings(world.sendgrid.api_key, "a@b.example", door_secret="hidden"))
    assert "hidden" not in repr(Settings("k", "a@b.example", door_secret="hidden"))


def test_a_subuser_is_sent_for(world):
    with Answering() as server:
        a_channel(world, host=server.url, subuser="brightwater").send(a_message())

    assert server.headers[0]["on-behalf-of"] == "brightwater"


# --- evidence


def test_a_mail_whose_answer_was_lost_is_found_in_the_logs_by_its_marks(world, channel):
    channel.send(a_message(attempt="56", message_id="<arrears.56.aaa@brightwater.example>"))
    world.control.sendgrid.faults("drop_after")
    assert isinstance(channel.send(a_message()), Unsure)
    mail = world.control.sendgrid.mails()[1]

    found = channel.find(a_message())
    assert found == Receipt(mail["sg_message_id"].partition(".")[0], NOW, "It was found in SendGrid's Email Logs.")


@pytest.mark.parametrize(
    "other",
    [
        {"attempt": "56"},
        {"message_id": "<arrears.57.another@brightwater.example>"},
        {"to": "somebody@else.example"},
    ],
)
def test_another_mail_is_no_evidence(world, channel, other):
    channel.send(a_message(**other))

    assert channel.find(a_message()) is None


def test_a_mail_that_did_not_go_is_not_found(world, channel):
    world.control.sendgrid.faults("drop_before")
    channel.send(a_message())

    assert channel.find(a_message()) is None


def test_the_logs_may_be_late_so_looking_once_proves_nothing(world, channel):
    world.control.sendgrid.habits(logs_after=600)
    channel.send(a_message())
    assert channel.find(a_message()) is None

    world.control.move_clock(NOW + timedelta(minutes=10))
    assert isinstance(channel.find(a_message()), Receipt)
    assert channel.evidence_waits == tuple(timedelta(minutes=wait) for wait in (2, 10, 30, 120))


def test_the_search_goes_back_to_when_the_attempt_was_written_down(world, channel):
    channel.send(a_message())
    world.control.move_clock(NOW + timedelta(days=10))

    assert channel.find(a_message()) is None
    assert isinstance(channel.find(a_message(since=NOW)), Receipt)


def test_of_many_mails_to_one_address_those_soonest_after_the_attempt_are_looked_at(world):
    channel = a_channel(world, evidence_candidates=2)
    channel.send(a_message())
    for later in range(1, 6):
        world.control.move_clock(NOW + timedelta(hours=later))
        channel.send(a_message(attempt=str(later), message_id=""))

    assert isinstance(channel.find(a_message(since=NOW)), Receipt)
    assert channel.find(a_message(since=NOW, attempt="5", message_id="")) is None


def test_an_address_with_an_apostrophe_or_capitals_is_searched_for_as_well(world, channel):
    for attempt, to in (("1", "o'neill@cafe.example"), ("2", "Mia.Smith@Cafe.example")):
        message = a_message(attempt=attempt, to=to, message_id="")
        channel.send(message)
        assert isinstance(channel.find(message), Receipt)


@pytest.mark.parametrize("fault", ["429", "500", "403", "drop_before", "502html"])
def test_a_search_that_fails_finds_nothing_and_breaks_nothing(world, channel, fault):
    channel.send(a_message())
    world.control.sendgrid.faults({"fault": fault, "path": "logs"})

    assert channel.find(a_message()) is None


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", '{"messages": [1]}', '{"messages": [{}]}', '{"messages": 7}', "<html>"]
)
def test_logs_that_say_nothing_that_can_be_understood_prove_nothing(world, said):
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\n\r\n{said}".encode()
    with Answering(answer) as server:
        assert a_channel(world, host=server.url).find(a_message()) is None


def test_a_search_can_be_left_off(world):
    channel = a_channel(world, evidence=False)
    channel.send(a_message())
    world.control.calls(door="sendgrid", reset=True)

    assert channel.find(a_message()) is None and channel.evidence_waits == ()
    assert world.control.calls(door="sendgrid") == []


FAULTS = ["400", "401", "403", "429", "500", "503", "502html", "500_after", "drop_before", "drop_after", "none"]


@pytest.fixture(scope="module")
def busy_world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=NOW, company=False) as world:
        yield world


@given(st.lists(st.tuples(st.sampled_from(FAULTS), st.sampled_from(["mia", "zoe"])), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_fails_the_outcome_is_the_truth_and_the_logs_settle_every_doubt(busy_world, tries):
    channel = a_channel(busy_world)
    before = len(busy_world.control.sendgrid.mails())
    outcomes = {}
    for fault, who in tries:
        message = a_message(attempt=str(next(NUMBERS)), message_id="", to=f"{who}@cafe.example")
        busy_world.control.sendgrid.faults(*([] if fault == "none" else [fault]))
        outcomes[message] = channel.send(message)
    taken = [mail["custom_args"]["arrears_attempt"] for mail in busy_world.control.sendgrid.mails()[before:]]

    for message, outcome in outcomes.items():
        went = taken.count(message.attempt)
        assert went <= 1
        if not isinstance(outcome, Unsure):
            assert isinstance(outcome, Receipt) is bool(went)
        assert (channel.find(message) is not None) is bool(went)
    channel.close()


# --- settings


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"from_address": ""}, "from_address is missing"),
        ({"host": "api.sendgrid.com"}, "https://"),
        ({"host": "http://["}, "https://"),
        ({"api_key": "SG.x\n"}, "no key"),
        ({"event_public_key": "MFkw-not-a-key"}, "not a public key"),
        ({"inbound_public_key": "AAAA"}, "not a public key"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_at_once(wrong, why):
    with pytest.raises(ValueError, match=why):
        Settings(**{"api_key": "k", "from_address": "a@b.example"} | wrong)


def test_nothing_is_collected_because_everything_is_handed_in(channel):
    assert list(channel.collect(None)) == []


class Answering:
    """A server on this machine that gives the one answer it was told to, and counts who called."""

    def __init__(
        self, answer: bytes = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 0\r\n\r\n"
    ) -> None:
        self.asked: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.callers = 0
        self._open: list[socket.socket] = []
        told = self

        class Line(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                told.callers += 1
                told._open.append(self.connection)
                while self.rfile.readline().strip():
                    headers = {}
                    while (line := self.rfile.readline().strip()) != b"":
                        name, _, value = line.decode().partition(":")
                        headers[name.lower()] = value.strip()
                    told.headers.append(headers)
                    told.asked.append(json.loads(self.rfile.read(int(headers["content-length"]))))
                    self.wfile.write(answer)
                    if b"half" in answer:
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line)
        self._server.daemon_threads, self._server.block_on_close = True, False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def cut(self) -> None:
        for line in self._open:
            line.shutdown(socket.SHUT_RDWR)
            line.close()

    def __enter__(self) -> "Answering":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
