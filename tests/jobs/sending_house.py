"""What the tests about sending share: a town with debts that are due, and channels that answer as a test wants."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from channels import Channel, Message, Outcome, Receipt
from jobs.office import Office
from store.tables import OrganisationRow
from town import Town

MORNING = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)


@dataclass
class Answering:
    """A channel whose provider answers what the test has laid ready, and keeps what it was given."""

    answers: list[Outcome] = field(default_factory=list)
    records: dict[str, Receipt] = field(default_factory=dict)
    evidence_waits: tuple[timedelta, ...] = tuple(timedelta(minutes=wait) for wait in (2, 10, 30, 120))
    sender: str = "accounts@brightwater.example"
    sender_name: str = ""
    replies_to: str = "replies@brightwater.example"
    given: list[Message] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, message: Message) -> Outcome:
        self.given.append(message)
        return self.answers.pop(0) if self.answers else Receipt(f"P{len(self.given)}", message.since or MORNING)

    def find(self, message: Message) -> Receipt | None:
        self.asked.append(message.attempt)
        return self.records.get(message.attempt)

    def collect(self, bookmark: str | None) -> Iterator[Any]:
        yield from ()

    def close(self) -> None:
        pass


def debts(a_town: Callable[..., Town], *names: str, url: str | None = None, **contact: Any) -> Town:
    """Tuesday 13 January, 09:00 UTC: the first reminder of each of these accounts is due."""
    town = a_town(url, at=datetime(2026, 1, 12, 7, tzinfo=UTC), company=False)
    for place, name in enumerate(names):
        given = {"email": f"{name.lower()}@debtor.example", **contact}
        town.control.add_contact(name, **given)
        town.control.add_invoice(name, due=f"2026-01-0{6 - min(place, 4)}", amount="10.00", number=f"INV-{place:03}")
    town.connect()
    town.move(datetime(2026, 1, 13, 7, 30, tzinfo=UTC))
    town.sync()
    town.move(MORNING)
    return town


def plug_in(office: Office, kind: str, channel: Answering) -> Answering:
    """Lets the office speak by this channel under that kind."""
    office.channels = {**office.channels, kind: None}
    plugged: Channel = channel  # type: ignore[assignment]
    office._open[kind] = plugged
    return channel


def settle(town: Town, **settings: Any) -> None:
    """Changes settings of the organisation as they stand in the books."""
    with town.office.database.unit_of_work() as unit:
        for name, value in settings.items():
            setattr(organisation_in(unit, town), name, value)


def organisation_in(session: Session, town: Town) -> OrganisationRow:
    row = session.get(OrganisationRow, town.organisation)
    assert row is not None
    return row
