"""Mirrors sandbox/quickbooks/identity.py and consent.py: how long an app may stay in, and how it loses its grant."""

import base64
import json
import threading
from datetime import timedelta

import pytest
import urllib3

from tests.sandbox.quickbooks_app import RETURN_TO, QuickBooksApp


@pytest.fixture
def qbo(world):
    return QuickBooksApp(world).connect()


def test_the_page_asks_a_person_and_names_the_company(world):
    query = "client_id=sandbox-app&response_type=code&scope=com.intuit.quickbooks.accounting&state=s1&redirect_uri="
    page = urllib3.request("GET", f"{world.quickbooks.authorize_url}?{query}{RETURN_TO}")
    assert page.status == 200
    assert world.control.organisations()[0]["realm_id"] in page.data.decode() and b"Connect" in page.data


def test_an_access_token_lasts_an_hour_and_the_refresh_token_changes_after_a_day(qbo):
    first, control = qbo.tokens, qbo.world.control
    assert (first["expires_in"], first["x_refresh_token_expires_in"]) == (3600, 8_640_000)
    status, second = qbo.refresh()
    assert status == 200 and second["refresh_token"] == first["refresh_token"]
    control.move_clock(control.now() + timedelta(hours=25))
    assert qbo.call("GET", "preferences").status == 401
    status, third = qbo.refresh()
    assert status == 200 and third["refresh_token"] != first["refresh_token"]
    assert qbo.refresh(first["refresh_token"])[1]["refresh_token"] == third["refresh_token"]
    control.move_clock(control.now() + timedelta(hours=2))
    assert qbo.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"
    assert qbo.refresh(third["refresh_token"])[0] == 200


def test_a_replayed_refresh_token_may_cost_the_whole_grant(qbo):
    control, first = qbo.world.control, qbo.tokens["refresh_token"]
    control.quickbooks.grants(changes_after=0, old_lasts=0, replay_ends_grant=True)
    status, second = qbo.refresh(first)
    assert status == 200
    assert qbo.refresh(first)[1]["error"] == "invalid_grant"
    assert qbo.refresh(second["refresh_token"])[1]["error"] == "invalid_grant"


def test_of_two_who_refresh_at_once_the_second_is_refused(qbo):
    qbo.world.control.faults(quickbooks_token=["slow:0.5"])
    answers = []
    first = threading.Thread(target=lambda: answers.append(qbo.refresh()[0]))
    first.start()
    while qbo.world.control.faults()["quickbooks_token"]:
        first.join(0.01)  # until the first has been read and is being answered
    assert qbo.refresh()[1]["error"] == "invalid_grant"
    first.join()
    assert answers == [200]


def test_a_lost_answer_to_a_refresh_can_be_asked_for_again(qbo):
    qbo.world.control.quickbooks.grants(changes_after=0)
    qbo.world.control.faults(quickbooks_token=["lost_answer"])
    with pytest.raises(urllib3.exceptions.HTTPError):
        qbo.refresh()
    assert qbo.refresh()[0] == 200


def test_the_hard_end_is_told_only_to_those_who_ask_and_then_comes(qbo):
    control = qbo.world.control
    assert "x_refresh_token_hard_expires_in" not in qbo.refresh()[1]
    asked = {"x-include-refresh-token-hard-expires-in": "true"}
    form = {"grant_type": "refresh_token", "refresh_token": qbo.tokens["refresh_token"]}
    assert qbo.ask_token(asked, **form)[1]["x_refresh_token_hard_expires_in"] == 5 * 365 * 86_400
    end = control.now() + timedelta(days=5 * 365)
    while control.now() < end:
        qbo.refresh_now()
        control.move_clock(min(end, control.now() + timedelta(days=99)))
    assert qbo.refresh()[1]["error"] == "invalid_grant"


def test_a_code_is_good_once_and_used_twice_it_ends_the_grant(world):
    app = QuickBooksApp(world)
    form = {"grant_type": "authorization_code", "code": app.ask_consent()["code"], "redirect_uri": RETURN_TO}
    assert app.ask_token(**form | {"redirect_uri": RETURN_TO + "/"})[1]["error"] == "invalid_grant"
    status, tokens = app.ask_token(**form)
    assert status == 200
    assert app.ask_token(**form)[1]["error"] == "invalid_grant"
    assert app.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_revoking_either_token_ends_both_and_needs_the_apps_secret(qbo):
    url, sent = qbo.world.quickbooks.revoke_url, {"token": qbo.tokens["access_token"]}
    assert qbo.http.request("POST", url, json=sent).status == 401
    basic = {"Authorization": "Basic " + base64.b64encode(b"sandbox-app:sandbox-secret").decode()}
    assert qbo.http.request("POST", url, json=sent, headers=basic).status == 200
    assert qbo.call("GET", "preferences").status == 401
    assert qbo.refresh()[1]["error"] == "invalid_grant"


def test_an_app_may_prove_itself_in_the_form_as_well(qbo):
    form = {"grant_type": "refresh_token", "refresh_token": qbo.tokens["refresh_token"], "client_id": "sandbox-app"}
    assert qbo.ask_token({"Authorization": ""}, **form, client_secret="guess")[0] == 401
    assert qbo.ask_token({"Authorization": ""}, **form, client_secret="sandbox-secret")[0] == 200


def test_the_wrong_secret_and_an_unknown_grant_are_refused(qbo):
    wrong = {"Authorization": "Basic " + base64.b64encode(b"sandbox-app:guess").decode()}
    assert qbo.ask_token(wrong, grant_type="refresh_token", refresh_token="x")[0] == 401
    assert qbo.ask_token(grant_type="password")[1]["error"] == "unsupported_grant_type"


def test_the_discovery_document_names_the_addresses(qbo):
    told = json.loads(qbo.http.request("GET", qbo.world.quickbooks.discovery_url).data)
    assert told["token_endpoint"] == qbo.world.quickbooks.token_url
    assert told["authorization_endpoint"] == qbo.world.quickbooks.authorize_url
    assert told["revocation_endpoint"] == qbo.world.quickbooks.revoke_url
