"""How fast do reminders leave by SendGrid, and what is a connection that is kept worth?

    python -m bench.sending

The sandbox plays SendGrid and the ledger, in a process of its own. First the same mails are handed to it by the
product's channel and by SendGrid's own library as it is, in turns, over http and over https. Then the whole product
sends: it looks at the ledger once more, writes each reminder and hands it over, with everything it remembers about it.
It does so twice: told of nothing, and while SendGrid posts what became of each mail at the doors of another process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from sendgrid import SendGridAPIClient
from sqlalchemy import func, select
from sqlmodel import col

import sandbox
from bench import sync_product
from bench.showing import busy, table
from channels import Attachment, Channel, Message, Receipt, open_channel, settings_of
from channels._sendgrid_mail import body_of
from jobs import acts, deliver, sync
from jobs.office import Office
from store.tables import OrganisationRow, PostRow, ReminderRow

ROOT = Path(__file__).parent.parent
WANTED = 200
"""Reminders a minute on one worker: what was asked for."""

ROUNDS = 4
FROM = "accounts@brightwater-joinery.example"
TURN = 9


@dataclass(frozen=True, slots=True)
class Sent:
    """So many mails, the wall-clock seconds of each, and the processor seconds of this process for all."""

    seconds: list[float]
    processor: float

    @property
    def a_second(self) -> float:
        return len(self.seconds) / sum(self.seconds)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--mails", type=int, default=400, help="handed over by each sender; 0 leaves them out")
    asked.add_argument("--reminders", type=int, default=400, help="sent by the whole product")
    asked.add_argument("--statement", type=int, default=20, help="kilobytes of a file on each mail of the first part")
    chosen = asked.parse_args()
    if sentence := busy():
        print(sentence)
    with running() as addresses:
        os.environ["SSL_CERT_FILE"] = addresses["sendgrid"]["certificate"]
        if chosen.mails:
            channels(addresses, chosen.mails, chosen.statement)
        rows = [["", "line", "sent", "seconds", "a minute", "processor ms each", "posts came in", "read"]]
        rows.append(product(addresses, chosen.reminders, told=False))
    with running() as addresses:
        rows.append(product(addresses, chosen.reminders, told=True))
    slowest = min(float(row[4].replace(",", "")) for row in rows[1:])
    rows.append(
        [f"asked for: {WANTED} a minute", "met" if slowest >= WANTED else "missed", "", "", f"{WANTED}", "", "", ""]
    )
    table(f"{chosen.reminders} reminders that are due, by the whole product on one worker", rows)


@contextmanager
def running() -> Iterator[dict[str, Any]]:
    """The sandbox until the end of the block, and where everything is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sending_doors"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(20)


# --- the channel beside SendGrid's library as it is


def channels(addresses: dict[str, Any], mails: int, kilobytes: int) -> None:
    rows = [["", "line", "mails/s", "median ms", "slowest 5 % ms", "processor ms"]]
    grid = addresses["sendgrid"]
    for line in ("http", "https"):
        with closing(the_channel(grid["key"], grid[line])) as kept:
            bare = SendGridAPIClient(grid["key"], host=grid[line]).client
            ways: dict[str, Callable[[Message], bool]] = {
                "product, kept line": lambda message, kept=kept: isinstance(kept.send(message), Receipt),
                "library as it is": lambda message, bare=bare: handed(bare, message),
            }
            sent = in_turns(ways, [a_message(number, kilobytes) for number in range(mails)])
        rows += [[who, line, *shown(found)] for who, found in sent.items()]
        faster = sent["product, kept line"].a_second / sent["library as it is"].a_second
        rows.append(["times as fast", line, f"{faster:.1f}", "", "", ""])
    table(f"The same {mails} mails with {kilobytes} KB on each, one after the other", rows)


def the_channel(key: str, host: str) -> Channel:
    settings = settings_of("email_sendgrid")(key, FROM, host=host)
    return open_channel("email_sendgrid", settings, clock=lambda: datetime.now(UTC))


def handed(bare: Any, message: Message) -> bool:
    body = body_of(message, category="", suppress_out_of_office=False)
    return bool(bare.mail.send.post(request_body=body).status_code == 202)


