"""The page on which a person lets an app into a QuickBooks company, and the doors behind it.

Authorise shows the page and sends the browser back with code, state and realmId; token hands out and renews keys;
revoke ends the grant; the discovery document says where the three are.
"""

import base64
import json
from html import escape
from urllib.parse import unquote, urlencode, urlsplit

from sandbox.exchange import Answer, Request
from sandbox.faults import Fault
from sandbox.quickbooks.identity import Refused
from sandbox.world import World

STYLE = """body{font:16px/1.5 system-ui,sans-serif;background:#eef4ee;color:#1c2733;margin:0}
main{max-width:26rem;margin:8vh auto;background:#fff;padding:2rem;border-radius:10px;box-shadow:0 2px 14px #0002}
h1{font-size:1.25rem;margin:0 0 1rem}select,button{font:inherit;padding:.55rem .9rem;border-radius:6px}
select{width:100%;border:1px solid #9ab}button{border:0;cursor:pointer}.allow{background:#2a7a2a;color:#fff}
.cancel{background:#e6ebe6}footer{display:flex;gap:.7rem;margin-top:1.5rem}small{color:#567}"""


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
    if urlsplit(redirect_uri).scheme not in ("http", "https") or not urlsplit(redirect_uri).netloc:
        return _sorry(f"The redirect_uri “{redirect_uri}” is not valid; it must be an absolute web address.")
    if not state:
        return _sorry("The state is missing; QuickBooks asks for one with every request.")
    try:
        scopes = identity.scopes_of(asked.get("scope", ""))
        if asked.get("response_type") != "code":
            raise Refused("unsupported_response_type", "Only response_type=code is offered.")
    except Refused as refusal:
        return _back(redirect_uri, state, error=refusal.error)
    if request.method == "GET":
        return Answer.page(_page(world, asked))
    if asked.get("decision") != "allow":
        return _back(redirect_uri, state, error="access_denied")
    realm = asked.get("realmId", "")
    if realm not in world.quickbooks.companies:
        return _sorry("Choose one of the companies on the page.")
    code = identity.consent(client_id=asked["client_id"], realm=realm, scopes=scopes, redirect_uri=redirect_uri)
    return _back(redirect_uri, state, code=code, realmId=realm)


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


def refused(refusal: Refused) -> Answer:
    return Answer.json({"error": refusal.error, "error_description": refusal.description}, refusal.status)


def _client(world: World, request: Request) -> str:
    """The app that asks, proven by its secret in the way of HTTP Basic, or in the form itself."""
    scheme, _, basic = request.headers.get("authorization", "").partition(" ")
    client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(basic).decode().partition(":")
        except ValueError:
            client_id, secret = "", ""
        client_id, secret = unquote(client_id), unquote(secret)
    apps = world.quickbooks.identity.apps
    if client_id not in apps or secret != apps[client_id]:
        raise Refused("invalid_client", "The client id or the secret is wrong.", 401)
    return client_id


def _back(redirect_uri: str, state: str, **answer: str) -> Answer:
    return Answer.redirect(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer | {'state': state})}")


def _page(world: World, asked: dict[str, str]) -> str:
    companies = list(world.quickbooks.companies.values())
    options = "".join(f'<option value="{x.realm}">{escape(x.firm.name)}</option>' for x in companies)
    carried = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.items()
        if name not in ("realmId", "decision")
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Connect? – Sandbox ledger</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style><main>
<h1>Let “{escape(asked["client_id"])}” into your QuickBooks company?</h1>
<form method="post">{carried}<p><label>Company <select name="realmId">{options}</select></label></p>
<p>It asks to read and change your accounting data.</p>
<footer><button class="allow" name="decision" value="allow">Connect</button>
<button class="cancel" name="decision" value="cancel">No thanks</button></footer></form>
<p><small>A practice ledger. No real accounts are involved.</small></p></main></html>"""


def _sorry(sentence: str) -> Answer:
    return Answer.page(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sorry</title><style>{STYLE}</style><main>'
        f"<h1>Sorry, but something didn’t connect</h1><p>{escape(sentence)}</p></main></html>",
        400,
    )
