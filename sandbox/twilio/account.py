"""The practice Twilio: one account with a number and a messaging service, and everything that it holds.

A second account is for trying out: with its keys nothing goes anywhere, and a few magic numbers fail as they do at
Twilio (https://www.twilio.com/docs/iam/test-credentials).
"""

import threading
from collections.abc import Callable
from datetime import datetime

from sandbox.clock import Timetable
from sandbox.twilio.posts import Posts
from sandbox.twilio.records import Habits, Number, Person, PhoneCall, Text

ACCOUNT = f"AC{'5a' * 16}"
TOKEN = "sandbox-auth-token"
API_KEY, API_SECRET = f"SK{'5a' * 16}", "sandbox-api-secret"
TEST_ACCOUNT, TEST_TOKEN = f"AC{'7e' * 16}", "sandbox-test-token"
SERVICE = f"MG{'5a' * 16}"
NUMBER = "+447700900900"
TEST_NUMBER = "+15005550006"
API_VERSION = "2010-04-01"
KEYS = {(ACCOUNT, TOKEN): ACCOUNT, (API_KEY, API_SECRET): ACCOUNT, (TEST_ACCOUNT, TEST_TOKEN): TEST_ACCOUNT}
"""Which account each user name and password opens."""


class Twilio:
    """Whoever changes anything here holds the world's lock."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        timetable: Timetable,
        lock: threading.RLock,
    ) -> None:
        self.now, self.timetable, self.lock, self._new_id = now, timetable, lock, new_id
        self.habits = Habits()
        self.posts = Posts(now=now, new_id=new_id, key=TOKEN)
        self.numbers: dict[str, Number] = {NUMBER: Number(NUMBER)}
        self.people: dict[str, Person] = {}
        self.texts: list[Text] = []
        self.calls: list[PhoneCall] = []
        self.blocked: set[tuple[str, str]] = set()
        """Who has said STOP: our number, or the service it belongs to, and the person's number."""
        self.recordings = 0
        self.talking = 0
        """Calls that are being played at this moment, each on a thread of its own."""

    def new_sid(self, kind: str) -> str:
        return kind + self._new_id().replace("-", "")

    def person(self, number: str) -> Person:
        return self.people.setdefault(number, Person())

    def scope(self, ours: str) -> str:
        """What a STOP to this number of ours, or a text from it, is about: the service it belongs to, or itself."""
        number = self.numbers.get(ours)
        return SERVICE if ours == SERVICE or (number is not None and number.in_service) else ours

    def quiet(self) -> bool:
        """Nothing is being said or posted."""
        return not self.talking and not self.posts.under_way

    def stop(self) -> None:
        self.posts.stop()
