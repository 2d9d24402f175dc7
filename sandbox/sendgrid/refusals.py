"""SendGrid's ways of saying no: a list of errors as JSON, or the plain page of the web server before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.exchange import Answer
from sandbox.faults import Fault

HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message."


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a request: the field, in SendGrid's dotted spelling, and the sentence."""

    field: str | None
    message: str
    help: str | None = None


def refused(status: int, wrong: Sequence[Wrong]) -> Answer:
    return Answer.json({"errors": [{"message": w.message, "field": w.field, "help": w.help} for w in wrong]}, status)


def single(status: int, message: str, field: str | None = None) -> Answer:
    return refused(status, [Wrong(field, message)])


def unauthorised() -> Answer:
    return single(401, "The provided authorization grant is invalid, expired, or revoked")


def forbidden() -> Answer:
    return single(403, "access forbidden")


def not_found() -> Answer:
    return single(404, "not found")


def wrong_method() -> Answer:
    return single(405, "method not allowed")


def too_many() -> Answer:
    return single(429, "too many requests")


def too_large() -> Answer:
    """The web server in front answers this one, and does not speak JSON."""
    page = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request "
    page += "Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    return Answer(413, page.encode(), "text/html")


def ordered(fault: Fault) -> Answer | None:
    """The answer of a fault that was switched on, where it is an answer."""
    match fault.name:
        case "400":
            return single(400, "Bad Request")
        case "401":
            return unauthorised()
        case "403":
            return forbidden()
        case "429":
            return too_many()
        case "500" | "500_after":
            return Answer.json({"errors": [{"message": "internal server error"}]}, 500)
        case "503":
            return Answer(503, b"upstream connect error or disconnect/reset before headers", "text/plain")
        case "502html":
            page = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"
            return Answer(502, page, "text/html")
    return None
