"""Reads a Xero that lives on this machine with pyxero: `python -m bench.peers.xero_by_pyxero ORDERS`.

It keeps nothing: what it makes of an answer is dictionaries. Changed: the address, which its credentials have a field
for; and its OAuth library is told to accept an address without TLS.
"""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from xero import Xero
from xero.auth import OAuth2Credentials

from bench.peers.taking_time import orders, taking_time


def main() -> None:
    given = orders()
    settings, token = given["addresses"]["xero"], given["tokens"]
    keys = OAuth2Credentials(settings["client_id"], settings["client_secret"], token=token)
    keys.tenant_id, keys.base_url = given["addresses"]["tenant"], given["addresses"]["url"]
    xero = Xero(keys)
    with taking_time(given["folder"], "xero_by_pyxero") as told:
        told["invoices"] = _pages(xero.invoices)
        _pages(xero.contacts)
        for credits_ in (xero.creditnotes, xero.overpayments, xero.prepayments):
            _pages(credits_)


def _pages(manager: object) -> int:
    page = rows = 0
    while True:
        page += 1
        found = len(manager.filter(page=page, pageSize=1000))  # type: ignore[attr-defined]
        rows += found
        if found < 1000:
            return rows


if __name__ == "__main__":
    main()
