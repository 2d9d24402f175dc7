"""Posts from Twilio: is this one really Twilio's, and what does it say?

Twilio signs the address that it was given, together with the fields of the form
(https://www.twilio.com/docs/usage/security). So the address is put together from the configured public one and the
path exactly as it came; what a proxy or a stranger writes into headers about hosts is never believed.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from channels import Kept, Posted

SIGNATURE = "x-twilio-signature"
FORM = "application/x-www-form-urlencoded"
USUAL_PORT = {"https": 443, "http": 80}
SPLIT = b"\n\n"

Form = tuple[tuple[str, str], ...]


class Said(NamedTuple):
    """One post, read: the door it came in by, and its fields."""

    door: str
    fields: dict[str, str]

    def field(self, name: str) -> str:
        """What this field says. Raises ValueError with a sentence when there is nothing."""
        if not self.fields.get(name):
            raise ValueError(f"a post from Twilio to “{self.door}” has no field {name}")
        return self.fields[name]


def genuine(posted: Posted, *, doors: str, auth_token: str, shared_key: str = "") -> bool:
    """Has Twilio signed this post? `doors` is the public address of our doors, `<public_url>/hooks/<kind>`.

    With a `shared_key` (Twilio calls it SharedKey) the signature is HMAC-SHA256 by that key, and by nothing else;
    without, HMAC-SHA1 by the account's own token. Which of the two is for our configuration to say, not for the post.
    """
    secret, way = (shared_key, hashlib.sha256) if shared_key else (auth_token, hashlib.sha1)
    given = posted.headers.get(SIGNATURE, "").encode("utf-8", "replace")
    url = f"{doors}/{posted.door}" + (f"?{posted.query}" if posted.query else "")
    if not secret or not given:
        return False
    try:
        said = _signed_with_the_address(posted)
    except ValueError:
        return False  # a form of thousands of fields
    if said is None:
        return False
    seals = [base64.b64encode(hmac.digest(secret.encode(), f"{one}{said}".encode(), way)) for one in _spellings(url)]
    return any(hmac.compare_digest(seal, given) for seal in seals)


def said_in(posted: Posted) -> Said:
    return Said(posted.door, dict(_form(_written(posted))))


def kept(event_id: str, posted: Posted) -> Kept:
    """What is stored of a post: its door in the first line, then, after an empty one, its fields as they came."""
    return Kept(event_id, posted.door.encode() + SPLIT + _written(posted))


def raw_of(door: str, fields: dict[str, str]) -> bytes:
    """The same, for something that was not posted but looked up."""
    return door.encode() + SPLIT + urlencode(fields).encode()


def read_raw(raw: bytes) -> Said:
    """What was stored by `kept` or `raw_of`. Raises ValueError with a sentence."""
    door, split, body = raw.partition(SPLIT)
    if not split:
        raise ValueError("this is no post from Twilio: its first line does not say where it came in")
    # PostgreSQL takes no text with a zero byte, and a debtor's answer must not be lost over one.
    return Said(door.decode("utf-8", "replace"), {name: value.replace("\0", " ") for name, value in _form(body)})


def _written(posted: Posted) -> bytes:
    """The fields: in the body, or in the address where somebody has told Twilio to GET it."""
    return posted.query.encode() if posted.method == "GET" else posted.body


def _signed_with_the_address(posted: Posted) -> str | None:
    """The fields in the order in which they are signed; None for a body that nothing vouches for.

    A body that is no form is vouched for by its hash, which is in the address.
    """
    if posted.method != "POST" or not posted.body:
        return ""
    if posted.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        return "".join(f"{name}{value}" for name, value in sorted(set(_form(posted.body))))
    hashes = [value for name, value in parse_qsl(posted.query) if name == "bodySHA256"]
    right = hashlib.sha256(posted.body).hexdigest()
    return "" if hashes and hmac.compare_digest(hashes[0].lower().encode(), right.encode()) else None


def _form(body: bytes) -> Form:
    """Empty fields are kept: Twilio signs their names too. What is no UTF-8 cannot be signed, and is not dropped."""
    text = body.decode("utf-8", "replace")
    return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=1000, errors="replace"))


def _spellings(url: str) -> Iterator[str]:
    """With and without the usual port: Twilio signs either, and does not say which."""
    yield url
    parts = urlsplit(url)
    usual = USUAL_PORT.get(parts.scheme)
    if usual is None or parts.hostname is None:
        return
    if parts.port is None:
        yield _at(parts, f"{parts.netloc}:{usual}")
    else:
        yield _at(parts, parts.netloc.rpartition(":")[0])


def _at(parts: SplitResult, netloc: str) -> str:
    return parts._replace(netloc=netloc).geturl()
