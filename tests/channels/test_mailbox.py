"""Mirrors channels/_mailbox.py: replies are collected in order, unchanged, and without leaving a trace."""

import imaplib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

import sandbox
from channels import (
    Channel,
    Message,
    Receipt,
    Refused,
    Token,
    Unavailable,
    Unsure,
    open_channel,
    read_tokens,
    reply_address,
    settings_of,
)
from engine.replies import ReplyKind

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEY = b"a key"
REPLY_TO = reply_address("replies@brightwater.example", account=5, attempt=9, key=KEY)
REMINDER = Message(
    attempt="01J",
    message_id="<a9@brightwater.example>",
    to="mia@cafe.example",
    to_name="Mia",
    subject="A quick reminder",
    text="Hi Mia,\n\nplease pay INV-1042.\n",
    html="<p>Hi Mia,</p><p>please pay INV-1042.</p>",
    reply_to=REPLY_TO,
)


@pytest.fixture
def world() -> Iterator[sandbox.Sandbox]:
    with sandbox.start(clock=NOW, company=False) as world:
        yield world


@pytest.fixture
def channel(world) -> Iterator[Channel]:
    channel = a_channel(world)
    yield channel
    channel.close()


def a_channel(world, **changes) -> Channel:
    usual = {
        "host": world.host,
        "port": world.smtp_port,
        "security": "none",
        "from_address": "accounts@brightwater.example",
        "from_name": "Brightwater Joinery",
        "reply_mailbox": "replies@brightwater.example",
        "imap_host": world.host,
        "imap_port": world.imap_port,
        "imap_security": "none",
        "imap_username": "replies",
        "imap_password": "sandbox",
        "timeout_seconds": 5.0,
    }
    return open_channel("email_smtp", settings_of("email_smtp")(**{**usual, **changes}), clock=lambda: NOW)


def test_a_reminder_goes_out_and_its_reply_comes_back_to_the_account_it_was_about(world, channel):
    assert isinstance(channel.send(REMINDER), Receipt)
    world.control.reply(REMINDER.message_id, "We paid on Friday.\n\nMia", html="<p>We paid on Friday.</p>")
    (collected,) = channel.collect(None)
    reply = channel.read(collected.raw)

    assert (reply.kind, reply.sender, reply.said) == (ReplyKind.HUMAN, "mia@cafe.example", "We paid on Friday.\n\nMia")
    assert "please pay INV-1042" in reply.text
    assert reply.answers == (REMINDER.message_id,)
    assert read_tokens(reply.tokens, keys=[KEY]) == (Token(5, 9),)


def test_replies_come_oldest_first_and_only_those_after_the_bookmark(world, channel):
    channel.send(REMINDER)
    for words in ("one", "two", "three"):
        world.control.reply(REMINDER.message_id, words)
    first, second, third = channel.collect(None)

    assert [channel.read(mail.raw).said for mail in (first, second, third)] == ["one", "two", "three"]
    assert [mail.event_id for mail in channel.collect(first.bookmark)] == [second.event_id, third.event_id]
    assert list(channel.collect(third.bookmark)) == []


def test_a_renumbered_mailbox_is_read_again_and_every_mail_is_recognised(world, channel):
    channel.send(REMINDER)
    world.control.reply(REMINDER.message_id, "one")
    world.control.reply(REMINDER.message_id, "two")
    before = list(channel.collect(None))
    world.control.renumber_mailbox()
    after = list(channel.collect(before[-1].bookmark))

    assert [mail.event_id for mail in after] == [mail.event_id for mail in before]
    assert after[-1].bookmark != before[-1].bookmark


def test_in_another_mailbox_whose_numbers_look_alike_nothing_is_passed_over(world, channel):
    """Many servers give every mailbox the same UIDVALIDITY, so a firm that moves would lose its next answers."""
    for number in range(3):
        world.control.deliver(b"From: x@y.example\r\n\r\n%d\r\n" % number)
    *_, last = channel.collect(None)
    with sandbox.start(clock=NOW, company=False) as elsewhere:
        elsewhere.control.deliver(b"From: x@y.example\r\n\r\nWe paid.\r\n")
        moved = a_channel(elsewhere, imap_host="localhost")
        (found,) = moved.collect(last.bookmark)
        assert list(moved.collect(found.bookmark)) == []
        moved.close()

    assert b"We paid." in found.raw
    assert list(channel.collect(last.bookmark)) == []


def test_nothing_in_the_mailbox_is_marked_as_read(world, channel):
    channel.send(REMINDER)
    world.control.reply(REMINDER.message_id, "one")
    list(channel.collect(None))
    mailbox = imaplib.IMAP4(world.host, world.imap_port)
    mailbox.login("replies", "sandbox")
    mailbox.select("INBOX", readonly=True)
    unseen = mailbox.search(None, "UNSEEN")[1][0].split()
    mailbox.logout()

    assert len(unseen) == 1


def test_a_mail_is_collected_byte_for_byte_even_when_it_is_nonsense(world, channel):
    raw = b"From: x@y.example\r\nMessage-ID: <odd@y.example>\r\n\r\n\xff\xfe\r\n.\r\n" + b"x" * 100_000 + b"\r\n"
    world.control.deliver(raw)
    (collected,) = channel.collect(None)

    assert collected.raw == raw
    assert collected.event_id.startswith("<odd@y.example>:")


def test_two_different_mails_that_claim_one_id_are_two_events(world, channel):
    for body in (b"one", b"two"):
        world.control.deliver(b"From: x@y.example\r\nMessage-ID: <same@y.example>\r\n\r\n" + body + b"\r\n")
    world.control.deliver(b"From: x@y.example\r\n\r\nno id\r\n")

    assert len({mail.event_id for mail in channel.collect(None)}) == 3


