"""What an error at Twilio means for the message: it will never go, it may go later, or nobody knows whether it went.

Twilio keeps splitting its error codes and asks nobody to lean on them too hard
(https://www.twilio.com/en-us/changelog/updates-to-the-error-code-dictionary-to-clarify-number-validatio): an unknown
one counts by its HTTP status alone.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, ReadTimeoutError

from channels import Refused, Unavailable, Unsure

OPTED_OUT = 21610
BAD_NUMBER = {
    21211: "it is not a valid telephone number",
    21214: "it cannot be called",
    21217: "it is not a valid telephone number",
    21265: "it is a short code, which cannot be written to",
    21266: "it is our own number",
    21614: "it cannot receive text messages",
    21635: "it is a landline, which cannot receive text messages",
    30005: "it is unknown or no longer in service",
    30006: "it is a landline, or its network cannot be reached",
}
"""Codes that condemn the number itself, whatever is sent to it."""

FILTERED = {
    30004: "the recipient's telephone or network blocks our messages",
    30007: "a network took it for spam",
    30450: "a network took it for spam",
}
"""Never tried again: filters tighten with every try."""

NO_ROUTE = {
    21216: "Twilio does not let this account call that number",
    21612: "Twilio knows no way from our number to this one",
}
TO_MEND = {
    20003: "check account_sid and auth_token (or api_key and api_secret) in [{block}]",
    20008: "these are the keys for trying out; put the live ones into [{block}]",
    20404: "check account_sid in [{block}]",
    21205: "check public_url in [server]: Twilio has to reach it",
    21210: "from_number in [{block}] is not a number of this account; buy it or verify it in Twilio's console",
    21212: "from_number in [{block}] is not a telephone number; write it as +447700900123",
    21215: "allow calls to that country in Twilio's console, under Voice, Geographic permissions",
    21219: "the account is a trial; it may only call numbers that you have verified in Twilio's console",
    21408: "allow text messages to that country in Twilio's console, under Messaging, Geo permissions",
    21606: "from_number in [{block}] is not a number of this account that can send text messages",
    21608: "the account is a trial; it may only write to numbers that you have verified in Twilio's console",
    21609: "check public_url in [server]: Twilio has to reach it by a name without underscores",
    21659: "from_number in [{block}] is not a number of this account",
    21660: "from_number in [{block}] belongs to another account",
    21661: "from_number in [{block}] cannot send text messages",
    21701: "check messaging_service_sid in [{block}]",
    21703: "put a number into the messaging service in Twilio's console",
    30034: "register the number for A2P 10DLC in Twilio's console: networks in the United States demand it",
    30610: "look into the Compliance Toolkit in Twilio's console, which has stopped it",
    30640: "look into the Compliance Toolkit in Twilio's console, which has stopped it",
}
"""Codes that a person has to do something about; then it goes."""

LATER = {
    20429: "too much was asked of it at once",
    21611: "too many messages wait at it for our number",
    30001: "too many messages wait at it",
    30003: "the recipient's telephone could not be reached",
    30008: "something unknown went wrong on the way",
}
EXPIRED = 30036
DOUBT = "; it may have been done all the same"


class Refusal(NamedTuple):
    """An answer that is no yes: its HTTP status, Twilio's number for the error, and its sentence."""

    status: int
    code: int
    said: str


def failure_of(
    error: Exception, doing: str, *, headers: Mapping[str, str], block: str, now: datetime
) -> Refused | Unavailable | Unsure:
    """Never raises. `headers` are those of the answer, if there was one."""
    if (refusal := refusal_in(error)) is not None:
        return _meaning(refusal, doing, headers=headers, block=block, now=now)
    if isinstance(error, ConnectTimeoutError):
        return Unavailable(f"Twilio could not be reached while {doing}: {_reason(error)}")
    if isinstance(error, HTTPError):
        return Unsure(f"Twilio did not answer while {doing}: {_reason(error)}{DOUBT}")
    return Unsure(f"Twilio's answer while {doing} could not be read{_request_of(headers)}{DOUBT}")


