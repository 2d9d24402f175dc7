"""Reads a QuickBooks that lives on this machine with the SDK: `python -m bench.peers.quickbooks_by_sdk ORDERS`.

It keeps nothing of its typed models. Changed: the address, which its client has a field for, and the discovery
document's, which is an argument; and its OAuth library is told to accept an address without TLS.
"""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.objects.customer import Customer
from quickbooks.objects.invoice import Invoice

from bench.peers.taking_time import orders, taking_time


def main() -> None:
    given = orders()
    settings, held = given["addresses"]["quickbooks"], given["tokens"]
    keys = AuthClient(
        settings["client_id"],
        settings["client_secret"],
        redirect_uri="http://127.0.0.1:8000/callback",
        environment=given["addresses"]["discovery_url"],
        access_token=held["access_token"],
        refresh_token=held["refresh_token"],
        realm_id=held["realmId"],
    )
    client = QuickBooks(
        auth_client=keys, refresh_token=held["refresh_token"], company_id=held["realmId"], minorversion=75
    )
    client.api_url_v3 = client.sandbox_api_url_v3 = settings["api_url"] + "/v3"
    with taking_time(given["folder"], "quickbooks_by_sdk") as told:
        told["invoices"] = _pages(Invoice, client)
        _pages(Customer, client)


def _pages(entity: object, client: QuickBooks) -> int:
    rows = 0
    while True:
        found = len(entity.where("", start_position=rows + 1, max_results=1000, qb=client))  # type: ignore[attr-defined]
        rows += found
        if found < 1000:
            return rows


if __name__ == "__main__":
    main()
