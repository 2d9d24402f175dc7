"""Mirrors sandbox/sendgrid/telling.py and inbound.py: what SendGrid posts, signed, repeated and in the wrong order."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from python_http_client.exceptions import HTTPError

from tests.sandbox.sendgrid_listening import SIGNATURE, TIMESTAMP, Listener, a_mail, api, settled

EIGHT_BITS = (
    b"From: Zo\xeb <zoe@cafe.example>\r\nTo: replies+abc@reply.brightwater.example\r\nSubject: Re: A reminder\r\n"
    b"Message-ID: <z1@cafe.example>\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nIch zahle \xfcbermorgen, sch\xf6ne Gr\xfc\xdfe\r\n"
)


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.stop()


def send(world, **changes):
    return api(world).mail.send.post(request_body=a_mail(**changes))


def kinds(post):
    return [event["event"] for event in post.events]


def fields(post):
    """The parts of the form, as the standard library's mail parser sees them."""
    form = message_from_bytes(b"Content-Type: " + post.headers["content-type"].encode() + b"\r\n\r\n" + post.body)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in form.get_payload()
    }


def test_what_becomes_of_a_mail_is_told_in_one_signed_post_with_its_arguments_among_the_fields(world, listener):
    key = world.control.sendgrid.webhook(listener.url)
    number = send(world).headers["X-Message-Id"]
    post = listener.next()

    assert kinds(post) == ["processed", "delivered"] and post.signed_by(key)
    processed, delivered = post.events
    assert processed["arrears_attempt"] == "7" and "custom_args" not in processed
    assert processed["sg_message_id"].startswith(number + ".") and processed["smtp-id"]
    assert processed["sg_event_id"] != delivered["sg_event_id"]
    assert post.body.endswith(b"]\r\n")


def test_the_same_words_signed_by_another_key_are_not_good(world, listener):
    world.control.sendgrid.webhook(listener.url)
    other = world.control.sendgrid.webhook(listener.url + "/other")
    send(world)

    assert not listener.next().signed_by(other)


@pytest.mark.parametrize(
    ("fate", "told", "arrives"),
    [
        ("bounce", ["processed", "bounce"], 0),
        ("blocked", ["processed", "bounce"], 0),
        ("deferred", ["processed", "deferred"], 0),
        ("dropped", ["processed", "dropped"], 0),
        ("spamreport", ["processed", "delivered", "spamreport"], 1),
    ],
)
def test_an_address_has_the_fate_that_was_ordered_for_it(world, listener, fate, told, arrives):
    world.control.sendgrid.webhook(listener.url)
    world.control.sendgrid.fates({"mia@cafe.example": fate})
    send(world)
    post = listener.next()

    assert kinds(post) == told and len(world.control.mails()) == arrives
    assert post.events[-1].get("type") == {"bounce": "bounce", "blocked": "blocked"}.get(fate)


def test_an_address_that_came_back_or_complained_is_not_written_to_again(world, listener):
    world.control.sendgrid.fates({"mia@cafe.example": "bounce"})
    send(world)
    world.control.sendgrid.webhook(listener.url)
    send(world)
    (event,) = listener.next().events

    assert (event["event"], event["reason"]) == ("dropped", "Bounced Address")
    world.control.sendgrid.suppressed(lift="mia@cafe.example")
    world.control.sendgrid.fates({"mia@cafe.example": "delivered"})
    send(world)
    assert kinds(listener.next()) == ["processed", "delivered"]


def test_a_mail_put_off_may_arrive_later_and_one_that_arrived_may_be_opened_or_complained_about(world, listener):
    world.control.sendgrid.webhook(listener.url)
    world.control.sendgrid.fates({"mia@cafe.example": "deferred"})
    send(world)
    assert listener.next().events[-1]["attempt"] == "1"
    for what in ("delivered", "open", "spamreport", "unsubscribe"):
        world.control.sendgrid.happens(0, what)
        assert kinds(listener.next()) == [what]


