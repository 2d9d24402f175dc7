"""Connections: the grant that lets us read one ledger, from the first consent to the disconnect."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from connector import kinds, title_of
from jobs import connect
from jobs.ledgers import consent_end
from jobs.office import Office
from store import screens
from web._pages import back, page
from web._sessions import show
from web._visit import Checked, Deciding, Forbidden, Looking, NotFound, Said, Visit, Visiting

router = APIRouter()

KINDS = {kind: title_of(kind) for kind in kinds()}


def offered(office: Office) -> dict[str, str]:
    """The ledgers that can be connected here: those with app keys, or all of them before there are any."""
    return {kind: name for kind, name in KINDS.items() if kind in office.ledgers} or KINDS


@router.get("/connections")
def connections(desk: Looking) -> Response:
    with desk.office.database.reading() as session:
        connection = screens.connection(session, desk.id)
    return page(
        desk,
        "connections.html",
        connection=connection,
        ends=consent_end(desk.office, connection) if connection else None,
        kinds=KINDS,
        offered=offered(desk.office),
        now=desk.office.clock(),
    )


@router.get("/connections/disconnect")
def sure(desk: Looking) -> Response:
    """Asks first: what stops, and what stays."""
    with desk.office.database.reading() as session:
        connection = screens.connection(session, desk.id)
    if connection is None:
        raise NotFound
    return page(desk, "disconnect.html", connection=connection, kinds=KINDS)


@router.post("/connections/disconnect")
def disconnect(desk: Deciding) -> Response:
    connect.disconnect(desk.office, desk.id, by=desk.by)
    return back("/connections", "disconnected")


@router.get("/connections/{kind}/begin")
def begin_by_link(visit: Visiting, kind: str) -> Response:
    """The link on our own pages. It starts a consent that only this session can finish, and changes nothing else.

    A form would not do: the browser is told to let our forms lead nowhere but here, and this leads to the ledger.
    """
    if visit.request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Forbidden("Start from the page Connections: another site may not begin this for you.")
    return _begin(visit, kind)


@router.post("/connections/{kind}/begin")
def begin(visit: Checked, kind: str) -> Response:
    return _begin(visit, kind)


@router.post("/connections/{kind}/directly")
def directly(visit: Checked, kind: str) -> Response:
    """For an app that was made for one organisation: a person has seen which one it is, and says yes."""
    _known(visit, kind)
    try:
        connected = connect.connect_directly(visit.office, kind=kind, user_id=visit.signed.user_id)
    except (connect.ConsentProblem, LookupError) as problem:
        return _refused(visit, str(problem.args[0]))
    return _arrived(visit, connected.organisation_id)


@router.get("/connections/{kind}/callback")
def callback(visit: Visiting, kind: str, state: str = "", code: str = "", error: str = "") -> Response:
    """The provider sends the browser back here, with a code or with a refusal."""
    _known(visit, kind)
    if error:
        return _refused(visit, f"{KINDS[kind]} was not connected, because consent was not given. Nothing has changed.")
    if not state or not code:
        return _refused(visit, "This address only works on the way back from the ledger. Begin again with the button.")
    try:
        outcome = connect.finish(
            visit.office,
            session=visit.signed.session,
            state=state,
            code=code,
            redirect_uri=_redirect_uri(visit, kind),
            user_id=visit.signed.user_id,
            callback=dict(visit.request.query_params),
        )
    except connect.ConsentProblem as problem:
        return _refused(visit, str(problem))
    if isinstance(outcome, connect.Choice):
        return page(visit, "choose.html", choice=outcome, kind=kind, name=KINDS[kind])
    return _arrived(visit, outcome.organisation_id)


@router.post("/connections/{kind}/choose")
def choose(visit: Checked, kind: str, state: Said = "", tenant: Said = "") -> Response:
    """The consent reaches several organisations; this is the one that the person means."""
    _known(visit, kind)
    try:
        chosen = connect.choose(
            visit.office, session=visit.signed.session, state=state, tenant=tenant, user_id=visit.signed.user_id
        )
    except connect.ConsentProblem as problem:
        return _refused(visit, str(problem))
    return _arrived(visit, chosen.organisation_id)


def _begin(visit: Visit, kind: str) -> Response:
    _known(visit, kind)
    try:
        url = connect.begin(
            visit.office, kind=kind, session=visit.signed.session, redirect_uri=_redirect_uri(visit, kind)
        )
    except (connect.ConsentProblem, LookupError) as problem:
        return _refused(visit, str(problem.args[0]))
    if isinstance(url, connect.Direct):
        return page(visit, "directly.html", tenant=url.tenant, kind=kind, name=KINDS[kind])
    return RedirectResponse(url, status_code=303)


def _known(visit: Visit, kind: str) -> None:
    if kind not in KINDS:
        raise NotFound
    if not visit.may_connect:
        raise Forbidden("Only an owner or a manager may connect a ledger.")


def _redirect_uri(visit: Visit, kind: str) -> str:
    return f"{visit.office.public_url.rstrip('/')}/connections/{kind}/callback"


def _arrived(visit: Visit, organisation_id: int) -> Response:
    """The new organisation is the one to look at from now on, and its first sync is asked for."""
    visit.request.app.state.poke("connected", str(organisation_id))
    with visit.office.database.unit_of_work() as unit:
        show(unit, visit.signed.session, organisation_id)
    return back("/", "connected")


def _refused(visit: Visit, text: str) -> Response:
    return page(visit, "not_connected.html", http=409, text=text, offered=offered(visit.office))
