"""The page on which a person allows an app to read a firm's ledger, and the three doors behind it.

Authorise shows the page; token hands out and renews keys; revocation takes them back. Connections lists what was
allowed.
"""

from datetime import datetime
from html import escape

from sandbox.exchange import Answer, Request
from sandbox.faults import Fault
from sandbox.oauth import Refused, carried, credentials, is_web_address, page, refused, sent_back
from sandbox.world import World

SAYS = {
    "offline_access": "stay connected while you are away",
    "accounting.contacts": "read and change your contacts, and write notes on them",
    "accounting.contacts.read": "read your contacts",
    "accounting.invoices": "read and change invoices and credit notes, and write notes on them",
    "accounting.invoices.read": "read invoices and credit notes",
    "accounting.payments.read": "read payments, overpayments and prepayments",
    "accounting.settings.read": "read the settings of your organisation",
}
PAPER, BUTTON = "#eef2f5", "#0b7285"


def authorise(world: World, request: Request) -> Answer:
    asked = request.query if request.method == "GET" else request.form
    redirect_uri, state = asked.get("redirect_uri", ""), asked.get("state", "")
    if asked.get("client_id") not in world.identity.apps:
        return _sorry(f"No app has the client id “{asked.get('client_id', '')}”.", "unauthorized_client")
    if not is_web_address(redirect_uri):
        return _sorry(f"The redirect URI “{redirect_uri}” is not an absolute web address.", "invalid_redirect_uri")
    try:
        scopes = _checked(world, asked)
    except Refused as refusal:
        return sent_back(redirect_uri, state, error=refusal.error, error_description=refusal.description)
    if request.method == "GET":
        return Answer.page(_page(world, asked, scopes))
    if asked.get("decision") != "allow":
        return sent_back(redirect_uri, state, error="access_denied", error_description="The person cancelled.")
    if asked.get("tenant") not in world.organisations:
        return _sorry("Choose one of the organisations on the page.", "invalid_request")
    try:
        code = world.identity.consent(
            client_id=asked["client_id"],
            scopes=scopes,
            redirect_uri=redirect_uri,
            challenge=asked.get("code_challenge", ""),
            tenant=asked["tenant"],
        )
    except Refused as refusal:
        return sent_back(redirect_uri, state, error=refusal.error, error_description=refusal.description)
    return sent_back(redirect_uri, state, code=code, scope=" ".join(scopes))


def _checked(world: World, asked: dict[str, str]) -> tuple[str, ...]:
    if asked.get("response_type") != "code":
        raise Refused("unsupported_response_type", "Only response_type=code is offered.")
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        raise Refused("invalid_request", "The code_challenge_method must be S256.")
    return world.identity.scopes_of(asked.get("scope", ""))


def token(world: World, request: Request, fault: Fault | None) -> Answer:
    try:
        form = request.form
        client_id, proven = _client(world, request)
        kind = form.get("grant_type")
        if fault is not None and fault.name == "invalid_grant":
            raise Refused("invalid_grant", "The grant has ended.")
        if kind == "authorization_code":
            tokens = world.identity.exchange(form, client_id, proven)
        elif kind == "refresh_token":
            tokens = world.identity.refresh(form.get("refresh_token", ""), client_id)
        elif kind == "client_credentials" and proven:
            tokens = world.identity.client_credentials(client_id, form.get("scope", ""), world.organisation(None).id)
        else:
            raise Refused("unsupported_grant_type", f"The grant type “{kind}” is not offered.")
    except Refused as refusal:
        return refused(refusal)
    return Answer.json(tokens, headers={"Cache-Control": "no-store"})


def revoke(world: World, request: Request) -> Answer:
    try:
        _client(world, request)
    except Refused as refusal:
        return refused(refusal)
    world.identity.revoke(request.form.get("token", ""))
    return Answer(200)


def connections(world: World, request: Request) -> Answer:
    try:
        scheme, _, held = request.headers.get("authorization", "").partition(" ")
        world.identity.access(held if scheme.lower() == "bearer" else "")
    except Refused as refusal:
        problem = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": refusal.description}
        return Answer.json(problem, 401)
    rows = world.identity.connections
    if request.method == "DELETE":
        gone = rows.pop(request.path.rstrip("/").rpartition("/")[2], None)
        return Answer(204 if gone else 404)
    event = request.query.get("authEventId")
    return Answer.json(
        [
            {
                "id": row.id,
                "authEventId": row.event,
                "tenantId": row.tenant,
                "tenantType": "ORGANISATION",
                "tenantName": world.organisations[row.tenant].name,
                "createdDateUtc": _seven_digits(row.created),
                "updatedDateUtc": _seven_digits(row.updated),
            }
            for row in rows.values()
            if event in (None, row.event)
        ]
    )


def _client(world: World, request: Request) -> tuple[str, bool]:
    """The app that asks, and whether it proved itself with its secret."""
    client_id, secret = credentials(request)
    if client_id not in world.identity.apps or secret not in ("", world.identity.apps[client_id]):
        raise Refused("invalid_client", "The client id or the secret is wrong.", 401)
    return client_id, bool(secret)


def _page(world: World, asked: dict[str, str], scopes: tuple[str, ...]) -> str:
    wants = "".join(f"<li>{escape(SAYS.get(scope, scope))} <small>({escape(scope)})</small></li>" for scope in scopes)
    firms = list(world.organisations.values())
    if len(firms) == 1:
        choice = f'<p><b>{escape(firms[0].name)}</b><input type="hidden" name="tenant" value="{firms[0].id}"></p>'
    else:
        options = "".join(f'<option value="{firm.id}">{escape(firm.name)}</option>' for firm in firms)
        choice = f'<p><label>Organisation <select name="tenant">{options}</select></label></p>'
    inside = f"""<h1>“{escape(asked["client_id"])}” would like access to your organisation</h1>
<form method="post">{carried(asked, "tenant", "decision")}{choice}<p>It asks to:</p><ul>{wants}</ul>
<footer><button class="allow" name="decision" value="allow">Allow access</button>
<button class="cancel" name="decision" value="cancel">Cancel</button></footer></form>
<p><small>A practice ledger. No real accounts are involved.</small></p>"""
    return page("Allow access?", inside, paper=PAPER, button=BUTTON)


def _sorry(sentence: str, error: str) -> Answer:
    inside = f"<h1>Sorry, something went wrong</h1><p>{escape(sentence)}</p><p><small>Error: {error}</small></p>"
    return Answer.page(page("Sorry", inside, paper=PAPER, button=BUTTON), 400)


def _seven_digits(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0"
