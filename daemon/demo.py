"""The demo: the whole story on one screen, over real HTTP, SMTP and IMAP, on a ledger made up for the purpose.

A firm connects its ledger, weeks go by, reminders go out, a customer pays its oldest invoice and moves back and
answers, another wants no more texts and is rung, and everything that happened is found again in the ledger. Nothing is
faked: the same code would do the same on a real ledger. Only the clock is moved by hand.
"""

import socket
import tempfile
import threading
import time as real_time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import uvicorn
from rich.console import Console
from rich.markup import escape
from sqlalchemy import select
from sqlmodel import col

import sandbox
from connector import title_of
from daemon import demo_by_telephone, founding
from daemon.clock import MovableClock
from daemon.config import read_config
from daemon.demo_person import Lost, Person
from daemon.schedule import ASKED
from daemon.sync_command import figures, sync_with_bar
from daemon.wiring import open_office
from engine.notes import NoteKind
from engine.reminders import ReminderState
from jobs import acts, deliver, receive, sync, write_back
from jobs.ledgers import organisations
from jobs.office import Office
from store.tables import AccountRow, HistoryNoteRow, ReminderRow
from web import build

NAME, EMAIL, PASSWORD = "Dana Demo", "demo@arrears.example", "demo-demo-demo"
HERO = "Tidewater Boatyard"
WEEKS = 7


@dataclass
class Tally:
    """What the summary counts."""

    reminders: int = 0
    moves_back: int = 0
    replies: int = 0
    written_back: int = 0
    syncs: int = 0
    seen_note: int = 0


def play(console: Console, *, once: bool, port: int, ledger: str = "xero") -> bool:
    """Plays the story on this kind of ledger. True when every part of it happened.

    Without `once` the pages stay open until interrupted.
    """
    began = real_time.monotonic()
    first = datetime.combine(_first_monday(), time(7, 0), tzinfo=UTC)
    with tempfile.TemporaryDirectory(prefix="arrears-demo-") as folder, sandbox.start(clock=first) as world:
        port = _free_port(port)
        config = read_config(founding.make_config(Path(folder), _configuration(world, port)))
        clock = MovableClock(world.control.now())
        office = open_office(config, clock=clock)
        try:
            founding.add_owner(office, email=EMAIL, name=NAME, password=PASSWORD)
            told = threading.Event()
            with _pages(office, port, told) as address:
                console.print(f"[bold]arrears[/bold], on a sandbox firm with a sandbox ledger at {world.url}/\n")
                tally = _story(console, office, world.control, clock, address, ledger)
                by_telephone = demo_by_telephone.happened(office)
                _summary(console, office, tally, real_time.monotonic() - began)
                told.set()
                if not once:
                    _leave_open(console, address, world)
        except Lost as problem:
            console.print(f"[red]The demo came to a stop:[/red] {escape(str(problem))}")
            return False
        finally:
            office.close()
    return bool(tally.reminders and tally.moves_back and tally.replies and tally.written_back and by_telephone)


def _story(
    console: Console, office: Office, control: sandbox.Control, clock: MovableClock, address: str, ledger: str
) -> Tally:
    tally = Tally()
    first = clock().date()
    _a_late_account(control, first)
    demo_by_telephone.owes(control, first, address)
    organisation = _connect(console, office, address, title_of(ledger))
    _first_sync(console, office, organisation)
    demo_by_telephone.begins_on_the_firm_workflow(office, organisation, but=HERO, by=NAME)
    acts.resume_organisation(office, organisation, by=NAME)
    told = "  Dana gives some accounts a workflow with texts and calls, looks at the plan and starts sending.\n"
    console.print(told, soft_wrap=True)
    paid_on, promised = first + timedelta(days=43), None
    for offset in range(WEEKS * 7):
        day = first + timedelta(days=offset)
        if day == paid_on:
            control.pay(_number("A"))
            console.print(f"\n  [bold]{HERO} pays its oldest invoice, {_number('A')}.[/bold]")
        if day == promised:
            control.pay(demo_by_telephone.INVOICE)
            console.print(f"\n  [bold]{demo_by_telephone.NAME} pays, as promised.[/bold]")
        _one_day(office, control, clock, organisation, day, tally)
        if promised is None:
            promised = demo_by_telephone.is_rung(office, organisation, address, email=EMAIL, password=PASSWORD)
        if day == paid_on + timedelta(days=1):
            _an_answer(console, control, office, tally)
        _tell(console, office, day, tally)
        if demo_by_telephone.is_read(office, by=NAME):
            told = f"  Dana reads it. {demo_by_telephone.NAME} gets no more texts; emails and calls go on."
            console.print(told, soft_wrap=True)
    _in_the_ledger(console, control, ledger)
    return tally


