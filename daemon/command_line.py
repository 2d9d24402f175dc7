"""The command line: `arrears` and its verbs. Whatever goes wrong is said in a sentence, and what to do about it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from connector import kinds
from daemon import founding
from daemon.config import NAME, Config, ConfigProblem, read_config
from daemon.log_file import prepare_log
from daemon.wiring import KEY_FILE, open_office
from engine.forecast import Payers
from jobs.office import Office
from store import read_or_make_keys
from store.tables import OrganisationRow

app = typer.Typer(
    help="arrears asks your customers for money, politely, and never for what they have paid.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", envvar="ARREARS_CONFIG")]


class Sentence(Exception):
    """Something that the person at the keyboard can put right."""


def main() -> None:
    """The console script. Exit status 1 with a sentence for what a person can mend, 2 for a wrong call."""
    prepare_log()
    try:
        app()
    except (ConfigProblem, Sentence, founding.FoundingProblem) as problem:
        complaints.print(f"arrears: {problem}", soft_wrap=True, markup=False)
        sys.exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Option(help="Where to put config.toml and the data.")] = Path(),
    email: Annotated[str, typer.Option(help="The owner's email address; asked for when missing.")] = "",
    name: Annotated[str, typer.Option(help="The owner's name.")] = "",
    password: Annotated[
        str, typer.Option(help="The owner's password; asked for when missing.", envvar="ARREARS_OWNER_PASSWORD")
    ] = "",
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make a new key file in place of one that is lost for good.")
    ] = False,
) -> None:
    """Makes the configuration, the database and the owner's login."""
    path = founding.make_config(folder)
    console.print(f"Configuration  {path}", markup=False)
    settings = read_config(path)
    if new_key:
        read_or_make_keys(settings.store.data / KEY_FILE)
    office = open_office(settings)
    try:
        console.print(f"Database       {office.database.engine.url.render_as_string(hide_password=True)}")
        if founding.has_owner(office):
            console.print("Owner          there already; nothing changed")
        else:
            email = email or typer.prompt("Your email address")
            asked = email.partition("@")[0].title()
            name = name or (asked if password else typer.prompt("Your name", default=asked))
            password = password or typer.prompt("A password", hide_input=True, confirmation_prompt=True)
            founding.add_owner(office, email=email, name=name, password=password)
            console.print(f"Owner          {email}")
    finally:
        office.close()
    elsewhere = f" --config {path}" if folder != Path() else ""
    console.print(f"\nNext: put the keys of your ledger's app and of your mail server into {path.name}, then:")
    console.print(f"  arrears serve{elsewhere}", markup=False)
    console.print("Keep a copy of data/secrets.key somewhere safe, apart from your backups of the database.")


@app.command()
def serve(config: ConfigFile = Path(NAME)) -> None:
    """Runs everything: the pages, the syncs, the reminders and the answers, until interrupted."""
    from daemon.serving import AlreadyRunning, serve_forever

    settings = read_config(config)
    try:
        serve_forever(settings)
    except AlreadyRunning as problem:
        raise Sentence(str(problem)) from problem


@app.command()
def connect(
    ledger: Annotated[str, typer.Argument(help="Which ledger.")] = "xero",
    email: Annotated[str, typer.Option(help="Whose organisation it will be; not needed with one login.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is the right organisation.")] = False,
    config: ConfigFile = Path(NAME),
) -> None:
    """Connects the organisation of an app that needs no browser, such as a Custom Connection at Xero."""
    from daemon.connect_command import connect_here
    from jobs.connect import ConsentProblem

    office = _office(read_config(config))
    try:
        if not connect_here(office, ledger, email, console, lambda asked: yes or typer.confirm(asked)):
            raise typer.Exit(1)
    except (ConsentProblem, LookupError) as problem:
        raise Sentence(str(problem.args[0])) from problem
    finally:
        office.close()


@app.command()
def sync(
    organisation: Annotated[str, typer.Argument(help="Its name or number; not needed when there is only one.")] = "",
    config: ConfigFile = Path(NAME),
) -> None:
    """Reads the ledger now and shows what came of it."""
    from daemon.sync_command import sync_now

    office = _office(read_config(config))
    try:
        if not sync_now(office, organisation, console):
            raise typer.Exit(1)
    finally:
        office.close()


@app.command()
def why(
    account: Annotated[
        str, typer.Argument(help="The account's name, number in the ledger, email address or our number.")
    ],
    at: Annotated[str, typer.Option(help="A past day, such as 2026-05-31; empty: this very moment.")] = "",
    config: ConfigFile = Path(NAME),
) -> None:
    """Explains where an account stands: which invoice drives it, every rule that was asked, what would change it."""
    from daemon.why_command import tell_why

    office = _office(read_config(config))
    try:
        tell_why(office, account, console, _day(at))
    except LookupError as problem:
        raise Sentence(str(problem)) from problem
    finally:
        office.close()


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Story files: see the guide's page on them.")],
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object per file and mode, one a line.")] = False,
) -> None:
    """Tells a customer's story day by day: what would be sent, where the account stands, and whether it was expected.

    Exit status 0 when all that was expected came, 1 when something did not, 2 when a file is no story file.
    """
    from daemon.replay_command import replay

    raise typer.Exit(replay(files, console, complaints, json_lines=json_lines))


