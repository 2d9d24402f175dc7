"""What the tests of the pages share: seeded books, and somebody who is signed in."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from tests.web.books import Books, Written, opened, write
from tests.web.visitor import Visitor
from web import build


class Seeded(NamedTuple):
    """Books in which everybody has signed in once, by the form, with the product's own slow hash."""

    file: Path
    written: Written
    nobodys: str
    """The hash that a login that does not exist is checked against."""
    cookies: dict[str, dict[str, str]]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """Written once; every test works on a copy of its own. Checking and hashing passwords is slow on purpose."""
    file = tmp_path_factory.mktemp("books") / "arrears.db"
    url = f"sqlite:///{file}"
    books = opened(url, write(url))
    app = build(books.office, poke=lambda *_: None)
    cookies = {name: _signed_in(app, f"{name}@example.com") for name in ("anna", "sam", "carl", "nia")}
    books.office.close()
    return Seeded(file, Written(books.ours, books.theirs, books.accounts, books.ids), app.state.guard._nobodys, cookies)


def _signed_in(app: FastAPI, email: str) -> dict[str, str]:
    visitor = Visitor(app)
    assert visitor.sign_in(email).status == 303
    return visitor.cookies


@pytest.fixture
def books(seeded: Seeded, tmp_path: Path) -> Iterator[Books]:
    copy = tmp_path / "arrears.db"
    shutil.copyfile(seeded.file, copy)
    books = opened(f"sqlite:///{copy}", seeded.written)
    yield books
    books.office.close()


@pytest.fixture
def app(books: Books, seeded: Seeded) -> FastAPI:
    """The pages of these books, with nobody's hash as it was made once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher, "hash", lambda *_: seeded.nobodys)
        return build(books.office, poke=lambda name, key: books.pokes.append((name, key)))


@pytest.fixture
def stranger(app: FastAPI) -> Visitor:
    return Visitor(app)


@pytest.fixture
def anna(app: FastAPI, seeded: Seeded) -> Visitor:
    """The owner of Harbour & Pine Joinery, who is also an agent at Quayside Printworks."""
    return _back(app, seeded, "anna")


@pytest.fixture
def sam(app: FastAPI, seeded: Seeded) -> Visitor:
    """Support staff."""
    return _back(app, seeded, "sam")


@pytest.fixture
def carl(app: FastAPI, seeded: Seeded) -> Visitor:
    """The owner of the other organisation."""
    return _back(app, seeded, "carl")


@pytest.fixture
def nia(app: FastAPI, seeded: Seeded) -> Visitor:
    """A new user, who has no organisation yet."""
    return _back(app, seeded, "nia")


def _back(app: FastAPI, seeded: Seeded, name: str) -> Visitor:
    """Somebody who comes back to a browser on which they are signed in."""
    visitor = Visitor(app)
    visitor.cookies = dict(seeded.cookies[name])
    return visitor
