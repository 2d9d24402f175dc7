"""How exact amounts and instants are kept, alike in SQLite and PostgreSQL.

Money must come back to the cent, so it is kept as a whole number of ten-thousandths. Instants are kept in UTC.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_SCALE = 10_000


class Amount(TypeDecorator[Decimal]):
    """An exact amount with up to four decimals. Raises ValueError for one with more."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        scaled = value * _SCALE
        if scaled != int(scaled):
            raise ValueError(f"the amount {value} has more than four decimals")
        return int(scaled)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else (Decimal(value) / _SCALE).quantize(_exponent(value))


def _exponent(scaled: int) -> Decimal:
    """Two decimals as people write them, more only where the amount has more."""
    return Decimal("0.01") if scaled % 100 == 0 else Decimal("0.0001")


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC. Raises ValueError for one without a time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the instant {value} has no time zone")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
