"""Mirrors sandbox/twilio/: a client that others wrote, Twilio's own, texts, calls, lists and checks signatures."""

from datetime import date

import pytest

from tests.sandbox.twilio_app import FERN, MOSS, Address

rest = pytest.importorskip("twilio.rest", reason="twilio is not installed")


@pytest.fixture
def client(world):
    from twilio.http.http_client import TwilioHttpClient

    class Nearby(TwilioHttpClient):
        def request(self, method, url, *args, **wishes):
            return super().request(
                method, url.replace("https://api.twilio.com", world.twilio.base_url), *args, **wishes
            )

    return rest.Client(world.twilio.account_sid, world.twilio.auth_token, http_client=Nearby(timeout=10))


def test_it_texts_and_reads_what_became_of_it(client, world):
    sent = client.messages.create(to=FERN, from_=world.twilio.number, body="Hello", validity_period=900)
    assert sent.status == "queued"
    assert client.messages(sent.sid).fetch().status == "delivered"


def test_it_reads_a_list_over_several_pages(client, world):
    for number in range(7):
        client.messages.create(to=FERN, from_=world.twilio.number, body=str(number))
    found = client.messages.list(to=FERN, date_sent_after=date(2026, 1, 5), page_size=3)
    assert [text.body for text in found] == ["6", "5", "4", "3", "2", "1", "0"]
    assert client.messages.list(to=FERN, date_sent_before=date(2026, 1, 4)) == []


def test_it_understands_a_refusal(client, world):
    from twilio.base.exceptions import TwilioRestException

    world.control.twilio.text(MOSS, "STOP")
    with pytest.raises(TwilioRestException) as refusal:
        client.messages.create(to=MOSS, from_=world.twilio.number, body="Hello")
    assert (refusal.value.code, refusal.value.status) == (21610, 400)


def test_its_validator_believes_the_posts_and_no_other(client, world):
    from twilio.request_validator import RequestValidator

    address = Address()
    address.says["/voice"] = "<Response><Say>Hello</Say></Response>"
    url = f"{address.url}/voice"
    client.calls.create(to=FERN, from_=world.twilio.number, url=url, status_callback=url)
    client.messages.create(to=FERN, from_=world.twilio.number, body="Hello", status_callback=url)
    world.control.twilio.post_json(url, {"a": 1})
    world.control.twilio.settled()
    address.stop()

    own, strange = RequestValidator(world.twilio.auth_token), RequestValidator("another")
    assert len(address.told) == 6
    for told in address.told:
        content = told.body.decode() if told.headers["content-type"] == "application/json" else told.fields
        seal = told.headers["x-twilio-signature"]
        assert own.validate(f"{address.url}{told.path}", content, seal)
        assert not strange.validate(f"{address.url}{told.path}", content, seal)


def test_its_validator_believes_a_shared_key_too(client, world):
    from twilio.request_validator import RequestValidator, get_signature_algorithm

    address = Address()
    world.control.twilio.shared_key("a-shared-key")
    client.messages.create(to=FERN, from_=world.twilio.number, body="Hello", status_callback=f"{address.url}/told")
    world.control.twilio.settled()
    address.stop()

    told = address.told[0]
    way = get_signature_algorithm(told.headers["x-twilio-webhooks-signature-settings"])
    assert way == "HMAC_SHA256"
    url, seal = f"{address.url}/told", told.headers["x-twilio-signature"]
    assert RequestValidator("a-shared-key").validate(url, told.fields, seal, way)
