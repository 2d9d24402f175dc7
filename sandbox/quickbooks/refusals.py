"""How QuickBooks says no: faults in the shapes that callers have recorded.

A fault of the ledger is `Fault` with a capital letter, one of the gate in front of it `fault` with a small one; a
throttled caller may get XML although it asked for JSON; and a question may be answered 200 with the fault inside.
"""

from datetime import datetime
from xml.sax.saxutils import escape

from sandbox.exchange import Answer
from sandbox.faults import Fault
from sandbox.quickbooks.dates import server_time


class Invalid(Exception):
    """The company refuses: a ValidationFault with its number."""

    def __init__(self, code: str, message: str, detail: str, element: str = "") -> None:
        super().__init__(detail)
        self.code, self.message, self.detail, self.element = code, message, detail, element


def stale(name: str) -> Invalid:
    words = f"You and {name} were working on this at the same time. {name} finished before you did"
    return Invalid("5010", "Stale Object Error", f"Stale Object Error : {words}, so your work was not saved.")


def not_found() -> Invalid:
    return Invalid(
        "610", "Object Not Found", "Object Not Found : Something you're trying to use has been made inactive."
    )


def too_long(element: str, most: int, given: int) -> Invalid:
    return Invalid(
        "2050",
        "String length is either shorter or longer than supported by specification",
        f"String length specified does not match the supported length. Min:0 Max:{most} supported. "
        f"Supplied length:{given}",
        element,
    )


def unsupported(name: str) -> Invalid:
    return Invalid(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{name} specified is unsupported or invalid",
        name,
    )


def invalid(refusal: Invalid, now: datetime) -> Answer:
    error = {"Message": refusal.message, "Detail": refusal.detail, "code": refusal.code, "element": refusal.element}
    body = {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": server_time(now)}
    return Answer.json(body, 400)


def fault_inside_200(now: datetime) -> Answer:
    error = {"Message": "Internal Server Error", "Detail": "The list could not be read.", "code": "10000"}
    body = {"QueryResponse": {"Fault": {"Error": [error], "type": "SystemFault"}}, "time": server_time(now)}
    return Answer.json(body)


def unauthorized(token: str, now: datetime) -> Answer:
    """The gate repeats a part of the token, so whoever writes this body down writes down a secret."""
    error = {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": f"Token expired: {token[: max(20, len(token) // 2)]}",
        "code": "3200",
        "element": None,
    }
    body = {"fault": {"error": [error], "type": "AUTHENTICATION"}, "time": int(now.timestamp() * 1000)}
    wants = 'Bearer realm="Intuit", error="invalid_token"'
    return Answer.json(body, 401, {"WWW-Authenticate": wants})


def forbidden(now: datetime) -> Answer:
    error = {
        "Message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        "Detail": "The app is not allowed into this company.",
        "code": "3100",
    }
    return Answer.json({"Fault": {"Error": [error], "type": "AuthorizationFault"}, "time": server_time(now)}, 403)


def throttled(now: datetime, *, in_xml: bool) -> Answer:
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    detail = "The request limit was reached. Please wait for a minute and try again."
    if in_xml:
        text = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse '
            f'xmlns="http://schema.intuit.com/finance/v3" time="{server_time(now)}"><Fault type="SERVICE">'
            f'<Error code="3001"><Message>{escape(message)}</Message><Detail>{escape(detail)}</Detail></Error>'
            "</Fault></IntuitResponse>"
        )
        return Answer(429, text.encode(), "application/xml; charset=utf-8")
    error = {"Message": message, "Detail": detail, "code": "3001"}
    return Answer.json({"Fault": {"Error": [error], "type": "SERVICE"}, "time": server_time(now)}, 429)


def system_fault(now: datetime, status: int) -> Answer:
    error = {
        "Message": "An application error has occurred while processing your request",
        "Detail": "",
        "code": "10000",
    }
    return Answer.json({"Fault": {"Error": [error], "type": "SystemFault"}, "time": server_time(now)}, status)


def ordered(fault: Fault, token: str, now: datetime, *, in_xml: bool) -> Answer | None:
    """The answer that a fault puts in place of the real one; None for faults that only disturb the line."""
    match fault.name:
        case "429":
            return throttled(now, in_xml=in_xml)
        case "429xml":
            return throttled(now, in_xml=True)
        case "401":
            return unauthorized(token, now)
        case "403":
            return forbidden(now)
        case "500" | "503" | "504":
            return system_fault(now, int(fault.name))
        case "500empty":
            return Answer(500)
        case "500html":
            return Answer.page("<html><body><h1>Something went wrong</h1></body></html>", 500)
        case "html":
            return Answer.page("<html><body><h1>Welcome to Hotel Wi-Fi</h1><p>Please sign in.</p></body></html>")
        case "fault_in_200":
            return fault_inside_200(now)
        case "5010":
            return invalid(stale("root"), now)
        case "2050":
            return invalid(too_long("Notes", 1, 2), now)
    return None
