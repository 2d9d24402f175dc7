"""Twilio's API, everything below /twilio/: texts and calls are asked for, looked up, listed and taken back.

A call is checked as Twilio checks it (who asks, whether too many do, then what is asked), and what it can be made to do
wrong is done before or after the text is on the books, since that is what makes the difference.
"""

import base64
import threading
import time
from typing import Any
from urllib.parse import parse_qsl

from sandbox.exchange import Answer, HangUp, Request
from sandbox.faults import SLOW, Fault
from sandbox.twilio import calls, lists, texts
from sandbox.twilio.account import ACCOUNT, KEYS, TEST_ACCOUNT
from sandbox.twilio.carrier import Carrier
from sandbox.twilio.conversation import Conversation
from sandbox.twilio.records import PhoneCall, Text
from sandbox.twilio.refusals import Refusal
from sandbox.twilio.rows import call_row, text_row
from sandbox.world import World

HALL = "/twilio/"
ROOT = f"{HALL}2010-04-01/Accounts/"
NGINX = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"


class TwilioHall:
    def __init__(self, world: World) -> None:
        self._world, self._twilio = world, world.twilio
        self._carrier = Carrier(world.twilio)

    def answer(self, request: Request) -> Answer:
        world = self._world
        with world.lock:
            world.catch_up()
            fault = world.faults.take(world.faults.twilio, request.method, request.path)
        if fault is not None and fault.name == "slow":
            time.sleep(fault.seconds or SLOW)
        try:
            _fail_before(fault)
            with world.lock:
                answer = self._checked(request)
        except Refusal as refusal:
            answer = refusal.answer()
        except _Broken as broken:
            answer = broken.answer
        answer = _failed_after(fault, answer)
        answer.headers["Twilio-Concurrent-Requests"] = "1"
        return answer

    def _checked(self, request: Request) -> Answer:
        account = _account_of(request)
        if not request.path.startswith(ROOT):
            raise Refusal(20404, path=request.path.removeprefix(HALL[:-1]))
        named, *where = request.path[len(ROOT) :].split("/")
        if named != account:
            raise Refusal(20003)
        trying_out = account == TEST_ACCOUNT
        if trying_out and (request.method != "POST" or len(where) != 1):
            raise Refusal(20008)
        match request.method, where:
            case "POST", ["Messages.json"]:
                return self._text(request, trying_out=trying_out)
            case "POST", ["Calls.json"]:
                return self._call(request, trying_out=trying_out)
            case "GET", ["Messages.json"]:
                return lists.listed(request, "messages", self._twilio.texts, lists.TEXTS)
            case "GET", ["Calls.json"]:
                return lists.listed(request, "calls", self._twilio.calls, lists.CALLS)
            case method, ["Messages", name] if name.endswith(".json"):
                return self._one_text(method, self._found(request, name, self._twilio.texts), request.form)
            case method, ["Calls", name] if name.endswith(".json"):
                return self._one_call(method, self._found(request, name, self._twilio.calls), request.form)
        raise Refusal(20404, path=request.path.removeprefix(HALL[:-1]))

    def _text(self, request: Request, *, trying_out: bool) -> Answer:
        text = texts.taken(self._twilio, request.form, trying_out=trying_out)
        answer = Answer.json(text_row(text, TEST_ACCOUNT if trying_out else ACCOUNT), 201)
        if not trying_out:
            self._carrier.take(text)
        return answer

    def _call(self, request: Request, *, trying_out: bool) -> Answer:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        call = calls.taken(self._twilio, pairs, trying_out=trying_out)
        answer = Answer.json(call_row(call, TEST_ACCOUNT if trying_out else ACCOUNT), 201)
        if not trying_out:
            if call.wishes.get("Record", "").lower() == "true":
                self._twilio.recordings += 1
            self._twilio.calls.append(call)
            self._twilio.talking += 1
            talk = Conversation(self._twilio, call).play
            threading.Thread(target=talk, name=f"sandbox call to {call.to}", daemon=True).start()
        return answer

    def _one_text(self, method: str, text: Text, form: dict[str, str]) -> Answer:
        if method == "DELETE":
            self._twilio.texts.remove(text)
            return Answer(204)
        if method == "POST" and "Status" in form:
            if form["Status"] != "canceled" or text.status != "scheduled":
                raise Refusal(30409)
            self._carrier.cancel(text)
        elif method == "POST" and form.get("Body") == "":
            text.body = ""
        return Answer.json(text_row(text, ACCOUNT))

    def _one_call(self, method: str, call: PhoneCall, form: dict[str, str]) -> Answer:
        if method == "DELETE":
            self._twilio.calls.remove(call)
            return Answer(204)
        if method == "POST" and form.get("Status") in ("canceled", "completed"):
            call.ended, call.status = True, form["Status"]
        return Answer.json(call_row(call, ACCOUNT))

    def _found(self, request: Request, name: str, records: list[Any]) -> Any:
        for record in records:
            if record.sid == name.removesuffix(".json"):
                return record
        raise Refusal(20404, path=request.path.removeprefix(HALL[:-1]))


class _Broken(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def _account_of(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        raise Refusal(20003) from None
    account = KEYS.get((user, password)) if scheme.lower() == "basic" else None
    if account is None:
        raise Refusal(20003)
    return account


def _fail_before(fault: Fault | None) -> None:
    """Nothing was taken."""
    match fault.name if fault else "":
        case "drop_before":
            raise HangUp
        case "429":
            raise Refusal(20429)
        case "401":
            raise Refusal(20003)
        case "403":
            raise Refusal(20403)
        case "502html":
            raise _Broken(Answer(502, NGINX.encode(), "text/html"))
        case "500" | "503" as status:
            raise _Broken(_unwell(int(status)))


def _failed_after(fault: Fault | None, answer: Answer) -> Answer:
    """It was taken, and whoever asked does not learn of it."""
    match fault.name if fault else "":
        case "drop_after":
            raise HangUp
        case "500after" | "503after" as name:
            return _unwell(int(name[:3]))
        case "truncated":
            answer.cut_short = True
    return answer


def _unwell(status: int) -> Answer:
    said = {500: "An internal server error has occurred", 503: "Service Unavailable"}[status]
    return Answer.json({"code": 20500 if status == 500 else 20503, "message": said, "status": status}, status)
