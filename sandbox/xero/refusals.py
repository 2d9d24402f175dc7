"""How Xero says no: the shapes of its error answers, and the ones ordered through the control door."""

from sandbox.exchange import Answer
from sandbox.faults import Fault

DAY_RETRY_AFTER = "73451"
MINUTE_RETRY_AFTER = "7"


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Answer:
    body: dict[str, object] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": "sandbox",
        "Extensions": {},
    }
    return Answer.json(body, status, headers)


def insufficient_scope() -> Answer:
    # Xero's own spelling, and a 401 where one would expect a 403.
    return problem(
        401,
        "Unauthorized",
        "AuthorizationUnsuccessful",
        {"WWW-Authenticate": 'insufficent_scope error="insufficent_scope"'},
    )


def invalid(message: str, *, element: dict[str, object] | None = None) -> Answer:
    errors = {**(element or {}), "ValidationErrors": [{"Message": message}]}
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [errors],
    }
    return Answer.json(body, 400)


def unreadable_query(message: str) -> Answer:
    body = {
        "ErrorNumber": 16,
        "Type": "QueryParseException",
        "Message": message,
        "Elements": [{"ValidationErrors": [{"Message": message}]}],
    }
    return Answer.json(body, 400)


def not_found() -> Answer:
    return Answer.text("The resource you're looking for cannot be found", 404)


def too_many(limit: str, retry_after: str | None) -> Answer:
    answer = Answer(429, b"", "text/html", {"X-Rate-Limit-Problem": limit})
    if retry_after is not None:
        answer.headers["Retry-After"] = retry_after
    return answer


def unavailable() -> Answer:
    return Answer.text("The organisation is temporarily offline. Please try again later.", 503)


def ordered(fault: Fault) -> Answer | None:
    """The answer that a fault puts in place of the real one; None for faults that only disturb the line."""
    match fault.name:
        case "429min":
            return too_many("minute", _seconds(fault, MINUTE_RETRY_AFTER))
        case "429day":
            return too_many("day", _seconds(fault, DAY_RETRY_AFTER))
        case "429conc":
            return too_many("concurrent", None if fault.seconds is None else str(int(fault.seconds)))
        case "503":
            return unavailable()
        case "500html":
            return Answer.page(
                "<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>", 500
            )
        case "html":
            return Answer.page("<html><body><h1>Welcome to Hotel Wi-Fi</h1><p>Please sign in.</p></body></html>")
        case "401":
            return problem(401, "Unauthorized", "TokenExpired: token expired at 01/01/2026 00:00:00")
        case "400":
            return invalid("The request was refused, because somebody ordered a refusal.")
        case "403":
            return problem(403, "Forbidden", "AuthenticationUnsuccessful")
        case "304":
            return Answer(304)
        case "fault_in_200":
            return Answer(200, invalid("The request was refused, though the status says otherwise.").body)
    return None


def _seconds(fault: Fault, usual: str) -> str:
    return usual if fault.seconds is None else str(int(fault.seconds))
