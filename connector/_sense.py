"""What makes sense in a row of any ledger. A row that does not is put aside for a person, and the others go on."""

from decimal import Decimal

NOTHING = Decimal(0)
LARGEST = Decimal(10) ** 14
_CENTS = Decimal("0.01")


class Odd(Exception):
    """A row that does not make sense; the message says why."""


def money(amount: Decimal | None) -> Decimal:
    """An amount with four decimals at most; nothing where none is given. Raises Odd."""
    if not amount:
        return NOTHING
    if amount.same_quantum(_CENTS) and -LARGEST < amount < LARGEST:
        return amount  # nearly every amount, so it is looked at first
    if not amount.is_finite():
        raise Odd("An amount is not a number.")
    if abs(amount) >= LARGEST or amount != round(amount, 4):
        raise Odd(f"The amount {amount} is not one that money has: too large, or more than four decimals.")
    return amount
