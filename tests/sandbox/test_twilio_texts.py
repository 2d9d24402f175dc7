"""Mirrors sandbox/twilio/texts.py, carrier.py, lists.py and segments.py: texts at the practice Twilio."""

import json
from collections.abc import Iterator
from datetime import timedelta

import jsonschema
import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from sandbox.twilio.segments import segments
from tests.conftest import shared_file
from tests.sandbox.conftest import MONDAY
from tests.sandbox.twilio_app import EMPTY, FERN, MOSS, Address, TwilioApp, seal_of
from wording.segments import count


@pytest.fixture
def twilio(world) -> TwilioApp:
    return TwilioApp(world)


@pytest.fixture
def address() -> Iterator[Address]:
    one = Address()
    yield one
    one.stop()


def test_a_text_is_taken_with_an_answer_of_the_shape_that_twilio_describes(twilio):
    status, row = twilio.text(body="Your invoice INV-0042 is overdue.")

    assert status == 201
    assert (row["status"], row["num_segments"], row["direction"]) == ("queued", "1", "outbound-api")
    assert row["to"] == FERN and row["date_sent"] is None and row["price"] is None
    assert row["sid"].startswith("SM") and len(row["sid"]) == 34


def test_every_field_of_a_text_and_of_a_call_is_one_of_the_specification(twilio):
    spec = json.loads(shared_file("specs/twilio/twilio_api_v2010.messages_calls.json").read_text())
    spec = json.loads(json.dumps(spec).replace('"nullable": true, ', ""))
    schemas = spec["components"]["schemas"]
    twilio.text()
    twilio.ring(Twiml=EMPTY)
    twilio.world.control.twilio.settled()
    for row, name in (
        (twilio.call("GET", "Messages.json")[1]["messages"][0], "message"),
        (twilio.call("GET", "Calls.json")[1]["calls"][0], "call"),
    ):
        schema = schemas[f"api.v2010.account.{name}"]
        assert set(row) == set(schema["properties"])
        told = {field: value for field, value in row.items() if value is not None}
        jsonschema.validate(told, {**schema, "components": {"schemas": schemas}})


def test_its_way_is_told_to_the_address_that_the_sender_named_with_a_signature_over_that_address(twilio, address):
    _, row = twilio.text(StatusCallback=f"{address.url}/told/a1?of=x")
    twilio.world.control.twilio.settled()

    assert [fields["MessageStatus"] for fields in address.at("/told/a1?of=x")] == ["queued", "sent", "delivered"]
    for told in address.told:
        assert told.fields["MessageSid"] == row["sid"]
        url = f"{address.url}{told.path}"
        assert told.headers["x-twilio-signature"] == seal_of(url, told.body, twilio.twilio.auth_token)


def test_behind_a_proxy_the_signature_is_over_the_public_address(twilio, address):
    twilio.world.control.twilio.reach("https://arrears.example/ar", address.url)
    twilio.text(StatusCallback="https://arrears.example/ar/told/a1")
    twilio.world.control.twilio.settled()

    told = address.told[0]
    assert told.path == "/told/a1"
    seal = seal_of("https://arrears.example/ar/told/a1", told.body, twilio.twilio.auth_token)
    assert told.headers["x-twilio-signature"] == seal


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"to": ""}, 21604),
        ({"body": ""}, 21602),
        ({"From": ""}, 21603),
        ({"to": "07700 900101"}, 21211),
        ({"to": "+447700900900"}, 21266),
        ({"From": "+447700900901"}, 21606),
        ({"From": "Brightwater"}, 21212),
        ({"body": "x" * 1601}, 21617),
        ({"StatusCallback": "https://my_host.example/x"}, 21609),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"MessagingServiceSid": f"MG{'0' * 32}"}, 21701),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_number_of_the_error(twilio, wishes, code):
    status, said = twilio.text(**wishes)

    assert (status, said["code"], said["status"]) == (400, code, 400)
    assert said["more_info"].endswith(f"/{code}") and said["message"]
    assert twilio.world.control.twilio.texts() == []


