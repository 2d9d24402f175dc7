"""What the tests of the pages share: seeded books, and somebody who is signed in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.web.books import Books, Written, opened, write
from tests.web.visitor import Visitor
from web import build


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """Seeded once; every test works on a copy of its own."""
    file = tmp_path_factory.mktemp("books") / "arrears.db"
    return file, write(f"sqlite:///{file}")


@pytest.fixture
def books(written: tuple[Path, Written], tmp_path: Path) -> Iterator[Books]:
    copy = tmp_path / "arrears.db"
    shutil.copyfile(written[0], copy)
    books = opened(f"sqlite:///{copy}", written[1])
    yield books
    books.office.close()


@pytest.fixture
def app(books: Books) -> FastAPI:
    return build(books.office, poke=lambda name, key: books.pokes.append((name, key)))


@pytest.fixture
def stranger(app: FastAPI) -> Visitor:
    return Visitor(app)


@pytest.fixture
def anna(app: FastAPI) -> Visitor:
    """The owner of Harbour & Pine Joinery, who is also an agent at Quayside Printworks."""
    return _signed_in(app, "anna@example.com")


@pytest.fixture
def sam(app: FastAPI) -> Visitor:
    """Support staff."""
    return _signed_in(app, "sam@example.com")


@pytest.fixture
def carl(app: FastAPI) -> Visitor:
    """The owner of the other organisation."""
    return _signed_in(app, "carl@example.com")


@pytest.fixture
def nia(app: FastAPI) -> Visitor:
    """A new user, who has no organisation yet."""
    return _signed_in(app, "nia@example.com")


def _signed_in(app: FastAPI, email: str) -> Visitor:
    visitor = Visitor(app)
    assert visitor.sign_in(email).status == 303
    return visitor