def test_a_report_that_comes_back_to_sendgrid_becomes_an_event_and_an_absence_notice_nothing(world, listener):
    send(world)
    world.control.sendgrid.webhook(listener.url)
    world.control.out_of_office(0)
    world.control.bounce(0, status="5.1.1")
    (event,) = listener.next().events

    assert (event["event"], event["type"], event["status"]) == ("bounce", "bounce", "5.1.1")
    assert world.control.inbox() == [] and listener.heard.empty()


def test_events_may_come_late_twice_and_the_last_one_first(world, listener):
    control = world.control
    control.sendgrid.webhook(listener.url)
    control.sendgrid.habits(events_after=60, duplicates=True, out_of_order=True)
    send(world)
    assert control.sendgrid.posts() == []

    control.move_clock(control.now() + timedelta(minutes=1))
    posts = [listener.next() for _ in range(4)]
    assert [kinds(post) for post in posts] == [["delivered"], ["processed"]] * 2
    assert len({post.events[0]["sg_event_id"] for post in posts}) == 2


def test_a_post_that_is_not_heard_comes_again_for_a_day(world, listener):
    control = world.control
    control.sendgrid.webhook(listener.url)
    listener.answers = [500, 401, 302, 200]
    send(world)
    posts = [listener.next()]
    for tries in range(1, 4):
        settled(control.sendgrid.posts, lambda rows, tries=tries: len(rows[0]["statuses"]) == tries)
        control.move_clock(control.now() + timedelta(hours=4))
        posts.append(listener.next())

    assert all(post.events == posts[0].events for post in posts)
    listener.answers = [500] * 50
    send(world)
    for tries in range(1, 5):
        settled(control.sendgrid.posts, lambda rows, tries=tries: len(rows[1]["statuses"]) == tries)
        control.move_clock(control.now() + timedelta(hours=11))
    assert control.sendgrid.posts()[1]["tries"] == 4


def test_the_settings_of_webhooks_are_made_signed_read_and_taken_away_over_the_api(world, listener):
    hooks = api(world).user.webhooks
    made = json.loads(
        hooks.event.settings.post(request_body={"url": listener.url, "delivered": True, "enabled": True}).body
    )
    signed = json.loads(hooks.event.settings.signed._(made["id"]).patch(request_body={"enabled": True}).body)
    assert json.loads(hooks.event.settings.signed._(made["id"]).get().body) == signed
    send(world)
    post = listener.next()
    assert kinds(post) == ["delivered"] and post.signed_by(signed["public_key"])

    hooks.event.settings._(made["id"]).patch(request_body={"url": listener.url, "processed": True})
    send(world)
    assert kinds(listener.next()) == ["processed", "delivered"]
    with pytest.raises(HTTPError):
        hooks.event.settings.post(request_body={"url": listener.url})
    (row,) = json.loads(hooks.event.settings.all.get().body)["webhooks"]
    assert row["public_key"] == signed["public_key"]
    hooks.event.test.post(request_body={"url": listener.url})
    assert kinds(listener.next()) == ["processed"]
    hooks.event.settings._(made["id"]).delete()
    with pytest.raises(HTTPError):
        hooks.event.settings._(made["id"]).get()


def test_a_mail_to_the_reply_domain_is_handed_in_whole_byte_for_byte_and_signed(world, listener):
    key = world.control.sendgrid.parse("reply.brightwater.example", listener.url)
    assert world.control.deliver(EIGHT_BITS) == 0
    post = listener.next()
    form = fields(post)

    assert EIGHT_BITS in post.body
    assert json.loads(form["envelope"]) == {"to": ["replies+abc@reply.brightwater.example"], "from": "zoe@cafe.example"}
    assert (form["dkim"], form["SPF"]) == (b"{@cafe.example : pass}", b"pass")
    load_der_public_key(base64.b64decode(key)).verify(
        base64.b64decode(post.headers[SIGNATURE]), post.headers[TIMESTAMP].encode() + post.body, ECDSA(SHA256())
    )
    assert world.control.inbox() == []