def test_only_the_right_keys_open_the_account_and_a_second_pair_does_as_well(twilio):
    twilio.keys = (twilio.account, "wrong")
    assert twilio.text()[1]["code"] == 20003 and twilio.text()[0] == 401
    twilio.keys = (twilio.twilio.api_key, twilio.twilio.api_secret)
    assert twilio.text()[0] == 201


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550007"}, 21606),
        ({"From": "+15005550008"}, 21611),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
    ],
)
def test_with_the_keys_for_trying_out_the_magic_numbers_fail_as_they_do_at_twilio(twilio, address, wishes, code):
    twilio.account = twilio.twilio.test_account_sid
    twilio.keys = (twilio.account, twilio.twilio.test_auth_token)

    assert twilio.text(**{"From": "+15005550006"} | wishes)[1]["code"] == code
    assert twilio.text(From="+15005550006", StatusCallback=address.url + "/told")[0] == 201
    assert twilio.call("GET", "Messages.json")[1]["code"] == 20008
    assert twilio.world.control.twilio.texts() == [] and address.told == []


def test_texts_are_listed_newest_first_by_number_and_day_a_page_at_a_time(twilio):
    control = twilio.world.control
    for number in range(5):
        twilio.text(body=f"text {number}")
        control.move_clock(MONDAY + timedelta(days=number + 1))
    twilio.text(to=MOSS)

    status, page = twilio.call("GET", "Messages.json", To=FERN, PageSize="2")
    assert status == 200
    assert [row["body"] for row in page["messages"]] == ["text 4", "text 3"]
    assert (page["page"], page["page_size"], page["start"], page["end"]) == (0, 2, 0, 1)
    twilio.text(body="came in between")
    bodies = []
    while page["next_page_uri"]:
        answer = twilio.http.request(
            "GET",
            twilio.twilio.base_url + page["next_page_uri"],
            headers=urllib3.make_headers(basic_auth=":".join(twilio.keys)),
        )
        page = answer.json()
        bodies += [row["body"] for row in page["messages"]]
    assert bodies == ["text 2", "text 1", "text 0"]

    def found(**filters: str) -> list[str]:
        rows = twilio.call("GET", "Messages.json", **{"To": FERN} | filters)[1]["messages"]
        return [row["body"] for row in rows]

    assert found(DateSent="2026-01-06") == ["text 1"]
    assert found(**{"DateSent>": "2026-01-09"}) == ["came in between", "text 4"]
    assert found(**{"DateSent<": "2026-01-05"}) == ["text 0"]
    assert found(**{"DateSent>": "2026-01-09T10:00:00Z"}) == ["came in between"]


def test_whoever_texts_stop_is_texted_no_more_until_they_say_start(twilio, address):
    control = twilio.world.control.twilio
    control.number(sms_url=f"{address.url}/in")
    address.says["/in"] = EMPTY
    control.text(FERN, "stop")
    assert control.blocked() == [FERN]
    assert twilio.text()[1]["code"] == 21610
    assert twilio.text(From="", MessagingServiceSid=twilio.twilio.service)[1]["code"] == 21610
    assert twilio.text(to=MOSS)[0] == 201
    control.text(FERN, "START")
    assert twilio.text()[0] == 201
    control.settled()
    assert [fields["Body"] for fields in address.at("/in")] == ["stop", "START"]
    assert "OptOutType" not in address.told[0].fields
    confirmations = [text["body"] for text in control.texts() if text["direction"] == "outbound-reply"]
    assert ["unsubscribed" in said for said in confirmations] == [True, False]


def test_stop_please_is_a_keyword_only_where_opt_out_is_advanced_and_is_then_named(twilio, address):
    control = twilio.world.control.twilio
    control.number(sms_url=f"{address.url}/in")
    control.text(FERN, "STOP PLEASE")
    assert control.blocked() == []
    control.habits(advanced_opt_out=True)
    control.text(FERN, "Stop please")
    control.settled()

    assert control.blocked() == [FERN]
    assert [fields.get("OptOutType") for fields in address.at("/in")] == [None, "STOP"]


