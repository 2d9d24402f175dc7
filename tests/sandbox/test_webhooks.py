"""Mirrors sandbox/xero/webhooks.py and sandbox/doorbells.py: signed posts to whoever asked for them."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import sandbox

KEY = "a-signing-key"


class Listener:
    """An app's own address. It answers 200 to a good signature and 401 to a bad one, unless told otherwise."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[dict, bool]] = queue.Queue()
        self.answers: list[int] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seal = base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()
                good = hmac.compare_digest(seal, self.headers["x-xero-signature"])
                status = listener.answers.pop(0) if listener.answers else 200 if good else 401
                self.send_response(status)
                self.send_header("Content-Length", "0")
                listener.heard.put((json.loads(body), good))
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/xero"

    def next(self):
        return self.heard.get(timeout=20)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.stop()


def settled(world: sandbox.Sandbox, posts: int) -> list[dict]:
    """All posts, when so many answers have been told."""
    patience = threading.Event()
    for _ in range(2000):
        rows = world.control.xero.posts()
        if sum(len(row["statuses"]) for row in rows) >= posts:
            return rows
        patience.wait(0.01)
    raise AssertionError(rows)


def test_an_address_has_to_tell_good_signatures_from_bad_ones_before_it_is_believed(world, listener):
    assert world.control.xero.webhooks(listener.url, KEY) == "waiting"

    heard = [listener.next() for _ in range(4)]

    assert [good for _, good in heard] == [True, False, True, False]
    assert all(post["events"] == [] and post["entropy"] for post, _ in heard)
    settled(world, 4)
    assert world.control.xero.webhook_state() == "on"


def test_an_address_that_says_yes_to_everything_is_not_believed(world, listener):
    listener.answers = [200] * 4
    world.control.xero.webhooks(listener.url, KEY)
    settled(world, 4)

    assert world.control.xero.webhook_state() == "off"


def test_contacts_invoices_and_credits_ring_and_a_payment_rings_as_its_invoice(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False)
    fern = control.add_contact("Fern")
    invoice = control.add_invoice(fern, due="2026-01-19", amount="100")
    control.pay(invoice, "40")
    control.edit_invoice(invoice, due="2026-03-01")
    credit = control.add_credit_note(fern, "5")
    control.add_overpayment(fern, "6")
    control.add_prepayment(fern, "7")

    posts = [listener.next() for _ in range(7)]
    events = [event for post, good in posts for event in post["events"] if good]

    assert [(event["eventCategory"], event["eventType"]) for event in events] == [
        ("CONTACT", "CREATE"),
        ("INVOICE", "CREATE"),
        ("INVOICE", "UPDATE"),
        ("INVOICE", "UPDATE"),
        ("CREDITNOTE", "CREATE"),
        ("OVERPAYMENT", "CREATE"),
        ("PREPAYMENT", "CREATE"),
    ]
    assert [event["resourceId"] for event in events[:5]] == [fern, invoice, invoice, invoice, credit]
    assert {event["tenantId"] for event in events} == {control.organisations()[0]["id"]}
    assert [post["firstEventSequence"] for post, _ in posts] == [1, 2, 3, 4, 5, 6, 7]
    assert "amount" not in json.dumps(posts).lower()


def test_a_change_that_xero_does_not_stamp_may_stay_silent(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False, edits_ring=False)
    invoice = control.add_invoice(control.add_contact("Fern"), due="2026-01-19", amount="100")
    control.pay(invoice, "40")
    control.edit_invoice(invoice, due="2026-03-01")

    assert len(control.xero.posts()) == 3


def test_a_post_that_was_not_heard_comes_again_with_the_same_count_less_and_less_often(world, listener):
    control = world.control
    listener.answers = [500, 503, 500]
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.add_contact("Fern")
    first, second = listener.next(), listener.next()
    settled(world, 2)
    assert listener.heard.empty()

    control.move_clock(control.now() + timedelta(minutes=15))
    third = listener.next()
    settled(world, 3)
    control.move_clock(control.now() + timedelta(minutes=30))
    fourth = listener.next()

    assert first[0]["events"] == second[0]["events"] == third[0]["events"] == fourth[0]["events"]
    (row,) = settled(world, 4)
    assert row["statuses"] == [500, 503, 500, 200]


def test_after_a_day_without_an_answer_the_address_is_given_up(world, listener):
    control = world.control
    listener.answers = [500] * 50
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.add_contact("Fern")
    settled(world, 2)
    for tries in range(3, 9):
        control.move_clock(control.now() + timedelta(hours=9))
        settled(world, tries)

    assert control.xero.webhook_state() == "given up"


def test_the_same_post_can_come_twice(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.add_contact("Fern")
    once = listener.next()
    control.xero.post_again(0)

    assert listener.next()[0]["events"] == once[0]["events"]


def test_without_an_address_nothing_is_posted(world, listener):
    control = world.control
    control.xero.webhooks(listener.url, KEY, intent=False)
    control.xero.no_webhooks()
    control.add_contact("Fern")

    assert control.xero.posts() == []
