"""The page on which a person lets an app into a QuickBooks company, and the doors behind it.

Authorise shows the page and sends the browser back with code, state and realmId; token hands out and renews keys;
revoke ends the grant; the discovery document says where the three are.
"""

import json
from html import escape

from sandbox.exchange import Answer, Request
from sandbox.faults import Fault
from sandbox.oauth import Refused, carried, credentials, is_web_address, page, refused, sent_back
from sandbox.world import World

PAPER, BUTTON = "#eef4ee", "#2a7a2a"


def discovery(host: str) -> Answer:
    root = f"http://{host}/quickbooks"
    return Answer.json(
        {
            "issuer": "https://oauth.platform.intuit.com/op/v1",
            "authorization_endpoint": f"{root}/oauth2/authorize",
            "token_endpoint": f"{root}/oauth2/v1/tokens/bearer",
            "userinfo_endpoint": f"{root}/v1/openid_connect/userinfo",
            "revocation_endpoint": f"{root}/oauth2/tokens/revoke",
            "jwks_uri": f"{root}/op/v1/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "email", "profile", "address", "phone"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
    )


def authorise(world: World, request: Request) -> Answer:
    asked = request.query if request.method == "GET" else request.form
    redirect_uri, state = asked.get("redirect_uri", ""), asked.get("state", "")
    identity = world.quickbooks.identity
    if asked.get("client_id") not in identity.apps:
        return _sorry(f"No app has the client id “{asked.get('client_id', '')}”.")
    if not is_web_address(redirect_uri):
        return _sorry(f"The redirect_uri “{redirect_uri}” is not valid; it must be an absolute web address.")
    if not state:
        return _sorry("The state is missing; QuickBooks asks for one with every request.")
    try:
        scopes = identity.scopes_of(asked.get("scope", ""))
        if asked.get("response_type") != "code":
            raise Refused("unsupported_response_type", "Only response_type=code is offered.")
    except Refused as refusal:
        return sent_back(redirect_uri, state, error=refusal.error)
    if request.method == "GET":
        return Answer.page(_page(world, asked))
    if asked.get("decision") != "allow":
        return sent_back(redirect_uri, state, error="access_denied")
    realm = asked.get("realmId", "")
    if realm not in world.quickbooks.companies:
        return _sorry("Choose one of the companies on the page.")
    code = identity.consent(client_id=asked["client_id"], realm=realm, scopes=scopes, redirect_uri=redirect_uri)
    return sent_back(redirect_uri, state, code=code, realmId=realm)


def token(world: World, request: Request, fault: Fault | None) -> Answer:
    identity = world.quickbooks.identity
    try:
        client_id = _client(world, request)
        form = request.form
        if fault is not None and fault.name == "invalid_grant":
            raise Refused("invalid_grant", "Incorrect Token type or clientID")
        if form.get("grant_type") == "authorization_code":
            grant, tokens = identity.exchange(form, client_id)
        elif form.get("grant_type") == "refresh_token":
            grant, tokens = identity.refresh(form.get("refresh_token", ""), client_id)
        else:
            raise Refused("unsupported_grant_type", f"The grant type “{form.get('grant_type')}” is not offered.")
    except Refused as refusal:
        return refused(refusal)
    if request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true":
        tokens["x_refresh_token_hard_expires_in"] = identity.hard_expiry(grant)
    return Answer.json(tokens, headers={"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"})


def revoke(world: World, request: Request) -> Answer:
    try:
        _client(world, request)
        held = request.json() if "json" in request.headers.get("content-type", "") else request.form
        if not world.quickbooks.identity.revoke(str(held.get("token", ""))):
            raise Refused("invalid_request", "The token is unknown or its grant has already ended.")
    except json.JSONDecodeError:
        return refused(Refused("invalid_request", "The body is not readable as JSON."))
    except Refused as refusal:
        return refused(refusal)
    return Answer(200)


def _client(world: World, request: Request) -> str:
    """The app that asks, proven by its secret."""
    client_id, secret = credentials(request)
    apps = world.quickbooks.identity.apps
    if client_id not in apps or secret != apps[client_id]:
        raise Refused("invalid_client", "The client id or the secret is wrong.", 401)
    return client_id


def _page(world: World, asked: dict[str, str]) -> str:
    companies = list(world.quickbooks.companies.values())
    options = "".join(f'<option value="{x.realm}">{escape(x.firm.name)}</option>' for x in companies)
    inside = f"""<h1>Let “{escape(asked["client_id"])}” into your QuickBooks company?</h1>
<form method="post">{carried(asked, "realmId", "decision")}
<p><label>Company <select name="realmId">{options}</select></label></p>
<p>It asks to read and change your accounting data.</p>
<footer><button class="allow" name="decision" value="allow">Connect</button>
<button class="cancel" name="decision" value="cancel">No thanks</button></footer></form>
<p><small>A practice ledger. No real accounts are involved.</small></p>"""
    return page("Connect?", inside, paper=PAPER, button=BUTTON)


def _sorry(sentence: str) -> Answer:
    inside = f"<h1>Sorry, but something didn’t connect</h1><p>{escape(sentence)}</p>"
    return Answer.page(page("Sorry", inside, paper=PAPER, button=BUTTON), 400)
