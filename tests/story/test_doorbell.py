"""A ledger rings over real HTTP: what it says is checked, kept once, and answered by one reading."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from jobs import doorbell
from jobs.ledgers import connection_of
from jobs.sync import sync_due
from serving import served
from store.tables import ConnectionRow, OrganisationRow, RingRow, SyncRunRow
from town import Town
from web import build

KEY = "a-signing-key"
FERN = "Fern & Fig"


class House:
    """A town whose pages are served, and a provider who knows the key."""

    def __init__(self, town: Town, port: int) -> None:
        self.town, self.port = town, port

    def post(self, body: bytes, *, signature: str | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        signed = base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()
        line = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = {"Content-Type": "application/json", "x-xero-signature": signed if signature is None else signature}
            line.request("POST", "/hooks/xero", body, {**sent, **headers})
            answer = line.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        except (BrokenPipeError, ConnectionResetError):
            return 413, b"", {}
        finally:
            line.close()

    def ring(self, number: str, *, tenant: str | None = None, event: int = 1) -> dict[str, Any]:
        (model,) = [row["id"] for row in self.town.control.invoices() if row["number"] == number]
        return an_event(model, tenant or self.connection().tenant, event)

    def connection(self) -> ConnectionRow:
        with self.town.office.database.reading() as session:
            found = connection_of(session, self.town.organisation)
        assert found is not None
        return found

    def rows(self, table: Any) -> list[Any]:
        with self.town.office.database.reading() as session:
            return list(session.scalars(select(table).order_by(col(table.id))))


def an_event(resource: str, tenant: str, number: int, category: str = "INVOICE") -> dict[str, Any]:
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{resource}",
        "resourceId": resource,
        "eventDateUtc": "2026-01-28T07:00:00.000",
        "eventType": "UPDATE",
        "eventCategory": category,
        "tenantId": tenant,
        "tenantType": "ORGANISATION",
        "sequence": number,
    }


def a_post(*events: dict[str, Any]) -> bytes:
    first, last = (events[0]["sequence"], events[-1]["sequence"]) if events else (0, 0)
    told = {"events": events, "firstEventSequence": first, "lastEventSequence": last, "entropy": "S0m3r4nd0mt3xt"}
    return json.dumps(told).encode()


@pytest.fixture
def house(a_town: Callable[..., Town]) -> Iterator[House]:
    town = a_town(at=datetime(2026, 1, 5, 7, tzinfo=UTC), company=False)
    town.office.ledgers = {"xero": replace(town.office.ledgers["xero"], webhook_key=KEY)}
    town.control.add_contact(FERN, email="fern@fig.example")
    town.control.add_invoice(FERN, due="2026-01-06", amount="10.00", number="INV-1")
    town.control.add_invoice(FERN, due="2026-01-20", amount="20.00", number="INV-2")
    town.connect()
    with served(build(town.office, poke=lambda *_: None)) as address:
        yield House(town, int(address.rpartition(":")[2]))


def test_a_ring_becomes_a_payment_that_moves_the_account_back(house: House) -> None:
    town = house.town
    town.walk(date(2026, 1, 6), date(2026, 1, 27))
    assert town.position(FERN).assigned_step == "Reminder 2"
    town.control.pay("INV-1")
    assert house.post(a_post(house.ring("INV-1")))[:2] == (200, b"")

    doorbell.answer(town.office)
    assert [run for run in house.rows(SyncRunRow) if run.trigger == "webhook"] == [], "others may ring as well"
    town.move(town.clock() + timedelta(seconds=30))
    doorbell.answer(town.office)
    (run,) = [run for run in house.rows(SyncRunRow) if run.trigger == "webhook"]
    assert run.state == "done"
    assert town.position(FERN).assigned_step == "Reminder 1"

    town.move(town.clock() + timedelta(minutes=10))
    doorbell.answer(town.office)
    assert len([run for run in house.rows(SyncRunRow) if run.trigger == "webhook"]) == 1, "it was answered once"


def test_a_post_is_kept_once_however_often_it_comes_and_a_forged_one_never(house: House) -> None:
    body = a_post(house.ring("INV-1"), house.ring("INV-2", event=2))
    assert [house.post(body)[0] for _ in range(3)] == [200, 200, 200]
    assert len(house.rows(RingRow)) == 2

    other = a_post(house.ring("INV-1", event=3))
    assert house.post(other, signature="")[:2] == (401, b"")
    assert house.post(other, signature=base64.b64encode(b"x" * 32).decode())[:2] == (401, b"")
    assert house.post(json.dumps(json.loads(body), indent=1).encode(), signature="AAAA")[0] == 401
    assert len(house.rows(RingRow)) == 2


def test_the_test_posts_by_which_a_provider_tries_the_door_are_answered_as_it_wants(house: House) -> None:
    status, body, headers = house.post(a_post())
    assert (status, body) == (200, b"")
    assert "set-cookie" not in headers
    assert house.post(a_post(), signature="bm90IG91cnM=")[0] == 401


def test_a_post_for_two_organisations_rings_only_for_the_one_that_we_know(house: House) -> None:
    stranger = house.ring("INV-2", tenant="00000000-0000-4000-8000-00000000dead", event=2)
    unknown = an_event("c0ffee00-0000-4000-8000-000000000001", house.connection().tenant, 3, category="SUBSCRIPTION")
    assert house.post(a_post(house.ring("INV-1"), stranger, unknown))[0] == 200
    (ring,) = house.rows(RingRow)
    assert (ring.connection_id, ring.list) == (house.connection().id, "invoices")


def test_a_post_that_is_too_large_is_turned_away_and_the_kind_of_its_content_says_nothing(house: House) -> None:
    assert house.post(b"x" * 1_100_000)[0] == 413
    body = a_post(house.ring("INV-1"))
    assert house.post(body, **{"Content-Type": "text/plain"})[0] == 200
    assert house.post(b"no json at all")[0] == 200, "rightly signed: nobody has to send it again"
    assert len(house.rows(RingRow)) == 1


def test_while_the_ledger_rings_it_is_read_hourly_and_after_a_silent_day_as_before(house: House) -> None:
    town = house.town

    def reads_again_after() -> timedelta:
        town.sync()
        (organisation,) = house.rows(OrganisationRow)
        return organisation.next_sync_at - town.clock()

    assert reads_again_after() == timedelta(minutes=15)
    house.post(a_post(house.ring("INV-1")))
    assert reads_again_after() == timedelta(hours=1)
    town.move(town.clock() + timedelta(hours=24))
    assert reads_again_after() == timedelta(minutes=15)


def test_without_a_signing_key_there_is_no_door_and_the_ledger_is_read_all_the_same(house: House) -> None:
    town = house.town
    town.office.ledgers = {"xero": replace(town.office.ledgers["xero"], webhook_key="")}
    assert house.post(a_post())[:2] == (404, b"")
    town.control.pay("INV-1")
    town.move(town.clock() + timedelta(minutes=15))
    sync_due(town.office)
    assert house.rows(SyncRunRow)[-1].trigger == "schedule"
    assert town.position(FERN).driver_due_on is None


def test_rings_stay_when_the_ledger_does_not_answer_and_are_tried_again(house: House) -> None:
    town = house.town
    town.move(town.clock() + timedelta(days=2))
    town.sync()
    town.control.pay("INV-1")
    house.post(a_post(house.ring("INV-1")))
    town.control.faults(next=[{"fault": "503"}])
    town.move(town.clock() + timedelta(minutes=1))
    doorbell.answer(town.office)
    assert house.rows(SyncRunRow)[-1].state == "failed"
    doorbell.answer(town.office)
    assert house.rows(SyncRunRow)[-1].state == "failed", "not at once"
    town.move(town.clock() + timedelta(minutes=5))
    doorbell.answer(town.office)
    assert house.rows(SyncRunRow)[-1].state == "done"
    assert [ring.taken_at for ring in house.rows(RingRow)] == [town.clock()]
