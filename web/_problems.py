"""What a person reads when something is not there, is not allowed, or went wrong: always a sentence, and a way on."""

from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from jobs.acts import NotAllowed
from web._headers import headers
from web._pages import plain
from web._visit import Forbidden, NoOrganisationYet, NotFound, SignInFirst

_NOT_HERE = "There is no such page here. It may have moved, or it belongs to another organisation."


def answer_all(app: FastAPI) -> None:
    """Gives each kind of problem its answer."""
    app.exception_handler(SignInFirst)(_sign_in_first)
    app.exception_handler(NoOrganisationYet)(_welcome)
    app.exception_handler(NotFound)(_not_found)
    app.exception_handler(Forbidden)(_forbidden)
    app.exception_handler(NotAllowed)(_not_allowed)
    app.exception_handler(RequestValidationError)(_not_found)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(Exception)(_went_wrong)


def _sign_in_first(request: Request, problem: SignInFirst) -> Response:
    wanted = problem.path if request.method == "GET" and problem.path != "/" else ""
    return RedirectResponse(f"/sign-in?next={quote(wanted)}" if wanted else "/sign-in", status_code=303)


def _welcome(_request: Request, _problem: Exception) -> Response:
    return RedirectResponse("/", status_code=303)


def _not_found(_request: Request, _problem: Exception) -> Response:
    return plain("problem.html", http=404, title="Not here", text=_NOT_HERE)


def _forbidden(_request: Request, problem: Exception) -> Response:
    return plain("problem.html", http=403, title="Not allowed", text=str(problem))


def _not_allowed(_request: Request, problem: Exception) -> Response:
    return plain("problem.html", http=409, title="This was not done", text=str(problem))


def _http(request: Request, problem: HTTPException) -> Response:
    if problem.status_code == 404:
        return _not_found(request, problem)
    if problem.status_code == 405:
        text = "This address only takes the form that leads to it. Go back to the page and use its button."
        return plain("problem.html", http=405, title="Use the button", text=text)
    return plain("problem.html", http=problem.status_code, title="This did not work", text=str(problem.detail))


def _went_wrong(request: Request, _problem: Exception) -> Response:
    text = (
        "Something went wrong on our side, and the page could not be shown. Nothing was half done: what a form changes "
        "is changed whole or not at all. The details are in the log of the daemon."
    )
    answer = plain("problem.html", http=500, title="Something went wrong", text=text)
    # The server answers this one outside of everything else, so it needs its headers here.
    https = request.app.state.office.public_url.startswith("https://")
    for name, value in headers(request.url.path, https=https).items():
        answer.headers.setdefault(name, value)
    return answer
