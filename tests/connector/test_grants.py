"""Mirrors connector/_grants.py and connector/_xero_consent.py: consent, and keeping it alive."""

import threading
from datetime import timedelta

import pytest

from connector import ConsentNeeded, RateLimited, Refused, Unreachable, open_authoriser, open_ledger
from connector._grants import PATIENCE, Tokens
from tests.connector.surroundings import (
    MONDAY,
    REDIRECT,
    VERIFIER,
    Connected,
    KeeperInMemory,
    Say,
    a_grant,
    challenge,
    connect_to,
    consent,
    press_allow,
    sandbox_settings,
)


def new_pair(number, **fields):
    pair = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 1800}
    return Say({**pair, "token_type": "Bearer", "scope": "offline_access accounting.contacts", **fields})


def tokens_of(connected: Connected) -> Tokens:
    return Tokens(refresh=connected.authoriser.refresh, keeper=connected.keeper, clock=connected.clock)


def test_a_person_allows_access_and_we_learn_which_organisation_it_is(company, clock):
    _, authoriser, grant = consent(company, clock)

    (tenant,) = authoriser.tenants(grant, {})

    assert tenant.name == company.control.organisations()[0]["name"]
    assert tenant.connection_id and tenant.id
    assert grant.access_expires_at == clock() + timedelta(minutes=30)
    assert grant.refresh_expires_at == clock() + timedelta(days=60)
    assert "accounting.payments.read" in grant.scopes


def test_an_app_without_a_secret_proves_itself_by_pkce_and_can_renew_its_keys(company, clock):
    _, authoriser, grant = consent(company, clock, client_secret="")

    renewed = authoriser.refresh(grant)

    assert renewed.access_token != grant.access_token
    assert renewed.refresh_token != grant.refresh_token


def test_a_code_is_worth_nothing_to_somebody_without_its_verifier(company, clock):
    authoriser = open_authoriser("xero", sandbox_settings(company), clock=clock)
    code = press_allow(company, authoriser.authorise_url(state="s", challenge=challenge(), redirect_uri=REDIRECT))

    with pytest.raises(Refused, match="Start connecting again"):
        authoriser.exchange(code=code, verifier="another verifier", redirect_uri=REDIRECT)


def test_a_wrong_code_is_refused(company, clock):
    authoriser = open_authoriser("xero", sandbox_settings(company), clock=clock)

    with pytest.raises(Refused, match="did not accept the code"):
        authoriser.exchange(code="made-up", verifier=VERIFIER, redirect_uri=REDIRECT)


def test_a_wrong_secret_is_blamed_on_the_settings_and_not_on_the_person(company, clock):
    with pytest.raises(Refused, match=r"invalid_client.*client secret"):
        consent(company, clock, client_secret="mistyped")


def test_disconnecting_the_last_organisation_ends_the_grant(company, clock):
    _, authoriser, grant = consent(company, clock)
    (tenant,) = authoriser.tenants(grant, {})

    authoriser.disconnect(grant, tenant.connection_id)

    with pytest.raises(ConsentNeeded):
        authoriser.refresh(grant)


def test_disconnecting_twice_is_no_failure(xero, connected, clock):
    still_there = {"id": "c2", "tenantId": "t2", "tenantName": "Other", "tenantType": "ORGANISATION"}
    xero.script = [Say(status=404), Say([still_there])]

    connected.authoriser.disconnect(a_grant(clock), "c1")

    assert [asked.method for asked in xero.asked] == ["DELETE", "GET"]


def test_an_accountants_practice_is_not_an_organisation(xero, connected, clock):
    firm = {"id": "c1", "tenantId": "t1", "tenantName": "Brightwater", "tenantType": "ORGANISATION"}
    xero.script = [Say([firm, {**firm, "id": "c2", "tenantId": "t2", "tenantType": "PRACTICE"}])]

    assert [tenant.id for tenant in connected.authoriser.tenants(a_grant(clock), {})] == ["t1"]


def test_the_key_is_used_until_ten_minutes_before_its_end(xero, connected, clock):
    clock.move(minutes=20)
    assert tokens_of(connected).access_token() == "access-1"
    assert xero.asked == []

    clock.move(seconds=1)
    xero.script = [new_pair(2)]
    assert tokens_of(connected).access_token() == "access-2"