@app.command()
def plan(
    organisation: Annotated[str, typer.Argument(help="Its name or number; not needed when there is only one.")] = "",
    config: ConfigFile = Path(NAME),
) -> None:
    """Shows what waits to leave, whether it may, how a backlog is begun, and what trying out has shown."""
    from daemon.plan_command import tell_the_plan

    with _books(config, organisation) as (office, chosen):
        tell_the_plan(office, chosen, console)


@app.command()
def simulate(
    organisation: Annotated[str, typer.Argument(help="Its name or number; not needed when there is only one.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days to look ahead.")] = 30,
    payers: Annotated[Payers, typer.Option(help="Nobody pays, or everybody as late as they usually do.")] = (
        Payers.NOBODY
    ),
    people: Annotated[
        str, typer.Option(help="prompt: they do at once what waits for them; as-told: they do nothing.")
    ] = "prompt",
    sms_price: Annotated[str, typer.Option(help="What one segment of a text message costs.")] = "0.05",
    account: Annotated[str, typer.Option(help="One account alone, with dates, steps and reasons.")] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
    config: ConfigFile = Path(NAME),
) -> None:
    """Shows what the coming days would bring: the messages of each day, and what they cost. Nothing is sent."""
    from daemon.simulate_command import PEOPLE, tell_the_coming_days

    if people not in PEOPLE:
        raise Sentence(f"People are 'prompt' or 'as-told', not '{people}'.")
    price = _price(sms_price)
    with _books(config, organisation) as (office, chosen):
        tell_the_coming_days(
            office,
            chosen,
            console,
            days=days,
            payers=payers,
            people=PEOPLE[people],
            price=price,
            account=account,
            as_json=json_lines,
        )


@app.command()
def backtest(
    organisation: Annotated[str, typer.Argument(help="Its name or number; not needed when there is only one.")] = "",
    workflow: Annotated[str, typer.Option(help="The workflow's name or number; empty: the default one.")] = "",
    since: Annotated[str, typer.Option(help="The first day to report, such as 2026-01-01; empty: all.")] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
    config: ConfigFile = Path(NAME),
) -> None:
    """Shows what a workflow would have sent over the past that our copy of the ledger knows. Nothing is sent."""
    from daemon.backtest_command import tell_the_past

    first = _day(since)
    with _books(config, organisation) as (office, chosen):
        tell_the_past(office, chosen, console, workflow=workflow, since=first, as_json=json_lines)


@app.command()
def log(
    run: Annotated[int | None, typer.Argument(help="The number of one sync run, to be told whole.")] = None,
    organisation: Annotated[str, typer.Option(help="Its name or number; not needed when there is only one.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed or set rows aside.")] = False,
    since: Annotated[str, typer.Option(help="Back to this day, such as 2026-05-31; empty: the newest 25.")] = "",
    invoice: Annotated[str, typer.Option(help="The story of this invoice number: what we learnt when, and how.")] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
    config: ConfigFile = Path(NAME),
) -> None:
    """Shows what the syncs read and changed. Exit status 1 when what was asked for is not there."""
    from daemon.log_command import tell_invoice, tell_run, tell_runs

    day = _day(since)
    if run is not None:
        office = _office(read_config(config))
        try:
            tell_run(office, run, organisation, console, as_json=json_lines)
        except LookupError as problem:
            raise Sentence(str(problem)) from problem
        finally:
            office.close()
        return
    with _books(config, organisation) as (office, chosen):
        if invoice:
            tell_invoice(office, chosen, invoice, console, as_json=json_lines)
        else:
            tell_runs(office, chosen, console, failed=failed, since=day, as_json=json_lines)


@app.command()
def support_bundle(
    organisation: Annotated[str, typer.Argument(help="Its name or number; not needed when there is only one.")] = "",
    folder: Annotated[Path, typer.Option(help="Where to put the file.")] = Path(),
    log_file: Annotated[
        Path | None, typer.Option("--log", help="A file with another log than the one that the daemon keeps itself.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print all of it; write nothing.")] = False,
    config: ConfigFile = Path(NAME),
) -> None:
    """Writes one file for whoever helps you: the sync log, settings and failures, without secrets or personal data."""
    from daemon.support_bundle import gather, keep
    from daemon.support_bundle import show as shown

    settings = read_config(config)
    with _books(config, organisation) as (office, chosen):
        try:
            written = log_file.read_text(encoding="utf-8", errors="replace").splitlines() if log_file else None
            parts = gather(office, int(chosen.id or 0), settings, written)
            shown(parts, console, whole=show)
            if not show:
                keep(office, int(chosen.id or 0), parts, folder, console)
        except OSError as problem:
            raise Sentence(f"A file cannot be used: {problem}. Give another one.") from problem


