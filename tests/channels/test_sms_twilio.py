"""Mirrors channels/sms_twilio.py: text messages, at the practice Twilio over real HTTP."""

import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

import sandbox
from channels import Delivery, Posted, Receipt, Refused, Unavailable, Unsure, open_channel, read_token, settings_of
from engine.replies import Keyword, ReplyKind
from tests.channels.twilio_world import DEBTOR, KEY, MONDAY, OTHER, PUBLIC, Line, a_message, opened, token

SID = f"AC{'a' * 32}"


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=MONDAY, company=False) as world:
        yield world


@pytest.fixture
def line(world: sandbox.Sandbox) -> Iterator[Line]:
    with opened(Line(world, "sms_twilio")) as line:
        yield line


def test_a_text_goes_out_and_its_way_is_told_with_the_attempt_in_the_address(line):
    outcome = line.channel.send(a_message(12))

    (text,) = line.control.texts()
    assert outcome == Receipt(text["sid"], MONDAY)
    assert text["body"] == a_message(12).text and text["from_"] == line.world.twilio.number
    told = line.told()
    assert [event.kind for event in told] == [Delivery.ACCEPTED, Delivery.ACCEPTED, Delivery.DELIVERED]
    assert {read_token(event.token, keys=[KEY]) for event in told} == {(7, 12)}
    assert {event.provider_id for event in told} == {text["sid"]}
    assert all(heard.status == 204 and heard.body == b"" for heard in line.answered)


def test_a_messaging_service_chooses_the_number(world):
    service = world.twilio.service
    with opened(Line(world, "sms_twilio", from_number="", messaging_service_sid=service)) as line:
        assert isinstance(line.channel.send(a_message()), Receipt)
        (text,) = line.control.texts()
        assert (text["service"], text["from_"]) == (service, world.twilio.number)
        assert line.told()[-1].kind is Delivery.DELIVERED


def test_a_second_pair_of_keys_sends_while_the_token_checks_the_posts(world):
    keys = {"api_key": world.twilio.api_key, "api_secret": world.twilio.api_secret}
    with opened(Line(world, "sms_twilio", **keys)) as line:
        assert isinstance(line.channel.send(a_message()), Receipt)
        assert line.told()[-1].kind is Delivery.DELIVERED


def test_no_text_waits_longer_than_the_debtors_hours(line):
    line.channel.send(a_message(1, valid_for=timedelta(minutes=20, seconds=30)))
    line.channel.send(a_message(2))
    line.channel.send(a_message(3, valid_for=timedelta(hours=9)))

    assert [text["valid_for"] for text in line.control.texts()] == [1230, 240 * 60, 240 * 60]
    outcome = line.channel.send(a_message(4, valid_for=timedelta(0)))
    assert isinstance(outcome, Unavailable) and "hours" in outcome.why
    assert len(line.control.texts()) == 3


def test_a_text_that_would_arrive_too_late_is_not_sent_and_that_is_told(line):
    line.control.habits(queue_seconds=3600)
    line.channel.send(a_message(valid_for=timedelta(minutes=30)))
    line.world.control.move_clock(MONDAY + timedelta(hours=2))

    last = line.told()[-1]
    assert (last.kind, last.details["code"], last.stops_address) == (Delivery.FAILED, "30036", False)
    assert "hours" in last.why


@pytest.mark.parametrize("code", [21211, 21614])
def test_a_number_that_can_receive_no_texts_is_refused(line, code):
    line.control.person(DEBTOR, refuses=code)

    outcome = line.channel.send(a_message())

    assert isinstance(outcome, Refused) and not outcome.opted_out
    assert str(code) in outcome.why


def test_whoever_has_said_stop_is_refused_as_one_who_opted_out(line):
    line.control.text(DEBTOR, "STOP")

    outcome = line.channel.send(a_message())

    assert outcome == Refused(outcome.why, opted_out=True) and "STOP" in outcome.why


