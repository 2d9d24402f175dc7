"""The outgoing mail server: takes every letter, or fails in the way it was told to.

The failure that matters most is the one in which the letter was taken but the "250 OK" never arrived: whoever sends
again then writes to the debtor twice.
"""

import asyncio
import threading
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from sandbox.world import World

LARGEST = 40 * 1024 * 1024


class _Hook:
    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        faults = self._world.faults.smtp
        if faults.refuse and (address.lower() in faults.refuse or "*" in faults.refuse):
            return "550 5.1.1 The mailbox does not exist here"
        if faults.temporary and (address.lower() in faults.temporary or "*" in faults.temporary):
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        world = self._world
        if world.faults.smtp.slow:
            await asyncio.sleep(world.faults.smtp.slow)
        with world.lock:
            world.catch_up()
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            letter = world.post.take(envelope.mail_from or "", list(envelope.rcpt_tos), content)
            drop = world.faults.smtp.drop_after_data > 0
            world.faults.smtp.drop_after_data -= drop
        if drop:
            _hang_up(server)
        return f"250 2.0.0 OK: kept as letter {letter.index}"


class _Line(SMTP):
    """One caller. Hanging up before a letter is taken has no hook of its own."""

    world: World

    async def smtp_DATA(self, arg: str) -> None:
        faults = self.world.faults.smtp
        if faults.drop_before_data > 0:
            faults.drop_before_data -= 1
            _hang_up(self)
            return
        await super().smtp_DATA(arg)


class SmtpDoor:
    def __init__(self, world: World, host: str, port: int) -> None:
        self._world, self._host, self.port = world, host, port
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox smtp", daemon=True)
        self._ready = threading.Event()
        self._trouble: OSError | None = None

    def open(self) -> None:
        self._thread.start()
        self._ready.wait(10)
        if self._trouble is not None:
            raise self._trouble

    def close(self) -> None:
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(2)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._server = self._loop.run_until_complete(
                self._loop.create_server(self._line, self._host, self.port, reuse_address=True)
            )
            self.port = self._server.sockets[0].getsockname()[1]
        except OSError as trouble:
            self._trouble = trouble
            return
        finally:
            self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _line(self) -> SMTP:
        line = _Line(
            _Hook(self._world),
            hostname="mail.sandbox.example",
            ident="Sandbox mail",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=_anybody,
            loop=self._loop,
        )
        line.world = self._world
        return line


def _hang_up(line: SMTP) -> None:
    if isinstance(line.transport, asyncio.WriteTransport):
        line.transport.abort()


def _anybody(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=True)
