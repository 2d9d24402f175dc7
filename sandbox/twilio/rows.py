"""Texts and calls as Twilio's API shows them: every field there, most as strings, hours as mail writes them."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from sandbox.twilio.account import API_VERSION
from sandbox.twilio.records import PhoneCall, Text

ERRORS = {
    21610: "Attempt to send to unsubscribed recipient",
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity Period Expired",
}
OF_A_CALL = "notifications recordings payments events siprec streams transcriptions user_defined_message_subscriptions"


def text_row(text: Text, account: str) -> dict[str, Any]:
    uri = f"/{API_VERSION}/Accounts/{account}/Messages/{text.sid}"
    priced = text.sent is not None
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "body": text.body,
        "date_created": _hour(text.created),
        "date_sent": _hour(text.sent),
        "date_updated": _hour(text.updated or text.created),
        "direction": text.direction,
        "error_code": text.error_code,
        "error_message": ERRORS.get(text.error_code or 0),
        "from": text.from_ or None,
        "messaging_service_sid": text.service or None,
        "num_media": "0",
        # A service tells only later how many it became.
        "num_segments": "0" if text.service and text.status == "accepted" else str(text.segments),
        "price": f"-{0.04 * text.segments:.5f}" if priced else None,
        "price_unit": "USD" if priced else None,
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def call_row(call: PhoneCall, account: str) -> dict[str, Any]:
    uri = f"/{API_VERSION}/Accounts/{account}/Calls/{call.sid}"
    return {
        "account_sid": account,
        "answered_by": call.answered_by or None,
        "api_version": API_VERSION,
        "caller_name": None,
        "date_created": _hour(call.created),
        "date_updated": _hour(call.finished or call.started or call.created),
        "direction": call.direction,
        "duration": str(call.seconds) if call.ended else None,
        "end_time": _hour(call.finished),
        "forwarded_from": None,
        "from": call.from_,
        "from_formatted": call.from_,
        "group_sid": None,
        "parent_call_sid": call.parent or None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": _hour(call.started),
        "status": call.status,
        "subresource_uris": {name: f"{uri}/{_written(name)}.json" for name in OF_A_CALL.split()},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def _written(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _hour(at: datetime | None) -> str | None:
    return format_datetime(at) if at is not None else None
