"""Everything that Twilio says of its own accord: signed posts to the addresses that an app has given it.

The signature is over the address as it was given, and the fields sorted by name
(https://www.twilio.com/docs/usage/security). An app behind a proxy has a public address that nobody on this machine
answers at; `reach` says where such a post really goes, as the proxy would.
"""

import base64
import hashlib
import hmac
import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urlencode

PATIENCE = 15.0  # seconds in which Twilio wants its answer
Fields = list[tuple[str, str]]


class Heard(NamedTuple):
    """What the app answered. A status of 0: nobody did."""

    status: int
    kind: str = ""
    text: str = ""


@dataclass(slots=True, eq=False)
class Post:
    """One post, for whoever wants to look at it afterwards or have it come again."""

    at: datetime
    url: str
    body: bytes
    headers: dict[str, str]
    fields: Fields = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


class Posts:
    def __init__(self, *, now: Callable[[], datetime], new_id: Callable[[], str], key: str) -> None:
        self._now, self._new_id, self.key = now, new_id, key
        self.shared_key = ""
        self.sent: list[Post] = []
        self._ways: dict[str, str] = {}
        self._bag: queue.SimpleQueue[tuple[Post, Callable[[Heard], None]] | None] = queue.SimpleQueue()
        self._walk: threading.Thread | None = None
        self._under_way, self._counting = 0, threading.Lock()

    @property
    def under_way(self) -> int:
        return self._under_way

    def reach(self, public: str, local: str) -> None:
        """Whatever is posted to an address that begins like the first goes to the second, signed over the first."""
        self._ways[public.rstrip("/")] = local.rstrip("/")

    def written(self, url: str, fields: Iterable[tuple[str, str]]) -> Post:
        """A form, signed. The fragment of an address is for Twilio alone and is neither sent nor signed."""
        url, pairs = urldefrag(url).url, list(fields)
        said = url + "".join(f"{name}{value}" for name, value in sorted(set(pairs)))
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"} | self._seal(said)
        return self._kept(Post(self._now(), url, urlencode(pairs).encode(), headers, pairs))

    def written_in_json(self, url: str, content: Any) -> Post:
        """A body in JSON: its hash is in the address, and the address alone is signed."""
        body = json.dumps(content).encode()
        url = f"{url}{'&' if '?' in url else '?'}bodySHA256={hashlib.sha256(body).hexdigest()}"
        return self._kept(Post(self._now(), url, body, {"Content-Type": "application/json"} | self._seal(url)))

    def take(self, post: Post, then: Callable[[Heard], None] = lambda _: None) -> None:
        """Leaves in its turn, on a thread of its own; nobody in the sandbox waits for the answer."""
        with self._counting:
            self._under_way += 1
            if self._walk is None:
                self._walk = threading.Thread(target=self._deliver, name="sandbox twilio posts", daemon=True)
                self._walk.start()
        self._bag.put((post, then))

    def ask(self, post: Post) -> Heard:
        """Leaves at once, and waits. A line that nobody picks up is tried once more, as Twilio does."""
        for _ in range(2):
            heard = self._asked(post)
            post.statuses.append(heard.status)
            if heard.status:
                break
        return heard

    def stop(self) -> None:
        if self._walk is not None:
            self._bag.put(None)
            self._walk.join(2)

    def _kept(self, post: Post) -> Post:
        self.sent.append(post)
        return post

    def _seal(self, said: str) -> dict[str, str]:
        key, way = (self.shared_key, hashlib.sha256) if self.shared_key else (self.key, hashlib.sha1)
        seal = base64.b64encode(hmac.digest(key.encode(), said.encode(), way)).decode()
        headers = {"X-Twilio-Signature": seal, "I-Twilio-Idempotency-Token": self._new_id()}
        if self.shared_key:
            headers["X-Twilio-Webhooks-Signature-Settings"] = "key=webhooks_sharedkey_practice,algorithm=HMAC_SHA256"
        return headers | {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}

    def _deliver(self) -> None:
        while (turn := self._bag.get()) is not None:
            post, then = turn
            try:
                then(self.ask(post))
            finally:
                with self._counting:
                    self._under_way -= 1

    def _asked(self, post: Post) -> Heard:
        asked = urllib.request.Request(self._way(post.url), data=post.body, headers=post.headers, method="POST")
        try:
            with _way_out.open(asked, timeout=PATIENCE) as answer:
                return Heard(answer.status, answer.headers.get("Content-Type", ""), answer.read().decode())
        except urllib.error.HTTPError as answer:
            return Heard(answer.code, "", answer.read().decode("utf-8", "replace"))
        except (OSError, ValueError):
            return Heard(0)

    def _way(self, url: str) -> str:
        for public, local in self._ways.items():
            if url.startswith((f"{public}/", f"{public}?")):
                return local + url[len(public) :]
        return url


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_way_out = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))
