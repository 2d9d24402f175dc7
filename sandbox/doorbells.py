"""The postman of the sandbox: takes signed posts to whoever has asked to be told that something changed.

A ledger tells by a post to the app's own address, from a place of its own, while its books go on. So the posts leave
one after the other on a thread of their own, and nobody in the sandbox waits for an answer: what was answered is told
afterwards to whoever wrote the post, who may then write it again.
"""

import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 5.0
"""Seconds in which Xero wants its answer (https://developer.xero.com/documentation/guides/webhooks/overview/)."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post. `answered` is told the status; 0 means that nobody answered in time, or at all."""

    url: str
    body: bytes
    headers: dict[str, str]
    answered: Callable[[int], None]
    patience: float = PATIENCE


@dataclass(slots=True)
class Postman:
    """Delivers in the order given, and follows no redirects."""

    _bag: "queue.SimpleQueue[Post | None]" = field(default_factory=queue.SimpleQueue)
    _walk: threading.Thread | None = None

    def take(self, post: Post) -> None:
        if self._walk is None:
            self._walk = threading.Thread(target=self._deliver, name="sandbox postman", daemon=True)
            self._walk.start()
        self._bag.put(post)

    def stop(self) -> None:
        if self._walk is not None:
            self._bag.put(None)
            self._walk.join(2)

    def _deliver(self) -> None:
        while (post := self._bag.get()) is not None:
            post.answered(_status_of(post))


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_way_out = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _status_of(post: Post) -> int:
    asked = urllib.request.Request(post.url, data=post.body, headers=post.headers, method="POST")
    try:
        with _way_out.open(asked, timeout=post.patience) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0
