"""Every address of the pages, as the application itself knows them, so that no test forgets a new one."""

from collections.abc import Iterator
from typing import Any

from tests.web.books import Books

OPEN_TO_ALL = {"/sign-in", "/health", "/hooks/{kind}", "/hooks/{kind}/{door}"}


def routes(app: Any) -> Iterator[tuple[str, str]]:
    """Each method and path, with its parameters still in braces."""
    for path, item in app.openapi()["paths"].items():
        for method in item:
            yield method.upper(), path


def filled(path: str, books: Books, whose: str) -> str:
    """The path with the ids of one organisation's own rows: `ours` or `theirs`."""
    offset = 0 if whose == "ours" else 1
    account = books.accounts["reply" if whose == "ours" else "theirs: reply"]
    ids = {
        "account_id": account,
        "reminder_id": books.ids["reminder"][offset],
        "message_id": books.ids["message"][offset],
        "reply_id": books.ids["reply"][offset],
        "run_id": books.ids["run"][offset],
        "hold_id": books.ids["hold"][offset],
        "invoice_id": books.ids["invoice"][offset],
        "task_id": books.ids["task"][offset],
        "workflow_id": books.ids["workflow"][offset],
        "kind": "xero",
        "door": "somewhere",
        "stop_id": books.ids["stop"][offset],
        "place": 1,
        "post": 1,
    }
    return path.format(**ids)
