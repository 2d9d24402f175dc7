"""What a sync run changed, in words: the balance was this and is that. Alike on the page and on the command line."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from store.tables import ChangeRow

Money = Callable[[Decimal, str], str]
Day = Callable[[date], str]

_NAMES = {
    "account_id": "account",
    "archived": "archived in the ledger",
    "billed_for": "billed for",
    "billed_with": "billed with",
    "assigned_step": "stands at",
    "contacts": "persons",
    "credited": "credited so far",
    "due_on": "due date",
    "email": "email address",
    "expected_on": "payment expected",
    "first_name": "first name",
    "issued_on": "issued on",
    "last_name": "last name",
    "merged_into": "merged into",
    "next_due_on": "next step on",
    "next_step": "next step",
    "paid": "paid so far",
    "remaining": "not used yet",
    "settled_on": "settled on",
    "payment": "payment",
    "credit": "credit used",
}
_AMOUNTS = frozenset({"total", "balance", "paid", "credited", "remaining"})
_ACCOUNTS = frozenset({"account_id", "billed_for"})
_DAYS = frozenset({"issued_on", "due_on", "settled_on", "expected_on", "next_due_on"})
_STATES = {"waiting": "snoozed", "leaving": "moving on"}


class Line(NamedTuple):
    """One field: what it was and what it is, "" where there was or is nothing."""

    name: str
    old: str
    new: str


class Saying(NamedTuple):
    """How amounts and days are said, and the names of accounts by their numbers."""

    money: Money
    day: Day
    accounts: Mapping[int, str]


def lines(change: ChangeRow, currency: str, saying: Saying) -> list[Line]:
    """The fields of one change."""
    return [
        Line(
            _NAMES.get(name, name.replace("_", " ")),
            _said(name, old, currency, saying),
            _said(name, new, currency, saying),
        )
        for name, old, new in change.fields
    ]


def about(change: ChangeRow, number: str) -> str:
    """`invoice INV-1`, `credit CN-3`; an account and a position are named by the account itself."""
    match change.list:
        case "invoices":
            return f"invoice {number or change.ledger_id}"
        case "credits":
            return f"credit {number or change.ledger_id}"
        case "accounts":
            return "account"
        case _:
            return "position"


def accounts_named(changes: Iterable[ChangeRow]) -> set[int]:
    """The numbers of the accounts between which documents have moved."""
    fields = (one for change in changes for one in change.fields)
    return {number for name, *both in fields if name in _ACCOUNTS for number in both if isinstance(number, int)}


def _said(name: str, value: Any, currency: str, saying: Saying) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, dict):
        return _money_said(value, currency, saying)
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if name in _AMOUNTS:
        return saying.money(Decimal(value), currency)
    if name in _DAYS:
        return saying.day(date.fromisoformat(value))
    if name in _ACCOUNTS:
        return saying.accounts.get(value, f"number {value}")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _STATES.get(value, value) if name == "state" else str(value)


def _money_said(value: Mapping[str, str], currency: str, saying: Saying) -> str:
    """`40.00 GBP on 3 May 2026`, with the kind of a credit before it."""
    kind = f"{value['kind']}, " if value.get("kind") else ""
    on = f" on {saying.day(date.fromisoformat(value['on']))}" if value.get("on") else ""
    return f"{kind}{saying.money(Decimal(value['amount']), currency)}{on}"
