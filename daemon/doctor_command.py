"""`arrears doctor`: what is in order, what to look at, and what is wrong, each in a sentence with what to do."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from channels import medium_of
from daemon.config import Config
from daemon.lines import tell
from daemon.wiring import KEY_FILE
from engine.workflow import Channel
from jobs import doctor, doctor_names, doctor_place, doctor_reach
from jobs.doctor import Examination, Finding, Verdict
from jobs.doctor_names import Sender
from jobs.office import Office

MARKS = {Verdict.OK: "[green]ok   [/]", Verdict.LOOK: "[yellow]look [/]", Verdict.WRONG: "[red]wrong[/]"}
ADDRESSES = ("api_url", "base_url")
"""The settings of adapters that say where a provider is, whose clock ours is compared with."""


def see_the_doctor(
    office: Office, config: Config, console: Console, *, send_to: str = "", dns_server: str = "", as_json: bool = False
) -> bool:
    """Prints each finding as it is made. False when something is wrong."""
    found: list[Finding] = []
    for finding in doctor.all_findings(_examinations(office, config, send_to, dns_server)):
        found.append(finding)
        if as_json:
            console.print(json.dumps(asdict(finding), ensure_ascii=False), soft_wrap=True, markup=False)
        else:
            _tell(finding, console)
    if not as_json:
        _sum_up(found, console)
    return all(finding.verdict is not Verdict.WRONG for finding in found)


def _examinations(office: Office, config: Config, send_to: str, dns_server: str) -> Sequence[tuple[str, Examination]]:
    data, asked = config.store.data, config.doctor
    server = dns_server or asked.dns_server

    def names() -> Iterator[Finding]:
        return doctor_names.names(_senders(office), server, asked.seconds, asked.dkim_selectors)

    examinations: list[tuple[str, Examination]] = [
        ("data", lambda: doctor_place.place(data, data / KEY_FILE, office.database.file)),
        ("clock", lambda: doctor_reach.clock(office, _providers(office), asked.seconds)),
        ("public address", lambda: doctor_reach.way_in(office, asked.seconds)),
        ("channels", lambda: doctor_reach.way_out(office)),
        ("DNS", names),
        ("books", lambda: doctor.books(office)),
    ]
    if send_to:
        examinations.append(("test message", lambda: doctor_reach.test_message(office, send_to)))
    return examinations


def _senders(office: Office) -> list[Sender]:
    """The email channels, with the addresses that mails come from and that answers go to."""
    emails = [kind for kind in office.channels if medium_of(kind) == Channel.EMAIL]
    return [Sender(kind, office.channel(kind).sender, office.channel(kind).replies_to) for kind in emails]


def _providers(office: Office) -> list[str]:
    """Where the ledgers are, then the channels' providers."""
    blocks = (*office.ledgers.values(), *office.channels.values())
    found = (getattr(block, name, "") for block in blocks for name in ADDRESSES)
    return [url for url in found if str(url).startswith("http")]


def _tell(finding: Finding, console: Console) -> None:
    says = f"[bold]{escape(finding.about)}[/]: {escape(finding.says)}"
    tell(console, says, behind=f"{MARKS[finding.verdict]}  ")
    if finding.do:
        tell(console, escape(finding.do), behind=" " * 7)


def _sum_up(found: list[Finding], console: Console) -> None:
    counts = {verdict: sum(finding.verdict is verdict for finding in found) for verdict in Verdict}
    console.print(
        f"\n{counts[Verdict.OK]} in order, {counts[Verdict.LOOK]} to look at, {counts[Verdict.WRONG]} wrong.",
        highlight=False,
    )
