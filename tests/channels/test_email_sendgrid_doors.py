"""Mirrors channels/_sendgrid_doors.py: what SendGrid posts is believed when it is signed, kept once, and understood."""

import json
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sandbox
from channels import (
    Channel,
    Delivery,
    Forged,
    Heard,
    Kept,
    Message,
    NoSuchDoor,
    Posted,
    open_channel,
    settings_of,
)
from channels._sendgrid_signature import SIGNATURE, TIMESTAMP
from engine.replies import ReplyKind
from tests.sandbox.sendgrid_listening import settled

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
REPLIES = "reply.brightwater.example"
Settings = settings_of("email_sendgrid")
EIGHT_BITS = (
    b"From: Zo\xeb <zoe@cafe.example>\r\nTo: Brightwater <replies+abc@reply.brightwater.example>\r\n"
    b"Subject: Re: A reminder\r\nIn-Reply-To: <arrears.57.abc@brightwater.example>\r\nMessage-ID: <z1@cafe.example>\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"Ich zahle \xfcbermorgen, sch\xf6ne Gr\xfc\xdfe\r\n"
)
WHOLE_FORM = (
    b'--xYzZY\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + EIGHT_BITS + b"\r\n"
    b'--xYzZY\r\nContent-Disposition: form-data; name="envelope"\r\n\r\n'
    b'{"to":["replies+abc@reply.brightwater.example"],"from":"zoe@cafe.example"}\r\n--xYzZY--\r\n'
)
FORM = {"content-type": "multipart/form-data; boundary=xYzZY"}


