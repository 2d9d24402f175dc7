"""Mirrors connector/_quickbooks_consent.py: into one company, and out of it again."""

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from connector import ConsentNeeded, Refused, Tenant
from connector._grants import Tokens
from tests.connector.intuit import QUICKBOOKS_REDIRECT, REALM, connect_quickbooks, fault, found
from tests.connector.surroundings import VERIFIER, KeeperInMemory, Say, a_grant

PAIR = {
    "token_type": "bearer",
    "access_token": "access-2",
    "refresh_token": "refresh-2",
    "expires_in": 3600,
    "x_refresh_token_expires_in": 8640000,
    "x_refresh_token_hard_expires_in": 157680000,
}
COMPANY = {"Id": "1", "CompanyName": "Brightwater Joinery", "Country": "US"}


@pytest.fixture
def at_intuit(xero, clock):
    return connect_quickbooks(xero, clock)


def exchanged(at_intuit):
    return at_intuit.authoriser.exchange(code="c1", verifier=VERIFIER, redirect_uri=QUICKBOOKS_REDIRECT)


def test_the_browser_is_sent_with_the_state_and_without_a_challenge_that_intuit_does_not_know(at_intuit):
    url = at_intuit.authoriser.authorise_url(state="s1", challenge="c", redirect_uri=QUICKBOOKS_REDIRECT)

    assert dict(parse_qsl(urlsplit(url).query)) == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": QUICKBOOKS_REDIRECT,
        "scope": "com.intuit.quickbooks.accounting",
        "state": "s1",
    }


def test_a_code_becomes_a_grant_that_knows_both_its_ends(xero, at_intuit, clock):
    xero.script = [Say(PAIR)]

    grant = exchanged(at_intuit)

    (asked,) = xero.asked
    assert asked.form == {"grant_type": "authorization_code", "code": "c1", "redirect_uri": QUICKBOOKS_REDIRECT}
    assert asked.headers["x-include-refresh-token-hard-expires-in"] == "true"
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"app:s3cret"
    assert grant.access_expires_at - clock() == timedelta(hours=1)
    assert grant.refresh_expires_at is not None and grant.refresh_expires_at - clock() == timedelta(days=100)
    assert grant.hard_expires_at is not None and grant.hard_expires_at - clock() == timedelta(days=1825)


def test_a_grant_says_in_good_time_that_it_dies(clock):
    grant = a_grant(clock)

    def dies(**ends):
        return type(grant)("a", "r", clock(), **{name: clock() + timedelta(days=days) for name, days in ends.items()})

    assert grant.dies_soon(clock()) is None
    assert dies(refresh_expires_at=15, hard_expires_at=46).dies_soon(clock()) is None
    assert dies(refresh_expires_at=13).dies_soon(clock()) == clock() + timedelta(days=13)
    assert dies(refresh_expires_at=13, hard_expires_at=9).dies_soon(clock()) == clock() + timedelta(days=9)
    assert dies(hard_expires_at=44).dies_soon(clock()) == clock() + timedelta(days=44)


def test_a_renewed_pair_that_does_not_say_when_it_dies_for_good_keeps_what_was_known(xero, at_intuit, clock):
    xero.script = [Say(PAIR), Say({name: value for name, value in PAIR.items() if "hard" not in name})]
    grant = exchanged(at_intuit)

    assert at_intuit.authoriser.refresh(grant).hard_expires_at == grant.hard_expires_at


def test_the_company_is_the_one_that_the_browser_came_back_with_and_is_asked_who_it_is(xero, at_intuit, clock):
    xero.script = [Say(found("CompanyInfo", COMPANY))]

    assert at_intuit.authoriser.tenants(a_grant(clock), {"realmId": REALM, "state": "s"}) == (
        Tenant(REALM, "Brightwater Joinery"),
    )
    assert xero.asked[0].path == f"/v3/company/{REALM}/query"
    assert xero.asked[0].token == "access-1"


@pytest.mark.parametrize("callback", [{}, {"realmId": ""}, {"realmId": "1/../2"}, {"realmId": "' OR"}])
def test_a_browser_that_names_no_company_is_sent_back(at_intuit, xero, clock, callback):
    with pytest.raises(Refused, match="which company it is"):
        at_intuit.authoriser.tenants(a_grant(clock), callback)
    assert xero.asked == []


@pytest.mark.parametrize(
    "say", [Say(fault(3200, "AuthenticationFailed"), status=401), Say(fault(3100, "No"), status=403)]
)
def test_a_company_that_the_key_does_not_open_is_not_connected(xero, at_intuit, clock, say):
    xero.always(say)

    with pytest.raises(ConsentNeeded, match="onnect"):
        at_intuit.authoriser.tenants(a_grant(clock), {"realmId": REALM})


def test_disconnecting_ends_the_grant_at_intuit(xero, at_intuit, clock):
    xero.script = [Say(b"")]

    at_intuit.authoriser.disconnect(a_grant(clock), "")

    (asked,) = xero.asked
    assert (asked.path, json.loads(asked.body)) == ("/revoke_url", {"token": "refresh-1"})
    assert asked.headers["content-type"] == "application/json"


def test_the_newest_refresh_key_is_kept_before_the_access_key_is_used(xero, at_intuit, clock):
    keeper = KeeperInMemory(a_grant(clock, minutes=1))
    tokens = Tokens(refresh=at_intuit.authoriser.refresh, keeper=keeper, clock=clock)
    xero.script = [Say(PAIR)]

    assert tokens.access_token() == "access-2"
    assert [kept.refresh_token for kept in keeper.kept] == ["refresh-2"]


def test_an_ended_grant_is_tried_once_and_then_a_person_is_asked(xero, at_intuit, clock):
    clock.move(hours=2)
    xero.always(Say({"error": "invalid_grant"}, status=400))

    with pytest.raises(ConsentNeeded, match="QuickBooks has ended the grant"):
        at_intuit.ledger.look_again(["1"])
    assert len(xero.asked) == 1
    assert len(at_intuit.keeper.why_lost) == 1


def test_intuit_gives_no_grant_without_a_person(at_intuit):
    assert at_intuit.authoriser.direct() is None