@app.command()
def doctor(
    send_to: Annotated[str, typer.Option(help="Send one test message to this address, which should be yours.")] = "",
    dns_server: Annotated[str, typer.Option(help="The name server to ask, such as 192.0.2.1:53.")] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object for each finding, one a line.")] = False,
    config: ConfigFile = Path(NAME),
) -> None:
    """Looks whether all is in order, and says what to do where it is not. Exit status 1 when something is wrong."""
    from daemon.doctor_command import see_the_doctor

    settings = read_config(config)
    if send_to and "@" not in send_to:
        raise Sentence(f"'{send_to}' is not an email address. Give one of your own.")
    office = _office(settings)
    try:
        if not see_the_doctor(office, settings, console, send_to=send_to, dns_server=dns_server, as_json=json_lines):
            raise typer.Exit(1)
    finally:
        office.close()


@app.command()
def user(
    email: Annotated[str, typer.Argument(help="The login's email address.")],
    name: Annotated[str, typer.Option(help="The person's name, for a new login.")] = "",
    organisation: Annotated[str, typer.Option(help="The organisation to work for: its name or number.")] = "",
    role: Annotated[str, typer.Option(help="owner, manager, agent or support.")] = "manager",
    password: Annotated[
        str, typer.Option(help="The password; asked for when missing.", envvar="ARREARS_USER_PASSWORD")
    ] = "",
    config: ConfigFile = Path(NAME),
) -> None:
    """Makes a login that works for an organisation, or gives an existing login a new password."""
    from daemon.sync_command import choose

    office = _office(read_config(config))
    try:
        chosen = choose(office, organisation, console) if organisation else None
        if organisation and chosen is None:
            raise typer.Exit(1)
        password = password or typer.prompt("A password", hide_input=True, confirmation_prompt=True)
        number = chosen.id if chosen is not None else None
        said = founding.make_login(office, email=email, name=name, password=password, organisation=number, role=role)
        console.print(said, markup=False)
    finally:
        office.close()


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the story instead of leaving the pages open.")
    ] = False,
    port: Annotated[int, typer.Option(help="Where to leave the pages open; another free port if it is taken.")] = 8000,
    ledger: Annotated[str, typer.Option(help=f"Whose books the story is played on: {', '.join(kinds())}.")] = "xero",
) -> None:
    """Plays the main story from end to end on a sandbox, then leaves the pages open for you to look around."""
    from daemon.demo import play

    if ledger not in kinds():
        raise Sentence(f"There is no ledger '{ledger}'. Choose one of {', '.join(kinds())}.")
    if not play(console, once=once, port=port, ledger=ledger):
        raise typer.Exit(1)


@app.command()
def sandbox(
    ledger: Annotated[
        Path | None, typer.Option(help="A CSV of invoices with their settlement dates, instead of the made-up firm.")
    ] = None,
    host: str = "127.0.0.1",
    port: int = 8765,
    smtp_port: int = 8025,
    imap_port: int = 8143,
    clock: Annotated[str, typer.Option(help="Stand at this day (2026-05-31) until moved; empty: real time.")] = "",
    seed: Annotated[int, typer.Option(help="Which made-up firm.")] = 1,
) -> None:
    """Opens a ledger and a post office to practise on, over real HTTP, SMTP and IMAP on this machine."""
    import sandbox as world

    if ledger is not None and not ledger.exists():
        raise Sentence(f"There is no file {ledger}. Give the path of a CSV with invoices and their settlement dates.")
    try:
        world.serve(host, port, smtp_port, imap_port, ledger=ledger, clock=_noon(clock), seed=seed)
    except ValueError as problem:
        raise Sentence(str(problem)) from problem
    except OSError as problem:
        raise Sentence(f"A door of the sandbox cannot be opened: {problem}. Choose other ports.") from problem


def _noon(day: str) -> datetime | None:
    known = _day(day)
    return datetime.combine(known, time(7, 0), tzinfo=UTC) if known else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Sentence(f"'{text}' is not a day. Write it like 2026-05-31.") from None


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price < 0:
        raise Sentence(f"'{text}' is not a price. Write it like 0.05.")
    return price


@contextmanager
def _books(config: Path, organisation: str) -> Iterator[tuple[Office, OrganisationRow]]:
    """The office and the organisation that is meant. What cannot be looked up is said in its own sentence."""
    from daemon.sync_command import choose

    office = _office(read_config(config))
    try:
        chosen = choose(office, organisation, complaints)
        if chosen is None:
            raise typer.Exit(1)
        yield office, chosen
    except LookupError as problem:
        raise Sentence(str(problem)) from problem
    finally:
        office.close()


def _office(settings: Config) -> Office:
    return open_office(settings)


if __name__ == "__main__":
    main()
