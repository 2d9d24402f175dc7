"""Whether a post is SendGrid's: its signature over the timestamp and the raw bytes, checked with the public key.

Both of SendGrid's webhooks are signed in this way (ECDSA on the curve P-256 with SHA-256). The library's own check
takes text only, and a mail in an old alphabet is none. How old a post may be is not documented, and one that was tried
for a day may carry its first timestamp; so an old post is not refused, and a repeated one is known by its event.
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_SECONDS = re.compile(r"[0-9]{1,20}")


def read_keys(written: str) -> tuple[EllipticCurvePublicKey, ...]:
    """The public keys of a setting, separated by blanks. Raises ValueError with a sentence for one that is none."""
    return tuple(map(_key, written.split()))


def is_signed(headers: Mapping[str, str], body: bytes, keys: Sequence[EllipticCurvePublicKey]) -> bool:
    """Has the owner of one of the keys signed exactly these bytes? `headers` with names in lower case.

    The moment is signed without a mark between it and the body. As it has digits only, and no body begins with one,
    nobody can move the border between the two and have the rest of a signed post believed.
    """
    try:
        signature = base64.b64decode(headers[SIGNATURE], validate=True)
        moment = headers[TIMESTAMP]
    except (KeyError, ValueError):
        return False
    if not _SECONDS.fullmatch(moment) or body[:1].isdigit():
        return False
    said = moment.encode("ascii") + body
    return any(_good(key, signature, said) for key in keys)


def is_secret(given: str, secret: str) -> bool:
    """Compared in the same time whatever is wrong with it. An empty secret is none."""
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _key(written: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(written, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise ValueError(_no_key(written)) from problem
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError(_no_key(written))
    return key


def _no_key(written: str) -> str:
    return f"'{written[:20]}…' is not a public key of SendGrid's; copy the whole line from its page of settings"


def _good(key: EllipticCurvePublicKey, signature: bytes, said: bytes) -> bool:
    try:
        key.verify(signature, said, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
