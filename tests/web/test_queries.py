"""Mirrors store.screens as the pages use it: the number of questions to the database never grows with the books."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tests.web.books import Books
from tests.web.filling import Filling
from tests.web.visitor import Visitor


@contextmanager
def questions(books: Books) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    event.listen(books.office.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(books.office.database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "path", ["/", "/accounts", "/accounts?tab=snoozed", "/accounts?find=a", "/replies", "/settings/workflows"]
)
def test_a_page_asks_as_much_for_fifty_accounts_more_as_before(anna: Visitor, books: Books, path: str) -> None:
    anna.get(path)
    with questions(books) as before:
        anna.get(path)
    with books.office.database.unit_of_work() as unit:
        filling = Filling(unit, books.ours)
        filling.number = 1000
        for place in range(50):
            number = filling.account(f"Another {place}", (place - 10, "120.00"))
            filling.reply(number, f"someone@another{place}.example", "Re: your account", "We shall pay.")
    with questions(books) as after:
        assert anna.get(path).status == 200

    assert len(after) == len(before) <= 20


def test_the_list_of_accounts_asks_no_more_for_fifty_than_for_five(anna: Visitor, books: Books) -> None:
    with questions(books) as few:
        anna.get("/accounts?find=Trading")
    with questions(books) as many:
        anna.get("/accounts?find=a")

    assert len(few) == len(many) <= 8


def test_an_account_asks_as_much_however_long_its_history_is(anna: Visitor, books: Books) -> None:
    path = f"/accounts/{books.accounts['reply']}"
    with questions(books) as before:
        anna.get(path)
    with books.office.database.unit_of_work() as unit:
        filling = Filling(unit, books.ours)
        filling.number = 1000
        for place in range(30):
            filling.invoice(books.accounts["reply"], place, "10")
            filling.reply(books.accounts["reply"], "jo@brackenfield.example", f"Re: {place}", "We shall pay.")
    with questions(books) as after:
        anna.get(path)

    assert len(after) == len(before) <= 26
