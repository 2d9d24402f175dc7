"""The hall behind the front door: who answers which address, and the book in which every call is written down."""

from sandbox.control.door import ControlDoor
from sandbox.exchange import Answer, HangUp, Request
from sandbox.faults import Fault
from sandbox.http_door import squeezed
from sandbox.index_page import index_page
from sandbox.oauth import failing
from sandbox.quickbooks.hall import HALL, QuickBooksHall
from sandbox.sendgrid.door import ROOT as SENDGRID
from sandbox.twilio.door import HALL as TWILIO
from sandbox.twilio.door import TwilioHall
from sandbox.world import Call, World
from sandbox.xero import consent
from sandbox.xero.door import ROOT, AccountingApi

IDENTITY = "/identity/connect/"


class Front:
    def __init__(self, world: World) -> None:
        self._world = world
        self._api, self._control = AccountingApi(world), ControlDoor(world)
        self._quickbooks = QuickBooksHall(world)
        self._twilio = TwilioHall(world)

    def answer(self, request: Request) -> Answer:
        path = request.path
        if path.startswith(ROOT):
            return self._written_down("api", request)
        if path.startswith(IDENTITY) or path.lower().rstrip("/").startswith("/connections"):
            return self._written_down("identity", request)
        if path.startswith(HALL):
            return self._at_quickbooks(request)
        if path.startswith(TWILIO):
            return self._at_twilio(request)
        if path.startswith(SENDGRID):
            return self._at_sendgrid(request)
        if path.startswith("/control/"):
            return self._control.answer(request)
        if path == "/":
            with self._world.lock:
                self._world.catch_up()
                return squeezed(
                    request, Answer.page(index_page(self._world, f"http://{request.headers.get('host', '')}"))
                )
        return Answer.text(f"Nothing answers at {path}; look around at /", 404)

    def _written_down(self, door: str, request: Request) -> Answer:
        world = self._world
        with world.lock:
            at, request_id = world.clock.now(), world.new_id()
        status = size = 0
        try:
            answer = squeezed(request, self._api.answer(request) if door == "api" else self._identity(request))
            answer.headers["xero-correlation-id"] = request_id
            status, size = answer.status, len(answer.body)
            return answer
        finally:
            tenant = request.headers.get("xero-tenant-id", "")
            call = Call(at, door, request.method, request.path, request.query_string, status, size, tenant, request_id)
            with world.lock:
                world.calls.append(call)

    def _at_quickbooks(self, request: Request) -> Answer:
        world, api = self._world, self._quickbooks.is_api(request)
        with world.lock:
            at, request_id = world.clock.now(), world.new_id()
        status = size = 0
        try:
            answer = squeezed(request, self._quickbooks.answer(request))
            answer.headers["intuit_tid"] = request_id
            status, size = answer.status, len(answer.body)
            return answer
        finally:
            door, realm = ("quickbooks", request.path.split("/")[4]) if api else ("quickbooks identity", "")
            call = Call(at, door, request.method, request.path, request.query_string, status, size, realm, request_id)
            with world.lock:
                world.calls.append(call)

    def _at_twilio(self, request: Request) -> Answer:
        world = self._world
        with world.lock:
            at, request_id = world.clock.now(), f"RQ{world.new_id().replace('-', '')}"
        status = size = 0
        try:
            answer = squeezed(request, self._twilio.answer(request))
            answer.headers["Twilio-Request-Id"] = request_id
            status, size = answer.status, len(answer.body)
            return answer
        finally:
            call = Call(at, "twilio", request.method, request.path, request.query_string, status, size, "", request_id)
            with world.lock:
                world.calls.append(call)

    def _at_sendgrid(self, request: Request) -> Answer:
        world = self._world
        with world.lock:
            world.catch_up()
            at, request_id = world.clock.now(), world.new_id()
        status = size = 0
        try:
            answer = squeezed(request, world.sendgrid.answer(request))
            status, size = answer.status, len(answer.body)
            return answer
        finally:
            where = request.path, request.query_string
            with world.lock:
                world.calls.append(Call(at, "sendgrid", request.method, *where, status, size, "", request_id))

    def _identity(self, request: Request) -> Answer:
        world, name = self._world, request.path.removeprefix(IDENTITY).strip("/")
        if world.faults.down == "drop":
            raise HangUp
        if world.faults.down:
            return Answer.text("The service is temporarily unavailable.", 503)
        fault = None
        if name == "token":
            with world.lock:
                fault = world.faults.take(world.faults.token, request.method, request.path)
            if fault is not None and fault.name == "500":
                return Answer.text("Internal Server Error", 500)
        with world.lock:
            world.catch_up()
            answer = self._identity_answer(name, request, fault)
        failing(fault)
        return answer

    def _identity_answer(self, name: str, request: Request, fault: Fault | None) -> Answer:
        match request.method, name:
            case "GET" | "POST", "authorize":
                return consent.authorise(self._world, request)
            case "POST", "token":
                return consent.token(self._world, request, fault)
            case "POST", "revocation":
                return consent.revoke(self._world, request)
            case "GET" | "DELETE", _ if request.path.lower().startswith("/connections"):
                return consent.connections(self._world, request)
        return Answer.text("Not found", 404)