def test_a_text_that_comes_in_is_posted_with_empty_fields_and_what_the_app_says_is_texted_back(twilio, address):
    control = twilio.world.control.twilio
    control.number(sms_url=f"{address.url}/in")
    address.says["/in"] = "<Response><Message>Thank you.</Message></Response>"
    sid = control.text(FERN, "Wir zahlen am Freitag – versprochen 🙂")
    control.settled()

    told = address.told[0]
    assert told.fields["MessageSid"] == sid and told.fields["FromCity"] == ""
    assert told.headers["x-twilio-signature"] == seal_of(f"{address.url}/in", told.body, twilio.twilio.auth_token)
    assert [text["body"] for text in control.texts() if text["direction"] == "outbound-reply"] == ["Thank you."]


def test_a_text_that_waits_longer_than_it_is_good_for_is_never_sent(twilio, address):
    control = twilio.world.control
    control.twilio.habits(queue_seconds=1800)
    _, late = twilio.text(StatusCallback=f"{address.url}/late", ValidityPeriod="900")
    _, timely = twilio.text(StatusCallback=f"{address.url}/timely", ValidityPeriod="3600")
    control.move_clock(MONDAY + timedelta(hours=1))
    control.twilio.settled()

    assert [(x["MessageStatus"], x.get("ErrorCode")) for x in address.at("/late")] == [
        ("queued", None),
        ("failed", "30036"),
    ]
    assert address.at("/timely")[-1]["MessageStatus"] == "delivered"
    row = twilio.call("GET", f"Messages/{late['sid']}.json")[1]
    assert (row["status"], row["error_code"], row["date_sent"]) == ("failed", 30036, None)
    row = twilio.call("GET", f"Messages/{timely['sid']}.json")[1]
    assert row["date_sent"] == "Mon, 05 Jan 2026 09:30:00 +0000"


@pytest.mark.parametrize(
    ("behaviour", "told", "code"),
    [
        ({"texts_end": "undelivered"}, ["queued", "sent", "undelivered"], "30003"),
        ({"texts_end": "failed", "code": 30006}, ["queued", "failed"], "30006"),
        ({"texts_end": "sent"}, ["queued", "sent"], None),
    ],
)
def test_a_text_may_end_otherwise_than_well(twilio, address, behaviour, told, code):
    twilio.world.control.twilio.person(FERN, **behaviour)
    twilio.text(StatusCallback=f"{address.url}/told")
    twilio.world.control.twilio.settled()

    assert [fields["MessageStatus"] for fields in address.at("/told")] == told
    assert address.told[-1].fields.get("ErrorCode") == code


def test_a_number_may_be_one_that_twilio_does_not_even_try(twilio):
    twilio.world.control.twilio.person(FERN, refuses=21614)

    assert twilio.text()[1]["code"] == 21614


def test_callbacks_come_twice_or_last_first_or_not_at_all(twilio, address):
    control = twilio.world.control.twilio
    control.habits(callbacks_doubled=True)
    twilio.text(StatusCallback=f"{address.url}/twice")
    control.habits(callbacks_doubled=False, callbacks_reversed=True)
    twilio.text(StatusCallback=f"{address.url}/backwards")
    control.habits(callbacks_reversed=False, callbacks_lost=True)
    twilio.text(StatusCallback=f"{address.url}/never")
    control.settled()

    assert [x["MessageStatus"] for x in address.at("/twice")] == [
        "queued",
        "queued",
        "sent",
        "sent",
        "delivered",
        "delivered",
    ]
    assert [x["MessageStatus"] for x in address.at("/backwards")] == ["delivered", "sent", "queued"]
    assert address.at("/never") == []