def test_eight_threads_with_a_worn_out_key_ask_for_a_new_one_exactly_once(xero, connected, clock):
    clock.move(minutes=31)
    xero.always(new_pair(3))
    xero.script = [Say(new_pair(2).body, after=0.2)]
    got, begin = [], threading.Barrier(8)

    def ask():
        begin.wait()
        got.append(tokens_of(connected).access_token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert got == ["access-2"] * 8
    assert len(xero.asked) == 1
    assert connected.keeper.generation == 2


def test_while_another_process_fetches_the_old_key_still_serves(xero, connected, clock):
    clock.move(minutes=22)
    connected.keeper.begin_refresh(1, clock(), clock() + timedelta(minutes=1))

    assert tokens_of(connected).access_token() == "access-1"
    assert xero.asked == []


def test_the_new_pair_is_stored_before_it_is_used(xero, connected, clock):
    clock.move(minutes=25)
    stored_when_asked = []

    def answer(asked):
        if asked.path == "/token_url":
            return new_pair(2)
        stored_when_asked.append(connected.keeper.grant.access_token)
        return Say({"Organisations": [{"Name": "Brightwater"}]})

    xero.rule = answer
    connected.ledger.check()

    assert stored_when_asked == ["access-2"]
    assert xero.asked[-1].token == "access-2"


def test_when_the_answer_is_lost_the_same_refresh_key_is_tried_again(xero, connected, clock):
    clock.move(minutes=31)
    xero.script = [Say(drop=True), new_pair(2)]

    assert tokens_of(connected).access_token() == "access-2"
    assert [asked.form["refresh_token"] for asked in xero.asked] == ["refresh-1", "refresh-1"]


def test_when_the_line_stays_dead_the_stored_key_is_tried_again_next_time(xero, connected, clock):
    clock.move(minutes=31)
    xero.script = [Say(drop=True), Say(drop=True), new_pair(2)]

    with pytest.raises(Unreachable, match="dropped the connection"):
        tokens_of(connected).access_token()
    assert connected.keeper.mark is None
    assert connected.keeper.why_lost == []
    assert tokens_of(connected).access_token() == "access-2"


def test_a_lost_answer_at_the_ledger_itself_does_not_cost_the_connection(company, at_the_company, clock):
    company.control.move_clock(clock.move(minutes=31))
    company.control.faults(token=["lost_answer"])

    at_the_company.ledger.check()

    assert at_the_company.keeper.generation == 2


def test_a_dead_grant_is_reported_once_and_a_person_is_asked(xero, connected, clock):
    clock.move(minutes=31)
    xero.always(Say({"error": "invalid_grant"}, status=400))

    with pytest.raises(ConsentNeeded, match="Connect the organisation again"):
        tokens_of(connected).access_token()

    assert len(connected.keeper.why_lost) == 1
    assert connected.keeper.grant.refresh_token == "refresh-1"
    assert connected.keeper.mark is None


def test_a_dead_looking_grant_whose_successor_was_stored_meanwhile_is_not_dead(xero, connected, clock):
    clock.move(minutes=31)

    def answer(asked):
        connected.keeper.keep(1, a_grant(clock, "access-9", "refresh-9"))
        return Say({"error": "invalid_grant"}, status=400)

    xero.rule = answer

    assert tokens_of(connected).access_token() == "access-9"
    assert connected.keeper.why_lost == []


def test_the_mark_of_a_process_that_died_is_taken_over(xero, connected, clock):
    clock.move(minutes=31)
    connected.keeper.begin_refresh(1, clock(), clock() + timedelta(minutes=1))
    clock.move(minutes=2)
    xero.script = [new_pair(2)]

    assert tokens_of(connected).access_token() == "access-2"


def test_nobody_waits_for_ever_for_another_process(xero, connected, clock, monkeypatch):
    monkeypatch.setattr("connector._grants.PATIENCE", 0.2)
    assert PATIENCE == 10.0
    clock.move(minutes=31)
    connected.keeper.begin_refresh(1, clock(), clock() + timedelta(minutes=1))

    with pytest.raises(Unreachable, match="renewed by another process"):
        tokens_of(connected).access_token()
    assert xero.asked == []


def test_a_new_pair_without_a_refresh_key_keeps_the_old_one(xero, connected, clock):
    xero.script = [new_pair(2, refresh_token=None, scope=None)]

    renewed = connected.authoriser.refresh(a_grant(clock))

    assert renewed.refresh_token == "refresh-1"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Say(status=503), Unreachable),
        (Say(b"<html>Sign in to the Wi-Fi</html>"), Unreachable),
        (Say({"hello": "there"}), Unreachable),
        (Say(b"<html>no</html>", status=400), Unreachable),
        (Say({"error": "unauthorized_client"}, status=400), Refused),
        (Say({"error": "whatever"}, status=429, headers={"Retry-After": "30"}), RateLimited),
    ],
)
def test_each_way_of_not_getting_a_key_says_what_to_do_next(xero, connected, clock, answer, failure):
    xero.always(answer)
    clock.move(minutes=31)

    with pytest.raises(failure):
        tokens_of(connected).access_token()

    assert connected.keeper.mark is None
    assert connected.keeper.why_lost == []


