"""The desk for what only QuickBooks has, as a program sees it: `control.quickbooks.…`."""

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


class QuickBooksControl:
    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def stands(self, *, organisation: str | None = None) -> Row:
        """{realm_id, metered, batches, lists}: metered are the answered calls that Intuit puts on the bill."""
        return self._ask("quickbooks", organisation=organisation)

    def write_out(self, *, organisation: str | None = None) -> int:
        """Writes every row out ahead, so that whoever measures a reader measures nothing else. Gives how many."""
        return self._ask("quickbooks_write_out", organisation=organisation)

    def numbers(self, *, organisation: str | None = None) -> dict[str, str]:
        """The Id that QuickBooks shows for each contact, invoice, payment and credit, by the id used here."""
        return self._ask("quickbooks_numbers", organisation=organisation)

    def habits(self, *, organisation: str | None = None, **habits: Any) -> Row:
        """notes_cap=2000, latin1=None | True | False, attachable_on_customer=True, online_payments=True,
        cdc_most=1000, cdc_shared=True, throttled_in_xml=False. Gives them as they stand."""
        return self._ask("quickbooks_habits", organisation=organisation, keep=habits)

    def grants(
        self,
        *,
        changes_after: float | None = None,
        old_lasts: float | None = None,
        replay_ends_grant: bool | None = None,
    ) -> None:
        """changes_after: seconds until a refresh token gets a new value (a day); old_lasts: how long the old one
        answers then (an hour); replay_ends_grant: a dead or doubled refresh token ends the whole grant (no)."""
        self._ask(
            "quickbooks_grants", changes_after=changes_after, old_lasts=old_lasts, replay_ends_grant=replay_ends_grant
        )

    def limits(self, **limits: int | None) -> Row:
        """minute=, second=, at_once=; None switches one off. Counted anew from here, on the sandbox's clock."""
        return self._ask("quickbooks_limits", keep=limits)

    def webhooks(self, url: str, verifier: str, *, shape: str = "cloudevents") -> None:
        """Posts go there from now on, as `cloudevents` or in the older shape, `notifications`."""
        self._ask("quickbooks_webhooks", keep={"url": url, "verifier": verifier, "shape": shape})

    def no_webhooks(self) -> None:
        self._ask("quickbooks_webhooks")

    def posts(self) -> list[Row]:
        """{at, body, tries, statuses} of each, oldest first. A status of 0: nobody answered."""
        return self._ask("quickbooks_posts")

    def post_again(self, number: int) -> None:
        self._ask("quickbooks_post_again", number=number)

    def row(self, entity: str, row: Row, *, like: str | None = None, organisation: str | None = None) -> str:
        """Shows this row exactly as given; with `like`, over a copy of the row with that Id. Gives its Id."""
        return self._ask("quickbooks_row", entity=entity, row=row, like=like, organisation=organisation)

    def odd_rows(self, *, organisation: str | None = None) -> dict[str, str]:
        """Lays down one of each kind of row that no specification foresaw. Gives their Ids by kind."""
        return self._ask("quickbooks_odd_rows", organisation=organisation)
