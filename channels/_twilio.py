"""What text messages and calls by Twilio share: how a number is written, and whether Twilio can reach our doors."""

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from channels._twilio_line import HOME, Keys

EVIDENCE_WAITS = tuple(timedelta(minutes=wait) for wait in (2, 10, 30, 120))
"""A text or call in doubt is looked for at these distances: nobody says how soon the lists show one."""

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_number(text: str) -> bool:
    """Is it in the form of E.164, as +447700900123?"""
    return E164.fullmatch(text) is not None


def check_keys(settings: Keys) -> None:
    """Raises ValueError with a sentence about the first setting that cannot be."""
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", settings.account_sid):
        raise ValueError("account_sid is not one: it begins with AC and has 34 characters; see Twilio's console")
    if not settings.auth_token:
        raise ValueError("auth_token is missing: Twilio signs what it tells us with it, whatever keys we call with")
    if bool(settings.api_key) != bool(settings.api_secret):
        raise ValueError("api_key and api_secret belong together: give both, or neither")


def check_number(name: str, number: str) -> None:
    if number and not is_number(number):
        raise ValueError(f"{name} is '{number}'; write it with its country, as +447700900123")


def reachable(doors: str, base_url: str) -> bool:
    """Can Twilio post to our doors? Not to an address on this machine, nor to a name with an underscore.

    A Twilio that is itself on this machine, to practise with, can.
    """
    host = urlsplit(doors).hostname or ""
    if not host or "_" in host:
        return False
    return base_url.rstrip("/") != HOME or not _is_near(host)


def hour(text: Any) -> datetime | None:
    """An hour as Twilio writes it, in UTC; None for none. Its library has read some of them already."""
    if isinstance(text, datetime):
        return text.astimezone(UTC)
    try:
        return parsedate_to_datetime(str(text)).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def _is_near(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
