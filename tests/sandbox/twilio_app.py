"""An app at the practice Twilio, for tests: it speaks plain HTTP to its API, and has an address of its own."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import urllib3

import sandbox

FERN, MOSS = "+447700900101", "+447700900102"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Told(NamedTuple):
    """One post to the app: its address, its fields, its headers in lower case, and its bytes."""

    path: str
    fields: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Address:
    """The app's own address. It answers 204, or the TwiML laid down for a path."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.queue: queue.Queue[Told] = queue.Queue()
        self.says: dict[str, str] = {}
        address = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
                told = Told(self.path, fields, {name.lower(): value for name, value in self.headers.items()}, body)
                address.told.append(told)
                address.queue.put(told)
                said = address.says.get(self.path.partition("?")[0], "").encode()
                self.send_response(200 if said else 204)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                if said:
                    self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def at(self, path: str) -> list[dict[str, str]]:
        """The fields of every post to this path, in the order in which they came."""
        return [told.fields for told in self.told if told.path == path]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class TwilioApp:
    def __init__(self, world: sandbox.Sandbox) -> None:
        self.world, self.twilio = world, world.twilio
        self.http = urllib3.PoolManager(retries=False)
        self.keys = (self.twilio.account_sid, self.twilio.auth_token)
        self.account = self.twilio.account_sid

    def call(self, method: str, path: str, form: list[tuple[str, str]] | None = None, **query: str) -> tuple[int, Any]:
        url = f"{self.twilio.base_url}/2010-04-01/Accounts/{self.account}/{path}"
        answer = self.http.request(
            method,
            url + (f"?{urlencode(query)}" if query else ""),
            body=urlencode(form) if form is not None else None,
            headers={
                "Authorization": "Basic " + base64.b64encode(":".join(self.keys).encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        return answer.status, json.loads(answer.data) if answer.data else None

    def text(self, to: str = FERN, body: str = "Hello", **wishes: str) -> tuple[int, Any]:
        given = {"To": to, "From": self.twilio.number, "Body": body} | wishes
        return self.call("POST", "Messages.json", [(name, value) for name, value in given.items() if value])

    def ring(self, to: str = FERN, events: tuple[str, ...] = (), **wishes: str) -> tuple[int, Any]:
        given = [*({"To": to, "From": self.twilio.number} | wishes).items()]
        return self.call("POST", "Calls.json", given + [("StatusCallbackEvent", event) for event in events])


def seal_of(url: str, body: bytes, key: str) -> str:
    """The signature that an address should find, worked out from Twilio's own description."""
    said = url + "".join(n + v for n, v in sorted(parse_qsl(body.decode(), keep_blank_values=True)))
    return base64.b64encode(hmac.new(key.encode(), said.encode(), hashlib.sha1).digest()).decode()
