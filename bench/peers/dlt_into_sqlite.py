"""Reads a ledger that lives on this machine with dlt into SQLite: `python -m bench.peers.dlt_into_sqlite ORDERS`.

dlt's own REST source, paginators and SQLAlchemy destination, each row kept whole (max_table_nesting 0) and appended,
which is its fastest way: it would take longer to merge rows by their id, as the product does. dlt itself is unchanged.
"""

import os
from pathlib import Path

from bench.peers.taking_time import orders, taking_time

LISTS = {
    "Invoices": "InvoiceID",
    "Contacts": "ContactID",
    "CreditNotes": "CreditNoteID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
}


def main() -> None:
    given = orders()
    folder = Path(given["folder"])
    os.environ |= {
        "DLT_DATA_DIR": str(folder / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    import dlt
    from dlt.sources.rest_api import rest_api_source

    # Where dlt itself is happiest: an SQLite file for its rows, in the folder of the run.
    destination = dlt.destinations.sqlalchemy(f"sqlite:///{folder / 'books.db'}")
    pipeline = dlt.pipeline(
        "ledger", pipelines_dir=str(folder / "pipelines"), destination=destination, dataset_name="main"
    )
    source = rest_api_source((_quickbooks if given["kind"] == "quickbooks" else _xero)(given), max_table_nesting=0)
    with taking_time(given["folder"], "dlt_into_sqlite") as told:
        pipeline.run(source, write_disposition="append")
        told["steps"] = len(pipeline.last_trace.steps)


def _xero(given: dict[str, object]) -> dict[str, object]:
    addresses, tokens = given["addresses"], given["tokens"]
    headers = {"Accept": "application/json", "xero-tenant-id": addresses["tenant"]}  # type: ignore[index]
    return {
        "client": {
            "base_url": addresses["xero"]["api_url"] + "/",  # type: ignore[index]
            "auth": {"type": "bearer", "token": tokens["access_token"]},  # type: ignore[index]
            "headers": headers,
            "paginator": {
                "type": "page_number",
                "base_page": 1,
                "page_param": "page",
                "total_path": "pagination.pageCount",
            },
        },
        "resources": [
            {
                "name": name,
                "primary_key": key,
                "endpoint": {"path": name, "params": {"pageSize": 1000}, "data_selector": name},
            }
            for name, key in LISTS.items()
        ],
    }


def _quickbooks(given: dict[str, object]) -> dict[str, object]:
    """QuickBooks is told in the question itself which page is wanted; the paginator is written after dlt's own."""
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

    class ByPosition(BasePaginator):
        def __init__(self, entity: str) -> None:
            super().__init__()
            self._entity, self._start = entity, 1

        def init_request(self, request: object) -> None:
            self.update_request(request)

        def update_state(self, response: object, data: list[object] | None = None) -> None:  # noqa: ARG002
            self._start += 1000
            self._has_next_page = len(data or ()) == 1000

        def update_request(self, request: object) -> None:
            question = f"SELECT * FROM {self._entity} STARTPOSITION {self._start} MAXRESULTS 1000"
            request.params = {"query": question, "minorversion": 75}  # type: ignore[attr-defined]

    settings, tokens = given["addresses"]["quickbooks"], given["tokens"]  # type: ignore[index]
    return {
        "client": {
            "base_url": f"{settings['api_url']}/v3/company/{tokens['realmId']}/",  # type: ignore[index]
            "auth": {"type": "bearer", "token": tokens["access_token"]},  # type: ignore[index]
            "headers": {"Accept": "application/json"},
        },
        "resources": [
            {
                "name": entity,
                "primary_key": "Id",
                "endpoint": {
                    "path": "query",
                    "data_selector": f"QueryResponse.{entity}",
                    "paginator": ByPosition(entity),
                },
            }
            for entity in ("Invoice", "Customer")
        ],
    }


if __name__ == "__main__":
    main()