def test_no_key_shows_in_a_message_or_a_picture_of_an_object(xero, clock):
    connected = connect_to(
        xero, clock, grant=a_grant(lambda: MONDAY, "AKSECRET", "RKSECRET"), client_secret="APPSECRET"
    )
    clock.move(minutes=31)
    xero.always(Say(b'{"access_token": 5, "x": "RKSECRET"}'))

    with pytest.raises(Unreachable) as failure:
        tokens_of(connected).access_token()

    shown = (failure.value, failure.value.__cause__, connected.keeper.grant, *vars(connected.authoriser).values())
    told = " ".join(map(repr, shown))
    assert not any(secret in told for secret in ("AKSECRET", "RKSECRET", "APPSECRET"))


def test_a_grant_whose_refresh_is_kept_by_another_first_is_thrown_away(xero, clock):
    keeper = KeeperInMemory(a_grant(clock))
    clock.move(minutes=31)

    def slow_refresh(grant):
        keeper.keep(1, a_grant(clock, "access-9", "refresh-9"))
        return a_grant(clock, "access-2", "refresh-2")

    assert Tokens(refresh=slow_refresh, keeper=keeper, clock=clock).access_token() == "access-9"


# --- a Custom Connection: one organisation, and nobody is asked


def a_custom_connection(company, clock, **settings):
    used = sandbox_settings(company, client_id="sandbox-custom", custom_connection=True, **settings)
    return used, open_authoriser("xero", used, clock=clock)


def test_an_app_made_for_one_organisation_is_let_in_without_a_browser(company, clock):
    used, authoriser = a_custom_connection(company, clock)
    grant = authoriser.direct()

    (tenant,) = authoriser.tenants(grant, {})
    ledger = open_ledger("xero", used, tenant=tenant.id, keeper=KeeperInMemory(grant), clock=clock)

    assert (tenant.id, tenant.name) == (company.control.organisations()[0]["id"], ledger.check().name)
    assert (grant.refresh_token, grant.refresh_expires_at, grant.dies_soon(clock())) == ("", None, None)
    assert {call["tenant"] for call in company.control.calls()} == {""}


def test_it_fetches_its_next_key_by_itself_for_ever(company, clock):
    used, authoriser = a_custom_connection(company, clock)
    keeper = KeeperInMemory(authoriser.direct())
    ledger = open_ledger("xero", used, tenant="any", keeper=keeper, clock=clock)

    for days in (1, 90, 400):
        company.control.move_clock(clock.move(days=days))
        assert ledger.check().name

    assert keeper.generation == 4
    assert len({grant.access_token for grant in keeper.kept}) == 3


def test_where_a_person_consents_there_is_no_direct_way(connected):
    assert connected.authoriser.direct() is None


def test_a_wrong_secret_of_a_custom_connection_is_blamed_on_the_settings(company, clock):
    _, authoriser = a_custom_connection(company, clock, client_secret="mistyped")

    with pytest.raises(Refused, match=r"invalid_client.*client secret"):
        authoriser.direct()


def test_leaving_a_custom_connection_asks_nothing_of_xero(company, clock):
    _, authoriser = a_custom_connection(company, clock)
    grant = authoriser.direct()
    company.control.calls(door=None, reset=True)

    authoriser.disconnect(grant, "")

    assert company.control.calls(door=None) == []
