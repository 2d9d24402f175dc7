"""Mirrors channels/_sendgrid_sign_in.py and channels/_twilio_sign_in.py: who lets us in, to what, and what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import sandbox
from channels import NotLetIn, open_channel, settings_of
from tests.channels.twilio_world import Line

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=NOW, company=False) as world:
        yield world


def by_sendgrid(world: sandbox.Sandbox, **changes):
    usual = {
        "api_key": world.sendgrid.api_key,
        "host": world.sendgrid.host,
        "from_address": "accounts@brightwater.example",
        "connect_seconds": 2.0,
    }
    given = settings_of("email_sendgrid")(**usual | changes)
    return open_channel("email_sendgrid", given, clock=world.control.now)


def not_let_in(channel) -> NotLetIn:
    with pytest.raises(NotLetIn) as caught:
        channel.sign_in()
    assert caught.value.do.endswith("."), "each finding says what to do"
    return caught.value


# --- SendGrid


def test_a_key_that_may_do_all_that_is_needed_is_let_in_and_nothing_is_sent(world):
    assert by_sendgrid(world).sign_in() == f"SendGrid at {world.sendgrid.host}"
    assert world.control.mails() == []


def test_a_key_that_sendgrid_does_not_know_is_wrong(world):
    problem = not_let_in(by_sendgrid(world, api_key="SG.not-a-key"))

    assert "does not know the key" in str(problem) and "api_key" in problem.do
    assert not problem.partly


def test_a_key_that_may_not_send_is_told_from_a_wrong_one(world):
    world.control.sendgrid.key(["logs.read"])
    problem = not_let_in(by_sendgrid(world))

    assert "does not let it send" in str(problem) and "Mail Send" in problem.do
    assert not problem.partly


def test_a_key_that_may_send_and_not_look_into_the_logs_is_let_in_partly(world):
    world.control.sendgrid.key(["mail.send"])
    problem = not_let_in(by_sendgrid(world))

    assert problem.partly and "Email Logs" in str(problem) and "evidence = false" in problem.do
    assert by_sendgrid(world, evidence=False).sign_in()


@pytest.mark.parametrize(
    ("fault", "says"),
    [("429", "too often"), ("403", "does not let it in"), ("503", "no answer of use"), ("502html", "no answer of use")],
)
def test_what_sendgrid_answers_otherwise_is_said_as_it_is(world, fault, says):
    world.control.sendgrid.faults(fault)

    assert says in str(not_let_in(by_sendgrid(world)))


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_line_that_breaks_is_said_to_be_one(world, fault):
    world.control.sendgrid.faults(fault)

    assert "cannot be reached" in str(not_let_in(by_sendgrid(world)))


def test_a_sendgrid_that_is_not_there_is_unreachable(world):
    problem = not_let_in(by_sendgrid(world, host=NOWHERE))

    assert f"cannot be reached at {NOWHERE}" in str(problem) and "host" in problem.do


# --- Twilio


@pytest.fixture(params=["sms_twilio", "call_twilio"])
def kind(request) -> str:
    return request.param


def test_keys_that_twilio_knows_are_let_in_and_nobody_is_rung_or_written_to(world, kind):
    assert Line(world, kind).channel.sign_in() == f"Twilio at {world.twilio.base_url}"
    assert world.control.twilio.calls() == world.control.twilio.texts() == []


@pytest.mark.parametrize(
    "wrong", [{"auth_token": "another"}, {"account_sid": f"AC{'0' * 32}"}, {"api_key": "SK1", "api_secret": "x"}]
)
def test_keys_that_twilio_does_not_know_are_wrong(world, kind, wrong):
    problem = not_let_in(Line(world, kind, **wrong).channel)

    assert "does not know these keys" in str(problem)
    assert f"[{kind}]" in problem.do and "auth_token" in problem.do


def test_the_keys_for_trying_out_are_known_for_what_they_are(world, kind):
    from sandbox.twilio.account import TEST_ACCOUNT, TEST_TOKEN

    problem = not_let_in(Line(world, kind, account_sid=TEST_ACCOUNT, auth_token=TEST_TOKEN).channel)

    assert "keys for trying out" in str(problem)


def test_a_key_that_is_not_allowed_enough_is_told_from_a_wrong_one(world, kind):
    world.control.faults(twilio=["403"])
    problem = not_let_in(Line(world, kind).channel)

    assert "does not let them at" in str(problem)
    assert ("messages" if kind == "sms_twilio" else "calls") in problem.do


@pytest.mark.parametrize(
    ("fault", "says"),
    [("429", "too often"), ("503", "no answer of use"), ("502html", "no answer of use"), ("drop_before", "reached")],
)
def test_what_twilio_answers_otherwise_is_said_as_it_is(world, kind, fault, says):
    world.control.faults(twilio=[fault])

    assert says in str(not_let_in(Line(world, kind).channel))


def test_a_twilio_that_is_not_there_is_unreachable(world, kind):
    problem = not_let_in(Line(world, kind, base_url=NOWHERE).channel)

    assert f"cannot be reached at {NOWHERE}" in str(problem) and "base_url" in problem.do
