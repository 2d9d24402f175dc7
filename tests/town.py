"""A town for whole-path tests: the sandbox plays the outside world, an office does the work, one clock rules both.

Everything goes over real HTTP, SMTP and IMAP on loopback, with the product's own OAuth code and a consent that is
really given on the sandbox's page.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from sqlalchemy import select
from sqlmodel import col

import sandbox
from channels.email_smtp import Settings as Email
from connector.quickbooks import Settings as QuickBooks
from connector.xero import Settings as Xero
from daemon.clock import MovableClock
from fresh_books import open_books
from jobs import acts, connect, deliver, receive, sync, write_back
from jobs.office import Office
from store import read_or_make_keys
from store.people import add_user
from store.tables import AccountRow, HistoryNoteRow, PositionRow, ReminderRow, ReplyRow, TaskRow

CALLBACK = "http://127.0.0.1:8000/connections/{kind}/callback"
QUICKBOOKS = ("authorize_url", "token_url", "revoke_url", "api_url")


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Town:
    """One sandbox, one office, one clock."""

    def __init__(self, url: str, folder: Path, at: datetime | None, **world: Any) -> None:
        self.folder = folder
        self.world = sandbox.start(clock=at, **world)
        self.clock = MovableClock(self.world.control.now())
        self.office = open_office(url, folder, self.world, self.clock)
        with self.office.database.unit_of_work() as unit:
            owner = add_user(
                unit, email="owner@firm.example", name="Olive Owner", password="correct horse", now=self.clock()
            )
            self.owner = int(owner.id or 0)
        self.organisation = 0

    @property
    def control(self) -> sandbox.Control:
        return self.world.control

    def connect(self, kind: str = "xero", *, start_sending: bool = True) -> int:
        """The owner connects the ledger and, unless told otherwise, starts sending after the first sync."""
        back = CALLBACK.format(kind=kind)
        url = connect.begin(self.office, kind=kind, session="browser", redirect_uri=back)
        assert isinstance(url, str)
        answer = consent(url) if kind == "xero" else press_connect(url)
        done = connect.finish(
            self.office,
            session="browser",
            state=answer["state"],
            code=answer["code"],
            redirect_uri=back,
            user_id=self.owner,
            callback=answer,
        )
        assert isinstance(done, connect.Connected)
        self.organisation = done.organisation_id
        self.sync()
        if start_sending:
            acts.resume_organisation(self.office, self.organisation, by="Olive Owner")
        return self.organisation

    def sync(self) -> Any:
        return sync.sync(self.office, self.organisation, trigger="test")

    def move(self, to: datetime) -> None:
        self.control.move_clock(to)
        self.clock.move(to)

    def day(self, day: date, *, sync_at: int = 7, send_at: int = 9) -> Any:
        """One day of work: a sync in the morning, then whatever is due, then answers and notes into the ledger."""
        self.move(max(self.clock(), datetime(day.year, day.month, day.day, sync_at, 30, tzinfo=UTC)))
        run = self.sync()
        self.move(max(self.clock(), datetime(day.year, day.month, day.day, send_at, 30, tzinfo=UTC)))
        self.work()
        return run

    def work(self) -> None:
        """Everything that the schedule would do now, once."""
        deliver.deliver_due(self.office)
        receive.receive(self.office)
        write_back.write_back(self.office)

    def walk(self, first: date, last: date) -> None:
        day = first
        while day <= last:
            self.day(day)
            day += timedelta(days=1)

    def account(self, name: str) -> AccountRow:
        with self.office.database.reading() as session:
            return session.scalars(select(AccountRow).where(col(AccountRow.name) == name)).one()

    def position(self, name: str) -> PositionRow:
        number = self.account(name).id
        with self.office.database.reading() as session:
            return session.scalars(select(PositionRow).where(col(PositionRow.account_id) == number)).one()

    def reminders(self, name: str) -> list[ReminderRow]:
        return self._of(ReminderRow, name)

    def reminders_due(self) -> bool:
        """Is anything queued at all?"""
        with self.office.database.reading() as session:
            return (
                session.scalars(select(ReminderRow.id).where(col(ReminderRow.state) == "queued").limit(1)).first()
                is not None
            )

    def notes(self, name: str) -> list[HistoryNoteRow]:
        return self._of(HistoryNoteRow, name)

    def replies(self, name: str) -> list[ReplyRow]:
        return self._of(ReplyRow, name)

    def tasks(self) -> list[TaskRow]:
        with self.office.database.reading() as session:
            return list(session.scalars(select(TaskRow).where(col(TaskRow.closed_at).is_(None))))

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        return [mail for mail in self.control.mails() if any(address in to for to in mail["to"])]

    def killed_at(
        self, job: str, act: str, step: str, when: str, channels: dict[str, dict[str, Any]] | None = None
    ) -> int:
        """Lets another process do this job and be killed just before or after that step. Returns its exit status.

        `channels`: the settings of those that it speaks by, if they are not the town's own mail server.
        """
        addresses = ("url", "authorize_url", "token_url", "revoke_url", "connections_url", "api_url")
        world: dict[str, Any] = {name: getattr(self.world, name) for name in (*addresses, "smtp_port", "imap_port")}
        world["quickbooks"] = {name: getattr(self.world.quickbooks, name) for name in QUICKBOOKS}
        orders = {
            "world": world,
            "now": self.clock().isoformat(),
            "database": self.office.database.url,
            "folder": str(self.folder),
            "job": job,
            "act": act,
            "step": step,
            "when": when,
            "channels": channels or {},
        }
        here = Path(__file__).parent
        return subprocess.run(
            [sys.executable, str(here / "dying.py"), json.dumps(orders)],
            check=False,
            cwd=here.parent,
            env={**os.environ, "PYTHONPATH": f"{here.parent}{os.pathsep}{here}"},
            timeout=60,
        ).returncode

    def close(self) -> None:
        self.office.close()
        self.world.stop()

    def _of(self, table: Any, name: str) -> list[Any]:
        number = self.account(name).id
        with self.office.database.reading() as session:
            return list(session.scalars(select(table).where(col(table.account_id) == number).order_by(col(table.id))))


def open_office(url: str, folder: Path, world: Any, clock: Any, *, migrate: bool = True) -> Office:
    """An office wired to this sandbox; what `daemon.wiring` makes of a configuration."""
    return Office(
        database=open_books(url, there=not migrate),
        vault=read_or_make_keys(folder / "secrets.key"),
        ledgers={"xero": xero_settings(world), "quickbooks": quickbooks_settings(world.quickbooks)},
        channels={"email_smtp": mail_settings(world)},
        clock=clock,
    )


def xero_settings(world: Any) -> Xero:
    return Xero(
        client_id="sandbox-app",
        client_secret="sandbox-secret",
        authorize_url=world.authorize_url,
        token_url=world.token_url,
        revoke_url=world.revoke_url,
        connections_url=world.connections_url,
        api_url=world.api_url,
    )


def quickbooks_settings(addresses: Any) -> QuickBooks:
    return QuickBooks(
        client_id="sandbox-app",
        client_secret="sandbox-secret",
        **{name: getattr(addresses, name) for name in QUICKBOOKS},
    )


def mail_settings(world: Any) -> Email:
    domain = "brightwater.example"
    return Email(
        host="127.0.0.1",
        port=world.smtp_port,
        security="none",
        from_address=f"accounts@{domain}",
        reply_mailbox=f"replies@{domain}",
        imap_host="127.0.0.1",
        imap_port=world.imap_port,
        imap_security="none",
        imap_username="replies",
        imap_password="sandbox",
        timeout_seconds=5,
    )


def consent(url: str, *, organisation: str | None = None) -> dict[str, str]:
    """Opens the provider's consent page, presses Allow, and returns what the browser brings back."""
    opener = build_opener(_Stay)
    with opener.open(url) as page:
        html = page.read().decode()
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
    tenants = re.findall(r'name="(tenant|organisation)"[^>]*value="([^"]+)"', html)
    if tenants and tenants[0][0] not in fields:
        fields[tenants[0][0]] = organisation or tenants[0][1]
    action = re.search(r'<form[^>]*action="([^"]*)"', html)
    target = url.split("?")[0] if not action or not action[1] else action[1].replace("&amp;", "&")
    if target.startswith("/"):
        parts = urlsplit(url)
        target = f"{parts.scheme}://{parts.netloc}{target}"
    button = re.search(r'<button[^>]*name="([^"]+)"[^>]*value="(allow[^"]*)"', html, re.IGNORECASE)
    if button:
        fields[button[1]] = button[2]
    try:
        with opener.open(Request(target, data=urlencode(fields).encode())) as answer:
            location = answer.headers["Location"]
    except HTTPError as redirect:
        location = redirect.headers["Location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def press_connect(url: str) -> dict[str, str]:
    """Sends the form of Intuit's page with its first company, and returns what the browser brings back."""
    opener = build_opener(_Stay)
    with opener.open(url) as page:
        html = page.read().decode()
    realm = re.search(r'<option value="(\d+)"', html)
    assert realm is not None, html
    form = {**dict(parse_qsl(urlsplit(url).query)), "realmId": realm[1], "decision": "allow"}
    try:
        with opener.open(Request(url.split("?")[0], data=urlencode(form).encode())) as answer:
            location = answer.headers["Location"]
    except HTTPError as redirect:
        location = redirect.headers["Location"]
    return dict(parse_qsl(urlsplit(location).query))


@contextmanager
def postgres_server() -> Iterator[str | None]:
    """A PostgreSQL server of its own in a folder of its own, or None where its binaries are not found."""
    binaries = _postgres_binaries()
    if binaries is None:
        yield None
        return
    user = "postgres" if os.geteuid() == 0 else None
    # Not in the test run's own folder: another run may tidy that away under a server that is still up.
    folder = Path(tempfile.mkdtemp(prefix="arrears-postgres-"))
    data = folder / "data"
    if user:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = lambda *command: subprocess.run(  # noqa: E731
        [*(["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []), *command],
        check=True,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(folder)},
    )
    run(str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "arrears", "--no-sync", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=60"
    run(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://arrears@127.0.0.1:{port}"
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_binaries() -> Path | None:
    found = (
        sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
        if Path("/usr/lib/postgresql").exists()
        else []
    )
    if found:
        return found[0].parent
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None
