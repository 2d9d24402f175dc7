"""The front door: HTTP/1.1 on a loopback port, one thread a caller, lines kept open between calls.

It is written out by hand because a practice ledger must also be able to fail properly: to hang up before it has read,
after it has acted, or in the middle of a sentence. Ready-made servers are at pains never to do that.
"""

import gzip
import socketserver
import threading
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from sandbox.exchange import Answer, HangUp, Request
from sandbox.lines import OpenLines

Reply = Callable[[Request], Answer]
REASONS = {status.value: status.phrase for status in HTTPStatus}
LONGEST_BODY = 64 * 1024 * 1024


class _Line(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: "HttpDoor"

    def handle(self) -> None:
        with self.server.lines.keeping(self.connection):
            try:
                while (request := self._read()) is not None:
                    answer = self._answered(request)
                    if not self._write(request, answer):
                        return
            except (HangUp, ConnectionError, TimeoutError):
                return

    def _answered(self, request: Request) -> Answer:
        try:
            return self.server.reply(request)
        except HangUp:
            raise
        except Exception:
            # A mistake in the sandbox itself must not look like a fault that somebody ordered.
            traceback.print_exc()
            return Answer.text(f"The sandbox itself made a mistake:\n\n{traceback.format_exc()}", 500)

    def _read(self) -> Request | None:
        first = self.rfile.readline(65537)
        if not first.strip():
            return None
        try:
            method, target, _ = first.decode("latin-1").split()
        except ValueError:
            raise HangUp from None
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(65537)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = target.partition("?")
        return Request(method, unquote(path), query, headers, self._body(headers))

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        length = int(headers.get("content-length") or 0)
        if length > LONGEST_BODY:
            raise HangUp
        return self.rfile.read(length) if length else b""

    def _write(self, request: Request, answer: Answer) -> bool:
        """True when the line may carry another question."""
        body = answer.body
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}", f"Content-Type: {answer.kind}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        keep = request.headers.get("connection", "").lower() != "close" and not answer.cut_short
        if not keep:
            lines.append("Connection: close")
        if request.method == "HEAD" or answer.status in (204, 304):
            body = b""
        if answer.cut_short:
            body = body[: len(body) // 2]
        self.connection.sendall("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)
        return keep


class HttpDoor(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, reply: Reply) -> None:
        super().__init__((host, port), _Line)
        self.reply = reply
        self.lines = OpenLines()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox http", daemon=True)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.lines.hang_up()
        self._thread.join(2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away in mid-sentence is no news here."""


def squeezed(request: Request, answer: Answer) -> Answer:
    """The answer compressed, where the caller said that it understands gzip."""
    if answer.body and "gzip" in request.headers.get("accept-encoding", "").lower():
        answer.body = answer.packed() if answer.packed else gzip.compress(answer.body, 5, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
    return answer