@pytest.mark.parametrize(
    ("code", "mends"),
    [
        (21408, "Geo permissions"),
        (21606, "from_number in [sms_twilio]"),
        (21608, "trial"),
        (30034, "A2P 10DLC"),
        (30610, "Compliance Toolkit"),
    ],
)
def test_what_a_person_can_mend_waits_and_says_what_to_do(line, code, mends):
    line.control.person(DEBTOR, refuses=code)

    outcome = line.channel.send(a_message())

    assert isinstance(outcome, Unavailable) and mends in outcome.why


@pytest.mark.parametrize("code", [30004, 30007, 30450])
def test_what_a_network_filters_is_never_tried_again(line, code):
    line.control.person(DEBTOR, refuses=code)

    assert isinstance(line.channel.send(a_message()), Refused)


def test_an_unknown_refusal_is_a_refusal_with_the_page_to_look_at(line):
    line.control.person(DEBTOR, refuses=21999)

    outcome = line.channel.send(a_message())

    assert isinstance(outcome, Refused) and "errors/21999" in outcome.why


def test_wrong_keys_send_nothing_and_say_which_to_check(world):
    line = Line(world, "sms_twilio", auth_token="wrong")

    outcome = line.channel.send(a_message())

    assert isinstance(outcome, Unavailable) and "auth_token" in outcome.why and "[sms_twilio]" in outcome.why


@pytest.mark.parametrize("fault", ["429", "401"])
def test_what_twilio_turns_down_for_now_is_tried_later(line, fault):
    line.world.control.faults(twilio=[fault])

    outcome = line.channel.send(a_message())

    assert isinstance(outcome, Unavailable)
    assert (outcome.until == MONDAY + timedelta(seconds=1)) is (fault == "429")
    assert line.control.texts() == []


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        ("500", 0),
        ("503", 0),
        ("502html", 0),
        ("drop_before", 0),
        ("500after", 1),
        ("503after", 1),
        ("drop_after", 1),
        ("truncated", 1),
    ],
)
def test_nobody_knows_after_a_broken_line_and_the_look_up_finds_out(line, fault, taken):
    line.world.control.faults(twilio=[fault])
    message = a_message(5)

    outcome = line.channel.send(message)

    assert isinstance(outcome, Unsure), outcome
    texts = line.control.texts()
    assert len(texts) == taken
    found = line.channel.find(message)
    assert found == (Receipt(texts[0]["sid"], MONDAY) if taken else None)
    # What Twilio tells at our door is evidence too, and carries the attempt.
    assert [read_token(event.token, keys=[KEY]).attempt for event in line.told()] == [5] * 3 * taken


def test_an_answer_that_takes_too_long_leaves_a_doubt(world):
    with opened(Line(world, "sms_twilio", answer_seconds=0.2)) as line:
        world.control.faults(twilio=["slow:1"])

        outcome = line.channel.send(a_message())

        assert isinstance(outcome, Unsure) and "did not answer" in outcome.why


def test_a_twilio_that_cannot_be_reached_has_certainly_sent_nothing(world):
    line = Line(world, "sms_twilio", base_url="http://127.0.0.1:9")

    outcome = line.channel.send(a_message())

    assert isinstance(outcome, Unavailable) and "could not be reached" in outcome.why


def test_a_line_that_cannot_be_secured_has_certainly_sent_nothing(world):
    https = world.twilio.base_url.replace("http://", "https://")
    plain = Line(world, "sms_twilio", base_url=https, connect_seconds=0.5)

    outcome = plain.channel.send(a_message())

    assert isinstance(outcome, Unavailable) and "secured" in outcome.why
    assert plain.control.texts() == []


