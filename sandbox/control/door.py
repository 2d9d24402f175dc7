"""The control door: POST /control/<verb> with a JSON object; the answer is {"result": …} or {"error": "a sentence"}."""

import inspect
from typing import Any

from sandbox.control import reading
from sandbox.control.ledger_desk import LedgerDesk
from sandbox.control.quickbooks_desk import QuickBooksDesk
from sandbox.control.sendgrid_desk import SendGridDesk
from sandbox.control.twilio_desk import TwilioDesk
from sandbox.control.world_desk import WorldDesk
from sandbox.control.xero_desk import XeroDesk
from sandbox.documents import NotPossible
from sandbox.exchange import Answer, Request
from sandbox.world import World

ROOT = "/control/"
DESKS = (LedgerDesk, WorldDesk, XeroDesk, QuickBooksDesk, TwilioDesk, SendGridDesk)


class ControlDoor:
    def __init__(self, world: World) -> None:
        self._world = world
        self._verbs = {
            name: verb
            for desk in (made(world) for made in DESKS)
            for name, verb in inspect.getmembers(desk, inspect.ismethod)
            if not name.startswith("_")
        }

    def answer(self, request: Request) -> Answer:
        name = request.path[len(ROOT) :].strip("/")
        verb = self._verbs.get(name)
        if verb is None:
            return _no(404, f"There is no “{name}” at this door; there are {', '.join(sorted(self._verbs))}.")
        try:
            given = request.query if request.method == "GET" else request.json()
            if not isinstance(given, dict):
                raise NotPossible("The body must be a JSON object.")
            with self._world.lock:
                self._world.catch_up()
                return Answer.json({"result": self._done(name, verb, given)})
        except ValueError as trouble:
            return _no(400, str(trouble))

    def _done(self, name: str, verb: Any, given: dict[str, Any]) -> Any:
        at = given.pop("at", None)
        try:
            inspect.signature(verb).bind(**given)
        except TypeError as trouble:
            raise NotPossible(f"{name}: {trouble}.") from None
        if at is None:
            return verb(**given)
        when = reading.hour(at)
        if when < self._world.clock.now():
            raise NotPossible(f"{when.isoformat()} has passed; the clock shows {self._world.clock.now().isoformat()}.")
        self._world.timetable.add(when, name.replace("_", " "), lambda: verb(**given))
        return None


def _no(status: int, sentence: str) -> Answer:
    return Answer.json({"error": sentence}, status)
