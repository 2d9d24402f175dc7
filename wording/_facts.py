"""The facts a template may name, put into words: dates, amounts and names as the debtor's country writes them.

Everything handed to a template is text, a whole number, or a list or table of these. Amounts of different currencies
stand side by side and are never added up. What the debtor disputes is listed, but it is not part of what we say is
overdue: nobody is asked for money whose reason is still being argued about.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_currency

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


@dataclass(frozen=True)
class Tongue:
    """How one country writes dates and amounts. `name` is a Babel name such as `en_GB`."""

    locale: Locale

    @property
    def tag(self) -> str:
        """The name as web pages and mails want it: `en-GB`."""
        return str(self.locale).replace("_", "-")

    def day(self, day: date | None, style: str = "medium") -> str:
        return format_date(day, format=style, locale=self.locale) if day else ""

    def amount(self, amount: Decimal, currency: str) -> str:
        return one_line(format_currency(amount, currency, locale=self.locale))

    def amounts(self, sums: Mapping[str, Decimal]) -> str:
        """£1,200.00 and €300.00: one amount for each currency, those of zero left out unless all are."""
        shown = {code: total for code, total in sums.items() if total} or dict(list(sums.items())[:1])
        return format_list([self.amount(total, code) for code, total in shown.items()], locale=self.locale)


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


def facts_of(statement: Statement) -> dict[str, Any]:
    """Every placeholder of an account-level template with its value, ready to be shown."""
    tongue_ = tongue(statement.locale)
    codes = currencies(statement)
    chased = [line for line in statement.lines if asked_for(line)]
    first, last, sender = map(
        one_line, (statement.contact_first_name, statement.contact_last_name, statement.sender_name)
    )
    firm = one_line(statement.organisation)
    sender = "" if sender.casefold() == firm.casefold() else sender  # the firm's own name is nobody's signature
    return {
        "organisation": {"name": firm, "phone": one_line(statement.organisation_phone)},
        "sender": {"name": sender},
        "owner": {"full_name": sender},
        "contact": {
            "first_name": first,
            "last_name": last,
            "full_name": f"{first} {last}".strip(),
            "email": one_line(statement.contact_email),
        },
        "account": {
            "name": one_line(statement.account),
            "number": one_line(statement.account_number),
            "days_overdue": max((line.age for line in chased), default=0),
            "invoice_count": len(statement.lines),
            "overdue_count": len(chased),
            "total_due": tongue_.amounts(sums(statement.lines, codes)) if codes else "",
            "total_overdue": tongue_.amounts(sums(chased, codes)) if codes else "",
        },
        "invoices": [_invoice(line, tongue_) for line in oldest_first(statement.lines)],
        "today": tongue_.day(statement.as_of, "long"),
        "statement": STATEMENT_HERE,
    }


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