def test_one_line_is_kept_for_all_texts_and_one_that_was_cut_meanwhile_is_replaced():
    class Twilio(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        callers, hung_up, hangs_up = [], threading.Event(), False

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            Twilio.callers.append(self.client_address)
            answer = b'{"sid": "SM1", "status": "queued"}'
            self.send_response(201)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.close_connection = Twilio.hangs_up

        def finish(self):
            super().finish()
            self.connection.close()
            Twilio.hung_up.set()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Twilio)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    chosen = settings_of("sms_twilio")(
        account_sid=SID, auth_token="t", from_number=OTHER, base_url=f"http://127.0.0.1:{server.server_port}"
    )
    channel = open_channel("sms_twilio", chosen, clock=lambda: MONDAY)
    for attempt in range(3):
        Twilio.hangs_up = attempt == 2
        assert channel.send(a_message(attempt)) == Receipt("SM1", MONDAY)
    assert len(set(Twilio.callers)) == 1
    Twilio.hung_up.wait(10)
    assert channel.send(a_message(4)) == Receipt("SM1", MONDAY)
    assert len(set(Twilio.callers)) == 2
    channel.close()
    server.shutdown()
    server.server_close()


def test_several_threads_may_send_at_once(line):
    with ThreadPoolExecutor(6) as people:
        outcomes = list(people.map(lambda attempt: line.channel.send(a_message(attempt)), range(1, 31)))

    sids = {outcome.provider_id for outcome in outcomes if isinstance(outcome, Receipt)}
    assert sids == {text["sid"] for text in line.control.texts()} and len(sids) == 30
    told = {(event.provider_id, read_token(event.token, keys=[KEY]).attempt) for event in line.told()}
    assert told == {(outcome.provider_id, attempt) for attempt, outcome in enumerate(outcomes, start=1)}


@given(
    valid_for=st.none() | st.timedeltas(timedelta(-1), timedelta(2)),
    minutes=st.integers(1, 600),
)
def test_a_text_never_waits_longer_than_the_hours_or_the_setting_allow(valid_for, minutes):
    asked: list[int] = []

    class Twilio:
        class messages:
            @staticmethod
            def create(**given):
                asked.append(given["validity_period"])
                return type("Text", (), {"sid": "SM1"})

    chosen = settings_of("sms_twilio")(account_sid=SID, auth_token="t", from_number=OTHER, valid_minutes=minutes)
    channel = open_channel("sms_twilio", chosen, clock=lambda: MONDAY)
    channel._line.ask = lambda _doing, question: question(Twilio)

    outcome = channel.send(a_message(valid_for=valid_for))

    longest = timedelta(minutes=minutes) if valid_for is None else min(valid_for, timedelta(minutes=minutes))
    assert isinstance(outcome, Receipt) is bool(asked) is (longest >= timedelta(seconds=1))
    assert all(1 <= seconds <= 36000 and timedelta(seconds=seconds) <= longest for seconds in asked)


