"""The facts a template may name, put into words: dates, amounts and names as the debtor's country writes them.

Everything handed to a template is text, a whole number, or a list or table of these. Amounts of different currencies
stand side by side and are never added up. What the debtor disputes is listed, but it is not part of what we say is
overdue: nobody is asked for money whose reason is still being argued about.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from wording.statement import Line, Statement

STATEMENT_HERE = "\x02STATEMENT\x03"
"""Stands for the table until the paragraphs are made. Control characters are taken out of every fact and template, so
nothing but the placeholder `statement` can produce it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_LINE_BREAKS = re.compile(r"[\t\n]+")


def clean(text: str) -> str:
    """The text without control characters and half characters; its line breaks are plain newlines."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """The text on one line: a fact never brings a paragraph of its own."""
    return _LINE_BREAKS.sub(" ", clean(text)).strip()


def in_a_row(text: str) -> str:
    """Several lines as one, as an address is written in a sentence: `12 Quay Street, Bristol`."""
    return ", ".join(filter(None, (line.strip(" \t,") for line in clean(text).split("\n"))))


@dataclass(frozen=True)
class Tongue:
    """How one country writes dates and amounts. `name` is a Babel name such as `en_GB`."""

    locale: Locale

    @property
    def tag(self) -> str:
        """The name as web pages and mails want it: `en-GB`."""
        return str(self.locale).replace("_", "-")

    def day(self, day: date | None, style: str = "medium") -> str:
        return _day(self.locale, day, style) if day else ""

    def amount(self, amount: Decimal, currency: str) -> str:
        return _amount(self.locale, amount, currency)

    def number(self, amount: Decimal) -> str:
        """An amount without its currency: `1,200.00`."""
        return one_line(format_decimal(amount, format="#,##0.00", locale=self.locale))

    def amounts(self, sums: Mapping[str, Decimal]) -> str:
        """£1,200.00 and €300.00: one amount for each currency, those of zero left out unless all are."""
        shown = {code: total for code, total in sums.items() if total} or dict(list(sums.items())[:1])
        return format_list([self.amount(total, code) for code, total in shown.items()], locale=self.locale)


@lru_cache(maxsize=4096)
def _day(locale: Locale, day: date, style: str) -> str:
    """Kept, because a letter says the same days and amounts several times, and thousands of letters do."""
    return format_date(day, format=style, locale=locale)


@lru_cache(maxsize=4096)
def _amount(locale: Locale, amount: Decimal, currency: str) -> str:
    return one_line(format_currency(amount, currency, locale=locale))


@lru_cache(maxsize=64)
def tongue(locale: str) -> Tongue:
    """Raises ValueError or UnknownLocaleError for a name that Babel does not know."""
    return Tongue(Locale.parse(locale, sep="-" if "-" in locale else "_"))


def is_overdue(line: Line) -> bool:
    return line.age > 0 and line.balance > 0


def asked_for(line: Line) -> bool:
    """Overdue, and nobody disputes it."""
    return is_overdue(line) and not line.disputed


def sums(lines: Iterable[Line], currencies: Iterable[str]) -> dict[str, Decimal]:
    """What is owed on these lines, one sum for each currency."""
    totals = dict.fromkeys(currencies, Decimal(0))
    for line in lines:
        totals[line.currency] += line.balance
    return totals


def currencies(statement: Statement) -> tuple[str, ...]:
    """The statement's currencies, the one with the most invoices first."""
    codes = [line.currency for line in statement.lines]
    owed = sums(statement.lines, codes)
    return tuple(sorted(owed, key=lambda code: (-codes.count(code), -owed[code], code)))


def oldest_first(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (line.due_on, line.number))


class InvoiceFacts(dict[str, Any]):
    """One invoice for a template. Written out as it is, it shows its number, as in `{{ invoices | join: ", " }}`."""

    def __str__(self) -> str:
        return str(self["number"])


