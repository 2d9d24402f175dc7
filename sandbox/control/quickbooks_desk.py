"""The desk for what only QuickBooks has: its bill, its undocumented habits, its limits, webhooks and odd rows."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sandbox.documents import NotPossible
from sandbox.filling import odd_quickbooks
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.rows import row_of, shown
from sandbox.quickbooks.sheets import ENTITIES
from sandbox.world import World


class QuickBooksDesk:
    def __init__(self, world: World) -> None:
        self.world = world

    def quickbooks(self, organisation: str | None = None) -> dict[str, Any]:
        """How the company stands: its realm, the calls that Intuit would put on the bill, and how much there is."""
        company = self._company(organisation)
        return {
            "realm_id": company.realm,
            "metered": company.metered,
            "batches": company.batches,
            "lists": {name: len(shelf) for name, shelf in company.files.items()},
        }

    def quickbooks_write_out(self, organisation: str | None = None) -> int:
        """Every row is written out now rather than when it is first asked for. Gives how many there are."""
        company = self._company(organisation)
        return sum(len(shown(company, sheet)) > 0 for shelf in company.files.values() for sheet in shelf)

    def quickbooks_numbers(self, organisation: str | None = None) -> dict[str, str]:
        """The Id that QuickBooks shows, by the id that this door uses."""
        return self._company(organisation).numbers()

    def quickbooks_habits(self, organisation: str | None = None, **wanted: Any) -> dict[str, Any]:
        company = self._company(organisation)
        for name, value in wanted.items():
            if name not in company.habits.__dataclass_fields__:
                known = ", ".join(company.habits.__dataclass_fields__)
                raise NotPossible(f"There is no habit “{name}”; there are {known}.")
            setattr(company.habits, name, value)
        company.show_anew()
        return asdict(company.habits)

    def quickbooks_grants(
        self, changes_after: float | None = None, old_lasts: float | None = None, replay_ends_grant: bool | None = None
    ) -> None:
        """Seconds until a refresh token changes, and for how long the old one still answers then."""
        identity = self.world.quickbooks.identity
        if changes_after is not None:
            identity.changes_after = timedelta(seconds=float(changes_after))
        if old_lasts is not None:
            identity.old_lasts = timedelta(seconds=float(old_lasts))
        if replay_ends_grant is not None:
            identity.replay_ends_grant = replay_ends_grant

    def quickbooks_limits(self, **wanted: int | None) -> dict[str, int | None]:
        limits = self.world.quickbooks.limits
        for name, value in wanted.items():
            if name not in ("minute", "second", "at_once"):
                raise NotPossible(f"There is no limit “{name}”; there are minute, second, at_once.")
            setattr(limits, name, int(value) if value else None)
        if wanted:
            limits.reset()
        return {"minute": limits.minute, "second": limits.second, "at_once": limits.at_once}

    def quickbooks_webhooks(self, url: str = "", verifier: str = "", shape: str = "cloudevents") -> None:
        """Where to post, and signed with what; without an address nothing is posted any more."""
        self.world.quickbooks.webhooks.register(url, verifier, shape)

    def quickbooks_posts(self) -> list[dict[str, Any]]:
        return self.world.quickbooks.webhooks.rows()

    def quickbooks_post_again(self, number: int) -> None:
        self.world.quickbooks.webhooks.ring_again(int(number))

    def quickbooks_row(
        self, entity: str, row: dict[str, Any], like: str | None = None, organisation: str | None = None
    ) -> str:
        """Shows this row exactly as given; with `like`, over a copy of the row with that Id. Gives its Id."""
        company = self._company(organisation)
        if entity not in ENTITIES:
            raise NotPossible(f"There is no list “{entity}”; there are {', '.join(ENTITIES)}.")
        if like is not None:
            model = company.sheet(entity, like)
            if model is None:
                raise NotPossible(f"There is no {entity} with the Id “{like}”.")
            row = {**row_of(company, model), **row}
        number = str(row.get("Id") or company.new_number("odd"))
        company.put_odd_row(entity, number, {**row, "Id": number})
        return number

    def quickbooks_odd_rows(self, organisation: str | None = None) -> dict[str, str]:
        """One of each kind of row that no specification foresaw. Gives their Ids by kind."""
        return odd_quickbooks.lay_down(self._company(organisation), self.world.clock.now())

    def _company(self, organisation: str | None) -> Company:
        return self.world.quickbooks.of(self.world.organisation(organisation))
