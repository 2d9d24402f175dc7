"""The client package for QuickBooks, kept to what it does well: building addresses, parameters and bodies.

Left to itself the package would wait for ever, follow wherever it is sent, print keys in its errors, take a fault for
an empty list and forget which status it came with. So every one of its methods gives back the call that it would have
made; the line carries it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from quickbooks.client import QuickBooks

MINOR_VERSION = 75
"""Lower ones are gone since August 2025.
https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/minor-versions"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One call, ready to be made. `body` is None for a question that has none."""

    method: str
    url: str
    body: bytes | None
    content_type: str

    @property
    def asks_only(self) -> bool:
        """Whether making it twice can do nothing twice."""
        return self.method == "GET" or self.content_type == "application/text"


class Client(QuickBooks):  # type: ignore[misc]
    """The package's client. Each of its methods gives the call that it would make, and makes none."""

    def __new__(cls, *, realm: str, api_url: str) -> "Client":
        client: Client = super().__new__(cls, minorversion=MINOR_VERSION)
        client.company_id, client.api_url_v3 = realm, f"{api_url.rstrip('/')}/v3"
        return client

    def make_request(
        self,
        request_type: str,
        url: str,
        request_body: Any = None,
        content_type: str = "application/json",
        params: Mapping[str, Any] | None = None,
        file_path: Any = None,  # noqa: ARG002 - the package's signature; no call of ours sends a file
        file_bytes: Any = None,  # noqa: ARG002
        request_id: str | None = None,
    ) -> Prepared:
        query = {**(params or {}), "minorversion": MINOR_VERSION} | ({"requestid": request_id} if request_id else {})
        body = request_body.encode() if isinstance(request_body, str) else None
        return Prepared(request_type, f"{url}?{urlencode(query)}", body, content_type)
