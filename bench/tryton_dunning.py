"""The half of the yardstick that runs inside Tryton's own environment: fills its books, and does one step at a time.

Everything goes through Tryton's own models, as its screens would do it; nothing is written past them. Each call of
this module is one step in a process of its own, and says what it came to as one line of JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from trytond import config
from trytond.pool import Pool
from trytond.transaction import Transaction, TransactionError

from bench.ledger import AS_OF, Invoice, open_invoices

LEVELS = (1, 7, 15, 30)
"""Days overdue at which each level of the dunning procedure applies."""

ROOT = 0  # Tryton's own user, to which no rule of access applies
BATCH = 500


def main() -> None:
    settings, database, step, *numbers = sys.argv[1:]
    config.update_etc(settings)
    Pool.start()
    Pool(database).init()
    took = STEPS[step](database, *map(int, numbers))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**took._asdict(), "peak": peak}))


class Took(NamedTuple):
    """Wall-clock and processor seconds, and how many lines or drafts there are now."""

    seconds: float
    processor: float
    count: int


def generate(database: str, days_on: int) -> Took:
    """What "Create Dunnings" does, for this many days after the first. Counts the dunnings that wait as drafts."""
    return _timed(database, lambda dunning: dunning.generate_dunnings(date=AS_OF + timedelta(days=days_on)))


def process(database: str) -> Took:
    """What "Process Dunning" does to every draft. Counts the drafts that are left."""
    return _timed(database, lambda dunning: dunning.process(dunning.search([("state", "=", "draft")])))


def fill(database: str, accounts: int, invoices: int) -> Took:
    """A company with its chart, its parties and their posted, open invoices. Counts the receivable lines."""
    started, used = time.perf_counter(), time.process_time()
    company = _at_work(database, None, _company)
    receivable, revenue = _at_work(database, company, lambda: _chart(company))
    _at_work(database, company, lambda: _fiscal_year(company))
    parties = _at_work(database, company, lambda: _parties(accounts, _procedure()))
    ledger = open_invoices(accounts, invoices)
    while batch := list(islice(ledger, BATCH)):
        _at_work(database, company, lambda batch=batch: _post(batch, parties, receivable, revenue))
    owed = [("account.type.receivable", "=", True)]
    count = _at_work(database, company, lambda: Pool().get("account.move.line").search(owed, count=True))
    return Took(time.perf_counter() - started, time.process_time() - used, count)


STEPS: dict[str, Callable[..., Took]] = {"fill": fill, "generate": generate, "process": process}


def _timed(database: str, act: Callable[[Any], None]) -> Took:
    company = _at_work(database, None, lambda: Pool().get("company.company").search([])[0].id)
    started, used = time.perf_counter(), time.process_time()
    _at_work(database, company, lambda: act(Pool().get("account.dunning")))
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    drafts = [("state", "=", "draft")]
    count = _at_work(database, company, lambda: Pool().get("account.dunning").search(drafts, count=True))
    return Took(seconds, processor, count)


def _at_work(database: str, company: int | None, act: Callable[[], Any]) -> Any:
    """Does something in a transaction of its own: for a company as its administrator, without one as Tryton itself.

    Tryton asks for some locks only when it finds that it needs them, and expects its caller to begin again with those.
    """
    context = {"company": company, "companies": [company]} if company else {}
    locks: dict[str, Any] = {}
    user = ROOT
    if company:
        with Transaction().start(database, ROOT, readonly=True):
            user = _administrator().id
    while True:
        with Transaction().start(database, user, context=context, **locks) as transaction:
            try:
                return act()
            except TransactionError as problem:
                transaction.rollback()
                problem.fix(locks)


def _administrator() -> Any:
    return Pool().get("res.user").search([("login", "=", "admin")])[0]


def _company() -> int:
    pool = Pool()
    currency, party = pool.get("currency.currency"), pool.get("party.party")
    (pound,) = currency.create(
        [
            {
                "name": "Pound Sterling",
                "code": "GBP",
                "symbol": "£",
                "digits": 2,
                "rounding": Decimal("0.01"),
                "rates": [("create", [{"date": date(2020, 1, 1), "rate": Decimal(1)}])],
            }
        ]
    )
    (name,) = party.create([{"name": "Brightwater Trading", "addresses": [("create", [{}])]}])
    (company,) = pool.get("company.company").create([{"party": name.id, "currency": pound.id}])
    groups = [group.id for group in pool.get("res.group").search([])]
    pool.get("res.user").write(
        [_administrator()],
        {"companies": [("add", [company.id])], "company": company.id, "groups": [("add", groups)]},
    )
    return int(company.id)


def _chart(company: int) -> tuple[int, int]:
    """Tryton's minimal chart of accounts. Returns the numbers of the receivable and of the revenue account."""
    pool = Pool()
    template = pool.get("account.account.template")
    wizard = pool.get("account.create_chart", type="wizard")
    session, _, _ = wizard.create()
    chart = wizard(session)
    root = pool.get("ir.model.data").get_id("account", "account_template_root_en")
    chart.account.account_template = template(root)
    chart.account.company = pool.get("company.company")(company)
    chart.transition_create_account()
    account = pool.get("account.account")
    usable = [("company", "=", company), ("closed", "!=", True)]
    (receivable,) = account.search([("type.receivable", "=", True), ("party_required", "=", True), *usable], limit=1)
    (revenue,) = account.search([("type.revenue", "=", True), ("party_required", "=", False), *usable], limit=1)
    return receivable.id, revenue.id


