"""Secrets at rest: a copy of the database gives nobody access to a ledger.

Each secret is sealed with AES-256-GCM and bound to its place, so that a sealed grant copied to another row does not
open. The keys live in a file beside the database, never in it, and never in a backup of it. The first key seals; all
of them open, so a key is renewed by putting a new one on top.
"""

import base64
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealBroken(Exception):
    """A sealed secret does not open with the keys at hand, or does not belong where it was found."""


class Vault:
    """Seals and opens secrets. `keys` are (id, 32 bytes), the newest first."""

    def __init__(self, keys: tuple[tuple[str, bytes], ...]) -> None:
        self._keys = dict(keys)
        self._newest = keys[0][0]

    def seal(self, secret: str, place: str) -> str:
        """The sealed text. `place` says where it is kept; it must be given again, alike, to open it."""
        nonce = os.urandom(12)
        sealed = AESGCM(self._keys[self._newest]).encrypt(nonce, secret.encode(), _bound(self._newest, place))
        return f"{self._newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """The secret. Raises SealBroken with a sentence."""
        key_id, _, body = sealed.partition(".")
        key = self._keys.get(key_id)
        if key is None:
            raise SealBroken(f"the secret at {place} was sealed with the key '{key_id}', which is not in the key file")
        raw = base64.urlsafe_b64decode(body)
        try:
            return AESGCM(key).decrypt(raw[:12], raw[12:], _bound(key_id, place)).decode()
        except InvalidTag:
            raise SealBroken(f"the secret at {place} does not belong there, or was altered") from None

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """Keys for signing, one for each key in the file, newest first; different for every purpose."""
        return tuple(
            HKDF(SHA256(), 32, None, purpose.encode()).derive(key)
            for _, key in sorted(self._keys.items(), key=lambda item: item[0] != self._newest)
        )


def _bound(key_id: str, place: str) -> bytes:
    return f"{key_id}|{place}".encode()


def read_or_make_keys(path: Path) -> Vault:
    """The vault of a key file, one `id base64` a line. Makes the file, for its owner only, when there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        line = f"k{secrets.token_hex(3)} {base64.b64encode(os.urandom(32)).decode()}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(line)
    keys = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        key_id, _, body = line.strip().partition(" ")
        try:
            key = base64.b64decode(body, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ValueError(f"{path.name}, line {number}: a key is an id, a blank and 32 bytes in base64")
        keys.append((key_id, key))
    if not keys:
        raise ValueError(f"{path.name} holds no key; restore it from where you keep it safe")
    return Vault(tuple(keys))
