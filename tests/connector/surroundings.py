"""What the connector's tests share: a clock to move, a keeper of grants in memory, and a Xero that answers to order."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import urllib3

from connector import Grant, Ledger, open_authoriser, open_ledger, settings_of

if TYPE_CHECKING:
    import sandbox

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:9999/connect/xero/callback"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0123456789"


class MovableClock:
    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


class KeeperInMemory:
    """Keeps the promises of GrantKeeper with one lock."""

    def __init__(self, grant: Grant) -> None:
        self.grant, self.generation = grant, 1
        self.mark: tuple[int, datetime] | None = None
        self.why_lost: list[str] = []
        self.kept: list[Grant] = []
        self._lock = threading.Lock()

    def load(self) -> tuple[Grant, int]:
        with self._lock:
            return self.grant, self.generation

    def begin_refresh(self, generation: int, now: datetime, until: datetime) -> bool:
        with self._lock:
            if generation != self.generation or (self.mark and self.mark[0] == generation and self.mark[1] > now):
                return False
            self.mark = (generation, until)
            return True

    def keep(self, generation: int, grant: Grant) -> bool:
        with self._lock:
            if generation != self.generation:
                return False
            self.grant, self.generation, self.mark = grant, generation + 1, None
            self.kept.append(grant)
            return True

    def end_refresh(self, generation: int) -> None:
        with self._lock:
            if self.mark and self.mark[0] == generation:
                self.mark = None

    def lost(self, why: str) -> None:
        self.why_lost.append(why)


class OneKey:
    """A source of access keys that has only one."""

    def __init__(self, key: str) -> None:
        self.key = key

    def access_token(self, *, refused: str = "") -> str:
        assert refused != self.key
        return self.key


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Say:
    """One answer. `drop` hangs up instead; `cut` sends only so many bytes of the body that was announced."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: int | None = None
    after: float = 0.0

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ScriptedXero:
    """Answers what it is told, in order, or by a rule, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Say] = []
        self.rule: Callable[[Asked], Say]
        self.always(Say(status=500))
        self._lock = threading.Lock()
        self.hurry = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self.hurry.set()
        self._server.shutdown()
        self._server.server_close()

    def always(self, say: Say) -> None:
        self.rule = lambda _: say

    def asked_for(self, ending: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.endswith(ending)]

    def _answer(self, asked: Asked) -> Say:
        with self._lock:
            self.asked.append(asked)
            if self.script:
                return self.script.pop(0)
        return self.rule(asked)

    def _handler(xero) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave together; sent apart, each answer would wait 40 ms

            def answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                say = xero._answer(Asked(self.command, parts.path, query, headers, body))
                if say.after:
                    xero.hurry.wait(say.after)
                if say.drop:
                    self.close_connection = True
                    return
                self.send_response_only(say.status)
                usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
                for name, value in {**usual, **say.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(say.content)))
                self.end_headers()
                self.wfile.write(say.content[: say.cut])
                self.close_connection = say.cut is not None

            do_GET = do_PUT = do_POST = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def listing(name: str, *rows: Any, at: datetime = MONDAY, **pagination: int) -> dict[str, Any]:
    """An envelope as Xero writes it."""
    count = {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": len(rows)} | pagination
    return {"Status": "OK", "DateTimeUTC": xero_instant(at), "pagination": count, name: list(rows)}


def cursor_at(moment: datetime) -> dict[str, str]:
    """As after a reading that began then."""
    return dict.fromkeys(("invoices", "credits", "contacts", "contacts_whole"), moment.isoformat())


def xero_instant(at: datetime) -> str:
    return f"/Date({int(at.timestamp() * 1000)}+0000)/"


def invoice_row(name: str, at: datetime = MONDAY, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC",
        "InvoiceID": name,
        "InvoiceNumber": f"INV-{name}",
        "Contact": {"ContactID": "fern", "Name": "Fern & Fig Café"},
        "Status": "AUTHORISED",
        "Date": "/Date(1767225600000+0000)/",
        "DueDate": "/Date(1768435200000+0000)/",
        "CurrencyCode": "GBP",
        "Total": 120.00,
        "AmountDue": 120.00,
        "AmountPaid": 0.00,
        "AmountCredited": 0.00,
        "Payments": [],
        "CreditNotes": [],
        "UpdatedDateUTC": xero_instant(at),
    } | fields


def a_grant(
    clock: Callable[[], datetime], access: str = "access-1", refresh: str = "refresh-1", **lasts: float
) -> Grant:
    return Grant(access, refresh, access_expires_at=clock() + timedelta(**(lasts or {"minutes": 30})))


def consent(world: "sandbox.Sandbox", clock: Callable[[], datetime], **settings: Any) -> tuple[Any, Any, Grant]:
    """A person presses "Allow access"; gives the settings, the authoriser and the grant."""
    used = sandbox_settings(world, **settings)
    authoriser = open_authoriser("xero", used, clock=clock)
    code = press_allow(world, authoriser.authorise_url(state="s", challenge=challenge(), redirect_uri=REDIRECT))
    return used, authoriser, authoriser.exchange(code=code, verifier=VERIFIER, redirect_uri=REDIRECT)


def sandbox_settings(world: "sandbox.Sandbox", **settings: Any) -> Any:
    app = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
    doors = {
        name: getattr(world, name)
        for name in ("authorize_url", "token_url", "revoke_url", "connections_url", "api_url")
    }
    return settings_of("xero")(**(app | doors | settings))


def press_allow(world: "sandbox.Sandbox", url: str) -> str:
    """Sends the page's form, as a browser would, and gives the code that comes back."""
    asked = dict(parse_qsl(urlsplit(url).query))
    form = {**asked, "tenant": world.control.organisations()[0]["id"], "decision": "allow"}
    answer = urllib3.request(
        "POST",
        world.authorize_url,
        body=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        redirect=False,
    )
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Connected:
    """One connection to one ledger, with everything a test wants to look at."""

    ledger: Ledger
    keeper: KeeperInMemory
    clock: MovableClock
    authoriser: Any


def connect_to(xero: ScriptedXero, clock: MovableClock, *, grant: Grant | None = None, **settings: Any) -> Connected:
    doors = {name: f"{xero.url}/{name}" for name in ("authorize_url", "token_url", "revoke_url", "connections_url")}
    used = settings_of("xero")(
        **{"client_id": "app", "client_secret": "s3cret", **doors, "api_url": xero.url, **settings}
    )
    keeper = KeeperInMemory(grant or a_grant(clock))
    ledger = open_ledger("xero", used, tenant="tenant-1", keeper=keeper, clock=clock)
    return Connected(ledger, keeper, clock, open_authoriser("xero", used, clock=clock))
