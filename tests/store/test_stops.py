"""Mirrors store/stops.py, store/stopped_facts.py, store/callers.py and store/numbers.py: whom we may not write to."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session

from engine.workflow import Channel
from jobs.drafts import Draft, DraftStep
from store import stops
from store.callers import accounts_of
from store.facts import facts_of, ground_of
from store.numbers import country_of, e164
from store.tables import ContactRow
from tests.jobs.firm import Firm

AT = datetime(2026, 1, 12, 9, tzinfo=UTC)
EMAIL, SMS = "email", "sms"


@pytest.fixture
def firm(database_url: str) -> Iterator[Firm]:
    firm = Firm.founded(database_url)
    firm.change(country="GB")
    firm.save(Draft("Texts", (DraftStep("T1", 7, subject="", body="Please pay.", channel=Channel.SMS),)))
    yield firm
    firm.close()


def stop(firm: Firm, medium: str, address: str, kind: str = stops.BOUNCE, **more: Any) -> bool:
    with firm.office.database.unit_of_work() as unit:
        return stops.stop(
            unit, organisation_id=firm.id, medium=medium, address=address, kind=kind, source="test", at=AT, **more
        )


def reachable(firm: Firm, *accounts: int) -> list[set[Channel]]:
    with firm.office.database.reading() as session:
        facts = facts_of(session, ground_of(session, firm.id), None)
        some = facts_of(session, ground_of(session, firm.id), accounts)
    assert [facts[one].reachable for one in accounts] == [some[one].reachable for one in accounts]
    return [set(facts[one].reachable) - {Channel.CALL} for one in accounts]


def a_contact(firm: Firm, account: int, email: str) -> None:
    with firm.office.database.unit_of_work() as unit:
        unit.add(ContactRow(account_id=account, place=1, name="Mia", email=email, receives_reminders=True))


def test_a_stopped_address_is_left_out_of_what_its_accounts_are_reached_by(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="Pay@Ivy.example", mobile="07400 123456")
    oak = firm.account("Oak", email="pay@oak.example", mobile="07400 123457")
    assert stop(firm, EMAIL, "pay@ivy.example")

    assert reachable(firm, ivy, oak) == [{Channel.SMS}, {Channel.EMAIL, Channel.SMS}]


def test_a_contact_with_an_address_of_their_own_is_still_reached(firm: Firm) -> None:
    ivy = firm.account("Ivy", email="pay@ivy.example")
    a_contact(firm, ivy, "Mia@Ivy.example")
    stop(firm, EMAIL, "pay@ivy.example")
    assert reachable(firm, ivy) == [{Channel.EMAIL}]

    stop(firm, EMAIL, "mia@ivy.example", stops.OPT_OUT)
    assert reachable(firm, ivy) == [set()]


@pytest.mark.parametrize("written", ["07400 123456", "+44 7400 123 456", "(07400) 123-456", "0044 7400 123456"])
def test_a_stopped_number_is_known_however_the_ledger_writes_it(firm: Firm, written: str) -> None:
    ivy = firm.account("Ivy", email="", mobile=written)
    oak = firm.account("Oak", email="", mobile="+33 6 12 12 34 56")
    stop(firm, SMS, "+447400123456", stops.OPT_OUT)

    assert reachable(firm, ivy, oak) == [set(), {Channel.SMS}]
    with firm.office.database.reading() as session:
        assert accounts_of(session, SMS, "+447400123456") == {ivy}


def test_the_same_reason_given_twice_stops_once_and_lifting_leaves_the_others(firm: Firm) -> None:
    assert stop(firm, EMAIL, "pay@ivy.example")
    assert not stop(firm, EMAIL, "PAY@ivy.example")
    assert stop(firm, EMAIL, "pay@ivy.example", stops.OPT_OUT)
    assert not stop(firm, EMAIL, "")

    with firm.office.database.unit_of_work() as unit:
        lifted = stops.lift(
            unit,
            organisation_id=firm.id,
            medium=EMAIL,
            address="pay@ivy.example",
            at=AT,
            by="Olive",
            why="mended",
            kinds=(stops.BOUNCE,),
        )
        still = stops.stopped(unit, firm.id, EMAIL, "Pay@ivy.example")
    assert lifted == 1
    assert still is not None and still.kind == stops.OPT_OUT


def test_a_stop_of_one_organisation_or_medium_is_none_of_another(firm: Firm) -> None:
    stop(firm, EMAIL, "pay@ivy.example")
    other = firm.another("Quayside")
    with firm.office.database.reading() as session:
        assert stops.stopped(session, other, EMAIL, "pay@ivy.example") is None
        assert stops.stopped(session, firm.id, SMS, "pay@ivy.example") is None


def test_an_organisation_without_stops_is_asked_nothing_about_them(sqlite_url: str) -> None:
    firm = Firm.founded(sqlite_url)
    for place in range(20):
        firm.account(f"A{place}", date(2026, 1, 1), email=f"a{place}@b.example", mobile=f"07400 1234{place:02}")

    def asked(session: Session) -> int:
        ground = ground_of(session, firm.id)
        with_stops: list[str] = []
        session.connection().connection.driver_connection.set_trace_callback(with_stops.append)  # type: ignore[union-attr]
        facts_of(session, ground)
        session.connection().connection.driver_connection.set_trace_callback(None)  # type: ignore[union-attr]
        return len([one for one in with_stops if one.startswith("SELECT")])

    with firm.office.database.reading() as session:
        before = asked(session)
    for place in range(10):
        stop(firm, EMAIL, f"a{place}@b.example")
    with firm.office.database.reading() as session:
        assert asked(session) == before + 1, "one more question, however many stops there are"
    firm.close()


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("020 7946 0018", "GB", "+442079460018"),
        ("+1 (202) 555-0143", "GB", "+12025550143"),
        ("030 123456", "DE", "+4930123456"),
        ("030 123456", "", ""),
        ("ring Mia", "GB", ""),
        ("12", "GB", ""),
        ("", "GB", ""),
    ],
)
def test_a_number_is_made_alike_or_is_none(written: str, country: str, number: str) -> None:
    assert e164(written, country) == number


def test_an_organisation_without_a_country_dials_as_its_language_does() -> None:
    assert (country_of("", "de_AT"), country_of("gb", "de_DE"), country_of("", "en")) == ("AT", "GB", "")


def test_a_reason_is_a_sentence_about_the_address() -> None:
    said = stops.in_a_sentence("a@b.example", stops.COMPLAINT, date(2026, 1, 12))

    assert said == "the address a@b.example is stopped: a message was reported as unwanted on 12 January 2026"
