"""Whether SendGrid lets us in, and to what: asked of it without sending anything.

A key may be good and still not be allowed to send, or to look into the Email Logs that settle doubts. So the key is
asked what it may do (https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions), and the logs are opened
once, because nobody has written down under which name that permission stands.
"""

import json
from typing import Any

from channels import NotLetIn
from channels._sendgrid_answers import Broken, Unreached, words

SENDS = "mail.send"
WAIT = "Wait a few minutes, then look again."


def sign_in(api: Any, *, host: str, evidence: bool) -> None:
    """`evidence`: mails in doubt are to be looked for in the logs. Raises NotLetIn."""
    try:
        answer = api.scopes.get()
        _may_send(answer.status_code, answer.body, host)
        if evidence:
            logs = api.logs.post(request_body={"query": "subject = 'arrears doctor'", "limit": 1})
            _may_look_into_logs(logs.status_code, logs.body)
    except (Unreached, Broken) as problem:
        check = "Check host in [email_sendgrid], and the network between here and there."
        raise NotLetIn(f"SendGrid cannot be reached at {host}: {problem}", check) from problem


def _may_send(status: int, body: bytes, host: str) -> None:
    said = words(status, body)
    match status:
        case 200:
            scopes = _scopes_in(body)
        case 401:
            make = "Put a key that is valid into api_key in [email_sendgrid]; SendGrid shows one only when it is made."
            raise NotLetIn(f"SendGrid does not know the key ({said})", make)
        case 403:
            check = "Check in SendGrid that the account is not suspended, and subuser in [email_sendgrid]."
            raise NotLetIn(f"SendGrid knows the key and does not let it in ({said})", check)
        case 429:
            raise NotLetIn("SendGrid has been asked too often for the moment", WAIT)
        case 404 | 405:
            check = "Check host in [email_sendgrid]; it is https://api.sendgrid.com, or in Europe api.eu.sendgrid.com."
            raise NotLetIn(f"SendGrid does not answer at {host} ({said})", check)
        case _:
            raise NotLetIn(f"SendGrid gave no answer of use ({said})", WAIT)
    if SENDS not in scopes:
        give = "In SendGrid under Settings → API Keys, give the key full access to Mail Send."
        raise NotLetIn("SendGrid knows the key, and does not let it send mail", give)


def _may_look_into_logs(status: int, body: bytes) -> None:
    if status in (401, 403):
        give = (
            "Give the key the permission to read Email Logs in SendGrid, or set evidence = false in [email_sendgrid]."
        )
        raise NotLetIn("the key may send, but not look into the Email Logs that settle doubts", give, partly=True)
    if status != 200:
        says = f"the key may send, but the Email Logs that settle doubts did not open ({words(status, body)})"
        raise NotLetIn(says, WAIT, partly=True)


def _scopes_in(body: bytes) -> list[str]:
    try:
        scopes = json.loads(body)["scopes"]
    except (ValueError, TypeError, KeyError):
        scopes = None
    if not isinstance(scopes, list):
        raise NotLetIn("SendGrid's answer does not say what the key may do", "Check host in [email_sendgrid].")
    return scopes
