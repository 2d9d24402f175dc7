"""SendGrid's signature on its posts: ECDSA on the curve P-256 over the timestamp and the raw body, one after the other.

The public key is handed out as base64 of its DER form, the signature likewise
(https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
"""

import base64
from dataclasses import dataclass
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@dataclass(frozen=True, slots=True)
class Signer:
    """One pair of keys. Drawn from the sandbox's chance, so a world begun anew has the same keys."""

    _private: ec.EllipticCurvePrivateKey

    @classmethod
    def drawn(cls, chance: Random) -> "Signer":
        return cls(ec.derive_private_key(chance.getrandbits(255) + 1, ec.SECP256R1()))

    @property
    def public_key(self) -> str:
        der = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def headers(self, body: bytes, *, timestamp: str) -> dict[str, str]:
        signature = self._private.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}