def test_stopping_in_the_middle_lets_go_of_the_mailbox_and_goes_on_later(world, channel):
    channel.send(REMINDER)
    for words in ("one", "two"):
        world.control.reply(REMINDER.message_id, words)
    mails = channel.collect(None)
    first = next(mails)
    mails.close()

    assert [channel.read(mail.raw).said for mail in channel.collect(first.bookmark)] == ["two"]


@pytest.mark.parametrize("bookmark", ["", "nonsense", "1:", "1:x", ":", "99:1"])
def test_a_bookmark_that_means_nothing_starts_from_the_beginning(world, channel, bookmark):
    world.control.deliver(b"From: x@y.example\r\n\r\nhi\r\n")

    assert len(list(channel.collect(bookmark))) == 1


def test_a_bounce_and_an_absence_notice_are_told_apart_from_people(world):
    channel = a_channel(world, bounces_to_reply_address=True)
    channel.send(REMINDER)
    world.control.out_of_office(REMINDER.message_id)
    world.control.bounce(REMINDER.message_id)
    absent, bounced = (channel.read(mail.raw) for mail in channel.collect(None))
    channel.close()

    assert absent.kind is ReplyKind.OUT_OF_OFFICE
    assert (bounced.kind, bounced.failed_recipient) == (ReplyKind.BOUNCE, "mia@cafe.example")
    assert REMINDER.message_id in bounced.answers
    assert read_tokens(bounced.tokens, keys=[KEY]) == read_tokens(absent.tokens, keys=[KEY]) == (Token(5, 9),)


@pytest.mark.parametrize(
    ("fault", "outcome", "letters"),
    [
        ({"refuse": ["mia@cafe.example"]}, Refused, 0),
        ({"temporary": ["mia@cafe.example"]}, Unavailable, 0),
        ({"drop_before_data": 1}, Unavailable, 0),
        ({"drop_after_data": 1}, Unsure, 1),
    ],
)
def test_each_way_of_failing_is_told_as_what_it_is(world, channel, fault, outcome, letters):
    world.control.faults(smtp=fault)

    assert isinstance(channel.send(REMINDER), outcome)
    assert len(world.control.mails()) == letters


def test_a_wrong_password_and_a_missing_folder_are_said_in_a_sentence(world):
    with pytest.raises(PermissionError, match="check the user name and the password"):
        list(a_channel(world, imap_password="wrong").collect(None))
    with pytest.raises(OSError, match="no such folder"):
        list(a_channel(world, imap_folder="Nowhere").collect(None))


def test_a_mailbox_that_cannot_be_reached_is_an_operating_trouble(world):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(OSError, match="cannot be reached"):
        list(a_channel(world, imap_port=port).collect(None))
    with pytest.raises(OSError, match=r"cannot be reached|did not answer"):
        list(a_channel(world, imap_security="tls").collect(None))


class _Hesitating(socketserver.StreamRequestHandler):
    """A mail server that shows the mails 1 and 2, and hands over of the first what `server.fetched` says."""

    def handle(self) -> None:
        self.say(b"* OK ready")
        for line in self.rfile:
            tag, command, *rest = line.strip().split(b" ")
            if command.upper() == b"CAPABILITY":
                self.say(b"* CAPABILITY IMAP4rev1")
            if command.upper() == b"SELECT" or command.upper() == b"EXAMINE":
                self.say(b"* 2 EXISTS", b"* OK [UIDVALIDITY 7] numbers")
            if command.upper() == b"UID" and rest[0].upper() == b"SEARCH":
                wanted = rest[-1].rstrip(b")")
                alone = [] if self.server.gone else [b"1"]
                self.say(b" ".join([b"* SEARCH", *(alone if wanted == b"1" else [b"1", b"2"])]))
            if command.upper() == b"UID" and rest[0].upper() == b"FETCH":
                whole = b"* 2 FETCH (UID 2 BODY[] {12}\r\nA: b\r\n\r\nHi\r\n)"
                self.say(*(self.server.fetched if rest[1] == b"1" else [whole]))
            self.say(tag + b" OK done")

    def say(self, *lines: bytes) -> None:
        self.wfile.write(b"".join(line + b"\r\n" for line in lines))


@contextmanager
def hesitating(fetched: list[bytes], *, gone: bool) -> Iterator[Channel]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), _Hesitating) as server:
        server.fetched, server.gone = fetched, gone
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        usual = {"host": "127.0.0.1", "from_address": "a@firm.example", "imap_security": "none"}
        imap = {"imap_host": "127.0.0.1", "imap_port": server.server_address[1], "imap_username": "a"}
        channel = open_channel("email_smtp", settings_of("email_smtp")(**usual, **imap), clock=lambda: NOW)
        yield channel
        channel.close()
        server.shutdown()


@pytest.mark.parametrize("fetched", [[], [b"* 1 FETCH (UID 1)"], [b"* 1 FETCH (UID 1 BODY[] NIL)"]])
def test_a_mail_that_is_there_and_is_not_handed_over_is_waited_for(fetched):
    with hesitating(fetched, gone=False) as channel, pytest.raises(OSError, match="has mail 1 and does not hand it"):
        list(channel.collect(None))


def test_a_mail_that_was_deleted_meanwhile_is_passed_over():
    with hesitating([], gone=True) as channel:
        assert [mail.raw for mail in channel.collect(None)] == [b"A: b\r\n\r\nHi\r\n"]


def test_a_mail_without_a_single_byte_is_a_mail_too():
    with hesitating([b'* 1 FETCH (UID 1 BODY[] "")'], gone=False) as channel:
        assert [mail.raw for mail in channel.collect(None)] == [b"", b"A: b\r\n\r\nHi\r\n"]