def in_turns(ways: dict[str, Callable[[Message], bool]], messages: list[Message]) -> dict[str, Sent]:
    """Each sends all of them, a few at a time and in turns, so that whatever disturbs the machine disturbs all."""
    sent = {who: Sent([], 0.0) for who in ways}
    size = max(1, len(messages) // ROUNDS)
    for send in ways.values():
        send(messages[0])
    for begin in range(0, len(messages), size):
        for who, send in ways.items():
            used = time.process_time()
            for message in messages[begin : begin + size]:
                started = time.perf_counter()
                if not send(message):
                    raise SystemExit(f"{who}: a mail was not taken, and the figures mean nothing.")
                sent[who].seconds.append(time.perf_counter() - started)
            sent[who] = Sent(sent[who].seconds, sent[who].processor + time.process_time() - used)
    return sent


def shown(sent: Sent) -> list[str]:
    ordered = sorted(sent.seconds)
    slow = ordered[int(0.95 * len(ordered))]
    figures = (statistics.median(ordered), slow, sent.processor / len(ordered))
    return [f"{sent.a_second:,.0f}", *(f"{1000 * figure:.2f}" for figure in figures)]


def a_message(number: int, kilobytes: int) -> Message:
    statement = Attachment("statement.pdf", "application/pdf", os.urandom(1024 * kilobytes))
    words = "Hi there,\n\nthis is a reminder that INV-0001 over £120.00 is 8 days overdue.\n" * 20
    return Message(
        attempt=str(number),
        message_id=f"<arrears.{number}.bench@brightwater-joinery.example>",
        to=f"pay{number}@customer{number}.example",
        to_name=f"Customer {number}",
        subject="A quick reminder about your account",
        text=words,
        html=f"<p>{words}</p>",
        from_address=FROM,
        from_name="Brightwater Joinery Ltd",
        reply_to=f"replies+{number}@reply.brightwater-joinery.example",
        attachments=(statement,) if kilobytes else (),
    )


# --- the whole product


def product(addresses: dict[str, Any], reminders: int, *, told: bool) -> list[str]:
    """Sends all that are due. Whoever is told of them stores and reads what comes in meanwhile."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(ready(addresses, folder, reminders)) as office,
        doors(office, addresses, folder) if told else nullcontext(),
    ):
        started, used = time.perf_counter(), time.process_time()
        while deliver.deliver_due(office) and left(office):
            pass
        took, worked = time.perf_counter() - started, time.process_time() - used
        sent, posts, read = count(office, "sent"), *come_in(office)
    rate, each = f"{60 * sent / took:,.0f}", f"{1000 * worked / max(1, sent):.1f}"
    name = "product, told of each" if told else "product, told of nothing"
    return [name, "http", str(sent), f"{took:.1f}", rate, each, str(posts), str(read)]


@contextmanager
def doors(office: Office, addresses: dict[str, Any], folder: str) -> Iterator[None]:
    """Our doors, in a process of their own as with `arrears serve`, at which SendGrid tells of each mail by itself."""
    grid = addresses["sendgrid"]
    given: dict[str, Any] = {
        "url": f"sqlite:///{folder}/arrears.db",
        "folder": folder,
        "now": office.clock().isoformat(),
        "from": FROM,
    }
    given |= {"addresses": addresses, "host": grid["http"], "key": grid["key"]}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sending_told", json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        port = int(process.stdout.readline())
        hooks = f"http://127.0.0.1:{port}/hooks/email_sendgrid/events"
        process.stdin.write(sandbox.Control(addresses["url"]).sendgrid.webhook(hooks) + "\n")
        process.stdin.flush()
        answering(port)
        yield
    finally:
        process.stdin.close()
        process.wait(20)


def answering(port: int) -> None:
    """Waits until the doors are open, so that opening them is not measured."""
    for _ in range(300):
        try:
            urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The doors did not open within half a minute.")


def come_in(office: Office) -> tuple[int, int]:
    """How many posts are stored, and how many of them are read."""
    with office.database.reading() as session:
        posts = session.scalars(select(col(PostRow.processed_at))).all()
    return len(posts), sum(moment is not None for moment in posts)


def ready(addresses: dict[str, Any], folder: str, reminders: int) -> Office:
    """An office in which so many reminders are due at this moment."""
    control = sandbox.Control(addresses["url"])
    overdue = (control.now() - timedelta(days=7)).date()
    for number in range(reminders):
        contact = control.add_contact(f"Customer {number:04}", email=f"pay{number}@customer{number}.example")
        control.add_invoice(contact, due=overdue, amount="120.00", number=f"INV-{number:04}")
    url = f"sqlite:///{folder}/arrears.db"
    now = control.now()
    sync_product.connected(url, folder, "xero", addresses, now.isoformat())
    office = sync_product.open_office(url, folder, "xero", addresses, now.isoformat())
    grid = addresses["sendgrid"]
    office.channels = {"email_sendgrid": settings_of("email_sendgrid")(grid["key"], FROM, host=grid["http"])}
    sync.sync(office, sync_product.ORGANISATION, trigger="bench")
    with office.database.unit_of_work() as unit:
        firm = unit.get(OrganisationRow, sync_product.ORGANISATION)
        assert firm is not None
        firm.most_a_run = 0  # the net under mistakes would stop it at two hundred
    acts.resume_organisation(office, sync_product.ORGANISATION, by="bench")
    moment = now.replace(hour=TURN, minute=30)
    control.move_clock(moment)
    office.clock = lambda: moment
    sync.sync(office, sync_product.ORGANISATION, trigger="bench")
    return office


def count(office: Office, state: str) -> int:
    with office.database.reading() as session:
        return int(session.scalar(select(func.count()).where(ReminderRow.state == state)) or 0)


def left(office: Office) -> int:
    return count(office, "queued")


if __name__ == "__main__":
    main()
