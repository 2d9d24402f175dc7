"""Mirrors jobs/doctor.py: grants, the age of what is known, and what waits for a person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from engine.reminders import ReminderState
from jobs.doctor import Finding, Verdict, all_findings, books, ok
from jobs.reply_acts import set_post_aside
from store import inbox
from store.tables import ConnectionRow, PostRow, ReminderRow
from tests.jobs.calling_firm import CallingFirm


@pytest.fixture
def firm(sqlite_url: str) -> Iterator[CallingFirm]:
    firm = CallingFirm.with_a_call(sqlite_url)
    firm.change(ledger_as_of=firm.now - timedelta(minutes=5))
    yield firm
    firm.close()


def connected(firm: CallingFirm, **more: Any) -> None:
    with firm.office.database.unit_of_work() as unit:
        given = {"kind": "xero", "tenant": "t", "connected_at": firm.now - timedelta(days=40)}
        given["refresh_expires_at"] = firm.now + timedelta(days=55)
        unit.add(ConnectionRow(organisation_id=firm.id, **(given | more)))


def found(firm: CallingFirm) -> dict[str, Finding]:
    return {finding.about.removeprefix("Brightwater Joinery: "): finding for finding in books(firm.office)}


def test_a_firm_in_order_is_said_to_be(firm: CallingFirm) -> None:
    connected(firm)
    told = found(firm)

    assert {finding.verdict for finding in told.values()} == {Verdict.OK}
    assert told["ledger"].says == "its grant is good for 55 days more, and is renewed by each sync"
    assert told["last sync"].says == "its ledger was read 5 min ago"


@pytest.mark.parametrize(
    ("more", "verdict", "says"),
    [
        ({"refresh_expires_at": None}, Verdict.OK, "since 40 days ago"),
        ({"state": "broken", "why": "the grant was taken back"}, Verdict.WRONG, "the grant was taken back"),
    ],
)
def test_a_connection_is_told_as_it_is(firm: CallingFirm, more: dict[str, Any], verdict: Verdict, says: str) -> None:
    connected(firm, **more)

    assert found(firm)["ledger"].verdict is verdict
    assert says in found(firm)["ledger"].says


@pytest.mark.parametrize(("left", "verdict"), [(-1, Verdict.WRONG), (5, Verdict.LOOK), (14, Verdict.OK)])
def test_a_grant_that_runs_out_is_told_before_it_has(firm: CallingFirm, left: int, verdict: Verdict) -> None:
    connected(firm, refresh_expires_at=firm.now + timedelta(days=left))

    assert found(firm)["ledger"].verdict is verdict


@pytest.mark.parametrize(("hours", "verdict"), [(1, Verdict.OK), (3, Verdict.LOOK), (30, Verdict.WRONG)])
def test_a_ledger_that_was_not_read_for_long_is_told(firm: CallingFirm, hours: int, verdict: Verdict) -> None:
    firm.change(ledger_as_of=firm.now - timedelta(hours=hours))

    assert found(firm)["last sync"].verdict is verdict


@pytest.mark.parametrize(
    ("settings", "verdict", "says"),
    [
        ({"paused_by": "Olive Owner"}, Verdict.LOOK, "sending is paused"),
        ({"braked_why": "half the books closed"}, Verdict.WRONG, "half the books closed"),
        ({"sending_mode": "shadow"}, Verdict.LOOK, "only tried out (shadow)"),
    ],
)
def test_whatever_keeps_reminders_from_leaving_is_told(
    firm: CallingFirm, settings: dict[str, Any], verdict: Verdict, says: str
) -> None:
    since = {"paused_by": "paused_at", "braked_why": "braked_at"}
    firm.change(**settings, **{since[name]: firm.now for name in settings if name in since})

    assert found(firm)["sending"].verdict is verdict
    assert says in found(firm)["sending"].says


def test_doubts_and_posts_that_nobody_understood_wait_for_a_person(firm: CallingFirm) -> None:
    with firm.office.database.unit_of_work() as unit:
        unit.get(ReminderRow, firm.call).state = ReminderState.UNSURE  # type: ignore[union-attr]
        unit.add(PostRow(channel="email_smtp", event_id="1", received_at=firm.now, raw=b"x", problem="no headers"))

    assert found(firm)["doubts"].says.startswith("reminders in doubt: 1, refused: 0")
    assert found(firm)["answers"].verdict is Verdict.LOOK

    (post,) = firm.rows(PostRow)
    set_post_aside(firm.office, int(post.id or 0), by="Olive")
    assert "answers" not in found(firm), "somebody has looked at it"


def test_a_mailbox_that_is_silent_is_told(firm: CallingFirm) -> None:
    firm.office.channels = {"email_smtp": None}
    with firm.office.database.unit_of_work() as unit:
        inbox.set_bookmark(unit, "email_smtp silent since", (firm.now - timedelta(hours=3)).isoformat())

    assert found(firm)["[email_smtp] answers"].says.startswith("answers could not be fetched for 3 h 0 min")


def test_an_examination_that_trips_is_a_finding_and_the_others_go_on() -> None:
    def trips() -> Iterator[Finding]:
        yield ok("a", "fine")
        raise RuntimeError("oh")

    told = list(all_findings([("first", trips), ("second", lambda: iter([ok("b", "fine")]))]))

    assert [(one.about, one.verdict) for one in told] == [
        ("a", Verdict.OK),
        ("first", Verdict.WRONG),
        ("b", Verdict.OK),
    ]
