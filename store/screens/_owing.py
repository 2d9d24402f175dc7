"""What still owes something: the one meaning of an open invoice that every total on every page shares.

Were each page to decide for itself what is open, two of them could show two sums for the same account.
"""

from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlmodel import col

from engine.receivables import InvoiceStatus
from store.tables import InvoiceRow

OPEN = (col(InvoiceRow.status) == InvoiceStatus.OPEN, col(InvoiceRow.balance) > 0)


def sum_where(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, col(InvoiceRow.balance)), else_=0))
