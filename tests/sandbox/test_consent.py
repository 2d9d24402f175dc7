"""Mirrors sandbox/xero/consent.py and identity.py: who may read the ledger, and for how long."""

import base64
import hashlib
import json
from datetime import timedelta

import pytest
import urllib3

RETURN_TO = "http://127.0.0.1:9/callback"


def test_the_consent_page_says_which_app_asks_and_for_what(world, new_app):
    page = new_app(world).http.request(
        "GET",
        f"{world.authorize_url}?response_type=code&client_id=sandbox-app&redirect_uri={RETURN_TO}"
        "&scope=accounting.contacts.read%20offline_access&state=x",
    )
    text = page.data.decode()
    assert page.status == 200
    assert "sandbox-app" in text and "read your contacts" in text and "Brightwater Joinery Ltd" in text
    assert "Allow" in text and "Cancel" in text and "<select" not in text


def test_with_two_organisations_the_person_chooses_one(world, new_app):
    second = world.control.add_organisation("Second Firm Ltd")
    app = new_app(world)
    query = f"?response_type=code&client_id=sandbox-app&redirect_uri={RETURN_TO}&scope=accounting.contacts"
    assert "<select" in app.http.request("GET", world.authorize_url + query).data.decode()
    app.connect(tenant=second)
    rows = json.loads(app.call("GET", "../../Connections").data)
    assert [row["tenantName"] for row in rows] == ["Second Firm Ltd"]


def test_cancelling_returns_access_denied_with_the_state(world, new_app):
    answer = new_app(world).ask_consent(decision="cancel")
    assert (answer["error"], answer["state"]) == ("access_denied", "s1")


@pytest.mark.parametrize("scope", ["accounting.transactions", "accounting.reports.read", "nonsense", ""])
def test_a_broad_or_unknown_scope_is_invalid(world, new_app, scope):
    assert new_app(world).ask_consent(scope=scope)["error"] == "invalid_scope"


def test_an_unknown_app_or_a_relative_return_address_is_never_redirected(world):
    http = urllib3.PoolManager(retries=False)
    for query in ("client_id=other&redirect_uri=http://x/cb", "client_id=sandbox-app&redirect_uri=/cb"):
        answer = http.request("GET", f"{world.authorize_url}?response_type=code&scope=openid&{query}", redirect=False)
        assert answer.status == 400


def test_a_code_works_once_and_only_with_its_own_return_address(world, new_app):
    app = new_app(world)
    code = app.ask_consent()["code"]
    form = {"grant_type": "authorization_code", "code": code}
    assert app.ask_token(**form, redirect_uri="http://127.0.0.1:9/other")[1]["error"] == "invalid_grant"
    assert app.ask_token(**form, redirect_uri=RETURN_TO)[0] == 200
    assert app.ask_token(**form, redirect_uri=RETURN_TO)[1]["error"] == "invalid_grant"


def test_an_app_with_the_wrong_secret_gets_no_token(world, new_app):
    app = new_app(world)
    code = app.ask_consent()["code"]
    wrong = {"client_id": "sandbox-app", "client_secret": "guess"}
    status, answer = app.ask_token(False, grant_type="authorization_code", code=code, redirect_uri=RETURN_TO, **wrong)
    assert (status, answer["error"]) == (401, "invalid_client")


def test_an_app_without_a_secret_proves_itself_by_pkce(world, new_app):
    app, verifier = new_app(world), "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    form = {"grant_type": "authorization_code", "client_id": "sandbox-app", "redirect_uri": RETURN_TO}
    code = app.ask_consent(**pkce)["code"]
    assert app.ask_token(False, **form, code=code, code_verifier="w" * 50)[1]["error"] == "invalid_grant"
    assert app.ask_token(False, **form, code=code, code_verifier=verifier)[0] == 200


