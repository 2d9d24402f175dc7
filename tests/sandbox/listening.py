"""An app's own address for webhooks, listening on this machine, for tests of whoever rings there."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """One post: its bytes, its headers with names in lower case, and whether the signature was good."""

    body: bytes
    headers: dict[str, str]
    good: bool

    @property
    def post(self) -> dict[str, Any]:
        return json.loads(self.body)


class Listener:
    """An app's own address. It answers 200 to a good signature and 401 to a bad one, unless told otherwise."""

    def __init__(self, key: bytes, header: str = "x-xero-signature") -> None:
        self.heard: queue.Queue[Heard] = queue.Queue()
        self.answers: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seal = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
                good = hmac.compare_digest(seal, self.headers[header])
                status = listener.answers.pop(0) if listener.answers else 200 if good else 401
                self.send_response(status)
                self.send_header("Content-Length", "0")
                listener.heard.put(Heard(body, {n.lower(): v for n, v in self.headers.items()}, good))
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/xero"

    def next(self) -> Heard:
        return self.heard.get(timeout=20)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
