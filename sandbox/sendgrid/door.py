"""The door of the practice SendGrid: everything below /sendgrid/v3/.

A call is checked in SendGrid's own order (the limit, the key, what the key may do, the body), after whatever fault was
ordered for it.
"""

import time

from sandbox.doorbells import Postman
from sandbox.exchange import Answer, HangUp, Request
from sandbox.faults import SLOW
from sandbox.mail.post_office import PostOffice
from sandbox.sendgrid import refusals
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.hooks import Hooks
from sandbox.sendgrid.inbound import Inbound
from sandbox.sendgrid.logs import Logs
from sandbox.sendgrid.scheduled import Scheduled
from sandbox.sendgrid.sending import Sending
from sandbox.sendgrid.telling import Telling

ROOT = "/sendgrid/v3/"
BEFORE = ("400", "401", "403", "429", "500", "503", "502html")
"""Faults that strike before anything is done; the others strike after it."""


class SendGrid:
    """The account and all that belongs to it."""

    def __init__(self, account: Account, post: PostOffice) -> None:
        self.account = account
        self._postman = Postman()
        self.telling = Telling(account, self._postman)
        self.inbound = Inbound(account, post, self._postman)
        self.sending = Sending(account, post, self.telling)
        self._logs, self._scheduled = Logs(account), Scheduled(account)
        self._hooks = Hooks(account, self.telling, self.inbound)

    def answer(self, request: Request) -> Answer:
        account = self.account
        with account.lock:
            fault = account.take_fault(request.method, request.path)
        if fault is not None and fault.name == "drop_before":
            raise HangUp
        if fault is not None and fault.name == "slow":
            time.sleep(fault.seconds or SLOW)
        with account.lock:
            within = account.rate.enter(account.now())
            if fault is not None and fault.name in BEFORE:
                answer = refusals.ordered(fault) or refusals.not_found()
            else:
                answer = self._checked(request) if within else refusals.too_many()
            answer.headers |= account.rate.headers(account.now())
            if fault is not None and fault.name == "429" and fault.seconds:
                answer.headers["X-RateLimit-Reset"] = str(int(account.now().timestamp() + fault.seconds))
        if fault is not None and fault.name == "drop_after":
            raise HangUp
        if fault is not None and fault.name == "500_after":
            return refusals.ordered(fault) or answer
        return answer

    def stop(self) -> None:
        self._postman.stop()

    def _checked(self, request: Request) -> Answer:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key not in self.account.keys:
            return refusals.unauthorised()
        parts = request.path[len(ROOT) :].strip("/").split("/")
        scope = _scope(parts)
        if scope is None:
            return refusals.not_found()
        if scope and not self.account.may(key, scope):
            return refusals.forbidden()
        try:
            return self._routed(request, parts, key)
        except (ValueError, AttributeError):
            return refusals.single(400, "Bad Request")

    def _routed(self, request: Request, parts: list[str], key: str) -> Answer:
        match request.method, parts:
            case "GET", ["scopes"]:
                return Answer.json({"scopes": list(self.account.keys[key])})
            case "POST", ["mail", "send"]:
                return self.sending.answer(request, key)
            case _, ["mail", "batch", *named]:
                return self._scheduled.batch(request, named)
            case _, ["user", "scheduled_sends", *named]:
                return self._scheduled.sends(request, named)
            case "POST", ["logs"]:
                return self._logs.listed(request)
            case "GET", ["logs", number]:
                return self._logs.single(number)
            case _, ["user", "webhooks", *named]:
                return self._hooks.answer(request, named)
        return refusals.wrong_method()


def _scope(parts: list[str]) -> str | None:
    """What a key has to be allowed for this; empty where any key will do, None for what there is not."""
    match parts:
        case ["scopes"]:
            return ""
        case ["mail", "send"]:
            return "mail.send"
        case ["logs"] | ["logs", _]:
            return "logs.read"
        case ["mail", "batch", *_] | ["user", "scheduled_sends", *_]:
            return "user.scheduled_sends"
        case ["user", "webhooks", *_]:
            return "user.webhooks"
    return None
