"""Mirrors connector/__init__.py: the one door to every ledger."""

import pytest

from connector import kinds, open_authoriser, open_ledger, settings_of, title_of
from tests.connector.surroundings import KeeperInMemory, MovableClock, a_grant


def test_every_file_without_an_underscore_is_a_ledger():
    assert "xero" in kinds()
    assert not any(kind.startswith("_") for kind in kinds())


def test_a_ledger_that_nobody_has_written_yet_is_named_together_with_those_there_are():
    with pytest.raises(LookupError, match=r"'sage'.*xero"):
        settings_of("sage")


@pytest.mark.parametrize("kind", kinds())
def test_every_ledger_opens_without_a_call_and_shows_no_secret(kind):
    clock = MovableClock()
    settings = settings_of(kind)(client_id="app", client_secret="APPSECRET")
    ledger = open_ledger(kind, settings, tenant="t", keeper=KeeperInMemory(a_grant(clock)), clock=clock)
    authoriser = open_authoriser(kind, settings, clock=clock)

    assert ledger.calls == []
    assert authoriser.authorise_url(state="s", challenge="c", redirect_uri="http://localhost/").startswith("https://")
    assert "APPSECRET" not in repr((settings, ledger, authoriser))


def test_every_ledger_has_the_name_that_people_call_it_by():
    assert {kind: title_of(kind) for kind in ("xero", "quickbooks")} == {
        "xero": "Xero",
        "quickbooks": "QuickBooks Online",
    }
    assert all(title_of(kind) != kind for kind in kinds()), "nobody should read the name of a file"
    assert title_of("sage") == "sage", "a connection of a newer version still has a name"
