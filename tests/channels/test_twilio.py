"""Mirrors channels/_twilio.py, _twilio_posts.py, _twilio_failures.py, _sealed.py and _twiml.py."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.request_validator import RequestValidator

from channels import Posted, Refused, Unavailable, Unsure
from channels._sealed import sealed, unsealed
from channels._twilio import hour, is_number, reachable
from channels._twilio_failures import failure_of, why_not_delivered
from channels._twilio_line import HOME
from channels._twilio_posts import genuine, raw_of, read_raw
from channels._twiml import VOICES, clean, document, say, voice_of

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
DOORS = "https://arrears.example/hooks/sms_twilio"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def posted(pairs: list[tuple[str, str]], *, url: str = f"{DOORS}/reply", key: str = "k", query: str = "") -> Posted:
    """Signed by Twilio's own library, over the address as Twilio was given it."""
    seal = RequestValidator(key).compute_signature(url + (f"?{query}" if query else ""), _Many(pairs))
    return Posted("reply", query, FORM | {"x-twilio-signature": seal}, urlencode(pairs).encode())


class _Many(dict):
    """Fields that may come more than once, as the library wants them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


@given(st.lists(st.tuples(WORDS.filter(bool), WORDS), min_size=1, max_size=8))
def test_whatever_twilios_own_library_signs_is_genuine_and_nothing_is_that_was_changed(pairs):
    post = posted(pairs)

    assert genuine(post, doors=DOORS, auth_token="k")
    assert not genuine(post, doors=DOORS, auth_token="another")
    assert not genuine(post, doors="https://elsewhere.example/hooks/sms_twilio", auth_token="k")
    assert not genuine(post, doors=DOORS, auth_token="k", shared_key="k")
    more = Posted("reply", "", post.headers, post.body + b"&zz=1")
    assert not genuine(more, doors=DOORS, auth_token="k")


@given(st.binary(max_size=200), st.text(max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_no_post_however_odd_is_more_than_a_forgery(body, seal, door, query):
    for kind in ("application/x-www-form-urlencoded", "application/json", ""):
        post = Posted(door, query, {"x-twilio-signature": seal, "content-type": kind}, body)
        assert not genuine(post, doors=DOORS, auth_token="k")


def test_empty_fields_and_repeated_ones_are_signed_too():
    post = posted([("FromCity", ""), ("A", "2"), ("A", "1"), ("A", "2"), ("Body", "Zahlung – morgen")])

    assert genuine(post, doors=DOORS, auth_token="k")


@pytest.mark.parametrize("signed", ["https://arrears.example:443", "https://arrears.example"])
@pytest.mark.parametrize("given_to_us", ["https://arrears.example:443", "https://arrears.example"])
def test_the_usual_port_may_be_written_or_not(signed, given_to_us):
    post = posted([("A", "1")], url=f"{signed}/hooks/sms_twilio/reply")

    assert genuine(post, doors=f"{given_to_us}/hooks/sms_twilio", auth_token="k")


def test_a_name_and_password_in_the_address_are_left_as_they_are():
    doors = "https://user:pass@arrears.example:8443/hooks/sms_twilio"
    own = RequestValidator("k")
    post = posted([("A", "1")])
    seal = own.compute_signature(f"{doors}/reply", {"A": "1"})

    assert genuine(Posted("reply", "", FORM | {"x-twilio-signature": seal}, b"A=1"), doors=doors, auth_token="k")
    assert not genuine(post, doors=doors, auth_token="k")


def test_a_form_of_thousands_of_fields_is_no_post_of_twilios():
    pairs = [(f"n{place}", "1") for place in range(2000)]

    assert not genuine(posted(pairs), doors=DOORS, auth_token="k")


@given(st.binary(min_size=1, max_size=100))
def test_a_body_that_is_no_form_is_vouched_for_by_its_hash_in_the_signed_address(body):
    from hashlib import sha256

    query = f"bodySHA256={sha256(body).hexdigest()}"
    seal = RequestValidator("k").compute_signature(f"{DOORS}/reply?{query}", {})
    headers = {"content-type": "application/json", "x-twilio-signature": seal}

    assert genuine(Posted("reply", query, headers, body), doors=DOORS, auth_token="k")
    assert not genuine(Posted("reply", query, headers, body + b" "), doors=DOORS, auth_token="k")
    assert not genuine(Posted("reply", "", headers, body), doors=DOORS, auth_token="k")


def outcome_of(error: Exception, **headers: str) -> Refused | Unavailable | Unsure:
    return failure_of(error, "sending a text", headers=headers, block="sms_twilio", now=NOW)


@pytest.mark.parametrize(
    ("status", "code", "becomes"),
    [
        (400, 21211, Refused),
        (400, 21614, Refused),
        (400, 30005, Refused),
        (400, 30006, Refused),
        (400, 21610, Refused),
        (400, 30004, Refused),
        (400, 30007, Refused),
        (400, 30450, Refused),
        (400, 99999, Refused),
        (413, 413, Refused),
        (401, 20003, Unavailable),
        (403, 403, Unavailable),
        (407, 407, Unavailable),
        (404, 20404, Unavailable),
        (400, 21212, Unavailable),
        (400, 21606, Unavailable),
        (400, 21608, Unavailable),
        (400, 21408, Unavailable),
        (400, 30034, Unavailable),
        (400, 30610, Unavailable),
        (400, 30640, Unavailable),
        (429, 20429, Unavailable),
        (429, 429, Unavailable),
        (400, 21611, Unavailable),
        (400, 30001, Unavailable),
        (400, 30003, Unavailable),
        (400, 30008, Unavailable),
        (408, 408, Unsure),
        (500, 20500, Unsure),
        (502, 502, Unsure),
        (504, 504, Unsure),
        (302, 302, Unsure),
    ],
)
def test_each_code_means_what_the_next_act_has_to_be(status, code, becomes):
    outcome = outcome_of(TwilioRestException(status, "/x", "Unable to create record: Some words.", code, "POST"))

    assert type(outcome) is becomes
    assert outcome.why and "Unable to create record" not in outcome.why
    assert getattr(outcome, "opted_out", False) is (code == 21610)


def test_the_newer_shape_of_an_error_is_understood_as_well():
    error = TwilioServiceException("https://x.example", "Invalid number", 400, 21211)

    assert isinstance(outcome_of(error), Refused)


def test_what_twilio_asks_us_to_wait_is_waited_and_its_number_for_the_request_is_told():
    busy = outcome_of(TwilioRestException(429, "/x", "Too many", 20429), **{"Retry-After": "30"})
    broken = outcome_of(TwilioRestException(500, "/x", "", 20500), **{"Twilio-Request-Id": "RQ1"})

    assert isinstance(busy, Unavailable) and busy.until == NOW.replace(second=30)
    assert "RQ1" in broken.why


@given(st.integers(0, 99999))
def test_every_code_of_a_text_that_did_not_arrive_has_a_sentence(code):
    assert len(why_not_delivered(code).split()) > 3


@pytest.mark.parametrize(
    ("doors", "base_url", "can"),
    [
        ("https://arrears.example/hooks/x", HOME, True),
        ("https://203.0.113.9/hooks/x", HOME, False),
        ("https://8.8.8.8/hooks/x", HOME, True),
        ("http://localhost:8000/hooks/x", HOME, False),
        ("http://127.0.0.1:8000/hooks/x", HOME, False),
        ("http://office.local/hooks/x", HOME, False),
        ("http://office/hooks/x", HOME, False),
        ("https://my_office.example/hooks/x", HOME, False),
        ("", HOME, False),
        ("http://127.0.0.1:8000/hooks/x", "http://127.0.0.1:9", True),
        ("https://my_office.example/hooks/x", "http://127.0.0.1:9", False),
    ],
)
def test_twilio_reaches_a_public_name_and_no_other(doors, base_url, can):
    assert reachable(doors, base_url) is can


def test_a_number_is_written_with_its_country():
    assert is_number("+447700900123")
    assert not any(map(is_number, ("", "447700900123", "+0447700900123", "+44 7700 900123", "+٤٤٧٧٠٠٩٠٠١٢٣", "+44x")))


def test_an_hour_is_read_in_any_way_that_it_comes():
    assert hour("Mon, 05 Jan 2026 09:00:00 +0000") == hour(NOW) == NOW
    assert hour(None) is hour("") is hour("yesterday") is None


@given(
    st.one_of(st.integers(200, 399), st.just(408), st.integers(500, 599)),
    st.sampled_from([0, 20003, 20404, 20429, 21211, 21408, 21610, 21611, 30001, 30003, 30007, 30008, 30034]),
)
def test_an_answer_after_which_it_may_have_gone_is_always_a_doubt_whatever_number_it_carries(status, code):
    error = TwilioRestException(status, "/Messages.json", "Unable to create record: who knows", code)

    assert isinstance(failure_of(error, "sending a text", headers={}, block="sms_twilio", now=NOW), Unsure)


def test_a_zero_byte_in_a_text_does_not_keep_it_out_of_the_books():
    assert read_raw(raw_of("reply", {"Body": "We pay\0on Friday"})).fields["Body"] == "We pay on Friday"


@given(st.dictionaries(WORDS, WORDS, max_size=5), WORDS, WORDS)
def test_what_is_sealed_is_read_by_its_own_key_alone_and_shows_nothing(content, secret, other):
    address = sealed(content, secret=secret, at=1)

    assert unsealed(address, secret=secret) == content
    assert "/" not in address and "=" not in address
    if secret != other:
        with pytest.raises(ValueError, match="not sealed here"):
            unsealed(address, secret=other)


@given(st.text(max_size=200))
def test_no_text_however_odd_breaks_what_is_said(text):
    root = ElementTree.fromstring(document(say(text, "en")))

    assert (root[0].text or "") == clean(text)


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en-GB", "en-GB"),
        ("en-US", "en-US"),
        ("en-IE", "en-GB"),
        ("de-AT", "de-DE"),
        ("de", "de-DE"),
        ("fr-CA", "fr-CA"),
        ("fr-BE", "fr-FR"),
        ("cy-GB", "en-GB"),
        ("", "en-GB"),
    ],
)
def test_a_country_without_a_voice_of_its_own_hears_that_of_its_language(language, voice):
    assert voice_of(language) == voice


@given(st.text(max_size=8))
def test_every_language_however_odd_has_a_voice(language):
    assert voice_of(language) in VOICES
