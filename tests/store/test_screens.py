"""Mirrors store.screens: what the pages read, on each engine, from the books of two organisations."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import Session

from engine.reminders import ReminderState
from store import Database, screens
from store.tables import AccountRow, HoldRow, InvoiceRow, OrganisationRow
from tests.web.books import Written, write
from tests.web.filling import NOW, TODAY


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database on each engine for the module. The PostgreSQL server is the test run's own and goes with it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('screens') / 'arrears.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture(scope="module")
def written(url: str) -> Written:
    return write(url)


@pytest.fixture
def session(url: str, written: Written) -> Iterator[Session]:
    """Whatever a test writes is taken back at its end, so that the next one finds the books as they were seeded."""
    database = Database(url)
    with database.unit_of_work() as session:
        yield session
        session.rollback()
    database.close()


def test_money_is_aged_by_currency_and_adds_up(session: Session, written: Written) -> None:
    pounds, euros = screens.ageing(session, written.ours, TODAY)

    assert (euros.currency, euros.buckets) == ("EUR", (Decimal(950), Decimal(1840), 0, 0, 0))
    assert (euros.open, euros.overdue, euros.invoices) == (Decimal(2790), Decimal(1840), 2)
    assert pounds.open == sum(pounds.buckets) == pounds.overdue + pounds.buckets[0]
    assert pounds.buckets[4] == Decimal("9515.20")  # Fenwick Haulage, 118 and 96 days


@pytest.mark.parametrize(("age", "bucket"), [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)])
def test_an_invoice_is_in_the_bucket_of_its_age(session: Session, written: Written, age: int, bucket: int) -> None:
    account = written.accounts["clear"]
    session.add(
        InvoiceRow(
            organisation_id=written.ours,
            account_id=account,
            ledger_id="aged",
            due_on=TODAY - timedelta(days=age),
            total=Decimal("7.77"),
            balance=Decimal("7.77"),
            currency="CHF",
        )
    )
    session.flush()

    francs = screens.ageing(session, written.ours, TODAY)[-1]

    assert [place for place, amount in enumerate(francs.buckets) if amount] == [bucket]


def test_every_account_with_something_open_stands_under_one_tab_or_is_clear(session: Session, written: Written) -> None:
    counts = screens.accounts(session, written.ours, TODAY, tab="all", find="", page=1).counts

    assert counts == {"all": 30, "pending": 4, "snoozed": 23, "idle": 1, "paused": 1}
    for tab in screens.TABS:
        listing = screens.accounts(session, written.ours, TODAY, tab=tab, find="", page=1)
        assert len(listing.accounts) == min(counts[tab], screens.PAGE)


def test_pages_follow_one_another_without_a_gap(session: Session, written: Written) -> None:
    pages = [screens.accounts(session, written.ours, TODAY, tab="all", find="", page=at).accounts for at in (1, 2, 3)]

    assert [len(page) for page in pages] == [25, 5, 0]
    assert len({account.id for page in pages for account in page}) == 30
    overdue = [max((debt.overdue for debt in account.debts), default=Decimal(0)) for page in pages for account in page]
    assert overdue == sorted(overdue, reverse=True)


def test_a_muted_account_counts_as_paused_and_a_lifted_hold_not_at_all(session: Session, written: Written) -> None:
    for name, lifted in (("due", None), ("euro", NOW)):
        session.add(
            HoldRow(
                organisation_id=written.ours,
                account_id=written.accounts[name],
                kind="muted",
                since=TODAY,
                lifted_at=lifted,
            )
        )
    session.flush()

    paused = screens.accounts(session, written.ours, TODAY, tab="paused", find="", page=1).accounts

    assert {account.name for account in paused} == {"Eastgate Dental Practice", "Ivy Cottage Interiors"}


@pytest.mark.parametrize(
    ("find", "found"), [("LUMI", 1), ("stone@brackenfield", 1), ("inv-2004", 1), ("%", 0), ("_", 0)]
)
def test_a_search_takes_its_words_as_they_are(session: Session, written: Written, find: str, found: int) -> None:
    assert screens.accounts(session, written.ours, TODAY, tab="all", find=find, page=1).total == found


def test_an_account_that_was_merged_into_another_is_not_listed(session: Session, written: Written) -> None:
    account = session.get(AccountRow, written.accounts["due"])
    assert account is not None
    account.merged_into = "a-Juniper"
    session.flush()

    assert screens.accounts(session, written.ours, TODAY, tab="all", find="Ivy", page=1).total == 0


def test_nothing_of_another_organisation_is_ever_read(session: Session, written: Written) -> None:
    theirs, reminder = written.accounts["theirs: reply"], written.ids["reminder"][1]

    assert screens.account(session, written.ours, theirs, history=10) is None
    assert screens.one(session, AccountRow, written.ours, theirs) is None
    assert screens.reply(session, written.ours, written.ids["reply"][1], adrift=True) is None
    assert screens.messages_of(session, written.ours, reminder) == ()
    assert screens.set_aside(session, written.ours, written.ids["run"][1]) == ()
    assert screens.accounts_like(session, written.ours, "", ids=[theirs]) == []
    seen = [row.account_id for row, _, _ in screens.reminders(session, written.ours, *ReminderState)]
    assert set(seen) <= {number for name, number in written.accounts.items() if not name.startswith("theirs")}


def test_what_waits_for_a_person_is_counted(session: Session, written: Written) -> None:
    assert screens.needs(session, written.ours) == (1, 1, 1, 1, 1), "what was refused is counted once"


def test_behind_a_pause_of_the_organisation_other_holds_still_count(session: Session, written: Written) -> None:
    """The plan of a paused organisation shows what would really go, not everything that is queued."""
    free, held = screens.queued(session, written.ours)
    organisation = session.get(OrganisationRow, written.ours)
    assert organisation is not None
    organisation.paused_at = NOW
    session.flush()
    from tests.web.books import decide_all

    decide_all(session, written.ours)

    assert screens.queued(session, written.ours) == (free, held)


def test_replies_are_sorted_by_what_is_to_be_done(session: Session, written: Written) -> None:
    found = {
        which: [heard.reply.sender for heard in screens.replies(session, written.ours, which)]
        for which in ("unread", "unmatched", "done")
    }

    assert found == {
        "unread": ["jo@brackenfield.example"],
        "unmatched": ["t.bell@mail.example"],
        "done": ["away@mail.example"],
    }
    assert len(screens.replies(session, written.ours)) == 3
