"""The door: sign in, sign out, and which organisation to look at."""

import hashlib
import hmac
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from jobs.office import Office
from web import _sessions
from web._pages import back, plain
from web._say import counted
from web._sign_in import Busy
from web._visit import Checked, NotFound, Said

router = APIRouter()

_WRONG = "The email address or the password is not right."
_BUSY = "Many people are signing in at this moment. Please try again in a few seconds."
_STALE = "The page had been open for too long. Please try again."


@router.get("/sign-in")
def door(request: Request) -> Response:
    key = _sessions.key_of(request)
    if key and _sessions.signed_in(request.app.state.office, key):
        return back("/")
    return _door(request)


@router.post("/sign-in")
def sign_in(
    request: Request,
    email: Said = "",
    password: Said = "",
    door: Said = "",
    next: Said = "/",  # noqa: A002  the name of the field
) -> Response:
    """The same answer, after the same time, whether the login or the password was wrong."""
    office: Office = request.app.state.office
    guard = request.app.state.guard
    address = request.client.host if request.client else ""
    if not _sessions.same(door, _door_token(office, request.cookies.get(_door_cookie(office), ""))):
        return _door(request, problem=_STALE, email=email, http=403)
    with office.database.reading() as session:
        wait = guard.wait(session, email, address, office.clock())
        if wait.total_seconds() > 0:
            seconds = counted(int(wait.total_seconds()) + 1, "second")
            problem = f"That was wrong several times. Please wait {seconds} before you try again."
            answer = _door(request, problem=problem, email=email, http=429)
            answer.headers["retry-after"] = str(int(wait.total_seconds()) + 1)
            return answer
        try:
            user = guard.sign_in(session, email, password)
        except Busy:
            return _door(request, problem=_BUSY, email=email, http=503)
    if user is None:
        answer = _door(request, problem=_WRONG, email=email, http=401)
        answer.background = BackgroundTask(_remember_failure, request, email, address)
        return answer
    assert user.id is not None
    with office.database.unit_of_work() as unit:
        guard.succeeded(unit, email)
        key = _sessions.begin(unit, user.id, now=office.clock(), replaces=_sessions.key_of(request))
    entered = RedirectResponse(_inside(next), status_code=303)
    _sessions.hand_out(entered, office, _sessions.cookie_name(office), key)
    _sessions.take_back(entered, office, _door_cookie(office))
    return entered


@router.post("/sign-out")
def sign_out(visit: Checked) -> Response:
    key = _sessions.key_of(visit.request)
    with visit.office.database.unit_of_work() as unit:
        if key:
            _sessions.end(unit, key)
    left = RedirectResponse("/sign-in", status_code=303)
    _sessions.take_back(left, visit.office, _sessions.cookie_name(visit.office))
    return left


@router.post("/organisation")
def switch(visit: Checked, organisation: Said = "") -> Response:
    """Shows another organisation of this user from now on."""
    number = int(organisation) if organisation.isdigit() and len(organisation) < 10 else 0
    if number not in {own for own, _ in visit.signed.organisations}:
        raise NotFound
    with visit.office.database.unit_of_work() as unit:
        _sessions.show(unit, visit.signed.session, number)
    return back("/")


def _door(request: Request, *, problem: str = "", email: str = "", http: int = 200) -> Response:
    """The form, tied to this browser, so that no other site can sign anybody in as somebody else."""
    office: Office = request.app.state.office
    token = request.cookies.get(_door_cookie(office)) or secrets.token_urlsafe(24)
    answer = plain(
        "sign_in.html",
        http=http,
        problem=problem,
        email=email,
        door=_door_token(office, token),
        next=_inside(request.query_params.get("next", "/")),
    )
    _sessions.hand_out(answer, office, _door_cookie(office), token)
    return answer


def _door_cookie(office: Office) -> str:
    return f"{_sessions.cookie_name(office)}-door"


def _door_token(office: Office, cookie: str) -> str:
    if not cookie:
        return ""
    return hmac.new(office.vault.derived("sign-in form")[0], cookie.encode(), hashlib.sha256).hexdigest()


def _inside(path: str) -> str:
    """A path of this site, or the front page: nobody is sent elsewhere by a link that somebody has made up."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fine else "/"


def _remember_failure(request: Request, email: str, address: str) -> None:
    office: Office = request.app.state.office
    with office.database.unit_of_work() as unit:
        request.app.state.guard.failed(unit, email, address, office.clock())
