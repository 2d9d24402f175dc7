"""What is set up anew for each of the connector's tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from connector import open_ledger
from tests.connector.surroundings import Connected, KeeperInMemory, MovableClock, ScriptedXero, connect_to, consent

if TYPE_CHECKING:
    import sandbox


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def xero() -> Iterator[ScriptedXero]:
    scripted = ScriptedXero()
    yield scripted
    scripted.stop()


@pytest.fixture
def connected(xero: ScriptedXero, clock: MovableClock) -> Connected:
    """A ledger at the scripted Xero, with a fresh grant."""
    return connect_to(xero, clock)


@pytest.fixture
def company(clock: MovableClock) -> "Iterator[sandbox.Sandbox]":
    """The sandbox with empty books and a clock that stands."""
    import sandbox

    with sandbox.start(clock=clock.at, company=False) as world:
        yield world


@pytest.fixture
def at_the_company(company: "sandbox.Sandbox", clock: MovableClock) -> Connected:
    """A ledger at the sandbox, consented to."""
    used, authoriser, grant = consent(company, clock)
    keeper = KeeperInMemory(grant)
    tenant = authoriser.tenants(grant, {})[0].id
    return Connected(open_ledger("xero", used, tenant=tenant, keeper=keeper, clock=clock), keeper, clock, authoriser)