def facts_of(statement: Statement, *, each_invoice: bool = True) -> dict[str, Any]:
    """Every placeholder with its value, ready to be shown. See `wording.offer` for what each is.

    Without `each_invoice` the list of invoices is empty: for templates that do not name it, and thousands of invoices.
    """
    tongue_ = tongue(statement.locale)
    chased = [line for line in statement.lines if asked_for(line)]
    oldest = oldest_first(chased or statement.lines)[:1]
    invoice = _invoice(oldest[0], tongue_) if oldest else _no_invoice(statement, tongue_)
    return {
        **_people(statement),
        "account": {
            "name": one_line(statement.account),
            "number": one_line(statement.account_number),
            "days_overdue": max((line.age for line in chased), default=0),
            "invoice_count": sum(line.balance > 0 for line in statement.lines),
            "overdue_count": len(chased),
            "total_due": _total(statement, statement.lines, tongue_),
            "total_overdue": _total(statement, chased, tongue_),
        },
        "invoice": invoice,
        "invoices": [_invoice(line, tongue_) for line in oldest_first(statement.lines) if each_invoice],
        "reference": one_line(statement.account_number) or invoice["number"] or one_line(statement.account),
        "link": safe_link(statement.link) or invoice["link"],
        "today": tongue_.day(statement.as_of, "long"),
        "statement": STATEMENT_HERE,
    }


def _people(statement: Statement) -> dict[str, Any]:
    """Who writes and who is written to."""
    said = {name: in_a_row(getattr(statement, name)) for name in _SAID}
    firm, account = one_line(statement.organisation), one_line(statement.account)
    sender = one_line(statement.sender_name)
    sender = "" if sender.casefold() == firm.casefold() else sender  # the firm's own name is nobody's signature
    owner = _full(said["owner_first_name"], said["owner_last_name"])
    return {
        "organisation": {"name": firm, "pay_details": said["pay_details"], **_part("organisation", said)},
        "sender": {"name": sender},
        "owner": {**_part("owner", said), "full_name": owner or sender, "organisation": firm},
        "contact": {
            **_part("contact", said),
            "full_name": _full(said["contact_first_name"], said["contact_last_name"]),
            "organisation": account,
            "account_number": one_line(statement.account_number),
        },
    }


_SAID = tuple(
    field.name
    for field in fields(Statement)
    if field.name == "pay_details" or field.name.startswith(("organisation_", "owner_", "contact_"))
)


def _part(whose: str, said: Mapping[str, str]) -> dict[str, str]:
    """What a statement says of the organisation, the owner or the contact, by the last part of its name."""
    return {name.removeprefix(f"{whose}_"): value for name, value in said.items() if name.startswith(f"{whose}_")}


def _full(first: str, last: str) -> str:
    return f"{first} {last}".strip()


def _total(statement: Statement, lines: Iterable[Line], tongue_: Tongue) -> str:
    """What these lines come to in each currency. Nothing open is an amount too: it is written as zero."""
    codes = currencies(statement) or ((statement.currency,) if statement.currency else ())
    return tongue_.amounts(sums(lines, codes)) if codes else tongue_.number(Decimal(0))


def _no_invoice(statement: Statement, tongue_: Tongue) -> InvoiceFacts:
    """Stands in where nothing is open: the same placeholders, and nothing to show."""
    line = Line("", "", None, statement.as_of, Decimal(0), Decimal(0), statement.currency or "EUR", 0)
    facts = _invoice(line, tongue_)
    return InvoiceFacts(facts, due_on="", total="", balance="", currency=statement.currency)


def _invoice(line: Line, tongue_: Tongue) -> InvoiceFacts:
    return InvoiceFacts(
        number=one_line(line.number),
        reference=one_line(line.reference),
        issued_on=tongue_.day(line.issued_on),
        due_on=tongue_.day(line.due_on),
        total=tongue_.amount(line.total, line.currency),
        balance=tongue_.amount(line.balance, line.currency),
        currency=line.currency,
        days_overdue=max(line.age, 0),
        is_overdue=is_overdue(line),
        disputed=line.disputed,
        link=safe_link(line.link),
    )


def safe_link(link: str) -> str:
    """The link if it is an ordinary web address, else nothing."""
    return link if re.fullmatch(r"https?://[^\s<>\"'`\\\x00-\x1f]{1,2000}", link, re.IGNORECASE) else ""
