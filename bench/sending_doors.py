"""The sandbox's process for a run of sending: a firm with empty books, and all its doors behind TLS as well.

It is the sandbox as everybody can start it, with a second front door that speaks https with a certificate made for the
run: a new connection is dear only where it has to be made safe.
"""

import ipaddress
import json
import socket
import ssl
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bench.sync_doors import addresses
from sandbox.clock import Clock
from sandbox.filling import company
from sandbox.front import Front
from sandbox.http_door import HttpDoor
from sandbox.sendgrid.account import KEY
from sandbox.world import World

BEGIN = datetime(2026, 11, 3, 6, tzinfo=UTC)
"""Where the clock stands: a Tuesday morning, before anything is sent."""


FOR_EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)


class SafeDoor(HttpDoor):
    """The front door behind TLS."""

    context: ssl.SSLContext

    def get_request(self) -> tuple[socket.socket, Any]:
        line, caller = super().get_request()
        return self.context.wrap_socket(line, server_side=True), caller


def main() -> None:
    world = World(Clock(BEGIN))
    firm = company.found_firm(world)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.pem"
        made.write_bytes(certificate())
        doors = [HttpDoor("127.0.0.1", 0, Front(world).answer), SafeDoor("127.0.0.1", 0, Front(world).answer)]
        doors[1].context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)  # type: ignore[attr-defined]
        doors[1].context.load_cert_chain(made)  # type: ignore[attr-defined]
        for door in doors:
            door.open()
        plain, safe = (f"{kind}://127.0.0.1:{door.port}" for kind, door in zip(("http", "https"), doors, strict=True))
        sendgrid = {"http": f"{plain}/sendgrid", "https": f"{safe}/sendgrid", "key": KEY, "certificate": str(made)}
        print(json.dumps(addresses(plain, firm.id) | {"sendgrid": sendgrid}), flush=True)
        sys.stdin.read()  # until the run lets go
        for door in doors:
            door.close()


def certificate() -> bytes:
    """A certificate for this machine and its key, as a provider's: RSA with 2048 bits."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, *FOR_EVER).add_extension(here, critical=False)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM) + secret


if __name__ == "__main__":
    main()