def test_a_redirect_is_not_followed_and_leaves_a_doubt(world):
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302)
            self.send_header("Location", world.twilio.base_url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    line = Line(world, "sms_twilio", base_url=f"http://127.0.0.1:{server.server_port}")

    assert isinstance(line.channel.send(a_message()), Unsure)
    assert line.control.texts() == []
    server.shutdown()
    server.server_close()


def test_the_look_up_takes_nothing_for_evidence_that_fits_twice_or_is_older_or_is_not_ours(line):
    words = "Invoice INV-0042 is overdue."
    line.channel.send(a_message(1, text=words))
    line.world.control.move_clock(MONDAY + timedelta(hours=1))
    later = a_message(2, text=words, since=MONDAY + timedelta(hours=1))
    assert line.channel.find(later) is None  # the first is from before
    line.control.text(DEBTOR, words)  # and what they wrote themselves is no text of ours
    assert line.channel.find(later) is None
    line.channel.send(later)
    assert isinstance(line.channel.find(later), Receipt)
    line.channel.send(a_message(3, text=words))
    assert line.channel.find(later) is None  # two alike: whose is which?
    assert line.channel.find(dataclasses.replace(later, since=None)) is None


TRIES = st.lists(
    st.tuples(
        st.sampled_from(["", "500", "500after", "drop_before", "drop_after", "truncated"]),
        st.integers(1, 30),  # minutes until the next try
        st.booleans(),  # in the same words as the last
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(TRIES)
@example([("drop_before", 1, False), ("", 1, True)])
@example([("drop_before", 5, False), ("drop_after", 5, True)])
@example([("drop_after", 1, False), ("drop_before", 1, True), ("", 1, True)])
def test_no_doubt_is_ever_settled_by_a_text_of_another_try(tries):
    with sandbox.start(clock=MONDAY, company=False) as world:
        line, now, words, messages = Line(world, "sms_twilio", public="https://arrears.example"), MONDAY, "", []
        line.control.reach("https://arrears.example", "http://127.0.0.1:9")
        for attempt, (fault, minutes, alike) in enumerate(tries, start=1):
            words = words if alike and words else f"Invoice INV-0042 is overdue. Ref {attempt}"
            messages.append(a_message(attempt, text=words, since=now))
            world.control.faults(twilio=[fault] if fault else [])
            line.channel.send(messages[-1])
            now += timedelta(minutes=minutes)
            world.control.move_clock(now)

        taken = {text["callback"]: text["sid"] for text in line.control.texts()}
        for message in messages:
            found = line.channel.find(message)
            theirs = taken.get(f"https://arrears.example/hooks/sms_twilio/status/{message.token}")
            assert found is None or found.provider_id == theirs
            others = [one for one in messages if one is not message and one.text == message.text]
            assert others or (found is not None) is (theirs is not None), "what is the only one of its words is found"


def test_the_look_up_sees_a_text_that_still_waits_at_twilio(line):
    line.control.habits(queue_seconds=600)
    message = a_message()
    line.channel.send(message)

    assert isinstance(line.channel.find(message), Receipt)


def test_a_look_up_that_fails_proves_nothing(line):
    message = a_message()
    line.channel.send(message)
    line.world.control.faults(twilio=["503"])

    assert line.channel.find(message) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"to": "07700 900101"}, "+447700900123"),
        ({"to": ""}, "+447700900123"),
        ({"text": " "}, "empty"),
        ({"text": "x" * 1601}, "1601"),
    ],
)
def test_what_can_be_no_text_is_refused_before_anybody_is_asked(line, changes, says):
    outcome = line.channel.send(a_message(**changes))

    assert isinstance(outcome, Refused) and says in outcome.why
    assert line.world.control.calls(door="twilio") == []


def test_an_answer_comes_in_is_read_and_is_answered_with_nothing(line):
    sid = line.control.text(DEBTOR, "Wir zahlen am Freitag – versprochen 🙂")

    (reply,) = line.replies()
    assert (reply.kind, reply.sender, reply.recipient) == (ReplyKind.HUMAN, DEBTOR, line.world.twilio.number)
    assert reply.text == reply.said == "Wir zahlen am Freitag – versprochen 🙂"
    assert reply.message_id == sid and reply.keyword is None
    (heard,) = line.answered
    assert (heard.status, heard.content_type) == (200, "text/xml; charset=utf-8") and b"<Response/>" in heard.body
    assert [text["direction"] for text in line.control.texts()] == ["inbound"]


def test_a_number_whose_webhook_was_set_to_get_is_heard_as_well():
    chosen = settings_of("sms_twilio")(account_sid=SID, auth_token="t", from_number=OTHER)
    channel = open_channel("sms_twilio", chosen, clock=lambda: MONDAY, public_url=PUBLIC)
    query = "Body=Hello+there&From=%2B447700900101&MessageSid=SM1&To=%2B447700900102"
    seal = RequestValidator("t").compute_signature(f"{PUBLIC}/hooks/sms_twilio/reply?{query}", {})

    heard = channel.hear(Posted("reply", query, {"x-twilio-signature": seal}, b"", "GET"))

    assert channel.read(heard.keep[0].raw).said == "Hello there"


def test_what_twilio_makes_of_a_keyword_is_passed_on(line):
    line.control.habits(advanced_opt_out=True)
    line.control.text(DEBTOR, "Stop please")
    line.control.text(DEBTOR, "START")
    line.control.text(OTHER, "Who is this?")

    assert [reply.keyword for reply in line.replies()] == [Keyword.STOP, Keyword.START, None]


