"""Reads a Xero that lives on this machine with Xero's own SDK: `python -m bench.peers.xero_by_sdk ORDERS`.

It keeps nothing of its typed models. Changed: the address, which is an argument of its API class.
"""

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from bench.peers.taking_time import orders, taking_time


def main() -> None:
    given = orders()
    settings, tenant = given["addresses"]["xero"], given["addresses"]["tenant"]
    token = {name: given["tokens"][name] for name in ("access_token", "refresh_token", "token_type", "expires_in")}
    token["scope"] = given["tokens"]["scope"].split()
    configuration = Configuration(oauth2_token=OAuth2Token(settings["client_id"], settings["client_secret"]))
    client = ApiClient(configuration, oauth2_token_getter=lambda: token, oauth2_token_saver=lambda _: None)
    api = AccountingApi(client, base_url=settings["api_url"])
    with taking_time(given["folder"], "xero_by_sdk") as told:
        told["invoices"] = _pages(api.get_invoices, tenant, "invoices")
        _pages(api.get_contacts, tenant, "contacts")
        _pages(api.get_credit_notes, tenant, "credit_notes")
        _pages(api.get_overpayments, tenant, "overpayments")
        _pages(api.get_prepayments, tenant, "prepayments")


def _pages(ask: object, tenant: str, name: str) -> int:
    page = rows = 0
    while True:
        page += 1
        found = len(getattr(ask(tenant, page=page, page_size=1000), name))  # type: ignore[operator]
        rows += found
        if found < 1000:
            return rows


if __name__ == "__main__":
    main()
