"""Mirrors web/rooms/doors.py and jobs/doors.py: a post is stored as it came before it is answered, over real HTTP.

Nothing is lost silently, nobody fills our disk or our memory, and nothing that is broken here costs a debtor's answer.
"""

import http.client
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from channels import settings_of
from jobs import doors, reply_acts
from jobs.receive import understand_all
from serving import served
from store.tables import PostRow, ReplyRow, TaskRow
from tests.jobs.firm import BY, Firm
from web import build
from web.rooms import doors as web_doors

DOOR = "/hooks/email_sendgrid/inbound/s3cret"
MAIL = (
    b"From: zoe@cafe.example\r\nTo: replies@firm.example\r\nSubject: Hello\r\nMessage-ID: <%d@cafe.example>\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe\r\n"
)


class House:
    """A firm whose doors are open on this machine."""

    def __init__(self, firm: Firm, address: str, pokes: list[tuple[str, str]]) -> None:
        self.firm, self.address, self.pokes = firm, urlsplit(address), pokes

    def post(self, door: str, body: bytes, method: str = "POST", **headers: str) -> tuple[int, bytes]:
        line = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=20)
        try:
            line.request(method, door, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def mail(self, number: int, door: str = DOOR, mail: bytes = MAIL) -> int:
        form = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + mail.replace(b"%d", b"%d" % number)
        return self.post(door, form + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x")[0]

    def rows(self, table: Any) -> list[Any]:
        return self.firm.rows(table)

    def tasks(self) -> list[str]:
        return [row.kind for row in self.rows(TaskRow) if row.closed_at is None]


@pytest.fixture
def house(sqlite_url: str) -> Iterator[House]:
    firm = Firm.founded(sqlite_url)
    keys = {"api_key": "SG.key", "from_address": "accounts@firm.example", "door_secret": "s3cret"}
    twilio = {"account_sid": "AC" + "0" * 32, "auth_token": "token", "from_number": "+15005550006"}
    firm.office.channels = {
        "email_sendgrid": settings_of("email_sendgrid")(**keys),
        "sms_twilio": settings_of("sms_twilio")(**twilio),
    }
    pokes: list[tuple[str, str]] = []
    with served(build(firm.office, poke=lambda name, key: pokes.append((name, key)))) as address:
        yield House(firm, address, pokes)
    firm.close()


def test_a_post_is_stored_as_it_came_and_the_schedule_is_asked_to_read_it(house: House) -> None:
    assert house.mail(1) == 200

    (post,) = house.rows(PostRow)
    assert b"Gr\xfc\xdfe" in post.raw and post.problem == ""
    assert house.pokes == [("receive", "")]
    understand_all(house.firm.office)
    assert [reply.said for reply in house.rows(ReplyRow)] == ["Grüße"]


def test_a_post_that_comes_again_is_stored_once(house: House) -> None:
    assert [house.mail(1), house.mail(1), house.mail(2)] == [200, 200, 200]

    assert len(house.rows(PostRow)) == 2


def test_a_door_that_is_none_and_a_channel_that_is_not_set_up_are_not_there(house: House) -> None:
    for door in ("/hooks/email_sendgrid/cellar/s3cret", "/hooks/email_smtp/x", "/hooks/nobody/x", "/hooks/xero/x"):
        assert house.post(door, b"x")[0] == 404
    assert house.rows(PostRow) == []


def test_what_its_provider_has_not_signed_is_turned_away_and_a_person_is_told_once(house: House) -> None:
    for _ in range(3):
        assert house.post("/hooks/sms_twilio/reply", b"Body=STOP", x_twilio_signature="bm8=") == (401, b"")

    assert house.rows(PostRow) == []
    assert house.tasks() == ["unsigned post"]


def test_a_post_with_the_wrong_secret_waits_for_a_person_and_is_read_by_nobody(house: House) -> None:
    assert 200 <= house.mail(1, door="/hooks/email_sendgrid/inbound/guess") < 300
    understand_all(house.firm.office)

    (post,) = house.rows(PostRow)
    assert post.problem and b"Gr\xfc\xdfe" in post.raw
    assert house.rows(ReplyRow) == []
    assert house.tasks() == ["unreadable reply"]


def test_the_task_about_what_a_door_put_aside_is_closed_once_all_of_it_is_dealt_with(house: House) -> None:
    for number in (1, 2):
        house.mail(number, door="/hooks/email_sendgrid/inbound/guess")
    (task,) = house.rows(TaskRow)
    assert task.text.startswith("2 posts to the door of email_sendgrid wait for a person")
    first, second = (int(post.id or 0) for post in house.rows(PostRow))

    reply_acts.set_post_aside(house.firm.office, first, by=BY)
    assert house.tasks() == ["unreadable reply"], "the other one still waits"
    reply_acts.try_post_again(house.firm.office, second, by=BY)
    assert house.tasks() == []


def test_a_flood_of_unbelievable_posts_does_not_fill_the_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MOST_ASIDE", 3)
    answers = [house.mail(number, door="/hooks/email_sendgrid/inbound/guess") for number in range(6)]

    assert answers[3:] == [503, 503, 503]
    assert len(house.rows(PostRow)) == 3
    assert house.mail(9) == 200, "what is believed still comes in"
    (task,) = house.rows(TaskRow)
    assert "no more of them are taken in" in task.text


@pytest.mark.parametrize("told", [True, False])
def test_a_post_that_is_too_large_is_refused_and_a_person_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setitem(doors._MOST, "email", 1_000)
    body: Any = b"x" * 2_000 if told else iter([b"x" * 500] * 4)  # in pieces, without saying how many

    assert house.post(DOOR, body)[0] == 413
    assert house.rows(PostRow) == []
    assert house.tasks() == ["post too large"]


def test_a_mail_that_is_larger_than_our_own_setting_is_refused_and_a_person_is_told(house: House) -> None:
    """SendGrid drops it for good then, and tells neither its writer nor us."""
    settings = house.firm.office.channels["email_sendgrid"]
    house.firm.office.channels = {"email_sendgrid": replace(settings, inbound_megabytes=1)}

    assert house.mail(1, mail=MAIL + b"x" * 1_100_000) == 413
    assert house.rows(PostRow) == []
    assert house.tasks() == ["post too large"]


@pytest.mark.parametrize("door", [DOOR, "/hooks/xero", "/hooks/sms_twilio/status/x"])
def test_a_post_that_announces_too_much_is_refused_before_any_of_it_is_read(house: House, door: str) -> None:
    """Only the head is sent, so whoever waits for the body never answers."""
    line = http.client.HTTPConnection(house.address.hostname or "", house.address.port, timeout=20)
    try:
        line.putrequest("POST", door)
        line.putheader("Content-Length", "50000000")
        line.endheaders()
        assert line.getresponse().status == 413
    finally:
        line.close()


def test_a_mail_of_thirty_megabytes_comes_in_whole(house: House) -> None:
    file = b"QUJD" * 7_500_000

    assert house.mail(1, mail=MAIL + file) == 200
    (post,) = house.rows(PostRow)
    assert file in post.raw


def test_when_too_much_comes_in_at_once_it_is_asked_to_come_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_doors, "AT_ONCE", 100)
    assert house.mail(1) == 503
    monkeypatch.undo()

    assert house.mail(1) == 200


def test_our_own_trouble_is_never_an_answer_that_loses_the_mail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> int:
        raise OSError("the disk is full")

    monkeypatch.setattr(doors.inbox, "keep_posts", broken)
    assert house.mail(1) == 503
    monkeypatch.undo()

    assert house.rows(PostRow) == []
    assert house.mail(1) == 200


def test_a_form_that_breaks_off_is_not_lost_silently(house: House) -> None:
    half = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nFrom: a@b.example\r\n'
    status, _ = house.post(DOOR, half, content_type="multipart/form-data; boundary=x")

    assert status < 400 or status >= 500
    assert status >= 500 or [post.problem != "" for post in house.rows(PostRow)] == [True]


def test_a_forged_token_gives_a_reply_to_nobody(house: House) -> None:
    token = MAIL.replace(b"replies@", b"replies+0000000100000001abcdefghjkmnp@")
    house.mail(1, mail=token)
    understand_all(house.firm.office)

    (reply,) = house.rows(ReplyRow)
    assert (reply.account_id, reply.matched_by) == (None, "")
    assert house.tasks() == ["unmatched reply"]


def test_each_way_to_knock_is_an_operation_of_its_own(house: House) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paths = build(house.firm.office, poke=lambda *_: None).openapi()["paths"]

    known = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(known) == len(set(known))
    assert {"get", "post"} <= paths["/hooks/{kind}/{door}"].keys()
