"""What mail servers look up before they believe a mail of ours: SPF, DKIM, DMARC, and where answers are to go.

A mail whose names are not in order is filed as junk, silently, and nobody ever says so. The name server that is asked
can be given, so that somebody can ask the one at their provider.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dns.exception
import dns.resolver

from jobs.doctor import Finding, look, ok, wrong

SENDGRID, SENDGRID_MX = "email_sendgrid", "mx.sendgrid.net"
SENDGRID_SELECTORS = ("s1", "s2")
"""Those of SendGrid's automated security (https://www.twilio.com/docs/sendgrid/ui/account-and-settings/dkim-records)."""

FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "msn.com"),
        *(
            "yahoo.com",
            "yahoo.co.uk",
            "yahoo.de",
            "yahoo.fr",
            "ymail.com",
            "aol.com",
            "icloud.com",
            "me.com",
            "mac.com",
        ),
        *("gmx.de", "gmx.net", "gmx.com", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "mail.com"),
        *("proton.me", "protonmail.com", "zoho.com", "yandex.com", "mail.ru", "orange.fr", "free.fr", "laposte.net"),
        *("btinternet.com", "virginmedia.com", "sky.com", "bigpond.com", "optusnet.com.au", "xtra.co.nz"),
    }
)
"""Domains of which no firm may prove that it sends for them, so that their own rules have its mail refused."""


class Unanswered(Exception):
    """No name server answered. The message says which, and why."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An email channel as the doctor sees it: where mails come from, and where answers go."""

    kind: str
    from_address: str
    reply_address: str


class Names:
    """Asks for names. `server` is an address, perhaps with a port (`192.0.2.1:53`); empty: as this machine does."""

    def __init__(self, server: str = "", *, seconds: float = 3.0) -> None:
        host, _, port = server.partition(":") if server.count(":") == 1 else (server, "", "")
        try:
            self._resolver = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration as problem:
            raise Unanswered(f"this machine knows no name server: {problem}") from problem
        if server:
            self._resolver.nameservers, self._resolver.port = [host], int(port or 53)
        self._resolver.timeout, self._resolver.lifetime = seconds, seconds

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records, each put together. None, and a name that nobody has, are the same. Raises Unanswered."""
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT"))

    def mail_servers(self, name: str) -> tuple[str, ...]:
        """The MX hosts in lower case, the preferred first."""
        records = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return tuple(record.exchange.to_text(omit_final_dot=True).lower() for record in records)

    def _ask(self, name: str, kind: str) -> Sequence[object]:
        try:
            return list(self._resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as problem:
            raise Unanswered(f"no name server told of {name}: {problem}") from problem


def names(senders: Sequence[Sender], server: str, seconds: float, selectors: Sequence[str]) -> Iterator[Finding]:
    """All that mail servers look up about these senders. When nobody answers, that is said once."""
    for sender in senders:
        domain = _domain(sender.from_address)
        if domain in FREE_MAIL:
            says = f"reminders come from {sender.from_address}, and {domain} lets nobody else send for it"
            yield wrong(f"[{sender.kind}] From", says, "Send from an address of your own domain.")
        else:
            yield ok(f"[{sender.kind}] From", f"reminders come from {sender.from_address}")
    try:
        asked = Names(server, seconds=seconds)
        for sender in senders:
            if _domain(sender.from_address) not in FREE_MAIL:
                yield from _of_sender(asked, sender, selectors)
    except Unanswered as problem:
        does = "Are you offline? Try again, or name a server with --dns-server."
        yield look("DNS", f"names were not looked up: {problem}", does)


def _of_sender(asked: Names, sender: Sender, selectors: Sequence[str]) -> Iterator[Finding]:
    domain = _domain(sender.from_address)
    yield _spf(asked, domain)
    yield from _dkim(asked, domain, sender.kind, selectors)
    yield _dmarc(asked, domain)
    yield _answers(asked, sender)


def _spf(asked: Names, domain: str) -> Finding:
    about = f"SPF of {domain}"
    records = [text for text in asked.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not records:
        does = "Add a TXT record such as “v=spf1 include:… ~all”, with the include that your mail provider names."
        return look(about, "no record says who may send for it", does)
    if len(records) > 1:
        return wrong(about, f"it has {len(records)} records, and two count as none", "Make one of them.")
    if any(term.lower() in ("+all", "all") for term in records[0].split()):
        return wrong(about, "it lets everybody send for it", "End it with ~all or -all instead.")
    return ok(about, records[0])


def _dkim(asked: Names, domain: str, kind: str, selectors: Sequence[str]) -> Iterator[Finding]:
    wanted = (*selectors, *(SENDGRID_SELECTORS if kind == SENDGRID and not selectors else ()))
    if not wanted:
        does = "Write the selector that your mail provider names into dkim_selectors of [doctor]."
        yield look(f"DKIM of {domain}", "its selector is not known here, so its key was not looked up", does)
    for selector in wanted:
        name = f"{selector}._domainkey.{domain}"
        keys = [tags.get("p") for tags in map(_tags, asked.texts(name)) if "p" in tags]
        if not keys:
            does = "Add the record that your mail provider names, and wait until it is known everywhere."
            yield wrong(f"DKIM of {domain}", f"there is no key at {name}, so signatures cannot be checked", does)
        elif not keys[0]:
            yield wrong(f"DKIM of {domain}", f"the key at {name} was taken back", "Add the key in use.")
        else:
            yield ok(f"DKIM of {domain}", f"there is a key at {name}")


def _dmarc(asked: Names, domain: str) -> Finding:
    about = f"DMARC of {domain}"
    for name in _upwards(domain):
        records = [text for text in asked.texts(f"_dmarc.{name}") if text.lower().startswith("v=dmarc1")]
        if len(records) > 1:
            return wrong(about, f"_dmarc.{name} has {len(records)} records, and two count as none", "Make one of them.")
        if records:
            policy = _tags(records[0]).get("p", "")
            if policy.lower() not in ("none", "quarantine", "reject"):
                return wrong(about, f"the record at _dmarc.{name} has no policy", "Write p=none into it, at least.")
            return ok(about, f"_dmarc.{name} says p={policy}")
    does = f"Add a TXT record at _dmarc.{domain}: “v=DMARC1; p=none; rua=mailto:…”. Large providers ask for one."
    return look(about, "no record says what to do with mail that only pretends to come from it", does)


def _answers(asked: Names, sender: Sender) -> Finding:
    domain = _domain(sender.reply_address)
    about, servers = f"MX of {domain}", asked.mail_servers(domain)
    if not servers or servers == ("",):
        says = f"nobody takes mail for {domain}, so answers to {sender.reply_address} are lost"
        return wrong(about, says, "Add its MX record, or let answers go to another address.")
    if sender.kind == SENDGRID and SENDGRID_MX not in servers:
        says = f"answers go to {servers[0]}, and not to SendGrid, which would hand them in here"
        return wrong(
            about, says, f"Give a subdomain of its own the MX record 10 {SENDGRID_MX}, and use it for replies."
        )
    return ok(about, f"answers go to {servers[0]}")


def _tags(record: str) -> dict[str, str]:
    """`v=DKIM1; p=MIG…` by its tags."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, found, value in pairs if found}


def _upwards(domain: str) -> Iterator[str]:
    """The domain, then those above it that have a name of their own: `pay.firm.example`, `firm.example`."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip(" >").lower()
