"""Reply-To addresses that know whose reply it is: the account and the attempt are in the address, signed.

A reply comes back to `replies+<token>@…`. The token holds two numbers and a signature, so that nobody can make an
address for another account. It proves that the sender has seen our mail, not who the sender is: mails get forwarded.
"""

import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_READ_AS = str.maketrans("ilo", "110")
_NUMBER_BITS = 40
_NUMBERS, _SIGNATURE = 16, 13
_LONGEST_LOCAL_PART = 64
_TOKEN = re.compile(r"\+([0-9a-tv-z]{29})@", re.IGNORECASE | re.ASCII)


class Token(NamedTuple):
    """What a reply address says. Both numbers are our own ids, from 0 to 2**40 - 1."""

    account: int
    attempt: int


def reply_address(mailbox: str, *, account: int, attempt: int, key: bytes) -> str:
    """`replies+<token>@host` for `replies@host`. Raises ValueError when the mailbox cannot carry a token."""
    local, at, host = mailbox.rpartition("@")
    if not at or not local or not host or re.search(r"[\s<>,;]", mailbox):
        raise ValueError(f"'{mailbox}' is not a mailbox such as replies@example.com")
    address = f"{local}+{_token(Token(account, attempt), key)}@{host}"
    if len(address.rpartition("@")[0]) > _LONGEST_LOCAL_PART:
        raise ValueError(f"'{local}' is too long: the part before the @ may have 34 characters, so that a token fits")
    return address


def token_of(*, account: int, attempt: int, key: bytes) -> str:
    """The same token by itself: 29 characters for the address of a callback."""
    return _token(Token(account, attempt), key)


def read_token(text: str, *, keys: Sequence[bytes]) -> Token | None:
    """What a token by itself says, or None when none of the keys has signed it."""
    return next(iter(read_tokens([f"+{text}@"], keys=keys)), None)


def read_tokens(addresses: Iterable[str], *, keys: Sequence[bytes]) -> tuple[Token, ...]:
    """The tokens in these addresses that one of the keys has signed, each once. Forged and garbled ones are left out.

    Upper and lower case are alike, because some mail systems change it; so are the letters that people mistype.
    """
    written = (found.lower().translate(_READ_AS) for address in addresses for found in _TOKEN.findall(address))
    return tuple(dict.fromkeys(token for text in written for token in _signed(text, keys)))


def _signed(text: str, keys: Sequence[bytes]) -> Iterator[Token]:
    numbers = _from_base32(text[:_NUMBERS])
    token = Token(numbers >> _NUMBER_BITS, numbers & ((1 << _NUMBER_BITS) - 1))
    matches = [hmac.compare_digest(_token(token, key), text) for key in keys]
    if any(matches):
        yield token


def _token(token: Token, key: bytes) -> str:
    for number in token:
        if not 0 <= number < 1 << _NUMBER_BITS:
            raise ValueError(f"{number} does not fit into the 40 bits of a reply address")
    numbers = (token.account << _NUMBER_BITS) | token.attempt
    signature = hmac.digest(key, b"arrears reply address\0" + numbers.to_bytes(10, "big"), sha256)[:8]
    return _to_base32(numbers, _NUMBERS) + _to_base32(int.from_bytes(signature, "big"), _SIGNATURE)


def _to_base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(length)))


def _from_base32(text: str) -> int:
    number = 0
    for character in text:
        number = number << 5 | _ALPHABET.index(character)
    return number