class Desk:
    """The web door of the product as far as it matters here: hears each post on this machine and answers as told."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.posts: queue.Queue[tuple[Posted, Heard | Exception]] = queue.Queue()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                door, _, query = self.path.removeprefix("/hooks/email_sendgrid/").partition("?")
                posted = Posted(door, query, {name.lower(): value for name, value in self.headers.items()}, body)
                try:
                    heard = desk.channel.hear(posted)
                    status = heard.status
                except Forged as problem:
                    heard, status = problem, 401
                desk.posts.put((posted, heard))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/email_sendgrid"

    def next(self) -> tuple[Posted, Heard]:
        return self.posts.get(timeout=20)

    def kept(self) -> tuple[Kept, ...]:
        return self.next()[1].keep


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=NOW, company=False) as world:
        yield world


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.server.shutdown()
    desk.server.server_close()


def a_channel(world=None, **changes) -> Channel:
    usual = {
        "api_key": world.sendgrid.api_key if world else "SG.key",
        "host": world.sendgrid.host if world else "https://api.sendgrid.com",
        "from_address": "accounts@brightwater.example",
        "reply_mailbox": f"replies@{REPLIES}",
    }
    return open_channel("email_sendgrid", Settings(**(usual | changes)), clock=lambda: NOW)


def open_doors(world, desk, *, raw=True, **changes) -> Channel:
    """Both webhooks are set up at SendGrid, signed, and their keys are in the settings."""
    keys = {
        "event_public_key": world.control.sendgrid.webhook(f"{desk.url}/events"),
        "inbound_public_key": world.control.sendgrid.parse(REPLIES, f"{desk.url}/inbound", raw=raw),
    }
    desk.channel = a_channel(world, **(keys | changes))
    return desk.channel


def a_message(**changes) -> Message:
    usual = {
        "attempt": "57",
        "message_id": "<arrears.57.abc@brightwater.example>",
        "to": "mia@cafe.example",
        "to_name": "Mia",
        "subject": "A quick reminder",
        "text": "Hi Mia,\n\nplease pay.\n",
        "reply_to": f"replies+abc@{REPLIES}",
    }
    return Message(**{**usual, **changes})


# --- what became of mails


def test_each_event_of_a_post_is_kept_by_its_own_name_and_says_what_became_of_which_mail(world, desk):
    channel = open_doors(world, desk)
    receipt = channel.send(a_message())
    taken, arrived = desk.kept()
    processed, delivered = channel.read(taken.raw), channel.read(arrived.raw)

    assert taken.event_id.startswith("event:") and taken.event_id != arrived.event_id
    assert (processed.kind, delivered.kind) == (Delivery.ACCEPTED, Delivery.DELIVERED)
    assert (processed.attempt, processed.provider_id) == ("57", receipt.provider_id)
    assert (processed.recipient, processed.at) == ("mia@cafe.example", NOW)
    assert processed.message_id == "<arrears.57.abc@brightwater.example>"
    assert delivered.why == "250 2.0.0 OK" and not delivered.stops_address


@pytest.mark.parametrize(
    ("fate", "kind", "stops"),
    [
        ("bounce", Delivery.FAILED, True),
        ("blocked", Delivery.FAILED, False),
        ("dropped", Delivery.FAILED, True),
        ("deferred", Delivery.DEFERRED, False),
        ("spamreport", Delivery.COMPLAINT, True),
    ],
)
def test_an_address_is_stopped_only_by_what_lies_in_the_address(world, desk, fate, kind, stops):
    channel = open_doors(world, desk)
    world.control.sendgrid.fates({"mia@cafe.example": fate})
    channel.send(a_message())
    event = channel.read(desk.kept()[-1].raw)

    assert (event.kind, event.stops_address, event.attempt) == (kind, stops, "57")
    assert event.details["event"] == {"blocked": "bounce"}.get(fate, fate)


def test_a_mail_that_is_dropped_because_of_an_earlier_one_says_why(world, desk):
    channel = open_doors(world, desk)
    world.control.sendgrid.fates({"mia@cafe.example": "bounce"})
    channel.send(a_message())
    desk.kept()
    channel.send(a_message(attempt="58", message_id=""))
    event = channel.read(desk.kept()[0].raw)

    assert (event.kind, event.why, event.stops_address) == (Delivery.FAILED, "Bounced Address", True)


def test_sendgrids_own_count_of_its_tries_is_not_taken_for_our_attempt(world, desk):
    channel = open_doors(world, desk)
    world.control.sendgrid.fates({"mia@cafe.example": "deferred"})
    channel.send(a_message())
    raw = desk.kept()[-1].raw

    assert json.loads(raw)["attempt"] == "1" and channel.read(raw).attempt == "57"


def test_whoever_leaves_the_list_is_stopped(world, desk):
    channel = open_doors(world, desk)
    channel.send(a_message())
    desk.kept()
    world.control.sendgrid.happens(0, "unsubscribe")
    event = channel.read(desk.kept()[0].raw)

    assert (event.kind, event.stops_address) == (Delivery.OPTED_OUT, True)


def test_a_token_says_more_than_a_number_which_another_installation_may_use_too(world, desk):
    channel = open_doors(world, desk)
    channel.send(a_message(token="0123456789abcdefghjkmnpqrstvw"))
    event = channel.read(desk.kept()[0].raw)

    assert (event.token, event.attempt) == ("0123456789abcdefghjkmnpqrstvw", "")


def test_events_twice_and_the_last_one_first_are_kept_under_the_same_names(world, desk):
    channel = open_doors(world, desk)
    world.control.sendgrid.habits(duplicates=True, out_of_order=True)
    channel.send(a_message())
    names = [desk.kept()[0].event_id for _ in range(4)]

    assert len(set(names)) == 2 and names[:2] == names[2:]


def test_openings_and_mails_of_others_on_the_same_account_are_not_kept(world, desk):
    channel = open_doors(world, desk)
    channel.send(a_message())
    desk.kept()
    world.control.sendgrid.happens(0, "open")
    assert desk.next()[1] == Heard()

    from sendgrid import SendGridAPIClient

    newsletter = {
        "personalizations": [{"to": [{"email": "mia@cafe.example"}]}],
        "from": {"email": "news@brightwater.example"},
        "subject": "News",
        "content": [{"type": "text/plain", "value": "News"}],
        "custom_args": {"attempt": "57"},
    }
    SendGridAPIClient(world.sendgrid.api_key, host=world.sendgrid.host).send(newsletter)
    assert desk.next()[1] == Heard()


def test_a_post_that_somebody_else_signed_is_turned_away_and_comes_again_when_the_key_was_corrected(world, desk):
    right = world.control.sendgrid.webhook(f"{desk.url}/events")
    wrong = world.control.sendgrid.webhook(f"{desk.url}/elsewhere")
    world.control.sendgrid.no_webhooks()
    right = world.control.sendgrid.webhook(f"{desk.url}/events")
    desk.channel = a_channel(world, event_public_key=wrong)
    desk.channel.send(a_message())
    assert isinstance(desk.next()[1], Forged)

    desk.channel = a_channel(world, event_public_key=f"{wrong} {right}")
    settled(world.control.sendgrid.posts, lambda rows: rows[0]["statuses"])
    world.control.move_clock(NOW + timedelta(minutes=2))
    assert len(desk.kept()) == 2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_change_to_a_signed_post_however_small_is_believed(data):
    posted, channel = SIGNED.posted, SIGNED.channel
    body, headers = bytearray(posted.body), dict(posted.headers)
    match data.draw(st.sampled_from(["body", "more", "stamp", "signature", "none"])):
        case "body":
            place = data.draw(st.integers(0, len(body) - 1))
            body[place] ^= data.draw(st.integers(1, 255))
        case "more":
            body += data.draw(st.binary(min_size=1, max_size=5))
        case "stamp":
            headers[TIMESTAMP] = data.draw(st.text(max_size=12).filter(lambda text: text != posted.headers[TIMESTAMP]))
        case "signature":
            headers[SIGNATURE] = data.draw(st.text(max_size=120).filter(lambda text: text != posted.headers[SIGNATURE]))
        case _:
            headers.pop(data.draw(st.sampled_from([SIGNATURE, TIMESTAMP])))

    with pytest.raises(Forged):
        channel.hear(Posted("events", "", headers, bytes(body)))


@given(st.integers(-10, 40).filter(bool))
def test_nobody_can_move_the_border_between_the_moment_and_the_body_of_a_signed_post(moved):
    """Both are signed as one: without more ado, a copied post would be believed again with its beginning cut off."""
    posted, channel = SIGNED.posted, SIGNED.channel
    stamp = posted.headers[TIMESTAMP]
    whole, border = stamp.encode() + posted.body, len(stamp) + moved
    headers = dict(posted.headers) | {TIMESTAMP: whole[:border].decode("latin-1")}

    with pytest.raises(Forged):
        channel.hear(Posted("events", "", headers, whole[border:]))


class _Signed:
    """One genuine post of the practice SendGrid, fetched once."""

    @property
    def posted(self) -> Posted:
        return self._fetched[0]

    @property
    def channel(self) -> Channel:
        return self._fetched[1]

    @property
    def _fetched(self) -> tuple[Posted, Channel]:
        if not hasattr(self, "_once"):
            desk = Desk()
            with sandbox.start(clock=NOW, company=False) as world:
                channel = open_doors(world, desk)
                channel.send(a_message())
                self._once = desk.next()[0], channel
            desk.server.shutdown()
            desk.server.server_close()
        return self._once


SIGNED = _Signed()


def test_without_a_key_the_secret_at_the_end_of_the_address_is_the_lock(world, desk):
    world.control.sendgrid.webhook(f"{desk.url}/events/s3cret", signed=False)
    desk.channel = a_channel(world, door_secret="s3cret")
    desk.channel.send(a_message())
    assert len(desk.kept()) == 2

    post = Posted("events/guess", "", {}, b"[]")
    for channel in (desk.channel, a_channel()):
        with pytest.raises(Forged):
            channel.hear(post)


def test_a_signed_post_that_is_no_list_is_kept_for_a_person():
    channel = a_channel(door_secret="s3cret")
    for body in (b"{}", b"not json", b"\xff\xfe"):
        (kept,) = channel.hear(Posted("events/s3cret", "", {}, body)).keep
        assert kept.raw == body and kept.problem
    assert channel.hear(Posted("events/s3cret", "", {}, b'[1, null, {"event": "processed"}, {}]')) == Heard()


@given(
    st.dictionaries(
        st.sampled_from(["event", "email", "reason", "response", "timestamp", "type", "sg_message_id", "smtp-id"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=30), st.lists(st.text(), max_size=2)),
    ),
    st.sampled_from(["processed", "bounce", "dropped", "spamreport", "deferred"]),
)
def test_an_event_with_odd_fields_is_still_understood_and_never_trips_us(odd, kind):
    channel = a_channel(door_secret="s")
    row = odd | {"event": kind, "arrears_attempt": "57", "sg_event_id": "e1"}
    (kept,) = channel.hear(Posted("events/s", "", {}, json.dumps([row]).encode())).keep
    event = channel.read(kept.raw)

    assert (kept.event_id, event.attempt) == ("event:e1", "57")
    assert "\n" not in event.why + event.recipient


def test_a_zero_byte_in_the_words_of_a_strangers_mail_server_does_not_reach_the_books():
    """PostgreSQL takes no text with one, and the bounce would not be understood."""
    channel = a_channel(door_secret="s")
    row = {"event": "bounce", "arrears_attempt": "57", "sg_event_id": "e1", "reason": "550 no\0 such user"}
    (kept,) = channel.hear(Posted("events/s", "", {}, json.dumps([row]).encode())).keep

    assert channel.read(kept.raw).why == "550 no such user"


def test_there_are_no_other_doors():
    for door in ("", "event", "inbound2", "hooks/events"):
        with pytest.raises(NoSuchDoor):
            a_channel().hear(Posted(door, "", {}, b""))


# --- answers


@pytest.mark.parametrize("raw", [True, False])
def test_a_debtors_answer_is_kept_with_its_envelope_and_read(world, desk, raw):
    channel = open_doors(world, desk, raw=raw)
    channel.send(a_message())
    desk.next()
    world.control.reply(
        0, "I will pay on Friday.\n\nMia", html="<p>I will pay on Friday.</p>", attachments=["proof.pdf"]
    )
    (kept,) = desk.kept()
    reply = channel.read(kept.raw)

    assert kept.problem == "" and kept.event_id.startswith("mail:")
    assert (reply.kind, reply.sender, reply.sender_name) == (ReplyKind.HUMAN, "mia@cafe.example", "Mia")
    assert reply.said.split("\n")[0] == "I will pay on Friday." and "please pay" not in reply.said
    assert reply.tokens[0] == f"replies+abc@{REPLIES}"
    assert "<arrears.57.abc@brightwater.example>" in reply.answers
    assert b"proof.pdf" in kept.raw and reply.authentic == "confirmed"
    assert b"Authentication-Results: mx.sendgrid.net; spf=pass smtp.mailfrom=mia@cafe.example; dkim=pass" in kept.raw


@pytest.mark.parametrize("raw", [True, False])
def test_an_old_alphabet_survives_whole_or_taken_apart(world, desk, raw):
    channel = open_doors(world, desk, raw=raw)
    world.control.deliver(EIGHT_BITS)
    (kept,) = desk.kept()

    assert channel.read(kept.raw).text == "Ich zahle übermorgen, schöne Grüße"
    assert (EIGHT_BITS in kept.raw) is raw


def test_the_whole_mail_may_come_under_the_name_of_the_other_guide(world, desk):
    key = world.control.sendgrid.parse(REPLIES, f"{desk.url}/inbound", field="rawEmail")
    desk.channel = a_channel(world, inbound_public_key=key)
    world.control.deliver(EIGHT_BITS)

    assert EIGHT_BITS in desk.kept()[0].raw


def test_the_same_mail_twice_has_one_name_and_to_another_recipient_another(world, desk):
    open_doors(world, desk)
    world.control.deliver(EIGHT_BITS)
    world.control.sendgrid.hand_again(0)
    world.control.deliver(EIGHT_BITS.replace(b"replies+abc", b"replies+xyz"))
    once, again, other = (desk.kept()[0].event_id for _ in range(3))

    assert once == again != other and once.startswith("mail:z1@cafe.example:")


@pytest.mark.parametrize("raw", [True, False])
def test_a_mail_that_came_back_is_known_as_such(world, desk, raw):
    channel = open_doors(world, desk, raw=raw)
    channel.send(a_message())
    desk.next()
    report = (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.cafe.example\r\nTo: replies+abc@reply.brightwater.example\r\n"
        b"Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nIt failed.\r\n'
        b"--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; "
        b"mia@cafe.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    world.control.deliver(report)
    reply = channel.read(desk.kept()[0].raw)

    assert (reply.kind, reply.failed_recipient) == (ReplyKind.BOUNCE, "mia@cafe.example")


def test_an_unsigned_mail_is_kept_for_a_person_and_answered_with_a_yes(world, desk):
    open_doors(world, desk)
    world.control.sendgrid.parse(REPLIES, f"{desk.url}/inbound", signed=False)
    world.control.deliver(EIGHT_BITS)
    _, heard = desk.next()

    assert heard.status == 202
    (kept,) = heard.keep
    assert kept.problem.startswith("It was not signed") and EIGHT_BITS in kept.raw


def test_a_forged_copy_never_takes_the_place_of_the_real_mail(world, desk):
    channel = open_doors(world, desk)
    world.control.deliver(EIGHT_BITS)
    posted, real = desk.next()
    forged = channel.hear(Posted("inbound", "", {"content-type": posted.headers["content-type"]}, posted.body))

    assert forged.keep[0].event_id != real.keep[0].event_id


def test_a_door_without_any_lock_asks_sendgrid_to_come_back(world, desk):
    world.control.sendgrid.parse(REPLIES, f"{desk.url}/inbound/s3cret", signed=False)
    desk.channel = a_channel(world)
    world.control.deliver(EIGHT_BITS)
    assert desk.next()[1].status == 503 and world.control.sendgrid.handed()[0]["state"] == "waiting"

    desk.channel = a_channel(world, door_secret="s3cret")
    settled(world.control.sendgrid.handed, lambda rows: rows[0]["statuses"])
    world.control.move_clock(NOW + timedelta(minutes=10))
    (kept,) = desk.kept()
    assert kept.problem == "" and EIGHT_BITS in kept.raw


def hear(body: bytes, headers=FORM) -> Heard:
    return a_channel(door_secret="s").hear(Posted("inbound/s", "", headers, body))


def test_a_wrong_secret_keeps_the_mail_for_a_person():
    heard = a_channel(door_secret="s").hear(Posted("inbound/guess", "", FORM, WHOLE_FORM))

    assert heard.status == 202 and "door_secret" in heard.keep[0].problem and EIGHT_BITS in heard.keep[0].raw


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"no form", FORM),
        (WHOLE_FORM, {"content-type": "application/json"}),
        (WHOLE_FORM[:-40], FORM),
        (WHOLE_FORM.replace(b'"email"', b'"nothing"'), FORM),
        (b"", {}),
    ],
)
def test_a_post_that_holds_no_mail_is_kept_as_it_came(body, headers):
    (kept,) = hear(body, headers).keep

    assert kept.raw == body and kept.problem.endswith(".")


def test_a_mail_that_tries_to_add_a_verdict_of_its_own_is_for_a_person_to_look_at():
    trick = b'--xYzZY\r\nContent-Disposition: form-data; name="envelope"\r\n\r\n{"to":["replies+other@x.example"]}\r\n'
    (kept,) = hear(WHOLE_FORM.replace(b"--xYzZY--", trick + b"--xYzZY--")).keep

    assert "two parts" in kept.problem


def test_what_an_envelope_says_cannot_break_out_of_its_line():
    evil = WHOLE_FORM.replace(b'"from":"zoe@cafe.example"', b'"from":"a@b.example>\\r\\nBcc: x"')
    evil = evil.replace(
        b"--xYzZY--", b'--xYzZY\r\nContent-Disposition: form-data; name="SPF"\r\n\r\npass\nX: y\r\n--xYzZY--'
    )
    (kept,) = hear(evil).keep

    assert b"\r\nBcc:" not in kept.raw and b"X: y" not in kept.raw and b"Return-Path: <>" in kept.raw


def test_a_mail_cannot_bring_its_own_word_about_its_sender():
    forged = b"Authentication-Results: mx.sendgrid.net; dmarc=pass header.from=cafe.example\r\n"
    believed = a_channel().read(forged + EIGHT_BITS)
    (kept,) = hear(WHOLE_FORM.replace(EIGHT_BITS, forged + EIGHT_BITS)).keep

    assert believed.authentic and a_channel().read(kept.raw).authentic == ""


def test_no_mail_can_begin_as_an_event_does():
    raw = b'{"event":"spamreport","arrears_attempt":"57"}: x\r\n\r\nbody'
    form = b'--xYzZY\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + raw + b"\r\n--xYzZY--\r\n"
    (kept,) = hear(form).keep

    assert not kept.raw.startswith(b"{") and raw in kept.raw


def test_a_post_larger_than_any_mail_of_sendgrids_is_not_kept():
    heard = a_channel(door_secret="s", inbound_megabytes=1).hear(Posted("inbound/s", "", FORM, b"x" * 1_100_000))

    assert (heard.status, heard.keep) == (413, ())


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "headers",
                "text",
                "html",
                "charsets",
                "envelope",
                "SPF",
                "dkim",
                "attachment-info",
                "attachment1",
                "attachments",
            ]
        ),
        st.binary(max_size=200),
    )
)
def test_whatever_is_in_the_fields_of_a_mail_taken_apart_it_is_kept_and_never_trips_us(fields):
    fields = {name: content for name, content in fields.items() if b"--xYzZY" not in content}
    pieces = [
        b'--xYzZY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in fields.items()
    ]
    (kept,) = hear(b"".join([*pieces, b"--xYzZY--\r\n"])).keep

    assert kept.raw and (kept.problem == "") is ("headers" in fields)
    if not kept.problem:
        try:
            a_channel().read(kept.raw)
        except ValueError as problem:
            assert str(problem)


def test_every_word_of_a_mail_taken_apart_is_there_again():
    fields = {
        "headers": b"From: a@b.example\r\nSubject: Hi\r\n there\r\nContent-Type: text/x;\r\n charset=old\r\nX-A: 1\r\n",
        "text": "Grüße, 1.200 €".encode("cp1252"),
        "html": "<p>Grüße</p>".encode(),
        "charsets": b'{"text": "windows-1252", "html": "UTF-8"}',
        "attachments": b"1",
        "attachment-info": b'{"attachment1": {"filename": "a.pdf", "type": "application/pdf", "content-id": "c1"}}',
        "attachment1": b"%PDF\x00\xff",
    }
    pieces = [
        b'--xYzZY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in fields.items()
    ]
    (kept,) = hear(b"".join([*pieces, b"--xYzZY--\r\n"])).keep
    from email import message_from_bytes
    from email.policy import default

    mail = message_from_bytes(kept.raw, policy=default)
    assert (mail["Subject"], mail["X-A"], mail.get_content_type()) == ("Hi there", "1", "multipart/mixed")
    assert mail.get_body(("plain",)).get_content() == "Grüße, 1.200 €"
    assert mail.get_body(("html",)).get_content() == "<p>Grüße</p>"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content(), file["Content-ID"]) == ("a.pdf", b"%PDF\x00\xff", "<c1>")
