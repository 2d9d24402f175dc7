"""The Email Logs: every mail of the last thirty days, found by a small language, one by one with all that is known.

The list shows no custom arguments, the single mail does (tsg_logs_v3.json). How long a mail takes to show is not
documented: the account has a habit for it.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.exchange import Answer, Request
from sandbox.sendgrid.account import Account, Mail
from sandbox.sendgrid.refusals import single

KEPT = timedelta(days=30)
STATUS = {
    "processed": "processed",
    "dropped": "dropped",
    "deferred": "deferred",
    "bounce": "bounced",
    "delivered": "delivered",
    "open": "delivered",
    "click": "delivered",
}
_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_CONDITION = re.compile(
    rf"""\s*(?P<field>[a-z_]+)\s*(?:
      (?P<in>IN)\s*\(\s*(?P<list>(?:{_STRING})(?:\s*,\s*(?:{_STRING}))*)\s*\)
      | (?P<op>>=|<=|=|>|<)\s*(?P<time>TIMESTAMP\s*)?(?P<value>{_STRING})
    )\s*(?:(?P<and>AND)\s+|$)""",
    re.VERBOSE,
)
_ALLOWED = {
    "sg_message_id": ("=",),
    "subject": ("=",),
    "to_email": ("=",),
    "status": ("IN",),
    "reason": ("=",),
    "categories": ("IN",),
    "sg_message_id_created_at": (">", "<", ">=", "<="),
}


class Unreadable(Exception):
    """The query is not in the language. The text says where."""


class Logs:
    def __init__(self, account: Account) -> None:
        self._account = account

    def listed(self, request: Request) -> Answer:
        try:
            asked = request.json()
            conditions = read(str(asked.get("query") or ""))
        except Unreadable as problem:
            return single(400, str(problem), "query")
        except (ValueError, AttributeError):
            return single(400, "Bad Request")
        limit = asked.get("limit", 10)
        if not isinstance(limit, int) or not 1 <= limit <= 1000:
            return single(400, "limit must be between 1 and 1000", "limit")
        found = [mail for mail in self._shown() if all(_holds(mail, *condition) for condition in conditions)]
        return Answer.json({"messages": [_row(mail) for mail in found[:limit]]})

    def single(self, sg_message_id: str) -> Answer:
        mail = next((mail for mail in self._shown() if mail.sg_message_id == sg_message_id), None)
        if mail is None:
            return single(404, "message not found")
        told = {name: value for name, value in _row(mail).items() if name not in ("reason", "sg_message_id_created_at")}
        events = [event | {"custom_args": mail.custom_args} for event in reversed(mail.events)]
        more = {
            "events": events[:100],
            "category": mail.categories,
            "custom_args": mail.custom_args,
            "api_key_id": mail.api_key_id,
            "client_ip": "127.0.0.1",
            "outbound_ip": "167.89.0.1",
        }
        return Answer.json(told | more)

    def _shown(self) -> list[Mail]:
        """Newest first, without those that are not indexed yet and those that are too old."""
        now = self._account.now()
        latest = now - timedelta(seconds=self._account.habits.logs_after)
        return [mail for mail in reversed(self._account.mails) if now - KEPT <= mail.at <= latest]


def read(query: str) -> list[tuple[str, str, list[str]]]:
    """Conditions as (field, operator, values). Raises Unreadable."""
    conditions, place = [], 0
    while place < len(query.rstrip()):
        found = _CONDITION.match(query, place)
        if found is None:
            raise Unreadable(f"invalid query near: {query[place : place + 40]}")
        field, operator = found["field"], found["in"] or found["op"]
        if operator not in _ALLOWED.get(field, ()):
            raise Unreadable(f"the operator {operator} is not allowed for the field {field}")
        if bool(found["time"]) != (field == "sg_message_id_created_at"):
            raise Unreadable(f"the value of {field} is of the wrong type")
        values = [_unquoted(text) for text in re.findall(_STRING, found["list"] or found["value"])]
        conditions.append((field, operator, values))
        place = found.end()
        if found["and"] and place >= len(query.rstrip()):
            raise Unreadable("the query ends after AND")
    return conditions


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _holds(mail: Mail, field: str, operator: str, values: list[str]) -> bool:
    if field == "sg_message_id_created_at":
        try:
            at = datetime.fromisoformat(values[0])
        except ValueError:
            return False
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return {">": mail.at > at, "<": mail.at < at, ">=": mail.at >= at, "<=": mail.at <= at}[operator]
    if field == "categories":
        return any(value in mail.categories for value in values)
    return str(_row(mail).get(field, "")) in values


def _row(mail: Mail) -> dict[str, Any]:
    last = next((event for event in reversed(mail.events) if event["event"] in STATUS), {"event": "processed"})
    status = "blocked" if last.get("type") == "blocked" else STATUS[last["event"]]
    return {
        "from_email": mail.from_,
        "sg_message_id": mail.sg_message_id,
        "subject": mail.subject,
        "to_email": mail.to,
        "reason": str(last.get("reason") or last.get("response") or ""),
        "status": status,
        "sg_message_id_created_at": f"{mail.at:%Y-%m-%dT%H:%M:%SZ}",
    }
