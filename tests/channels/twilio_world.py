"""What tests of text messages and calls share: a practice Twilio, and a channel of ours with its doors open to it.

The doors are real HTTP on this machine behind an address that the world knows by another name, as behind a proxy. They
do what the office does: hear a post, keep what is to be kept, each event once, and answer.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import sandbox
from channels import DeliveryEvent, Forged, Heard, Message, NoSuchDoor, Posted, open_channel, settings_of, token_of
from engine.replies import Reply

PUBLIC = "https://arrears.example/office"
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEY = b"k" * 32
DEBTOR, OTHER, AGENT = "+447700900101", "+447700900102", "+447700900201"


def token(attempt: int) -> str:
    return token_of(account=7, attempt=attempt, key=KEY)


class Line:
    """A channel of ours at the practice Twilio."""

    def __init__(self, world: sandbox.Sandbox, kind: str, public: str = PUBLIC, **settings: Any) -> None:
        self.world, self.kind, self.control = world, kind, world.control.twilio
        given = {
            "account_sid": world.twilio.account_sid,
            "auth_token": world.twilio.auth_token,
            "from_number": world.twilio.number,
            "base_url": world.twilio.base_url,
            "connect_seconds": 5.0,
            "answer_seconds": 10.0,
        } | settings
        self.settings = settings_of(kind)(**given)
        self.channel = open_channel(kind, self.settings, clock=world.control.now, public_url=public)
        self.kept: dict[str, bytes] = {}
        self.posts: list[Posted] = []
        self.refused: list[Exception] = []
        self.answered: list[Heard] = []
        self._lock = threading.Lock()

    def told(self) -> list[DeliveryEvent]:
        """Everything that Twilio has told of messages and calls, once it is quiet."""
        self.control.settled()
        return [event for event in map(self.channel.read, list(self.kept.values())) if isinstance(event, DeliveryEvent)]

    def replies(self) -> list[Reply]:
        self.control.settled()
        return [reply for reply in map(self.channel.read, list(self.kept.values())) if isinstance(reply, Reply)]

    def hear(self, posted: Posted) -> Heard:
        with self._lock:
            self.posts.append(posted)
        try:
            heard = self.channel.hear(posted)
        except (Forged, NoSuchDoor) as problem:
            self.refused.append(problem)
            return Heard((), 401 if isinstance(problem, Forged) else 404)
        with self._lock:
            self.answered.append(heard)
            for kept in heard.keep:
                self.kept.setdefault(kept.event_id, kept.raw)
        return heard


@contextmanager
def opened(line: Line) -> Iterator[Line]:
    """The line with its doors open on this machine, and the practice Twilio told where they are."""

    class Doors(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            door = path.removeprefix(f"/hooks/{line.kind}/")
            heard = line.hear(Posted(door, query, headers, body))
            self.send_response(heard.status)
            self.send_header("Content-Type", heard.content_type)
            self.send_header("Content-Length", str(len(heard.body)))
            self.end_headers()
            self.wfile.write(heard.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Doors)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    line.control.reach(PUBLIC, f"http://127.0.0.1:{server.server_port}")
    line.control.number(sms_url=f"{PUBLIC}/hooks/{line.kind}/reply")
    try:
        yield line
    finally:
        line.channel.close()
        server.shutdown()
        server.server_close()


def a_message(attempt: int = 1, **changes: Any) -> Message:
    given = {
        "attempt": str(attempt),
        "message_id": "",
        "to": DEBTOR,
        "to_name": "Fern & Fig Café",
        "subject": "",
        "text": f"Brightwater Joinery: invoice INV-0042 is overdue. Ref {attempt:04d}. Reply STOP to opt out.",
        "from_name": "Brightwater Joinery",
        "token": token(attempt),
        "since": MONDAY,
    } | changes
    return Message(**given)
