"""Opening the doors: one process that is, for whoever calls it, the outside world."""

import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.clock import Clock
from sandbox.control.client import Control
from sandbox.filling import company as generated
from sandbox.filling import histories as played
from sandbox.front import Front
from sandbox.http_door import HttpDoor
from sandbox.mail.imap import ImapDoor
from sandbox.mail.smtp import SmtpDoor
from sandbox.sendgrid.account import KEY as SENDGRID_KEY
from sandbox.twilio import account as twilio
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class QuickBooksAddresses:
    """Where an app finds the practice QuickBooks."""

    api_url: str
    authorize_url: str
    token_url: str
    revoke_url: str
    discovery_url: str

    @classmethod
    def at(cls, url: str) -> "QuickBooksAddresses":
        root = f"{url}/quickbooks"
        return cls(
            api_url=root,
            authorize_url=f"{root}/oauth2/authorize",
            token_url=f"{root}/oauth2/v1/tokens/bearer",
            revoke_url=f"{root}/oauth2/tokens/revoke",
            discovery_url=f"{root}/.well-known/openid_configuration",
        )


@dataclass(frozen=True, slots=True)
class TwilioAddresses:
    """Where an app finds the practice Twilio, and with what keys."""

    base_url: str
    account_sid: str = twilio.ACCOUNT
    auth_token: str = twilio.TOKEN
    api_key: str = twilio.API_KEY
    api_secret: str = twilio.API_SECRET
    number: str = twilio.NUMBER
    service: str = twilio.SERVICE
    test_account_sid: str = twilio.TEST_ACCOUNT
    test_auth_token: str = twilio.TEST_TOKEN


@dataclass(frozen=True, slots=True)
class SendGridAddresses:
    """Where an app finds the practice SendGrid, and with what key."""

    host: str
    api_key: str = SENDGRID_KEY


class Sandbox:
    """A running sandbox. `with start() as sandbox: …` stops it at the end."""

    def __init__(self, world: World, host: str, port: int, smtp_port: int, imap_port: int) -> None:
        self._world = world
        self._doors = (
            HttpDoor(host, port, Front(world).answer),
            SmtpDoor(world, host, smtp_port),
            ImapDoor(world, host, imap_port),
        )
        for door in self._doors:
            door.open()
        http, smtp, imap = self._doors
        self.host = host
        self.url = f"http://{host}:{http.port}"
        self.authorize_url = f"{self.url}/identity/connect/authorize"
        self.token_url = f"{self.url}/identity/connect/token"
        self.revoke_url = f"{self.url}/identity/connect/revocation"
        self.api_url = f"{self.url}/api.xro/2.0"
        self.quickbooks = QuickBooksAddresses.at(self.url)
        self.twilio = TwilioAddresses(f"{self.url}/twilio")
        self.sendgrid = SendGridAddresses(f"{self.url}/sendgrid")
        self.connections_url = f"{self.url}/Connections"
        self.smtp_port, self.imap_port = smtp.port, imap.port
        self.control = Control(self.url)

    def stop(self) -> None:
        for door in self._doors:
            door.close()
        self._world.webhooks.stop()
        self._world.quickbooks.webhooks.stop()
        self._world.sendgrid.stop()
        self._world.twilio.stop()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    smtp_port: int = 0,
    imap_port: int = 0,
    clock: datetime | None = None,
    seed: int = 1,
    company: bool = True,
    histories: str | Path | None = None,
) -> Sandbox:
    """A sandbox whose doors all answer. `clock` None is real time, an aware datetime a clock that stands until moved.

    With `histories` the ledger is that file instead of the generated company, and a clock not given stands on the day
    before its first invoice. Without either, there is one organisation with empty books.
    """
    world = World(Clock(clock), seed)
    if histories is not None:
        path = Path(histories)
        played.load(world, path.read_text(encoding="utf-8-sig"), path.name, begin=clock)
    elif company:
        generated.fill(world)
    else:
        generated.found_firm(world)
    return Sandbox(world, host, port, smtp_port, imap_port)


def serve(
    host: str = "127.0.0.1",
    port: int = 8765,
    smtp_port: int = 8025,
    imap_port: int = 8143,
    ledger: str | Path | None = None,
    clock: datetime | None = None,
    seed: int = 1,
) -> None:
    """Run in the foreground until interrupted."""
    with start(
        host=host, port=port, smtp_port=smtp_port, imap_port=imap_port, clock=clock, seed=seed, histories=ledger
    ) as sandbox:
        print(f"The sandbox is open. Look around at {sandbox.url}/")
        print(f"  ledger   {sandbox.api_url}   (app sandbox-app, secret sandbox-secret)")
        print(f"  consent  {sandbox.authorize_url}")
        print(f"  or as QuickBooks {sandbox.quickbooks.api_url}, consent {sandbox.quickbooks.authorize_url}")
        print(f"  texts and calls {sandbox.twilio.base_url}, from {sandbox.twilio.number}")
        print(f"           account {sandbox.twilio.account_sid}, token {sandbox.twilio.auth_token}")
        print(f"  or by SendGrid {sandbox.sendgrid.host}   (key {sandbox.sendgrid.api_key})")
        print(
            f"  mail     out {host}:{sandbox.smtp_port} (SMTP), in {host}:{sandbox.imap_port} (IMAP, replies / sandbox)"
        )
        print(f"  clock    {sandbox.control.now():%A %d %B %Y, %H:%M} UTC")
        print("Stop it with Ctrl-C.", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("The sandbox is closed.")
