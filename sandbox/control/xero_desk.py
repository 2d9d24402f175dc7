"""The desk for what only Xero has: its webhooks, its undocumented habits, its odd rows, and a very large firm."""

from typing import Any

from sandbox.filling import large, odd
from sandbox.world import World


class XeroDesk:
    def __init__(self, world: World) -> None:
        self.world = world

    def xero_webhooks(self, url: str = "", key: str = "", intent: bool = True, edits_ring: bool = True) -> str:
        """Where to post, and signed with what; without an address nothing is posted any more. Gives the state."""
        hooks = self.world.webhooks
        hooks.edits_ring = edits_ring
        if url:
            hooks.register(url, key, intent=intent)
        else:
            hooks.switch_off()
        return hooks.state

    def xero_webhook_state(self) -> str:
        return self.world.webhooks.state

    def xero_posts(self) -> list[dict[str, Any]]:
        return self.world.webhooks.rows()

    def xero_post_again(self, number: int) -> None:
        self.world.webhooks.ring_again(number)

    def xero_habits(self, longest_note: int) -> None:
        self.world.xero_habits.longest_note = longest_note

    def odd_rows(self, organisation: str | None = None) -> dict[str, str]:
        """One of each kind of row that no specification foresaw. Gives their ids by kind."""
        return odd.lay_down(self.world.organisation(organisation).books, self.world.clock.now())

    def fill_large(
        self,
        invoices: int,
        contacts: int | None = None,
        open_share: float = 0.04,
        seed: int = 1,
        organisation: str | None = None,
    ) -> dict[str, int]:
        """Two years of invoices up to now, the newest of them still open. Gives how many of each there are."""
        firm = self.world.organisation(organisation)
        return large.fill(self.world, firm, invoices, contacts or max(1, invoices // 20), open_share, seed)
