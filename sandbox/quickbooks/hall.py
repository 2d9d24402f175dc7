"""The way in to everything below /quickbooks/: which door answers which address, and what may go wrong at each."""

from sandbox.exchange import Answer, HangUp, Request
from sandbox.oauth import Refused, failing, refused
from sandbox.quickbooks import consent
from sandbox.quickbooks.door import ROOT, CompanyApi
from sandbox.world import World

HALL = "/quickbooks/"


class QuickBooksHall:
    def __init__(self, world: World) -> None:
        self._world, self._api = world, CompanyApi(world)

    def is_api(self, request: Request) -> bool:
        return request.path.startswith(ROOT)

    def answer(self, request: Request) -> Answer:
        return self._api.answer(request) if self.is_api(request) else self._identity(request)

    def _identity(self, request: Request) -> Answer:
        name, world = request.path.removeprefix(HALL).strip("/"), self._world
        if world.faults.down == "drop":
            raise HangUp
        if world.faults.down:
            return Answer.text("The service is temporarily unavailable.", 503)
        match request.method, name:
            case "GET" | "POST", "oauth2/authorize":
                with world.lock:
                    world.catch_up()
                    return consent.authorise(world, request)
            case "POST", "oauth2/v1/tokens/bearer":
                return self._token(request)
            case "POST", "oauth2/tokens/revoke" | "v2/oauth2/tokens/revoke":
                with world.lock:
                    return consent.revoke(world, request)
            case "GET", ".well-known/openid_configuration" | ".well-known/openid_sandbox_configuration":
                return consent.discovery(request.headers.get("host", ""))
        return Answer.text("Not found", 404)

    def _token(self, request: Request) -> Answer:
        try:
            with self._world.quickbooks.identity.refreshing(request.form.get("refresh_token", "")):
                return self._renewed(request)
        except Refused as refusal:
            return refused(refusal)

    def _renewed(self, request: Request) -> Answer:
        world = self._world
        with world.lock:
            world.catch_up()
            fault = world.faults.take(world.faults.quickbooks_token, request.method, request.path)
            if fault is not None and fault.name == "500":
                return Answer.text("Internal Server Error", 500)
            answer = consent.token(world, request, fault)
        failing(fault)
        return answer
