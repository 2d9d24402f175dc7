"""Starts tap-quickbooks on a QuickBooks that lives on this machine: `python -m bench.peers.quickbooks_tap ORDERS`.

Changed for that: the two addresses, which tap-quickbooks has as constants; and its OAuth library is told to accept an
address without TLS. Selected are the lists that the product reads as well. Its lines go to standard output, into a
Singer target.
"""

import json
import os
import sys
from pathlib import Path

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import tap_quickbooks
from tap_quickbooks import client
from tap_quickbooks.discover import do_discover

from bench.peers.taking_time import orders, taking_time

LISTS = ("customers", "invoices")


def main() -> None:
    given = orders()
    folder, settings = Path(given["folder"]), given["addresses"]["quickbooks"]
    client.PROD_ENDPOINT_BASE, client.TOKEN_REFRESH_URL = settings["api_url"], settings["token_url"]
    config = folder / "tap.json"
    config.write_text(
        json.dumps(
            {
                "start_date": "2010-01-01T00:00:00Z",
                "user_agent": "bench",
                "client_id": settings["client_id"],
                "client_secret": settings["client_secret"],
                "realm_id": given["tokens"]["realmId"],
                "refresh_token": given["tokens"]["refresh_token"],
            }
        )
    )
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps(_catalog()))
    sys.argv[1:] = ["--config", str(config), "--catalog", str(catalog)]
    if (state := folder / "state.json").exists():
        sys.argv += ["--state", str(state)]
    with taking_time(given["folder"], "quickbooks_tap"):
        tap_quickbooks.main()
        sys.stdout.flush()


def _catalog() -> object:
    catalog = do_discover().to_dict()
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in LISTS
    return catalog


if __name__ == "__main__":
    main()