def _a_late_account(control: sandbox.Control, first: date) -> None:
    """The customer that the story follows: two invoices, eighteen days apart."""
    control.add_contact(HERO, email="nell@tidewater.example", first_name="Nell", last_name="Harker")
    control.add_invoice(HERO, due=first, amount="1860.00", number=_number("A"), date=first - timedelta(days=30))
    control.add_invoice(
        HERO, due=first + timedelta(days=18), amount="425.50", number=_number("B"), date=first - timedelta(days=12)
    )


def _number(letter: str) -> str:
    return f"TIDE-{letter}"


def _connect(console: Console, office: Office, address: str, name: str) -> int:
    """Dana signs in, connects the ledger in the browser, and lands on the pages again."""
    person = Person()
    person.open(f"{address}/sign-in")
    person.send("sign-in", email=EMAIL, password=PASSWORD)
    person.follow(f"Connect to {name}")
    person.send("allow")
    with office.database.reading() as session:
        known = organisations(session)
    if not known:
        raise Lost(f"no organisation was connected; the browser ended at {person.url}")
    console.print(
        f"  Dana signs in, presses Connect to {name} and says yes. Connected: [bold]{known[0].name}[/bold]",
        soft_wrap=True,
    )
    return int(known[0].id or 0)


def _first_sync(console: Console, office: Office, organisation: int) -> None:
    run = sync_with_bar(office, organisation, "demo", console)
    if run is None or run.state != "done":
        raise Lost(f"the first sync did not come to its end: {run.error if run else 'it did not begin'}")
    console.print(f"  {figures(run)}")


def _one_day(
    office: Office, control: sandbox.Control, clock: MovableClock, organisation: int, day: date, tally: Tally
) -> None:
    """A morning sync, the sending time, the answers, and the notes on their way into the ledger."""
    for at in (time(8, 30), time(10, 30)):
        moment = max(clock(), datetime.combine(day, at, tzinfo=UTC))
        control.move_clock(moment)
        clock.move(moment)
        if at.hour == 8:
            run = sync.sync(office, organisation, trigger="demo")
            tally.syncs += run is not None and run.state == "done"
    control.twilio.settled()  # what people have texted since yesterday has come in at our door
    deliver.deliver_due(office)
    tally.written_back += write_back.write_back(office)


def _an_answer(console: Console, control: sandbox.Control, office: Office, tally: Tally) -> None:
    """Nell answers the last reminder she had, as anybody would: by pressing Reply."""
    mails = [mail for mail in control.mails() if any("tidewater" in to for to in mail["to"])]
    said = (
        f"Hi, thanks for the nudge. {_number('A')} went out yesterday, and we will pay {_number('B')} on Friday.\nNell"
    )
    control.reply(mails[-1]["message_id"], said)
    console.print("  [bold]Nell answers the last reminder.[/bold]")
    receive.receive(office)
    tally.written_back += write_back.write_back(office)


_MARKS = {
    NoteKind.REMINDER_SENT: "[cyan]→[/cyan]",
    NoteKind.MOVED_BACK: "[green]↩[/green]",
    NoteKind.CLEARED: "[green]✓[/green]",
    NoteKind.REPLY: "[magenta]←[/magenta]",
    NoteKind.NOTE: "[yellow]·[/yellow]",
}


def _tell(console: Console, office: Office, day: date, tally: Tally) -> None:
    """What history has got new today. The account of the story in full, the others counted."""
    with office.database.reading() as session:
        query = (
            select(HistoryNoteRow, AccountRow.name)
            .join(AccountRow, col(AccountRow.id) == col(HistoryNoteRow.account_id))
            .where(col(HistoryNoteRow.id) > tally.seen_note)
            .order_by(col(HistoryNoteRow.id))
        )
        new = [(note, name) for note, name in session.execute(query)]
    others: Counter[str] = Counter()
    for note, name in new:
        tally.seen_note = max(tally.seen_note, int(note.id or 0))
        tally.reminders += note.kind == NoteKind.REMINDER_SENT
        tally.moves_back += note.kind == NoteKind.MOVED_BACK
        tally.replies += note.kind == NoteKind.REPLY
        if name in (HERO, demo_by_telephone.NAME) and note.kind in _MARKS:
            mark = _MARKS[NoteKind(note.kind)]
            console.print(f"  {day:%a %d %b}  {mark} [bold]{name}[/bold]  {escape(note.text)}", soft_wrap=True)
        elif note.kind in _OTHERS:
            others[_OTHERS[NoteKind(note.kind)]] += 1
    if others:
        counted = ", ".join(f"{count} {what}" for what, count in others.items())
        console.print(f"  [dim]{day:%a %d %b}    other accounts: {counted}[/dim]")


