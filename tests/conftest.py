"""What many tests share: a database of their own (SQLite, or PostgreSQL where it is found) and a town to play in."""

import gc
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.log_file import prepare_log
from fresh_books import bare_database, emptied_books
from jobs.uncollected import keep_for_good
from town import Town, postgres_server

prepare_log()  # as the daemon does: a log that writes every variable out takes longer than the failure it tells of
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_finish() -> None:
    """The tests and all that they import stay to the end. To look through them for garbage all the while, and through
    what each makes, takes a sixth of the run.
    """
    keep_for_good()
    gc.set_threshold(20_000, 20, 100)


def shared_file(name: str) -> Path:
    """A file of the plan's folder; the test is skipped, with the reason, where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"shared/{name} is not here")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without a database name."""
    with postgres_server() as url:
        if url is None:
            pytest.skip("no PostgreSQL binaries were found (initdb, postgres)")
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a row in it; the test runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'arrears.db'}"
        return
    with emptied_books(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table in it, for tests of how tables are made; the test runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'arrears.db'}"
        return
    with bare_database(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'arrears.db'}"


@pytest.fixture
def a_town(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    """Founds a town: a sandbox, an office and a clock that both live by. Everything is closed at the end."""
    towns: list[Town] = []

    def found(
        url: str | None = None, *, at: datetime | None = datetime(2026, 6, 1, 7, tzinfo=UTC), **options: object
    ) -> Town:
        town = Town(url or f"sqlite:///{tmp_path / f'town{len(towns)}.db'}", tmp_path, at, **options)
        towns.append(town)
        return town

    yield found
    for town in towns:
        town.close()


os.environ.setdefault("TZ", "UTC")
