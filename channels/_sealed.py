"""What a call is about, written into the addresses that Twilio asks at, so that only we can read it.

When somebody presses a key, Twilio asks us what to do next, and whoever answers may be another process than the one
that began the call. So the address itself says whose call it is and what may be said. Addresses end up in the logs of
proxies; names, numbers and words do not belong there, and are therefore sealed.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken


def sealed(content: Mapping[str, str], *, secret: str, at: int) -> str:
    """One part of an address. `at` is the moment in seconds since 1970."""
    packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    return _key(secret).encrypt_at_time(packed, at).decode().rstrip("=")


def unsealed(text: str, *, secret: str) -> dict[str, str]:
    """What was sealed. Raises ValueError for anything else."""
    try:
        packed = _key(secret).decrypt(text + "=" * (-len(text) % 4))
        content: dict[str, str] = json.loads(zlib.decompress(packed))
    except (InvalidToken, zlib.error, ValueError) as problem:
        raise ValueError("this part of the address was not sealed here") from problem
    return content


def _key(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(sha256(b"arrears call\0" + secret.encode()).digest()))