_OTHERS = {
    NoteKind.REMINDER_SENT: "reminded",
    NoteKind.MOVED_BACK: "moved back",
    NoteKind.CLEARED: "all paid",
    NoteKind.REPLY: "answered",
}


def _summary(console: Console, office: Office, tally: Tally, seconds: float) -> None:
    with office.database.reading() as session:
        sent = select(ReminderRow.channel).where(col(ReminderRow.state) == ReminderState.SENT)
        by = Counter(session.scalars(sent))
    console.print(
        f"\n[bold]{WEEKS} weeks in {seconds:.0f} seconds:[/bold] "
        f"{_count(tally.reminders, 'reminder')} sent, of which {_count(by['sms'], 'text')} and "
        f"{_count(by['call'], 'call')}, {_count(tally.moves_back, 'move')} back, "
        f"{_count(tally.replies, 'reply', 'replies')}, {_count(tally.written_back, 'note')} written back into the "
        f"ledger, {_count(tally.syncs, 'sync', 'syncs')}.",
        soft_wrap=True,
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _in_the_ledger(console: Console, control: sandbox.Control, ledger: str) -> None:
    """What the firm's bookkeeper now finds in the ledger itself, read from the ledger and not from us."""
    contact = next(contact for contact in control.contacts() if contact["name"] == HERO)
    if ledger == "quickbooks":
        console.print(f"\n  In the ledger's own notes about {HERO}:")
        lines = [line for line in reversed(contact["notes"].splitlines()) if "[arrears" in line]  # the newest on top
    else:
        console.print(f"\n  In the ledger's own history of {HERO}:")
        lines = [f"{note['at'][:10]}  {note['details']}" for note in control.notes(contact["id"])]
    for line in lines[-3:]:
        console.print(f"    {escape(line)}", soft_wrap=True)


def _leave_open(console: Console, address: str, world: sandbox.Sandbox) -> None:
    console.print(
        f"\nThe pages are open at   [bold]{address}/[/bold]\n"
        f"Sign in with            {EMAIL}  /  {PASSWORD}\n"
        f"The sandbox ledger is   {world.url}/\n"
        "Stop with Ctrl-C. Everything of the demo is then gone."
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("\nClosed.")


@contextmanager
def _pages(office: Office, port: int, told: threading.Event) -> Iterator[str]:
    """The product's own pages, served from a thread for as long as the demo lasts. "Sync now" works once it is told."""

    def poke(name: str, key: str) -> None:
        if name in ASKED and told.is_set():
            threading.Thread(target=sync.sync, args=(office, int(key)), kwargs={"trigger": ASKED[name]}).start()

    app = build(office, poke=poke)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, name="pages", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise Lost(f"the pages could not be opened on port {port}")
        real_time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def _configuration(world: sandbox.Sandbox, port: int) -> str:
    """The configuration that points the product at the sandbox instead of the world outside."""
    domain = world.control.organisations()[0]["mail_domain"]
    return f"""
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"

[xero]
client_id = "sandbox-app"
client_secret = "sandbox-secret"
authorize_url = "{world.authorize_url}"
token_url = "{world.token_url}"
revoke_url = "{world.revoke_url}"
connections_url = "{world.connections_url}"
api_url = "{world.api_url}"

[quickbooks]
client_id = "sandbox-app"
client_secret = "sandbox-secret"
authorize_url = "{world.quickbooks.authorize_url}"
token_url = "{world.quickbooks.token_url}"
revoke_url = "{world.quickbooks.revoke_url}"
api_url = "{world.quickbooks.api_url}"

[email_smtp]
host = "127.0.0.1"
port = {world.smtp_port}
security = "none"
from_address = "accounts@{domain}"
reply_mailbox = "replies@{domain}"
imap_host = "127.0.0.1"
imap_port = {world.imap_port}
imap_security = "none"
imap_username = "replies"
imap_password = "sandbox"
{demo_by_telephone.configured(world)}"""


def _first_monday() -> date:
    """The Monday that lets the story end about today."""
    begin = datetime.now(UTC).date() - timedelta(days=WEEKS * 7)
    return begin - timedelta(days=begin.weekday())


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a demo that has just ended frees its port
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Lost("no port is free on this machine")