def test_a_mail_may_be_handed_in_taken_apart_each_field_in_the_mails_own_alphabet(world, listener):
    world.control.sendgrid.parse("reply.brightwater.example", listener.url, raw=False, signed=False)
    world.control.deliver(EIGHT_BITS)
    post = listener.next()
    form = fields(post)

    assert "email" not in form and SIGNATURE not in post.headers
    assert json.loads(form["charsets"])["text"] == "iso-8859-1"
    assert form["text"].decode("iso-8859-1").startswith("Ich zahle übermorgen")
    assert b"Message-ID: <z1@cafe.example>" in form["headers"] and form["attachments"] == b"0"


def test_debtors_answers_come_in_with_their_files(world, listener):
    world.control.sendgrid.parse("reply.brightwater.example", listener.url, raw=False)
    send(world)
    world.control.reply(0, "Paid, see here.", html="<p>Paid</p>", attachments=["proof.pdf"])
    form = fields(listener.next())

    assert b"Paid, see here." in form["text"] and b"gmail_quote" in form["html"]
    assert json.loads(form["attachment-info"])["attachment1"]["filename"] == "proof.pdf"
    assert form["attachment1"].startswith(b"%PDF")


@pytest.mark.parametrize(("status", "state"), [(200, "done"), (202, "done"), (404, "dropped"), (302, "dropped")])
def test_any_yes_is_enough_and_a_no_or_a_detour_drops_the_mail_for_good(world, listener, status, state):
    world.control.sendgrid.parse("reply.brightwater.example", listener.url)
    listener.answers = [status]
    world.control.deliver(EIGHT_BITS)
    (row,) = settled(world.control.sendgrid.handed, lambda rows: rows[0]["statuses"])

    assert (row["statuses"], row["state"]) == ([status], state)
    world.control.move_clock(world.control.now() + timedelta(days=4))
    assert world.control.sendgrid.handed()[0]["tries"] == 1


def test_trouble_of_the_firms_own_brings_the_mail_again_for_three_days(world, listener):
    control = world.control
    control.sendgrid.parse("reply.brightwater.example", listener.url)
    listener.answers = [503, 503]
    control.deliver(EIGHT_BITS)
    for tries in (1, 2):
        settled(control.sendgrid.handed, lambda rows, tries=tries: len(rows[0]["statuses"]) == tries)
        control.move_clock(control.now() + timedelta(minutes=7))
    (row,) = settled(control.sendgrid.handed, lambda rows: rows[0]["state"] == "done")

    assert row["statuses"] == [503, 503, 200]
    bodies = [listener.next().body for _ in range(3)]
    assert bodies[0] == bodies[1] == bodies[2]


def test_the_settings_of_inbound_parse_and_what_signs_it_are_made_over_the_api(world, listener):
    hooks = api(world).user.webhooks
    made = json.loads(hooks.security.policies.post(request_body={"name": "p", "signature": {"enabled": True}}).body)
    setting = {"hostname": "reply.brightwater.example", "url": listener.url, "send_raw": True, "spam_check": True}
    setting["security_policy"] = made["policy"]["id"]
    assert hooks.parse.settings.post(request_body=setting).status_code == 201
    world.control.deliver(EIGHT_BITS)
    post = listener.next()

    assert SIGNATURE in post.headers and b"spam_score" in post.body
    assert json.loads(hooks.parse.settings.get().body)["result"][0]["hostname"] == "reply.brightwater.example"
    assert json.loads(hooks.security.policies.get().body)["policies"][0]["signature"] == made["policy"]["signature"]
    hooks.parse.settings._("reply.brightwater.example").delete()
    assert world.control.deliver(EIGHT_BITS) > 0