def test_without_secret_and_without_pkce_there_is_no_token(world, new_app):
    app = new_app(world)
    form = {"grant_type": "authorization_code", "client_id": "sandbox-app", "redirect_uri": RETURN_TO}
    assert app.ask_token(False, **form, code=app.ask_consent()["code"])[0] == 401


def test_each_refresh_gives_a_new_refresh_token(app):
    status, new = app.refresh(app.tokens["refresh_token"])
    assert status == 200
    assert new["refresh_token"] != app.tokens["refresh_token"]
    assert new["access_token"] != app.tokens["access_token"]


def test_after_a_lost_answer_the_old_refresh_token_works_for_thirty_minutes(app):
    control, old = app.world.control, app.tokens["refresh_token"]
    control.faults(token=["lost_answer"])
    with pytest.raises(urllib3.exceptions.HTTPError):
        app.refresh(old)
    control.move_clock(control.now() + timedelta(minutes=29))
    assert app.refresh(old)[0] == 200
    control.move_clock(control.now() + timedelta(minutes=1))
    assert app.refresh(old)[1]["error"] == "invalid_grant"


def test_the_old_refresh_token_ends_once_its_successor_was_used(app):
    old = app.tokens["refresh_token"]
    successor = app.refresh(old)[1]["refresh_token"]
    assert app.refresh(successor)[0] == 200
    assert app.refresh(old)[1]["error"] == "invalid_grant"


def test_an_access_token_lasts_thirty_minutes(app):
    control = app.world.control
    control.move_clock(control.now() + timedelta(minutes=29, seconds=59))
    assert app.call("GET", "Organisation").status == 200
    control.move_clock(control.now() + timedelta(seconds=1))
    answer = app.call("GET", "Organisation")
    assert answer.status == 401 and "TokenExpired" in answer.data.decode()


def test_a_grant_unused_for_sixty_days_is_gone(app):
    control = app.world.control
    control.move_clock(control.now() + timedelta(days=60))
    assert app.refresh(app.tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_a_call_outside_the_granted_scope_is_401_in_xeros_spelling(world, new_app):
    app = new_app(world).connect(scope="offline_access accounting.contacts.read")
    assert app.call("GET", "Contacts").status == 200
    for method, path in (("GET", "Invoices"), ("PUT", "Contacts/x/History")):
        answer = app.call(method, path, body=None if method == "GET" else {})
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("insufficent_scope")


def test_disconnecting_takes_the_organisation_away_and_revoking_ends_the_grant(app):
    rows = json.loads(app.call("GET", "../../Connections").data)
    assert [row["tenantId"] for row in rows] == [app.tenant]
    assert app.call("DELETE", f"../../Connections/{rows[0]['id']}").status == 204
    assert app.call("GET", "Organisation").status == 403
    app.http.request(
        "POST",
        app.world.revoke_url,
        body=f"token={app.tokens['refresh_token']}&client_id=sandbox-app&client_secret=sandbox-secret",
    )
    assert app.refresh(app.tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert app.call("GET", "Organisation").status == 401


def test_a_custom_connection_needs_no_person_and_no_tenant_header(world, new_app):
    app = new_app(world)
    status, app.tokens = app.ask_token(
        False, grant_type="client_credentials", client_id="sandbox-custom", client_secret="sandbox-secret"
    )
    assert status == 200 and "refresh_token" not in app.tokens
    assert app.get("Organisation")["Organisations"][0]["Name"] == "Brightwater Joinery Ltd"


def test_when_the_person_changes_their_password_the_grant_has_ended(app):
    app.world.control.end_grants()
    assert app.refresh(app.tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert app.call("GET", "Organisation").status == 401


def test_only_a_custom_connection_is_given_a_key_without_a_persons_consent(app):
    status, answer = app.ask_token(grant_type="client_credentials")

    assert (status, answer["error"]) == (400, "unauthorized_client")
    assert app.ask_consent(client_id="sandbox-custom")["error"] == "unauthorized_client"