def test_pictures_are_mentioned():
    chosen = settings_of("sms_twilio")(account_sid=SID, auth_token="t", from_number=OTHER)
    channel = open_channel("sms_twilio", chosen, clock=lambda: MONDAY)
    body = (
        b"MessageSid=MM1&From=%2B447700900101&To=%2B447700900102&Body=&NumMedia=1&MediaUrl0=https%3A%2F%2Fx.example%2F1"
    )

    reply = channel.read(b"reply\n\n" + body)

    assert "1 file(s)" in reply.text and "https://x.example/1" in reply.text


def test_callbacks_that_come_twice_or_backwards_are_kept_once_each(line):
    line.control.habits(callbacks_doubled=True, callbacks_reversed=True)
    line.channel.send(a_message())

    assert [event.details["status"] for event in line.told()] == ["delivered", "sent", "queued"]
    assert len(line.posts) == 6


@pytest.mark.parametrize(
    ("behaviour", "kind", "stops"),
    [
        ({"texts_end": "undelivered", "code": 30003}, Delivery.FAILED, False),
        ({"texts_end": "undelivered", "code": 30005}, Delivery.FAILED, True),
        ({"texts_end": "failed", "code": 30006}, Delivery.FAILED, True),
        ({"texts_end": "undelivered", "code": 30007}, Delivery.FAILED, False),
        ({"texts_end": "failed", "code": 21610}, Delivery.OPTED_OUT, True),
        ({"texts_end": "undelivered", "code": 39999}, Delivery.FAILED, False),
    ],
)
def test_a_text_that_did_not_arrive_says_why_and_whether_the_number_is_at_fault(line, behaviour, kind, stops):
    line.control.person(DEBTOR, **behaviour)
    line.channel.send(a_message())

    last = line.told()[-1]
    assert (last.kind, last.stops_address, last.recipient) == (kind, stops, DEBTOR)
    assert last.details["code"] == str(behaviour["code"]) and last.why


def test_a_post_that_twilio_did_not_sign_is_forged_and_an_unknown_door_is_none(line):
    line.channel.send(a_message())
    line.control.text(DEBTOR, "Hello")
    line.control.settled()
    before = dict(line.kept)
    good = line.posts[0]
    bad = [
        dataclasses.replace(good, body=good.body + b"&ErrorCode=30005"),
        dataclasses.replace(good, body=good.body.replace(b"MessageStatus=queued", b"MessageStatus=failed")),
        dataclasses.replace(good, door=f"status/{token(99)}"),
        dataclasses.replace(good, query="a=b"),
        dataclasses.replace(good, headers={}),
        dataclasses.replace(good, headers=good.headers | {"x-twilio-signature": "é" * 20}),
        dataclasses.replace(good, headers=good.headers | {"content-type": "application/json"}),
        dataclasses.replace(good, door="status/"),
        dataclasses.replace(good, door="reply/x"),
        dataclasses.replace(good, door=""),
    ]
    assert [line.hear(one).status for one in bad] == [401] * 7 + [404] * 3
    # What a stranger writes about hosts changes nothing.
    assert line.hear(dataclasses.replace(good, headers=good.headers | {"host": "evil.example"})).status == 204
    assert line.kept == before


def test_a_shared_key_is_believed_only_where_we_have_set_one(world):
    world.control.twilio.shared_key("a-shared-key")
    for key, statuses in (("", [401] * 3), ("another", [401] * 3), ("a-shared-key", [204] * 3)):
        with opened(Line(world, "sms_twilio", webhook_key=key)) as line:
            line.channel.send(a_message())
            line.control.settled()
            assert [401] * len(line.refused) + [heard.status for heard in line.answered] == statuses
    world.control.twilio.shared_key("")
    with opened(Line(world, "sms_twilio", webhook_key="a-shared-key")) as line:
        line.channel.send(a_message())
        line.control.settled()
        assert len(line.refused) == 3  # signed by the token, which is no longer ours to believe