def why_not_delivered(code: int) -> str:
    """What a code in a callback says of a message that did not arrive, in plain words."""
    if code == OPTED_OUT:
        return "the recipient has texted STOP"
    if code == EXPIRED:
        return "it waited at Twilio until the debtor's hours were over, and was not sent"
    for known in (BAD_NUMBER, FILTERED, NO_ROUTE, LATER):
        if code in known:
            return f"{known[code]} ({code})"
    if code in TO_MEND:
        return f"something has to be mended at Twilio: see https://www.twilio.com/docs/api/errors/{code}"
    return (
        f"Twilio says {code}: see https://www.twilio.com/docs/api/errors/{code}" if code else "Twilio does not say why"
    )


def refusal_in(error: Exception) -> Refusal | None:
    """Twilio's own words, wherever its library has put them: for a list, into the second argument of the error."""
    answer = error.args[1] if len(error.args) > 1 else None
    if isinstance(status := getattr(answer, "status_code", None), int):
        try:
            content = json.loads(getattr(answer, "text", ""))
            return Refusal(status, int(content["code"]), str(content["message"]).rstrip("."))
        except (ValueError, TypeError, KeyError):
            return Refusal(status, status, "")
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if not isinstance(status, int):
        return None
    said = str(getattr(error, "msg", "") or getattr(error, "detail", "") or getattr(error, "title", ""))
    said = said.removeprefix("Unable to create record: ").strip().rstrip(".")
    return Refusal(status, code if isinstance(code, int) else status, said)


def _meaning(
    refusal: Refusal, doing: str, *, headers: Mapping[str, str], block: str, now: datetime
) -> Refused | Unavailable | Unsure:
    status, code, said = refusal
    if not 400 <= status < 500 or status == 408:  # whatever number it carries, Twilio may have begun
        return Unsure(f"Twilio answered {status} while {doing}{_request_of(headers)}{DOUBT}")
    if code == OPTED_OUT:
        return Refused("the recipient has texted STOP to our number, so Twilio sends nothing there (21610)", True)
    if code in BAD_NUMBER:
        return Refused(f"Twilio refuses this number: {BAD_NUMBER[code]} ({code})")
    if code in FILTERED:
        return Refused(f"Twilio does not send it: {FILTERED[code]} ({code})")
    if code in NO_ROUTE:
        return Refused(f"{NO_ROUTE[code]} ({code})")
    if code in TO_MEND:
        return Unavailable(f"Twilio refuses it ({code}: {said}): {TO_MEND[code].format(block=block)}")
    if code in LATER or status == 429:
        reason = LATER.get(code, LATER[20429])
        return Unavailable(f"Twilio asks us to wait: {reason} ({code})", _until(headers, now))
    if status in (401, 403, 407):
        return Unavailable(f"Twilio does not let us in ({code}: {said}): {TO_MEND[20003].format(block=block)}")
    return Refused(f"Twilio refuses it: {said} ({code}; see https://www.twilio.com/docs/api/errors/{code})")


def _until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    wait = headers.get("Retry-After", "")
    return now + timedelta(seconds=min(int(wait), 3600)) if wait.isascii() and wait.isdigit() else None


def _request_of(headers: Mapping[str, str]) -> str:
    request = headers.get("Twilio-Request-Id", "")
    return f" (its request {request})" if request else ""


def _reason(error: HTTPError) -> str:
    match error:
        case NameResolutionError():
            return "its name cannot be found; check the network between here and there"
        case NewConnectionError():
            # Behind the colon is what the machine says; what stands before it names objects of ours.
            return str(error).partition(": ")[2].rpartition(" (_ssl")[0] or str(error).partition(": ")[2]
        case ConnectTimeoutError() | ReadTimeoutError():
            return "it took too long"
    return "the line broke"
