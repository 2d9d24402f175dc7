"""What we remember: a faithful copy of the ledger, where every account stands, what was sent, and what came back."""

from store.database import Database
from store.high_water import HighWater
from store.secrets import SealBroken, Vault, read_or_make_keys

__all__ = ["Database", "HighWater", "SealBroken", "Vault", "read_or_make_keys"]
