"""The ways in which the outside world fails, switched on by hand.

A ledger answers too late, half, wrongly, or not at all; a mail server refuses, or takes a letter and hangs up before
saying so. Each can be ordered here for the very next call, so that what must never happen twice can be shown not to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SLOW = 2.0  # seconds, unless told otherwise
API_FAULTS = (
    "429min",
    "429day",
    "429conc",
    "503",
    "500html",
    "401",
    "400",
    "304",
    "html",
    "403",
    "fault_in_200",
    "slow",
    "drop_before",
    "drop_after",
    "truncated",
)
QUICKBOOKS_FAULTS = (
    "429",
    "429xml",
    "401",
    "403",
    "500",
    "503",
    "504",
    "500empty",
    "500html",
    "html",
    "fault_in_200",
    "truncated_cdc",
    "latin1",
    "5010",
    "2050",
    "slow",
    "drop_before",
    "drop_after",
    "truncated",
)
TWILIO_FAULTS = (
    "429",
    "500",
    "503",
    "502html",
    "401",
    "403",
    "drop_before",
    "slow",
    "500after",
    "503after",
    "drop_after",
    "truncated",
)
TOKEN_FAULTS = ("invalid_grant", "lost_answer", "500", "slow")


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure. `method` and `path` (a part of it) say which call it strikes; `seconds` how slow, or Retry-After."""

    name: str
    seconds: float | None = None
    method: str = ""
    path: str = ""

    def strikes(self, method: str, path: str) -> bool:
        return self.method in ("", method) and self.path in path


@dataclass(slots=True)
class SmtpFaults:
    refuse: tuple[str, ...] = ()  # 550 at RCPT for these addresses; "*" is everybody
    temporary: tuple[str, ...] = ()  # 451 at RCPT for these addresses
    drop_after_data: int = 0  # so many letters are kept, but the line goes dead before "250"
    drop_before_data: int = 0  # so many letters are cut off before they are taken
    slow: float = 0.0  # seconds before each DATA is answered


@dataclass(slots=True)
class Faults:
    next: list[Fault] = field(default_factory=list)
    token: list[Fault] = field(default_factory=list)
    quickbooks: list[Fault] = field(default_factory=list)
    quickbooks_token: list[Fault] = field(default_factory=list)
    twilio: list[Fault] = field(default_factory=list)
    smtp: SmtpFaults = field(default_factory=SmtpFaults)
    down: str = ""  # "", "503" or "drop"

    def take(self, queue: list[Fault], method: str, path: str) -> Fault | None:
        for index, fault in enumerate(queue):
            if fault.strikes(method, path):
                return queue.pop(index)
        return None


def read_faults(wanted: Iterable[object], known: tuple[str, ...]) -> list[Fault]:
    """From what the control door was told: `"503"`, `"slow:0.5"` or `{"fault": "503", "method": "PUT"}`."""
    faults = []
    for item in wanted:
        given: dict[str, Any] = dict(item) if isinstance(item, dict) else {"fault": str(item)}
        name, _, seconds = str(given.pop("fault", "")).partition(":")
        if name not in known:
            raise ValueError(f"“{name}” is not a fault known here; known are {', '.join(known)}.")
        if seconds:
            given["seconds"] = float(seconds)
        try:
            faults.append(Fault(name, **given))
        except TypeError:
            raise ValueError(f"A fault takes fault, seconds, method and path, not {', '.join(given)}.") from None
    return faults


def read_smtp_faults(wanted: dict[str, Any]) -> SmtpFaults:
    faults = SmtpFaults()
    for name, value in wanted.items():
        if name in ("refuse", "temporary"):
            addresses = ("*",) if value is True else (value,) if isinstance(value, str) else tuple(value or ())
            setattr(faults, name, tuple(address.lower() for address in addresses))
        elif name in ("drop_after_data", "drop_before_data"):
            setattr(faults, name, int(value))
        elif name == "slow":
            faults.slow = float(value)
        else:
            raise ValueError(
                f"“{name}” is not a mail fault; known are refuse, temporary, drop_after_data, drop_before_data, slow."
            )
    return faults
