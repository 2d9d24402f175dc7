"""A very large firm, made in one go: two years of invoices, nearly all of them paid, each with its own lines.

For measuring a reader against books of tens of thousands of invoices. Everything happens at its own moment, spread
evenly over the two years, because whoever reads a ledger by time of change must meet them like that.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sandbox.documents import NOTHING, Contact, Line, Person, Phone
from sandbox.filling import names
from sandbox.organisation import Organisation
from sandbox.world import World

TWO_YEARS = timedelta(days=730)


def fill(
    world: World, firm: Organisation, invoices: int, contacts: int, open_share: float, seed: int
) -> dict[str, int]:
    """`open_share` of the invoices, the newest ones, are still open; a tenth of those is part-paid."""
    chance, now = Random(f"large {seed}"), world.clock.now()
    begin = now - TWO_YEARS
    customers = []
    for number in range(contacts):
        with world.clock.showing(begin - timedelta(minutes=contacts - number)):
            customers.append(_customer(firm, chance, number))
    still_open = round(invoices * open_share)
    between = (TWO_YEARS - timedelta(hours=1)) / max(1, invoices)
    for number in range(invoices):
        at = begin + between * (number + 1)
        _invoice(world, firm, chance, customers[chance.randrange(contacts)], at, now, invoices - number <= still_open)
    lists = firm.books.shelves
    return {name: len(shelf) for name, shelf in lists.items()} | {"open": still_open}


def _customer(firm: Organisation, chance: Random, number: int) -> Contact:
    first, last = names.person(chance)
    domain = f"customer{number}.example"
    return firm.books.add_contact(
        Contact(
            id=firm.books.new_id(),
            name=f"{last} & Partners {number}",
            updated=firm.created,
            first_name=first,
            last_name=last,
            email=f"accounts@{domain}",
            account_number=f"L{number:06d}",
            currency=firm.currency,
            days=30,
            persons=(Person(first, last, f"{names.plain(first)}@{domain}"),) if number % 3 == 0 else (),
            phones={"DEFAULT": Phone("44", "1632", f"960{number % 1000:03d}")},
        )
    )


def _invoice(
    world: World, firm: Organisation, chance: Random, customer: Contact, at: datetime, now: datetime, stays_open: bool
) -> None:
    lines = tuple(_line(chance) for _ in range(chance.randrange(1, 7)))
    total = sum((line.amount + line.tax for line in lines), NOTHING)
    with world.clock.showing(at):
        on = firm.books.today()
        invoice = firm.books.add_invoice(customer, total=total, date=on, due=on + timedelta(days=30), lines=lines)
    paid_at = at + (min(now, at + timedelta(days=60)) - at) * chance.uniform(0.1, 0.9)
    with world.clock.showing(paid_at):
        if not stays_open:
            firm.books.pay(invoice)
        elif chance.random() < 0.1:
            firm.books.pay(invoice, (total / 2).quantize(NOTHING))


def _line(chance: Random) -> Line:
    unit = Decimal(chance.randrange(500, 90_000)) / 100
    return Line(chance.choice(names.WORK), Decimal(1), unit, (unit / 5).quantize(NOTHING))
