"""Mirrors jobs/doctor_reach.py: the way in and the way out, with our own pages and the practice post office."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import uvicorn

from channels import settings_of
from jobs.doctor import Finding, Verdict
from jobs.doctor_reach import clock, test_message, way_in, way_out
from jobs.office import Office
from town import Town
from web import build

SECONDS = 3.0


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    return a_town(company=False)


@pytest.fixture
def office(town: Town) -> Office:
    return town.office


@contextmanager
def pages(office: Office) -> Iterator[None]:
    """Our pages, at the address that they are said to have."""
    server = uvicorn.Server(uvicorn.Config(build(office, poke=lambda *_: None), port=0, log_level="error"))
    begun = Thread(target=server.run, daemon=True)
    begun.start()
    while not server.started:
        begun.join(0.01)
    office.public_url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield
    server.should_exit = True
    begun.join()


@contextmanager
def somebody_else(status: int = 200, body: bytes = b"Welcome", **headers: str) -> Iterator[str]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def by_subject(findings: Iterator[Finding]) -> dict[str, list[Finding]]:
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        told.setdefault(finding.about, []).append(finding)
    return told


def test_the_public_address_leads_to_us_and_the_doors_let_posts_through(office: Office) -> None:
    with pages(office):
        told = by_subject(way_in(office, SECONDS))

    local, leads = told["public address"]
    assert (local.verdict, leads.verdict) == (Verdict.LOOK, Verdict.OK), "an address of this machine is nobody's else"
    assert told["doors"][0].verdict is Verdict.OK


def test_an_address_where_nobody_answers_is_wrong(office: Office) -> None:
    office.public_url = "http://127.0.0.1:1"

    told = by_subject(way_in(office, SECONDS))["public address"][-1]
    assert told.verdict is Verdict.WRONG
    assert "127.0.0.1:1 does not answer" in told.says


def test_somebody_else_at_our_address_is_not_taken_for_us(office: Office) -> None:
    with somebody_else() as office.public_url:
        told = by_subject(way_in(office, SECONDS))["public address"][-1]

    assert told.verdict is Verdict.WRONG
    assert "not as arrears does" in told.says


def test_a_proxy_that_keeps_posts_to_itself_is_found(office: Office) -> None:
    with somebody_else(body=b'{"ok": true}') as office.public_url:
        told = by_subject(way_in(office, SECONDS))["doors"][0]

    assert told.verdict is Verdict.WRONG
    assert "/hooks/xero (200)" in told.says


def test_an_address_in_the_open_is_wrong(office: Office) -> None:
    office.public_url = "http://arrears.invalid"

    told = by_subject(way_in(office, SECONDS))["public address"]
    assert [finding.verdict for finding in told] == [Verdict.WRONG, Verdict.WRONG]
    assert "not https" in told[0].says


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (0, Verdict.OK),
        (4, Verdict.OK),
        (8, Verdict.LOOK),
        (-8, Verdict.LOOK),
        (90, Verdict.WRONG),
        (-90, Verdict.WRONG),
    ],
)
def test_our_clock_is_compared_with_that_of_a_provider(office: Office, seconds: int, verdict: Verdict) -> None:
    office.clock = lambda: datetime(2026, 6, 1, 7, tzinfo=UTC)
    theirs = office.clock() + timedelta(seconds=seconds)
    with somebody_else(401, Date=format_datetime(theirs, usegmt=True)) as url:
        (told,) = clock(office, ["http://127.0.0.1:1", url], SECONDS)

    assert told.verdict is verdict
    assert told.do or verdict is Verdict.OK


def test_a_clock_that_could_not_be_compared_says_so(office: Office) -> None:
    (offline,) = clock(office, ["http://127.0.0.1:1"], SECONDS)
    (nobody,) = clock(office, [], SECONDS)

    assert (offline.verdict, nobody.verdict) == (Verdict.LOOK, Verdict.LOOK)
    assert "Are you offline?" in offline.do


def test_mail_server_and_mailbox_let_us_in_and_nothing_is_sent_or_taken(town: Town) -> None:
    told = by_subject(way_out(town.office))

    assert told["[email_smtp] sending"][0].verdict is Verdict.OK
    assert told["[email_smtp] answers"][0].verdict is Verdict.OK
    assert town.control.mails() == []


def test_a_mail_server_that_is_not_there_is_wrong(town: Town) -> None:
    block = replace(town.office.channels["email_smtp"], port=1, imap_port=1)
    town.office.channels = {"email_smtp": block}
    told = by_subject(way_out(town.office))

    assert told["[email_smtp] sending"][0].verdict is Verdict.WRONG
    assert "cannot be reached" in told["[email_smtp] sending"][0].says
    assert told["[email_smtp] answers"][0].verdict is Verdict.WRONG


@pytest.mark.parametrize(
    ("scopes", "verdict"),
    [(["mail.send", "logs.read"], Verdict.OK), (["mail.send"], Verdict.LOOK), (["logs.read"], Verdict.WRONG)],
)
def test_sendgrid_and_twilio_are_asked_whether_they_let_us_in(town: Town, scopes: list[str], verdict: Verdict) -> None:
    world = town.world
    world.control.sendgrid.key(scopes)
    keys = {"account_sid": world.twilio.account_sid, "auth_token": world.twilio.auth_token}
    at_twilio = keys | {"from_number": world.twilio.number, "base_url": world.twilio.base_url}
    town.office.channels = {
        "email_sendgrid": settings_of("email_sendgrid")(
            api_key=world.sendgrid.api_key, host=world.sendgrid.host, from_address="accounts@firm.example"
        ),
        "sms_twilio": settings_of("sms_twilio")(**at_twilio),
        "call_twilio": settings_of("call_twilio")(**at_twilio | {"auth_token": "another"}),
    }
    told = by_subject(way_out(town.office))

    assert told["[email_sendgrid] sending"][0].verdict is verdict
    assert told["[sms_twilio] sending"][0].verdict is Verdict.OK
    assert told["[call_twilio] sending"][0].verdict is Verdict.WRONG
    assert all(finding.do for findings in told.values() for finding in findings if finding.verdict is not Verdict.OK)
    assert town.control.mails() == []


def test_without_an_email_channel_no_reminder_can_leave(office: Office) -> None:
    office.channels = {}

    assert [finding.verdict for finding in way_out(office)] == [Verdict.WRONG]


def test_a_test_message_goes_to_oneself(town: Town) -> None:
    (told,) = test_message(town.office, "me@firm.example")

    assert told.verdict is Verdict.OK
    (mail,) = town.mails_to("me@firm.example")
    assert mail["subject"] == "A test message from arrears"


def test_a_test_message_that_is_refused_says_why(town: Town) -> None:
    town.control.faults(smtp={"refuse": ["me@firm.example"]})
    (told,) = test_message(town.office, "me@firm.example")

    assert told.verdict is Verdict.WRONG
    assert "refused the recipient" in told.says
