"""Reads a ledger that lives on this machine with dlt into SQLite: `python -m bench.peers.dlt_into_sqlite ORDERS`.

dlt's own REST source, paginator and SQLAlchemy destination, each row kept whole (max_table_nesting 0) and appended,
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
    source = rest_api_source(_xero(given), max_table_nesting=0)
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


if __name__ == "__main__":
    main()
