"""The desk for the practice SendGrid, as a program sees it: `control.sendgrid.…`."""

from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]


class SendGridControl:
    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def mails(self) -> list[Row]:
        """One for each recipient, oldest first: {sg_message_id, to, subject, custom_args, categories, smtp_id, at,
        letter, events}. `letter` is its number among `control.mails()`."""
        return self._ask("sendgrid_mails")

    def webhook(self, url: str, *, signed: bool = True) -> str:
        """Every kind of event is told there from now on. Gives the public key; empty without signature."""
        return self._ask("sendgrid_webhook", url=url, signed=signed)

    def no_webhooks(self) -> None:
        self._ask("sendgrid_no_webhooks")

    def parse(
        self,
        hostname: str,
        url: str,
        *,
        raw: bool = True,
        signed: bool = True,
        spam_check: bool = False,
        field: str = "email",
    ) -> str:
        """Mails to this hostname are handed in there. Gives the public key; empty without signature."""
        given = {"hostname": hostname, "url": url, "raw": raw, "signed": signed}
        return self._ask("sendgrid_parse", keep=given | {"spam_check": spam_check, "field": field})

    def posts(self) -> list[Row]:
        """Of events: {at, url, events, tries, statuses}. A status of 0: nobody answered."""
        return self._ask("sendgrid_posts")

    def post_again(self, number: int) -> None:
        self._ask("sendgrid_post_again", number=number)

    def handed(self) -> list[Row]:
        """Mails handed in: {at, hostname, bytes, tries, statuses, state}; a state is waiting, done or dropped."""
        return self._ask("sendgrid_handed")

    def hand_again(self, number: int) -> None:
        self._ask("sendgrid_hand_again", number=number)

    def fates(self, fates: dict[str, str]) -> Row:
        """delivered, bounce, blocked, deferred, dropped or spamreport, by address."""
        return self._ask("sendgrid_fates", keep=dict(fates))

    def happens(self, mail: int, what: str) -> None:
        """A fate, or open, click, unsubscribe, to the mail of this number in `mails()`."""
        self._ask("sendgrid_happens", mail=mail, what=what)

    def suppressed(self, *, lift: str = "") -> Row:
        return self._ask("sendgrid_suppressed", lift=lift)

    def habits(self, **habits: Any) -> Row:
        """logs_after=, events_after= (seconds), duplicates=, out_of_order=."""
        return self._ask("sendgrid_habits", keep=habits)

    def senders(self, *, domains: Sequence[str] | None = None, senders: Sequence[str] = ()) -> None:
        given = {"domains": None if domains is None else list(domains), "senders": list(senders)}
        self._ask("sendgrid_senders", keep=given)

    def key(self, scopes: Sequence[str], **key: str) -> None:
        """What a key (`key=`, without it the usual one) may do; no scopes: it is no longer valid."""
        self._ask("sendgrid_key", keep={"scopes": list(scopes), **key})

    def limit(self, a_minute: int | None) -> None:
        self._ask("sendgrid_limit", keep={"a_minute": a_minute})

    def faults(self, *faults: str | Row) -> list[Row]:
        """Of the next calls: 400, 401, 403, 429, 500, 503, 502html (before anything is done), 500_after, drop_after
        (it is done, and the answer is another or none), drop_before, slow."""
        return self._ask("sendgrid_faults", next=list(faults))
