"""QuickBooks' query language: `SELECT * FROM Invoice WHERE Balance > '0' ORDERBY DueDate MAXRESULTS 50`.

One list at a time, conditions joined by AND alone, whole rows always, at most 1,000 of them.
(https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries)
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from sandbox.quickbooks.company import Company
from sandbox.quickbooks.fields import FIELDS, Field, read_value
from sandbox.quickbooks.introduction import FIXED
from sandbox.quickbooks.sheets import Sheet

USUAL, MOST = 100, 1000
# Lists that a real company also has and this one leaves empty.
_OTHERS = """Account Bill BillPayment Budget Class CompanyCurrency Department Deposit Employee Estimate ExchangeRate
    JournalCode JournalEntry PaymentMethod Purchase PurchaseOrder RefundReceipt SalesReceipt TaxAgency TaxCode TaxRate
    TimeActivity Transfer Vendor VendorCredit"""
EMPTY = frozenset(_OTHERS.split())
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_WORD = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<sign><=|>=|=|<|>)|(?P<mark>[(),*])|(?P<word>[A-Za-z0-9_.:+\-]+))"""
)
_KEYWORDS = {"WHERE", "ORDERBY", "ORDER", "STARTPOSITION", "MAXRESULTS"}


class Unreadable(ValueError):
    """Fault 4000: the question cannot be read."""


class Unanswerable(ValueError):
    """Fault 4001: the question can be read, and asks for what there is not."""


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    sign: str  # one of SIGNS, IN or LIKE
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    entity: str
    counting: bool
    conditions: tuple[Condition, ...] = ()
    orders: tuple[tuple[str, bool], ...] = ()  # field, and whether the largest comes first
    start: int = 1
    most: int = USUAL


def read_question(text: str) -> Question:
    return _Reader(text).question()


def answered(company: Company, question: Question) -> tuple[list[Sheet], int]:
    """The sheets of the page that was asked for, and for COUNT(*) how many there are in all."""
    found = _found(company, question)
    if question.counting:
        return [], sum(1 for _ in found)
    first = question.start - 1
    page: list[Sheet] = []
    for place, sheet in enumerate(found):
        if place >= first:
            page.append(sheet)
        if len(page) == question.most:
            break
    return page, 0


def _found(company: Company, question: Question) -> Iterator[Sheet]:
    known = FIELDS[question.entity]
    tests = [_test(company, question.entity, condition) for condition in question.conditions]
    if question.entity == "Customer" and not any(c.field.lower() == "active" for c in question.conditions):
        tests.append(lambda sheet: known["active"].of(company, sheet) is not False)
    sheets = _candidates(company, question)
    if _is_by_change(question):
        # The shelf lies in that order already: only as much of it is looked through as the page needs.
        return (sheet for sheet in sheets if not sheet.deleted and all(test(sheet) for test in tests))
    kept = [sheet for sheet in sheets if not sheet.deleted and all(test(sheet) for test in tests)]
    return iter(_sorted(company, kept, question))


def _candidates(company: Company, question: Question) -> list[Sheet]:
    shelf = company.files[question.entity]
    for condition in question.conditions:
        if condition.field.lower() == "metadata.lastupdatedtime" and condition.sign in (">=", ">", "="):
            return shelf.changed_since(_value("moment", condition.values[0]))
        if condition.field.lower() == "id" and condition.sign in ("=", "IN"):
            return shelf.by_change(condition.values)
    return shelf.by_change() if _is_by_change(question) else list(shelf)


def _is_by_change(question: Question) -> bool:
    return [(name.lower(), down) for name, down in question.orders] == [("metadata.lastupdatedtime", False)]


def _test(company: Company, entity: str, condition: Condition) -> Callable[[Sheet], bool]:
    field = _field(entity, condition.field)
    if not field.filterable:
        raise Unanswerable(f"QueryValidationError: property '{field.name}' is not queryable")
    if field.name == "Id" and condition.sign not in ("=", "IN"):
        raise Unanswerable(f"QueryValidationError: operator '{condition.sign}' is not supported for property 'Id'")
    if condition.sign == "LIKE":
        like = re.compile(".*".join(map(re.escape, condition.values[0].split("%"))), re.IGNORECASE | re.DOTALL)
        return lambda sheet: bool(like.fullmatch(str(field.of(company, sheet) or "")))
    wanted = [_value(field.kind, value) for value in condition.values]
    if condition.sign == "IN":
        return lambda sheet: field.of(company, sheet) in wanted
    sign, value = SIGNS[condition.sign], wanted[0]

    def test(sheet: Sheet) -> bool:
        held = field.of(company, sheet)
        return held is not None and sign(held, value)

    return test