def test_answers_that_no_post_told_of_are_collected_from_the_list_once_an_hour(line):
    line.control.number(sms_url="")
    line.control.text(DEBTOR, "While you were away")
    line.channel.send(a_message())

    (collected,) = line.channel.collect(None)
    reply = line.channel.read(collected.raw)
    assert (reply.said, reply.sender, reply.sent_at) == ("While you were away", DEBTOR, MONDAY)
    assert collected.event_id == reply.message_id == line.control.texts()[0]["sid"]
    assert list(line.channel.collect(collected.bookmark)) == []  # asked a moment ago
    line.world.control.move_clock(MONDAY + timedelta(minutes=61))
    line.control.text(DEBTOR, "And again")
    again = list(line.channel.collect(collected.bookmark))
    # It reaches back a little, over what may show up late; the name by which each is kept is the same.
    assert again[0].event_id == collected.event_id
    assert [line.channel.read(one.raw).said for one in again[1:]] == ["And again"]
    line.world.control.move_clock(MONDAY + timedelta(days=20))
    line.control.text(DEBTOR, "Weeks later")
    assert [line.channel.read(one.raw).said for one in line.channel.collect(again[-1].bookmark)] == [
        "And again",
        "Weeks later",
    ]


def test_answers_that_could_not_be_stored_are_collected_again(line):
    line.control.number(sms_url="")
    line.control.text(DEBTOR, "One")
    line.control.text(DEBTOR, "Two")
    first = line.channel.collect(None)
    next(first)
    first.close()  # whoever stores them has trouble of their own

    assert [line.channel.read(one.raw).said for one in line.channel.collect(None)] == ["One", "Two"]


def test_an_answer_that_was_posted_and_is_collected_too_has_the_same_name(line):
    line.control.text(DEBTOR, "Hello")
    line.control.settled()

    assert [one.event_id for one in line.channel.collect(None)] == list(line.kept)


def test_where_twilio_cannot_reach_us_texts_go_without_callbacks_and_answers_are_collected_each_round(world):
    line = Line(world, "sms_twilio", public="http://my_host.example")
    line.channel.send(a_message())
    line.control.text(DEBTOR, "Hello")

    assert line.control.texts()[0]["callback"] == ""
    for _ in range(2):
        assert [line.channel.read(one.raw).said for one in line.channel.collect(None)] == ["Hello"]


@pytest.mark.parametrize(
    ("fault", "says"), [("503", "answered 503"), ("502html", "answered 502"), ("401", "auth_token"), ("429", "wait")]
)
def test_a_list_that_cannot_be_read_is_a_mailbox_that_is_silent(line, fault, says):
    line.world.control.faults(twilio=[fault])

    with pytest.raises(OSError, match=says) as silence:
        list(line.channel.collect(None))
    assert "may have been done" not in str(silence.value)
    assert list(line.channel.collect(None)) == []  # it is asked again at once, not in an hour
    assert len(line.world.control.calls(door="twilio")) == 2


def test_nothing_is_heard_without_a_public_address(world):
    line = Line(world, "sms_twilio", public="")

    assert line.hear(Posted("reply", "", {}, b"")).status == 404


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"account_sid": "SK1"}, "account_sid"),
        ({"auth_token": ""}, "auth_token"),
        ({"from_number": "07700 900900"}, r"\+447700900123"),
        ({"from_number": ""}, "messaging_service_sid"),
        ({"api_key": "SK1"}, "belong together"),
        ({"valid_minutes": 601}, "600"),
        ({"valid_minutes": 0}, "600"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_sentence(settings, says):
    with pytest.raises(ValueError, match=says):
        settings_of("sms_twilio")(**{"account_sid": SID, "auth_token": "t", "from_number": OTHER} | settings)


def test_no_secret_is_ever_shown():
    chosen = settings_of("sms_twilio")(
        account_sid=SID,
        auth_token="s3cret",
        from_number=OTHER,
        api_key="SK1",
        api_secret="s3cret",
        webhook_key="s3cret",
    )
    assert "s3cret" not in repr(chosen)
