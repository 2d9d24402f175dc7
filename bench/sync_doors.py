"""The sandbox's process: its books made very large, a memory in front of its doors, and a few doors for the run alone.

It is the sandbox as everybody can start it. But what is to be measured is the reader, so an answer to a question about
the books is worked out and compressed once, and given again to whoever asks the same, until the books or the clock
change. Each reader therefore rehearses first, unmeasured. Every call and every byte is counted on its way out.

The memory answers before limits and keys are looked at; each rehearsal went through both.
"""

import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bench.sync_sandbox import Books, Counts
from sandbox.clock import Clock
from sandbox.documents import NOTHING
from sandbox.exchange import Answer, Request
from sandbox.filling import company, large
from sandbox.front import Front
from sandbox.http_door import HttpDoor, Reply
from sandbox.world import World

BEGIN = datetime(2026, 11, 3, 6, tzinfo=UTC)
"""Where the clock stands when the books are filled: a Tuesday morning."""

A_WHILE = timedelta(hours=2)
"""So long ago the last of it happened: whoever reads what is new with a generous overlap finds nothing."""

DATA = ("/api.xro/2.0/", "/quickbooks/v3/company/")
MATTERS = ("xero-tenant-id", "if-modified-since", "accept", "accept-encoding")
"""Headers that make an answer another one."""


def main() -> None:
    books = Books(**json.loads(sys.argv[1]))
    world = World(Clock(BEGIN))
    firm = company.found_firm(world)
    large.fill(world, firm, books.invoices, books.contacts, books.open_share, 1)
    world.move(BEGIN + A_WHILE)
    door = HttpDoor("127.0.0.1", 0, Remembering(world, Front(world).answer).answer)
    door.open()
    print(json.dumps(addresses(f"http://127.0.0.1:{door.port}", firm.id)), flush=True)
    sys.stdin.read()  # until the run lets go
    door.close()


def addresses(url: str, tenant: str) -> dict[str, Any]:
    """Where everything is, in the words of each ledger's settings."""
    identity = f"{url}/identity/connect"
    return {
        "url": url,
        "tenant": tenant,
        "xero": {
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "authorize_url": f"{identity}/authorize",
            "token_url": f"{identity}/token",
            "revoke_url": f"{identity}/revocation",
            "connections_url": f"{url}/Connections",
            "api_url": f"{url}/api.xro/2.0",
        },
        "quickbooks": {
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "authorize_url": f"{url}/quickbooks/oauth2/authorize",
            "token_url": f"{url}/quickbooks/oauth2/v1/tokens/bearer",
            "revoke_url": f"{url}/quickbooks/oauth2/tokens/revoke",
            "api_url": f"{url}/quickbooks",
        },
        "discovery_url": f"{url}/quickbooks/.well-known/openid_configuration",
    }


class Remembering:
    """Stands before the sandbox's own doors."""

    def __init__(self, world: World, reply: Reply) -> None:
        self._world, self._reply = world, reply
        self._lock = threading.Lock()
        self._answers: dict[Any, Answer] = {}
        self._counts = Counts()
        self._chance = Random("what happens")

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/bench/"):
            return self._asked_by_the_run(request)
        if not request.path.startswith(DATA):
            return self._reply(request)  # consent and keys, which no provider counts
        answer = self._remembered(request)
        with self._lock:
            counts = self._counts
            counts.calls += 1
            counts.bytes += len(answer.body)
            name = request.path.rpartition("/")[2]
            counts.paths[name] = counts.paths.get(name, 0) + 1
        return answer

    def _remembered(self, request: Request) -> Answer:
        # Readers of QuickBooks ask by POST as well. Whoever reads here writes nothing.
        headers = tuple(request.headers.get(name) for name in MATTERS)
        key = (request.method, request.path, request.query_string, request.body, headers)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._reply(request)
            with self._lock:
                self._counts.worked_out += 1
                if answer.status == 200:
                    self._answers[key] = answer
        return answer

    def _asked_by_the_run(self, request: Request) -> Answer:
        asked = {name: float(value) for name, value in request.query.items()}
        with self._world.lock, self._lock:
            match request.path.removeprefix("/bench/"):
                case "counts":
                    counts, self._counts = self._counts, Counts()
                    names = Counts.__dataclass_fields__
                    return Answer.json({name: getattr(counts, name) for name in names})
                case "later":
                    return Answer.json(self._later(asked["minutes"]).isoformat())
                case "pay":
                    return Answer.json(self._pay(int(asked["count"])))
                case "raise":
                    return Answer.json(self._raise_new(int(asked["count"])))
        return Answer.text("The run asked for something that does not exist.", 404)

    def _later(self, minutes: float) -> datetime:
        if minutes:
            self._world.move(self._world.clock.now() + timedelta(minutes=minutes))
            self._answers.clear()
        return self._world.clock.now()

    def _pay(self, count: int) -> int:
        books = self._world.organisation(None).books
        owed = [invoice for invoice in books.sales() if invoice.balance and invoice.status == "AUTHORISED"]
        paid = self._chance.sample(owed, min(count, len(owed)))
        for number, invoice in enumerate(paid):
            half = (invoice.balance / 2).quantize(NOTHING)
            books.pay(invoice, half if number % 10 == 0 else None)
        self._answers.clear()
        return len(paid)

    def _raise_new(self, count: int) -> int:
        books = self._world.organisation(None).books
        contacts = list(books.papers("Contacts"))
        for _ in range(count):
            total = Decimal(self._chance.randrange(5_000, 90_000)) / 100
            books.add_invoice(
                self._chance.choice(contacts), total=total.quantize(NOTHING), due=books.today() + timedelta(days=30)
            )
        self._answers.clear()
        return count


if __name__ == "__main__":
    main()
