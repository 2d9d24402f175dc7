"""Mirrors web/rooms/sync_log.py, invoice.py and support.py: what support staff find out, and in how many clicks."""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import col, select, update

from store.tables import ChangeRow, InvoiceRow, SyncRunRow
from tests.web.books import Books
from tests.web.filling import NOW, Filling
from tests.web.visitor import Answer, Visitor

A_WAIT = {
    "why": "60 calls in a minute",
    "from": "2026-07-14T07:08:00+00:00",
    "until": "2026-07-14T07:09:00+00:00",
}


@contextmanager
def questions(books: Books) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    event.listen(books.office.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(books.office.database.engine, "before_cursor_execute", note)


def said(page: Answer) -> str:
    """The words of a page, without the blanks that its tags leave before a mark."""
    return re.sub(r" ([.,;:])", r"\1", page.words)


def settled(books: Books, **change: Any) -> int:
    """The first invoice, as if the newest run had found it paid by its second call."""
    number, run = books.ids["invoice"][0], books.ids["run"][0]
    with books.office.database.unit_of_work() as unit:
        row = unit.get(InvoiceRow, number)
        assert row is not None
        row.status, row.balance, row.settled_seen_at, row.settled_by_run = "paid", row.total - row.total, NOW, run
        values = {"first_call": 2, "last_call": 2} | change
        unit.add(
            ChangeRow(
                organisation_id=books.ours,
                sync_run_id=run,
                at=NOW,
                list="invoices",
                ledger_id=row.ledger_id,
                account_id=row.account_id,
                fields=[("balance", "240.00", "0.00"), ("status", "open", "paid")],
                **values,
            )
        )
        return row.account_id


def test_when_we_learnt_that_an_invoice_was_paid_and_from_which_call_is_one_click_from_the_account(
    sam: Visitor, books: Books
) -> None:
    account = settled(books)
    link = f"/invoices/{books.ids['invoice'][0]}"
    assert f'href="{link}"' in sam.get(f"/accounts/{account}").text

    page = sam.get(link)
    assert "When did we learn that it was paid? 14 Jul 2026, 08:20:00, from sync run 1 (schedule), call 2." in said(
        page
    )
    assert "GET /api.xro/2.0/Invoices" in page.words
    assert "the provider's request id is 7f3c9a01-52d1-4c1e" in page.words
    assert "balance £240.00 → is now £0.00" in page.words
    assert 'href="/sync-log/1"' in page.text


def test_where_several_calls_may_have_carried_the_news_all_are_named(sam: Visitor, books: Books) -> None:
    settled(books, first_call=2, last_call=3)

    assert "It came with one of these 2 calls:" in sam.get(f"/invoices/{books.ids['invoice'][0]}").words


def test_what_is_no_longer_kept_is_said_and_the_run_is_still_named(sam: Visitor, books: Books) -> None:
    settled(books)
    with books.office.database.unit_of_work() as unit:
        unit.execute(text("DELETE FROM sync_changes"))
    page = said(sam.get(f"/invoices/{books.ids['invoice'][0]}"))

    assert "from sync run 1 (schedule). From which of its calls is not kept" in page


def test_a_run_shows_field_by_field_what_changed_and_who_moved(sam: Visitor) -> None:
    page = sam.get("/sync-log/1").words

    assert "balance £240.00 → is now £120.00" in page
    assert "due date 1 Jun 2026 → is now 15 Jun 2026" in page
    assert "payment £120.00 on 13 Jul 2026" in page
    assert "one of the calls 2 to 3" in page
    assert "Accounts that moved" in page
    assert "stands at Reminder 3 → is now nothing" in page
    assert "state snoozed → is now clear" in page


def test_the_log_can_be_narrowed_to_what_failed_and_to_what_changed_something(sam: Visitor) -> None:
    everything, failed, changed = (
        sam.get(f"/sync-log{which}").text.count('<a href="/sync-log/')
        for which in ("", "?which=failed", "?which=changed")
    )

    assert (everything, changed) == (7, 6)
    assert failed == 3  # with the link to the bundle
    assert sam.get("/sync-log?which=nonsense").text.count('<a href="/sync-log/') == everything


def test_a_failed_run_is_tried_again_with_one_button_by_who_may(anna: Visitor, sam: Visitor, books: Books) -> None:
    assert "Sync again" in anna.get("/sync-log/4").words
    assert "Sync again" not in sam.get("/sync-log/4").words
    anna.post("/sync-log/sync")
    assert books.pokes == [("sync", str(books.ours))]


def test_an_agent_sees_the_story_of_an_invoice_and_not_the_sync_log(anna: Visitor, books: Books) -> None:
    anna.post("/organisation", organisation=books.theirs)  # where she is an agent

    for path in ("/sync-log", f"/sync-log/{books.ids['run'][1]}", "/sync-log/bundle"):
        assert anna.get(path).status == 403, path
    assert anna.post("/sync-log/bundle").status == 403
    assert anna.post("/sync-log/sync").status == 403
    story = anna.get(f"/invoices/{books.ids['invoice'][1]}")
    assert story.status == 200
    for path in ("/", f"/invoices/{books.ids['invoice'][1]}"):
        assert "/sync-log" not in anna.get(path).text, path


def test_the_bundle_of_the_pages_has_the_newest_lines_of_the_log_with_nobody_in_them(
    sam: Visitor, books: Books, tmp_path: Path
) -> None:
    books.office.kept_log = tmp_path / "arrears.log"
    books.office.kept_log.write_text("level='error' event='sync failed' for=Brackenfield\n", encoding="utf-8")

    page = sam.get("/sync-log/bundle").words
    with zipfile.ZipFile(io.BytesIO(sam.post("/sync-log/bundle").body)) as packed:
        log = packed.read("arrears-support/log.txt").decode()

    assert "sync failed" in log and "Brackenfield" not in log
    assert "sync failed" in page and "log.txt" in page


def test_support_staff_see_all_of_a_bundle_before_they_download_it(
    sam: Visitor, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bytes] = []
    monkeypatch.setattr("web.rooms.support.packed", lambda parts: kept.append(b"".join(_bytes(parts))) or kept[-1])
    page = sam.get("/sync-log/bundle")
    download = sam.post("/sync-log/bundle")

    assert download.headers["content-disposition"] == 'attachment; filename="arrears-support-1-20260714-0720.zip"'
    assert kept[0] == kept[1], "what is downloaded is what was shown"
    for name in ("versions.json", "configuration.json", "sync_runs.json", "set_aside.json", "changes.json"):
        assert name in page.words
    for personal in ("Brackenfield", "brackenfield", "jo@marsh.example", "INV-2001", "Jo Marsh"):
        assert personal not in page.text.split('<main class="wide"')[1]
    with books.office.database.reading() as session:
        assert session.execute(text('SELECT "by", what FROM audit')).all() == [("Sam Cole", "support bundle made")]


def _bytes(parts: Any) -> Iterator[bytes]:
    from jobs.support_bundle import packed

    with zipfile.ZipFile(io.BytesIO(packed(parts))) as archive:
        yield from (archive.read(name) for name in sorted(archive.namelist()))


@pytest.mark.parametrize("path", ["/sync-log", "/sync-log/1", "/invoices/1"])
def test_the_pages_of_the_log_ask_as_much_however_much_was_changed(anna: Visitor, books: Books, path: str) -> None:
    anna.get(path)
    with questions(books) as before:
        anna.get(path)
    with books.office.database.unit_of_work() as unit:
        run = unit.get(SyncRunRow, books.ids["run"][0])
        assert run is not None
        filling = Filling(unit, books.ours)
        for _ in range(30):
            filling.changes(run)
    with questions(books) as after:
        assert anna.get(path).status == 200

    assert len(after) == len(before) <= 14


def test_a_long_list_of_changes_is_cut_and_says_so(sam: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        run = unit.get(SyncRunRow, books.ids["run"][0])
        assert run is not None
        run.left_out = 1234
        filling = Filling(unit, books.ours)
        for _ in range(80):
            filling.changes(run)
    page = sam.get("/sync-log/1")

    assert len(re.findall(r'<ul class="fields">', page.text)) == 300
    assert "105 more are kept and not shown here" in page.words
    assert "1,234 more were not kept field by field" in page.words


def test_calls_that_were_pruned_are_not_said_never_to_have_been_made(sam: Visitor, books: Books) -> None:
    with books.office.database.unit_of_work() as unit:
        unit.execute(update(SyncRunRow).where(col(SyncRunRow.id) == 1).values(calls=[]))

    assert "The calls of this run are no longer kept." in sam.get("/sync-log/1").words
    with books.office.database.reading() as session:
        assert session.scalars(select(SyncRunRow.call_count).where(col(SyncRunRow.id) == 1)).one() == 3


def test_a_run_that_was_cut_short_or_stopped_sending_says_so_and_what_follows(sam: Visitor, books: Books) -> None:
    brake = "900 of 1,000 open invoices would be closed at once"
    with books.office.database.unit_of_work() as unit:
        change = {"state": "partial", "brake": brake, "goes_on_at": NOW, "waits": [A_WAIT]}
        unit.execute(update(SyncRunRow).where(col(SyncRunRow.id) == 2).values(**change))
    page = said(sam.get("/sync-log/2"))

    assert f"This run stopped sending. {brake}." in page
    assert "the next run goes on from there, not before 14 Jul 2026, 08:20" in page
    assert "60 calls in a minute. 14 Jul 2026, 08:08:00 until 14 Jul 2026, 08:09:00" in page
    assert f"It stopped sending. {brake}." in said(sam.get("/sync-log?which=failed"))


def test_a_failed_run_does_not_claim_that_the_ledger_said_what_we_knew(sam: Visitor) -> None:
    assert "What changed Nothing: what a run that fails has read is not kept." in said(sam.get("/sync-log/4"))
