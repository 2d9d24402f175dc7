"""Days with a ledger, played back from tape: each answer is understood as it was given, and no tape holds a secret.

What the tapes are and where they come from is in `cassettes/README.md`. The expectations are read from the tape itself,
so that they hold for one that was recorded from a real organisation as well.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.receivables import Invoice
from tests.connector.tapes import EMAIL, FOLDER, KINDS, NOTE, Day, played, tape_of

AMOUNTS = {"xero": ("InvoiceID", "Total", "AmountDue"), "quickbooks": ("Id", "TotalAmt", "Balance")}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def day(kind: str) -> Day:
    return played(kind)


def answers(kind: str) -> list[Any]:
    tape = yaml.safe_load(tape_of(kind).read_text())
    bodies = [one["response"]["body"]["string"] for one in tape["interactions"]]
    return [json.loads(body, parse_float=Decimal) for body in bodies if body[:1] in ("{", b"{")]


def rows(told: Any, name: str) -> list[dict[str, Any]]:
    """Every row of that name, however deep it lies in an answer, in the order in which it was told."""
    if isinstance(told, list):
        return [row for part in told for row in rows(part, name)]
    if not isinstance(told, dict):
        return []
    here = told.get(name)
    own = here if isinstance(here, list) else []
    return [*own, *(row for part in told.values() for row in rows(part, name))]


def invoices(day: Day) -> dict[str, Invoice]:
    """As they were told last."""
    return {invoice.ledger_id: invoice for page in (*day.first, *day.later) for invoice in page.invoices}


def test_every_invoice_on_the_tape_is_read_with_its_amounts(kind: str, day: Day) -> None:
    key, total, balance = AMOUNTS[kind]
    told = rows(answers(kind), "Invoices" if kind == "xero" else "Invoice")
    expected = {row[key]: (Decimal(row[total]), Decimal(row[balance])) for row in told if total in row}

    assert expected
    assert {id_: (one.total, one.balance) for id_, one in invoices(day).items()} == expected


def test_every_account_that_owes_is_read_with_its_name(day: Day) -> None:
    accounts = {account.ledger_id: account for page in (*day.first, *day.later) for account in page.accounts}

    assert {one.account_ledger_id for one in invoices(day).values()} <= {*accounts}
    assert all(account.name for account in accounts.values())


def test_nothing_on_the_tape_has_to_be_set_aside(day: Day) -> None:
    assert [row.reason for page in (*day.first, *day.later, day.again) for row in page.set_aside] == []


def test_a_second_look_tells_the_same_as_the_last_reading(day: Day) -> None:
    known = invoices(day)

    assert day.again.invoices
    assert all(
        (known[one.ledger_id].balance, known[one.ledger_id].status) == (one.balance, one.status)
        for one in day.again.invoices
    )


def test_the_note_that_was_written_is_found_again(day: Day) -> None:
    assert any(NOTE.marker in text for text in day.notes)


def test_the_organisation_says_who_it_is(day: Day) -> None:
    assert day.info.name
    assert len(day.info.currency) == 3
    assert "/" in day.info.timezone


@pytest.mark.parametrize("tape", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_tape_holds_a_key_an_address_of_a_person_or_of_this_machine(tape: Path) -> None:
    content = tape.read_bytes()

    for secret in (
        b"Bearer",
        b"authorization",
        b"Authorization",
        b"_token",
        b"client_secret",
        b"127.0.0.1",
        b"localhost",
    ):
        assert secret not in content
    assert EMAIL.findall(content) == []