def _fiscal_year(company: int) -> None:
    pool = Pool()
    (kind,) = pool.get("ir.sequence.type").search([("name", "=", "Account Move")], limit=1)
    (sequence,) = pool.get("ir.sequence.strict").create(
        [{"name": "Moves", "sequence_type": kind.id, "company": company}]
    )
    year = pool.get("account.fiscalyear")
    (made,) = year.create(
        [
            {
                "name": str(AS_OF.year),
                "company": company,
                "start_date": date(AS_OF.year, 1, 1),
                "end_date": date(AS_OF.year, 12, 31),
                "move_sequence": sequence.id,
            }
        ]
    )
    year.create_period([made])


def _procedure() -> int:
    levels = [{"sequence": place, "overdue": timedelta(days=days)} for place, days in enumerate(LEVELS, start=1)]
    procedure = Pool().get("account.dunning.procedure")
    return int(procedure.create([{"name": "Standard", "levels": [("create", levels)]}])[0].id)


def _parties(accounts: int, procedure: int) -> Sequence[int]:
    """The numbers of the parties, in the order of the made-up ledger's accounts."""
    made = (
        Pool()
        .get("party.party")
        .create(
            [{"name": f"Account {number:06d}", "dunning_procedure": procedure} for number in range(1, accounts + 1)]
        )
    )
    return [party.id for party in made]


def _post(batch: Sequence[Invoice], parties: Sequence[int], receivable: int, revenue: int) -> None:
    pool = Pool()
    move, period = pool.get("account.move"), pool.get("account.period")
    (journal,) = pool.get("account.journal").search([("code", "=", "REV")], limit=1)
    company = Transaction().context["company"]
    moves = []
    for invoice in batch:
        amount = Decimal(invoice.cents) / 100
        owed = {
            "account": receivable,
            "party": parties[invoice.account - 1],
            "debit": amount,
            "credit": Decimal(0),
            "maturity_date": invoice.due_on,
        }
        moves.append(
            {
                "period": period.find(company, date=invoice.issued_on).id,
                "journal": journal.id,
                "date": invoice.issued_on,
                "lines": [
                    ("create", [owed, {"account": revenue, "debit": Decimal(0), "credit": amount}]),
                ],
            }
        )
    move.post(move.create(moves))


if __name__ == "__main__":
    main()
