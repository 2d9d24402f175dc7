"""A firm's own address for what SendGrid posts, listening on this machine, and SendGrid's own client to call with."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook

import sandbox

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


class Post(NamedTuple):
    body: bytes
    headers: dict[str, str]

    @property
    def events(self) -> list[dict[str, Any]]:
        return json.loads(self.body)

    def signed_by(self, key: str) -> bool:
        """As SendGrid's own client checks it."""
        checker = EventWebhook()
        stamp, signature = self.headers[TIMESTAMP], self.headers[SIGNATURE]
        return checker.verify_signature(self.body.decode(), signature, stamp, checker.convert_public_key_to_ecdsa(key))


class Listener:
    """Answers 200, unless `answers` has another number for the next post."""

    def __init__(self) -> None:
        self.heard: queue.Queue[Post] = queue.Queue()
        self.answers: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(listener.answers.pop(0) if listener.answers else 200)
                self.send_header("Content-Length", "0")
                listener.heard.put(Post(body, {name.lower(): value for name, value in self.headers.items()}))
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def next(self) -> Post:
        return self.heard.get(timeout=20)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def api(world: sandbox.Sandbox, key: str | None = None) -> Any:
    """SendGrid's own client. Its calls raise python_http_client's errors."""
    return SendGridAPIClient(key or world.sendgrid.api_key, host=world.sendgrid.host).client


def a_mail(**changes: Any) -> dict[str, Any]:
    """The body of one mail/send."""
    usual = {
        "personalizations": [{"to": [{"email": "mia@cafe.example", "name": "Mia O'Neill"}]}],
        "from": {"email": "accounts@brightwater.example", "name": "Brightwater Joinery"},
        "reply_to": {"email": "replies+abc@reply.brightwater.example"},
        "subject": "A quick reminder – £120",
        "content": [{"type": "text/plain", "value": "Hi Mia,\n\nplease pay £120.\n"}],
        "custom_args": {"arrears_attempt": "7"},
    }
    return usual | changes


def settled(read: Any, done: Any) -> Any:
    """What `read` gives once `done` holds of it: answers to posts are told in a thread of their own."""
    patience = threading.Event()
    for _ in range(2000):
        found = read()
        if done(found):
            return found
        patience.wait(0.01)
    raise AssertionError(found)
