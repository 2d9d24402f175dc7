"""How Twilio says no: a status, a number from its dictionary of errors, and a sentence.

(https://www.twilio.com/docs/api/errors)
"""

from typing import Any

from sandbox.exchange import Answer

SAID = {
    20001: "Unknown parameters",
    20003: "Authenticate",
    20008: "Resource not accessible with Test Account Credentials",
    20403: "Forbidden",
    20404: "The requested resource {path} was not found",
    20429: "Too Many Requests",
    21201: "No 'To' number is specified",
    21205: "Url is not a valid URL: {url}",
    21210: "The source phone number provided, {from_}, is not yet verified for your account.",
    21211: "The 'To' number {to} is not a valid phone number.",
    21212: "The 'From' number {from_} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    21213: "No 'From' number is specified",
    21214: "'To' phone number cannot be reached: {to}",
    21215: "Account not authorized to call {to}. Perhaps you need to enable some international permissions.",
    21216: "Account not allowed to call {to}",
    21217: "The phone number you are attempting to call, {to}, is not valid.",
    21266: "'To' and 'From' number cannot be the same: {to}",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number {from_} is not a valid, SMS-capable inbound phone number or short code for your "
    "account.",
    21608: "The number {to} is unverified. Trial accounts cannot send messages to unverified numbers.",
    21609: "The 'StatusCallback' URL {url} is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number {from_} has exceeded the maximum number of queued messages.",
    21612: "The 'To' phone number: {to}, is not currently reachable using the 'From' phone number: {from_} via SMS.",
    21614: "'To' number: {to}, is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21624: "Invalid validity period value",
    21701: "The Messaging Service {service} does not exist",
    30409: "This message cannot be canceled",
    35114: "SendAt timestamp must be at least 300 seconds in the future",
    35115: "SendAt timestamp must not be more than 35 days in the future",
    35118: "MessagingServiceSid is required to schedule a message",
}
STATUSES = {20003: 401, 20008: 403, 20403: 403, 20404: 404, 20429: 429, 30409: 409}


class Refusal(Exception):
    """Twilio does not take what was asked for."""

    def __init__(self, code: int, **details: str) -> None:
        said = SAID.get(code, "The request was refused")
        self.code, self.status = code, STATUSES.get(code, 400)
        self.sentence = said.format(**details) if details else said.partition("{")[0].strip()
        super().__init__(self.sentence)

    def answer(self) -> Answer:
        headers = {"Retry-After": "1"} if self.status == 429 else {}
        content: dict[str, Any] = {
            "code": self.code,
            "message": self.sentence,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return Answer.json(content, self.status, headers)
