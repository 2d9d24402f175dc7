"""Starts tap-xero on a Xero that lives on this machine: `python -m bench.peers.xero_tap ORDERS`.

Changed for that: the two addresses, which tap-xero writes out in its code. Its catalog is made by its own discovery,
without the look at the currencies by which it tries its key, because the sandbox has no such list. Everything else is
its own. Selected are the lists that the product reads as well. Its lines go to standard output, into a Singer target.
"""

import json
import sys
from pathlib import Path

import requests
import tap_xero
from tap_xero import client
from tap_xero.context import Context

from bench.peers.taking_time import orders, taking_time

LISTS = ("contacts", "credit_notes", "invoices", "overpayments", "prepayments")


def main() -> None:
    given = orders()
    folder, settings = Path(given["folder"]), given["addresses"]["xero"]
    _stay_here(settings)
    config = folder / "tap.json"
    config.write_text(
        json.dumps(
            {
                "start_date": "2010-01-01T00:00:00Z",
                "client_id": settings["client_id"],
                "client_secret": settings["client_secret"],
                "tenant_id": given["addresses"]["tenant"],
                "refresh_token": given["tokens"]["refresh_token"],
                "include_archived_contacts": "true",
            }
        )
    )
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps(_catalog()))
    sys.argv[1:] = ["--config", str(config), "--catalog", str(catalog)]
    if (state := folder / "state.json").exists():
        sys.argv += ["--state", str(state)]
    with taking_time(given["folder"], "xero_tap"):
        tap_xero.main()
        sys.stdout.flush()


def _stay_here(settings: dict[str, str]) -> None:
    """The data's address is a constant; the key's stands in the middle of a function."""
    client.BASE_URL = settings["api_url"]
    post = requests.Session.post

    def here(session: requests.Session, url: str, *args: object, **more: object) -> object:
        return post(
            session, settings["token_url"] if url == "https://identity.xero.com/connect/token" else url, *args, **more
        )

    requests.Session.post = here


def _catalog() -> object:
    Context.check_platform_access = lambda *_: None
    catalog = tap_xero.discover(Context({}, {}, {}, "")).to_dict()
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in LISTS
    return catalog


if __name__ == "__main__":
    main()
