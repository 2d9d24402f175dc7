"""Is the sender who the mail says? What the mail servers on its way have found, in a few words, and never as proof.

A server that takes a mail in writes down whether it came from where its envelope says (SPF) and whether it was signed
(DKIM). That only means something when the domain so proven is the one in the From line, which is what DMARC asks.
"""

import re
from collections.abc import Iterator
from email.message import Message

from channels._mail_parts import header, sender

CONFIRMED = "confirmed"
"""By a server that took the mail in: the domain in the From line has sent it."""

CONTRADICTED = "not confirmed"
"""A server looked, and found nothing that speaks for the domain in the From line."""

_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_DOMAIN = re.compile(
    r"\b(?:header\.d|header\.i|header\.from|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?(?:[^\s;\"@]*@)?([A-Za-z0-9.-]{3,255})",
    re.IGNORECASE,
)


def authenticity(mail: Message) -> str:
    """`confirmed`, `not confirmed`, or empty when no server has said anything. Only the topmost word counts: every
    server writes its own above what the mail brought along.
    """
    found = list(_results(header(mail, "Authentication-Results")))
    if not found:
        return ""
    domain = sender(mail)[0].rpartition("@")[2].lower()
    verdicts = {verdict for method, verdict, _ in found if method == "dmarc"}
    if verdicts:
        return CONFIRMED if verdicts == {"pass"} else CONTRADICTED
    fits = any(verdict == "pass" and _aligned(proven, domain) for _, verdict, proven in found)
    return CONFIRMED if domain and fits else CONTRADICTED


def _results(written: str) -> Iterator[tuple[str, str, str]]:
    """Each method with its verdict and the domain that it speaks of."""
    for method, verdict, rest in _RESULT.findall(written[:10_000]):
        domain = _DOMAIN.search(rest)
        yield method.lower(), verdict.lower(), domain[1].lower() if domain else ""


def _aligned(proven: str, domain: str) -> bool:
    """The same domain, or one below the other."""
    if "." not in proven or "." not in domain:
        return False
    return proven == domain or proven.endswith("." + domain) or domain.endswith("." + proven)