def _value(kind: str, given: str) -> Any:
    try:
        return read_value(kind, given)
    except ValueError as trouble:
        raise Unanswerable(f"QueryValidationError: {trouble}") from None


def _sorted(company: Company, sheets: list[Sheet], question: Question) -> list[Sheet]:
    orders = [(_field(question.entity, name), down) for name, down in question.orders]
    sheets = sorted(sheets, key=lambda sheet: (len(sheet.id), sheet.id))
    for field, down in reversed(orders):
        sheets = sorted(sheets, key=cmp_to_key(_comparing(company, field)), reverse=down)
    return sheets


def _comparing(company: Company, field: Field) -> Callable[[Sheet, Sheet], int]:
    def compare(one: Sheet, other: Sheet) -> int:
        a, b = field.of(company, one), field.of(company, other)
        if a is None or b is None:
            return int(a is not None) - int(b is not None)
        return int(a > b) - int(a < b)

    return compare


def _field(entity: str, name: str) -> Field:
    found = FIELDS[entity].get(name.lower())
    if found is None:
        raise Unanswerable(f"QueryValidationError: Property {name} not found for Entity {entity}")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._words = list(_split(text))
        self._at = 0

    def question(self) -> Question:
        self._expect("SELECT")
        counting = self._columns()
        self._expect("FROM")
        entity = self._entity(self._next())
        conditions = self._conditions() if self._took("WHERE") else ()
        orders = self._orders() if self._took_order() else ()
        start = self._count("STARTPOSITION", 1) or 1
        most = self._count("MAXRESULTS", USUAL)
        if self._at < len(self._words):
            raise self._wrong(self._words[self._at])
        if most > MOST:
            raise Unanswerable(f"QueryValidationError: value {most} is too large. Max allowed value is {MOST}.")
        return Question(entity, counting, conditions, orders, start, most)

    def _columns(self) -> bool:
        """Only `*` and `COUNT(*)` mean something; a list of fields is read, and whole rows come back all the same."""
        first = self._next()
        if first.upper() == "COUNT":
            for mark in "(*)":
                self._expect(mark)
            return True
        while self._took(","):
            self._next()
        return False

    def _entity(self, name: str) -> str:
        for known in (*FIELDS, *FIXED, *EMPTY):
            if known.lower() == name.lower():
                return known
        raise Unanswerable(f"QueryValidationError: Invalid context declaration '{name}': there is no such entity")

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._took("AND"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        field, sign = self._next(), self._next().upper()
        if sign in SIGNS or sign == "LIKE":
            return Condition(field, sign, (_unquoted(self._next()),))
        if sign != "IN":
            raise self._wrong(sign)
        self._expect("(")
        values = [_unquoted(self._next())]
        while self._took(","):
            values.append(_unquoted(self._next()))
        self._expect(")")
        return Condition(field, "IN", tuple(values))

    def _took_order(self) -> bool:
        if self._took("ORDERBY"):
            return True
        if self._took("ORDER"):
            self._expect("BY")
            return True
        return False

    def _orders(self) -> tuple[tuple[str, bool], ...]:
        orders = []
        while True:
            name, down = self._next(), False
            if self._took("DESC"):
                down = True
            else:
                self._took("ASC")
            orders.append((name, down))
            if not self._took(","):
                return tuple(orders)

    def _count(self, word: str, otherwise: int) -> int:
        if not self._took(word):
            return otherwise
        given = self._next()
        if not given.isdigit():
            raise self._wrong(given)
        return int(given)

    def _took(self, word: str) -> bool:
        if self._at < len(self._words) and self._words[self._at].upper() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._wrong(self._words[self._at] if self._at < len(self._words) else "<EOF>")

    def _next(self) -> str:
        if self._at >= len(self._words) or self._words[self._at].upper() in _KEYWORDS:
            raise self._wrong(self._words[self._at] if self._at < len(self._words) else "<EOF>")
        self._at += 1
        return self._words[self._at - 1]

    def _wrong(self, word: str) -> Unreadable:
        return Unreadable(f"QueryParserError: Encountered “{word}” at word {self._at + 1} of the query")


def _split(text: str) -> Iterator[str]:
    at, text = 0, text.strip().rstrip(";")
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise Unreadable(f"QueryParserError: Lexical error at line 1, column {at + 1}. Encountered: “{text[at]}”")
        at = match.end()
        yield match[0].strip()


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL) if word.startswith("'") else word
