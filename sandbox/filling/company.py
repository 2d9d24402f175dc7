"""A firm with a past and a future: Brightwater Joinery Ltd, its forty customers, and how each of them pays.

Everything comes from one seed and the day on which the clock stands. Six months of invoices lie behind it, most of
them paid, and six months are planned ahead, so that moving the clock tells a story: prompt payers, slow ones, some
who pay half, and a few who never answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

from sandbox.documents import NOTHING, Address, Contact, Invoice, Line, NotPossible, Person, Phone
from sandbox.filling import names
from sandbox.organisation import BOOKED_AT, RAISED_AT, Organisation
from sandbox.world import World

HALF_YEAR = 182
# Weights over forty customers; the words are said in `_payments`.
TEXTED_BACK = ("Sorry, this slipped through. We will pay on Friday.", "STOP")
MANNERS = ["prompt"] * 12 + ["late"] * 11 + ["slow"] * 9 + ["in parts"] * 4 + ["silent"] * 4


@dataclass(frozen=True, slots=True)
class Customer:
    contact: Contact
    manner: str
    days: int
    every: int  # days between two invoices
    usual: int  # pounds of a usual invoice


def found_firm(world: World) -> Organisation:
    return world.found(
        "Brightwater Joinery Ltd",
        currency="GBP",
        country="GB",
        timezone="GMTSTANDARDTIME",
        mail_domain="brightwater-joinery.example",
        short_code="!bW7jR2",
    )


def fill(world: World) -> None:
    chance, today = Random(f"company {world.seed}"), world.clock.now()
    firm = found_firm(world)
    first = today.astimezone(firm.zone).date() - timedelta(days=HALF_YEAR)
    with world.clock.showing(firm.at(first, time(7))):
        firm.created = world.clock.now()
        customers = _customers(firm, chance)
        suppliers = [_supplier(firm, name) for name in names.SUPPLIERS]
        _texters(world, customers)
    plans = [
        (on, customer)
        for customer in customers
        for on in _working_days(first + timedelta(days=chance.randrange(customer.every)), customer.every, chance)
    ]
    for on, customer in sorted(plans, key=lambda plan: plan[0]):
        _plan_invoice(world, firm, chance, customer, on)
    for month in range(12):
        for supplier in suppliers:
            _plan_bill(world, firm, chance, supplier, first + timedelta(days=30 * month + chance.randrange(1, 20)))
    world.catch_up(today)
    with world.clock.showing(today - timedelta(hours=2)):
        _loose_ends(firm, chance, customers)


def _customers(firm: Organisation, chance: Random) -> list[Customer]:
    customers = []
    manners = chance.sample(MANNERS, len(MANNERS))
    businesses = [(name, "United Kingdom", "Oaktown", "") for name in names.BUSINESSES]
    businesses += [(name, country, city, "EUR") for name, country, city in names.ABROAD]
    for place, ((name, country, city, currency), manner) in enumerate(zip(businesses, manners, strict=True)):
        days = chance.choice((7, 14, 14, 30, 30))
        contact = _contact(firm, chance, place, name, country, city, currency, days)
        usual = chance.choice((85, 140, 260, 420, 700, 1200, 2600))
        customers.append(Customer(contact, manner, days, chance.randrange(9, 24), usual))
    return customers


def _contact(
    firm: Organisation, chance: Random, place: int, name: str, country: str, city: str, currency: str, days: int
) -> Contact:
    first, last = names.person(chance)
    domain = names.mail_domain(name)
    # 07700 900000-900999 and 01632 960000-960999 are kept free of subscribers for stories (Ofcom).
    phones = {"DEFAULT": Phone("44", "1632", f"960{place:03d}")}
    if chance.random() < 0.8 and not currency:
        phones["MOBILE"] = Phone("44", "7700", f"900{place:03d}")
    persons: tuple[Person, ...] = ()
    if chance.random() < 0.3:
        other_first, other_last = names.person(chance)
        persons = (Person(other_first, other_last, f"accounts@{domain}"),)
    return firm.books.add_contact(
        Contact(
            id=firm.books.new_id(),
            name=name,
            updated=firm.created,
            first_name=first,
            last_name=last,
            email=f"{names.plain(first)}.{names.plain(last)}@{domain}",
            account_number=f"C{place + 1:03d}",
            currency=currency or "GBP",
            days=days,
            persons=persons,
            phones=phones,
            address=Address(
                f"{chance.randrange(1, 90)} {chance.choice(names.STREETS)}", city, f"OK{place + 1} 1AA", country
            ),
        )
    )


def _texters(world: World, customers: list[Customer]) -> None:
    """Two of the slow ones answer the first text that they get: one names a day, one wants no more texts."""
    slow = [
        each.contact.phones["MOBILE"] for each in customers if each.manner == "slow" and "MOBILE" in each.contact.phones
    ]
    for phone, answer in zip(slow, TEXTED_BACK, strict=False):
        world.twilio.person(phone.e164).replies = [answer]


def _supplier(firm: Organisation, name: str) -> Contact:
    email = f"sales@{names.mail_domain(name)}"
    contact = Contact(firm.books.new_id(), name, firm.created, email=email, currency="GBP", is_supplier=True)
    return firm.books.add_contact(contact)


def _working_days(start: date, every: int, chance: Random) -> list[date]:
    days, on, end = [], start, start + timedelta(days=2 * HALF_YEAR)
    while on < end:
        days.append(on + timedelta(days=(7 - on.weekday()) if on.weekday() > 4 else 0))
        on += timedelta(days=max(4, every + chance.randrange(-3, 4)))
    return days


def _plan_invoice(world: World, firm: Organisation, chance: Random, customer: Customer, on: date) -> None:
    lines = _lines(chance, customer)
    total = sum((line.amount + line.tax for line in lines), NOTHING)
    reference = chance.choice(("", f"PO {chance.randrange(1000, 9999)}", f"Job {chance.randrange(100, 999)}"))
    due = on + timedelta(days=customer.days)
    payments = _payments(chance, customer.manner, total, due)
    invoice_id = firm.books.new_id()

    def raise_it() -> None:
        firm.books.add_invoice(
            customer.contact, total=total, date=on, due=due, lines=lines, reference=reference, id=invoice_id
        )

    world.timetable.add(firm.at(on, RAISED_AT), f"{customer.contact.name} is invoiced {total}", raise_it)
    for paid_on, amount in payments:
        paid_on = max(paid_on, on)
        says = f"{customer.contact.name} pays {amount}"
        world.timetable.add(firm.at(paid_on, BOOKED_AT), says, _payer(firm, invoice_id, amount))


def _payer(firm: Organisation, invoice_id: str, amount: Decimal) -> Callable[[], None]:
    """Pays what was planned, or what is still open if that has become less."""

    def pay() -> None:
        invoice: Invoice = firm.books.invoice(invoice_id)
        if not invoice.balance:
            raise NotPossible(f"{invoice.number} is {invoice.status} and needs no payment")
        firm.books.pay(invoice, min(amount, invoice.balance))

    return pay


def _lines(chance: Random, customer: Customer) -> tuple[Line, ...]:
    lines = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        pence = round(customer.usual * 100 * chance.uniform(0.4, 1.6)) + chance.randrange(100)
        quantity, unit = Decimal(chance.choice((1, 1, 1, 2, 4))), Decimal(pence) / 100
        tax = NOTHING if customer.contact.currency == "EUR" else (quantity * unit / 5).quantize(NOTHING)
        lines.append(Line(chance.choice(names.WORK), quantity, unit, tax))
    return tuple(lines)


def _payments(chance: Random, manner: str, total: Decimal, due: date) -> list[tuple[date, Decimal]]:
    if chance.random() < 0.03 and manner != "silent":
        return []  # now and then an invoice is lost on somebody's desk
    match manner:
        case "prompt":
            return [(due + timedelta(days=chance.randrange(-5, 2)), total)]
        case "late":
            return [(due + timedelta(days=chance.randrange(2, 12)), total)]
        case "slow":
            return [(due + timedelta(days=chance.randrange(18, 55)), total)]
        case "in parts":
            half = (total / 2).quantize(NOTHING)
            later = [(due + timedelta(days=chance.randrange(25, 60)), total - half)] if chance.random() < 0.8 else []
            return [(due + timedelta(days=chance.randrange(3, 15)), half), *later]
    return [(due + timedelta(days=chance.randrange(60, 90)), total)] if chance.random() < 0.35 else []


def _plan_bill(world: World, firm: Organisation, chance: Random, supplier: Contact, on: date) -> None:
    total = Decimal(chance.randrange(4_000, 180_000)) / 100
    bill_id, due = firm.books.new_id(), on + timedelta(days=30)

    def receive() -> None:
        firm.books.add_invoice(supplier, total=total.quantize(NOTHING), date=on, due=due, type="ACCPAY", id=bill_id)

    world.timetable.add(firm.at(on, RAISED_AT), f"{supplier.name} sends a bill over {total}", receive)
    world.timetable.add(firm.at(due, BOOKED_AT), f"the bill of {supplier.name} is paid", _payer(firm, bill_id, total))


def _loose_ends(firm: Organisation, chance: Random, customers: list[Customer]) -> None:
    """What every real ledger also has: a draft, a void, credits used and unused, and an old customer."""
    books, today = firm.books, firm.books.today()
    untouched = [i for i in books.sales() if i.status == "AUTHORISED" and i.balance == i.total]
    voided, credited, partly = chance.sample(untouched, 3)
    books.void(voided)
    note = books.add_credit("CreditNotes", credited.contact, credited.total, currency=credited.currency)
    books.allocate(note, credited)
    some = (partly.total / 4).quantize(NOTHING)
    books.allocate(books.add_credit("CreditNotes", partly.contact, some, currency=partly.currency), partly)
    at_home = [customer.contact for customer in customers if customer.contact.currency == "GBP"]
    books.add_credit("CreditNotes", chance.choice(at_home), Decimal("48.00"), reference="Goodwill")
    books.add_credit("Overpayments", chance.choice(at_home), Decimal("12.50"), reference="Paid twice in part")
    books.add_credit("Prepayments", chance.choice(at_home), Decimal("300.00"), reference="Deposit")
    books.add_invoice(
        chance.choice(at_home),
        total=Decimal("960.00"),
        due=today + timedelta(days=30),
        status="DRAFT",
        reference="Quote",
    )
    gone = Contact(books.new_id(), "Fennimore Antiques", firm.created, email="shop@fennimore.example")
    books.add_contact(gone)
    books.edit_contact(gone, {"archived": True})
