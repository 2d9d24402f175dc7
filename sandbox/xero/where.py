"""Xero's filter language, as far as its documents call it quick: equals, ranges of dates and amounts, joined by AND.

`Type=="ACCREC" AND Status=="AUTHORISED"`, `Date>=DateTime(2026, 01, 31)`, `AmountDue>0`,
`Contact.ContactID==guid("…")`. Everything else is refused, so that nobody comes to rely on a slow question.
"""

import operator
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

Test = Callable[[Any], bool]

_TEXTS: dict[str, Callable[[Any], Any]] = {
    "Type": lambda p: p.type,
    "PaymentType": lambda p: p.type,
    "Status": lambda p: p.status,
    "ContactStatus": lambda p: p.status,
    "InvoiceNumber": lambda p: p.number,
    "CreditNoteNumber": lambda p: p.number,
    "Reference": lambda p: p.reference,
    "Name": lambda p: p.name,
    "EmailAddress": lambda p: p.email,
    "AccountNumber": lambda p: p.account_number,
    "Contact.Name": lambda p: p.contact.name,
    "Contact.ContactID": lambda p: p.contact.id,
    "InvoiceID": lambda p: p.id,
    "ContactID": lambda p: p.id,
}
_DAYS: dict[str, Callable[[Any], Any]] = {"Date": lambda p: p.date, "DueDate": lambda p: p.due}
_SUMS: dict[str, Callable[[Any], Any]] = {
    "AmountDue": lambda p: p.balance,
    "AmountPaid": lambda p: p.paid,
    "RemainingCredit": lambda p: p.remaining,
}
_FIELDS = {name.lower(): (name, read) for group in (_TEXTS, _DAYS, _SUMS) for name, read in group.items()}
_SIGNS = {
    "==": operator.eq,
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_AND = re.compile(r"\s+AND\s+|\s*&&\s*", re.IGNORECASE)
_OR = re.compile(r"\s+OR\s+|\s*\|\|\s*", re.IGNORECASE)
_CLAUSE = re.compile(r"""\s*([A-Za-z.]+)\s*(==|>=|<=|=|>|<)\s*(.+?)\s*""")
_DATE = re.compile(r"DateTime\(\s*(\d{4})\s*,\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)", re.IGNORECASE)
_TEXT = re.compile(r'(?:guid\(\s*)?"([^"]*)"\s*\)?', re.IGNORECASE)


class Unreadable(ValueError):
    """The filter is not one that is answered; the message says which part."""


def read_where(text: str) -> Test:
    if len(others := _OR.split(text.strip())) > 1:
        # Xero finds OR quick on invoice ids alone.
        if not all(part.strip().lower().startswith("invoiceid") for part in others):
            raise Unreadable(f"The filter “{text}” is not supported: OR is for InvoiceID only.")
        either = [_clause(part) for part in others]
        return lambda paper: any(test(paper) for test in either)
    tests = [_clause(part) for part in _AND.split(text.strip())]
    return lambda paper: all(test(paper) for test in tests)


def _clause(text: str) -> Test:
    match = _CLAUSE.fullmatch(text)
    known = _FIELDS.get(match[1].lower()) if match else None
    if match is None or known is None:
        raise Unreadable(f"The filter “{text}” is not supported.")
    name, read = known
    wanted: Any
    if name in _DAYS and (found := _DATE.fullmatch(match[3])):
        wanted = date(*(int(part) for part in found.groups()))
    elif name in _SUMS and re.fullmatch(r"\d+(\.\d+)?", match[3]):
        wanted = Decimal(match[3])
    elif name in _TEXTS and (found := _TEXT.fullmatch(match[3])) and match[2] in ("==", "="):
        wanted = found[1].lower() if name.endswith("ID") else found[1]
    else:
        raise Unreadable(f"The filter “{text}” is not supported.")
    sign = _SIGNS[match[2]]

    def test(paper: Any) -> bool:
        try:
            value = read(paper)
        except AttributeError:  # this kind of paper has no such field
            return False
        return value is not None and sign(value, wanted)

    return test