def test_a_scheduled_text_can_be_taken_back_and_no_other(twilio):
    service = {"From": "", "MessagingServiceSid": twilio.twilio.service}
    at = (MONDAY + timedelta(minutes=30)).isoformat()
    _, kept = twilio.text(body="kept", ScheduleType="fixed", SendAt=at, **service)
    _, taken = twilio.text(body="taken back", ScheduleType="fixed", SendAt=at, **service)
    _, gone = twilio.text(body="gone")
    assert twilio.text(ScheduleType="fixed", SendAt=MONDAY.isoformat(), **service)[1]["code"] == 35114
    canceled = [("Status", "canceled")]

    assert twilio.call("POST", f"Messages/{taken['sid']}.json", canceled)[1]["status"] == "canceled"
    assert twilio.call("POST", f"Messages/{gone['sid']}.json", canceled)[1]["code"] == 30409
    twilio.world.control.move_clock(MONDAY + timedelta(hours=1))
    assert twilio.call("GET", f"Messages/{kept['sid']}.json")[1]["status"] == "delivered"
    assert twilio.call("GET", f"Messages/{taken['sid']}.json")[1]["status"] == "canceled"


def test_words_can_be_taken_out_of_a_text_and_a_text_out_of_the_list(twilio):
    _, row = twilio.text(body="private")
    assert twilio.call("POST", f"Messages/{row['sid']}.json", [("Body", "")])[1]["body"] == ""
    assert twilio.call("DELETE", f"Messages/{row['sid']}.json")[0] == 204
    assert twilio.call("GET", f"Messages/{row['sid']}.json")[1]["code"] == 20404


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("a" * 159 + "€", 2),
        ("é" * 160, 1),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
        ("it’s due", 1),
        ("’" + "a" * 70, 2),
    ],
)
def test_segments_are_counted_as_they_are_billed(twilio, text, count):
    assert twilio.text(body=text)[1]["num_segments"] == str(count)


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé€^\n🙂’"), min_size=1, max_size=400))
def test_twilio_always_bills_what_the_author_of_a_text_was_shown(text):
    """The two were written apart; a customer of the product would notice if they disagreed."""
    assert segments(text) == count(text).segments


def test_smart_encoding_keeps_a_curly_apostrophe_from_making_a_text_dearer(twilio):
    dear = "’" + "a" * 70
    assert twilio.text(body=dear, SmartEncoded="true")[1]["num_segments"] == "1"


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [("429", 429, 0), ("500", 500, 0), ("503", 503, 0), ("401", 401, 0), ("500after", 500, 1), ("503after", 503, 1)],
)
def test_what_goes_wrong_goes_wrong_before_or_after_the_text_was_taken(twilio, fault, status, taken):
    control = twilio.world.control
    control.faults(twilio=[fault])

    answered, said = twilio.text()

    assert answered == status and said["status"] == status
    assert len(control.twilio.texts()) == taken
    assert twilio.text()[0] == 201


@pytest.mark.parametrize(("fault", "taken"), [("drop_before", 0), ("drop_after", 1), ("truncated", 1)])
def test_a_line_that_breaks_does_not_tell_whether_the_text_was_taken(twilio, fault, taken):
    control = twilio.world.control
    control.faults(twilio=[fault])

    with pytest.raises(urllib3.exceptions.HTTPError):
        twilio.text()
    assert len(control.twilio.texts()) == taken


def test_two_of_the_slow_customers_text_back_one_with_a_day_and_one_with_stop(company):
    twilio, control = TwilioApp(company), company.control
    mobiles = [row["mobile"].replace(" ", "") for row in control.contacts() if row["mobile"]]
    for mobile in mobiles:
        twilio.text(to=mobile)
    control.move_clock(MONDAY + timedelta(hours=1))

    inbound = [text["body"] for text in control.twilio.texts() if text["direction"] == "inbound"]
    assert sorted(inbound) == ["STOP", "Sorry, this slipped through. We will pay on Friday."]
    assert len(control.twilio.blocked()) == 1
