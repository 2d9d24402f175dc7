"""The desk for the practice SendGrid: its webhooks, what becomes of mails, its habits, and how it fails."""

from dataclasses import asdict
from typing import Any

from sandbox.documents import NotPossible
from sandbox.faults import read_faults
from sandbox.sendgrid.account import FATES, FAULTS, KEY, Mail
from sandbox.sendgrid.inbound import ParseSetting, Policy
from sandbox.sendgrid.sending import STOPS
from sandbox.sendgrid.signing import Signer
from sandbox.sendgrid.telling import KINDS, Webhook
from sandbox.world import World

LATER = (*FATES, *STOPS, "open", "click")


class SendGridDesk:
    def __init__(self, world: World) -> None:
        self._world, self._grid = world, world.sendgrid

    def sendgrid_mails(self) -> list[dict[str, Any]]:
        return [
            {
                "sg_message_id": mail.sg_message_id,
                "to": mail.to,
                "subject": mail.subject,
                "custom_args": mail.custom_args,
                "categories": mail.categories,
                "smtp_id": mail.smtp_id,
                "at": mail.at.isoformat(),
                "letter": mail.letter,
                "events": [event["event"] for event in mail.events],
            }
            for mail in self._grid.account.mails
        ]

    def sendgrid_webhook(self, url: str, signed: bool = True) -> str:
        """Told of every kind of event from now on. Gives the public key; empty without signature."""
        account, now = self._grid.account, self._world.clock.now()
        signer = Signer.drawn(account.chance) if signed else None
        wants = set(KINDS.values())
        self._grid.telling.webhooks.append(Webhook(account.new_id(), url, now, now, wants=wants, signer=signer))
        return signer.public_key if signer else ""

    def sendgrid_no_webhooks(self) -> None:
        self._grid.telling.webhooks.clear()

    def sendgrid_parse(
        self, hostname: str, url: str, raw: bool = True, signed: bool = True, spam_check: bool = False, field: str = ""
    ) -> str:
        """Mails to this hostname are handed in there from now on. Gives the public key; empty without signature."""
        account, inbound = self._grid.account, self._grid.inbound
        policy = Policy(account.new_id(), hostname, Signer.drawn(account.chance) if signed else None)
        inbound.policies[policy.id] = policy
        setting = ParseSetting(hostname.lower(), url, spam_check, raw, policy.id, field or "email")
        inbound.register(setting)
        return policy.signer.public_key if policy.signer else ""

    def sendgrid_posts(self) -> list[dict[str, Any]]:
        return [asdict(told) | {"at": told.at.isoformat()} for told in self._grid.telling.told]

    def sendgrid_post_again(self, number: int) -> None:
        self._grid.telling.again(int(number))

    def sendgrid_handed(self) -> list[dict[str, Any]]:
        return [
            {"at": one.at.isoformat(), "hostname": one.hostname, "bytes": len(one.body), "tries": one.tries}
            | {"statuses": one.statuses, "state": one.state}
            for one in self._grid.inbound.handed
        ]

    def sendgrid_hand_again(self, number: int) -> None:
        self._grid.inbound.again(int(number))

    def sendgrid_fates(self, **fates: str) -> dict[str, str]:
        """What becomes of mails to these addresses from now on."""
        for address, fate in fates.items():
            if fate not in FATES:
                raise NotPossible(f"A mail cannot be “{fate}”; it can be {', '.join(FATES)}.")
            self._grid.account.fates[address.lower()] = fate
        return self._grid.account.fates

    def sendgrid_happens(self, mail: int, what: str) -> None:
        """Something becomes of a mail that was taken before."""
        if what not in LATER:
            raise NotPossible(f"“{what}” does not happen to a mail; what does is {', '.join(LATER)}.")
        self._grid.sending.happens(self._mail(mail), what)

    def sendgrid_suppressed(self, lift: str = "") -> dict[str, str]:
        """Addresses that are not written to, and why. `lift` takes one off the list."""
        self._grid.account.suppressed.pop(lift.lower(), None)
        return self._grid.account.suppressed

    def sendgrid_habits(self, **wanted: Any) -> dict[str, Any]:
        habits = self._grid.account.habits
        for name, value in wanted.items():
            if name not in habits.__dataclass_fields__:
                raise NotPossible(f"There is no habit “{name}”; there are {', '.join(habits.__dataclass_fields__)}.")
            setattr(habits, name, value)
        return asdict(habits)

    def sendgrid_senders(self, domains: list[str] | None = None, senders: list[str] | None = None) -> None:
        """The From domains that are authenticated (none given: all are), and addresses that are verified alone."""
        account = self._grid.account
        account.domains = None if domains is None else {domain.lower() for domain in domains}
        account.senders = {sender.lower() for sender in senders or ()}

    def sendgrid_key(self, scopes: list[str], key: str = KEY) -> None:
        """What this key may do; no scopes: the key is no longer valid."""
        if scopes:
            self._grid.account.keys[key] = tuple(scopes)
        else:
            self._grid.account.keys.pop(key, None)

    def sendgrid_limit(self, a_minute: int | None = None) -> None:
        self._grid.account.rate.a_minute = a_minute
        self._grid.account.rate.begun = None

    def sendgrid_faults(self, next: list[Any]) -> list[dict[str, Any]]:
        self._grid.account.faults = read_faults(next, FAULTS)
        return [asdict(fault) for fault in self._grid.account.faults]

    def _mail(self, number: int) -> Mail:
        mails = self._grid.account.mails
        if not 0 <= number < len(mails):
            raise NotPossible(f"There is no mail number {number}; {len(mails)} were taken so far.")
        return mails[number]
