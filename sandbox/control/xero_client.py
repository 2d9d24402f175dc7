"""The desk for what only Xero has, as a program sees it: `control.xero.…`."""

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


class XeroControl:
    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def webhooks(self, url: str, key: str, *, intent: bool = True, edits_ring: bool = True) -> str:
        """Posts go there from now on; with `intent` only after it answered the test posts well. Gives the state."""
        return self._ask("xero_webhooks", keep={"url": url, "key": key, "intent": intent, "edits_ring": edits_ring})

    def no_webhooks(self) -> None:
        self._ask("xero_webhooks")

    def webhook_state(self) -> str:
        """off, waiting (for the answers to an intent to receive), on, given up."""
        return self._ask("xero_webhook_state")

    def posts(self) -> list[Row]:
        """{at, events, well_signed, tries, statuses} of each, oldest first. A status of 0: nobody answered."""
        return self._ask("xero_posts")

    def post_again(self, number: int) -> None:
        self._ask("xero_post_again", number=number)

    def habits(self, *, longest_note: int) -> None:
        self._ask("xero_habits", longest_note=longest_note)

    def odd_rows(self, *, organisation: str | None = None) -> dict[str, str]:
        """Lays down one of each kind of row that no specification foresaw. Gives their ids by kind."""
        return self._ask("odd_rows", organisation=organisation)

    def fill_large(
        self,
        invoices: int,
        *,
        contacts: int | None = None,
        open_share: float = 0.04,
        seed: int = 1,
        organisation: str | None = None,
    ) -> dict[str, int]:
        """A firm with two years of so many invoices, in one call. Gives how many of each there are."""
        return self._ask(
            "fill_large",
            invoices=invoices,
            contacts=contacts,
            open_share=open_share,
            seed=seed,
            organisation=organisation,
        )
