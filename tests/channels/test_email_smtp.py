"""Mirrors channels/email_smtp.py: a mail goes once, or we say honestly why it did not or that nobody knows."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from channels import (
    Attachment,
    Channel,
    Message,
    Receipt,
    Refused,
    Unavailable,
    Unsure,
    kinds,
    open_channel,
    settings_of,
)

NOW = datetime(2025, 6, 30, 9, 12, tzinfo=UTC)
Settings = settings_of("email_smtp")


class Server(Controller):
    """A mail server that does as it is told: `answers` by command, `drops` at a command, before or after its words."""

    def __init__(self, **options) -> None:
        self.mails, self.callers, self.lines = [], 0, []
        self.answers: dict[str, str] = {}
        self.drops = ""
        self.options = options
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        super().__init__(self, hostname="127.0.0.1", port=port)

    def factory(self) -> SMTP:
        self.callers += 1
        line = Line(self, enable_SMTPUTF8=True, loop=self.loop, hostname="mail.example", **self.options)
        line.told = self
        self.lines.append(line)
        return line

    async def handle_MAIL(self, _server, _session, envelope, address, _options):
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        answer = self.answers.get(address) or self.answers.get("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, _session, envelope):
        if self.drops == "after the words":
            server.transport.abort()
            return "250 nobody hears this"
        if self.drops == "silence":
            await asyncio.sleep(5)
        answer = self.answers.get("DATA", "250 2.0.0 OK queued as 4F1")
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer


class Line(SMTP):
    told: Server

    async def smtp_RCPT(self, arg):
        if self.told.drops == "at the recipient":
            self.transport.abort()
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):
        if self.told.drops == "before the words":
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    server.callers = 0  # starting it calls it once
    yield server
    server.stop()


@pytest.fixture
def channel(server) -> Iterator[Channel]:
    channel = a_channel(server)
    yield channel
    channel.close()


def a_channel(server, **settings) -> Channel:
    usual = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "from_address": "accounts@brightwater.example",
        "from_name": "Brightwater Joinery",
        "timeout_seconds": 2.0,
    }
    return open_channel("email_smtp", Settings(**{**usual, **settings}), clock=lambda: NOW)


def a_message(**changes) -> Message:
    usual = {
        "attempt": "01JATTEMPT",
        "message_id": "<01JATTEMPT@brightwater.example>",
        "to": "mia@cafe.example",
        "to_name": "Mia O'Neill",
        "subject": "A quick reminder",
        "text": "Hi Mia,\n\nplease pay.\n",
    }
    return Message(**{**usual, **changes})


def the_mail(server: Server):
    return message_from_bytes(server.mails[-1].content, policy=default)


def test_email_by_smtp_is_a_channel_of_its_own():
    assert "email_smtp" in kinds()


def test_a_reminder_that_was_taken_has_a_receipt_with_the_servers_own_name_for_it(server, channel):
    assert channel.send(a_message()) == Receipt("2.0.0 OK queued as 4F1", NOW)
    assert (server.mails[0].mail_from, server.mails[0].rcpt_tos) == (
        "accounts@brightwater.example",
        ["mia@cafe.example"],
    )


def test_a_mail_says_who_wrote_it_when_and_which_attempt_it_is(server, channel):
    channel.send(
        a_message(reply_to="replies+abc@brightwater.example", references=("<first@x.example>", "<last@x.example>"))
    )
    mail = the_mail(server)

    assert mail["From"] == "Brightwater Joinery <accounts@brightwater.example>"
    assert mail["Message-ID"] == "<01JATTEMPT@brightwater.example>"
    assert mail["Reply-To"] == "replies+abc@brightwater.example"
    assert (mail["In-Reply-To"], mail["References"]) == ("<last@x.example>", "<first@x.example> <last@x.example>")
    assert mail["Date"].datetime == NOW
    assert (mail["Auto-Submitted"], mail["X-Arrears-Attempt"]) == ("auto-generated", "01JATTEMPT")
    assert mail["X-Auto-Response-Suppress"] is None


def test_a_firm_that_wants_no_absence_notices_can_ask_for_that(server):
    channel = a_channel(server, suppress_out_of_office=True)
    channel.send(a_message())
    channel.close()

    assert the_mail(server)["X-Auto-Response-Suppress"] == "OOF"


def test_the_words_arrive_as_text_and_html_with_their_attachments(server, channel):
    words = "Grüße – £1,200.00\n.\n..leading dots\nFrom here\n" + "long " * 400
    channel.send(
        a_message(
            text=words, html="<p>Grüße</p>", attachments=(Attachment("s.pdf", "application/pdf", b"%PDF\r\n.\r\n"),)
        )
    )
    mail = the_mail(server)

    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n") == words
    assert mail.get_body(("html",)).get_content().strip() == "<p>Grüße</p>"
    (attachment,) = mail.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("s.pdf", b"%PDF\r\n.\r\n")
    assert all(len(line) <= 998 for line in server.mails[0].content.split(b"\r\n"))


def test_names_outside_ascii_arrive_as_they_are_written(server, channel):
    channel.send(
        a_message(to_name='Zoë "the boss", Ångström', from_name="Müller & Söhne, GmbH", subject="Überfällig: 1.200 €")
    )
    mail = the_mail(server)

    assert mail["To"].addresses[0].display_name == 'Zoë "the boss", Ångström'
    assert mail["From"].addresses[0].display_name == "Müller & Söhne, GmbH"
    assert mail["Subject"] == "Überfällig: 1.200 €"


def test_domains_outside_ascii_are_written_the_way_mail_servers_know_them(server, channel):
    assert isinstance(channel.send(a_message(to="mia@büro.example")), Receipt)
    assert server.mails[0].rcpt_tos == ["mia@xn--bro-hoa.example"]


def test_an_address_outside_ascii_is_sent_to_by_a_server_that_knows_how(server, channel):
    assert isinstance(channel.send(a_message(to="zoë@cafe.example")), Receipt)
    assert server.mails[0].rcpt_tos == ["zoë@cafe.example"]


def test_a_very_long_message_id_of_somebody_else_is_not_garbled(server, channel):
    theirs = f"<{'A' * 90}@mail.prod.outlook.example>"
    channel.send(a_message(references=(theirs, theirs.replace("A", "B"))))

    assert the_mail(server)["References"].split() == [theirs, theirs.replace("A", "B")]
    assert theirs.encode() in server.mails[0].content


@pytest.mark.parametrize(
    "field",
    ["attempt", "message_id", "to", "to_name", "subject", "from_address", "from_name", "reply_to"],
)
@pytest.mark.parametrize("injected", ["x\r\nBcc: all@example.com", "x\nx", "x\rx", "x\x00x", "x\u2028x"])
def test_a_line_break_in_a_header_is_refused_before_anybody_is_called(server, channel, field, injected):
    outcome = channel.send(a_message(**{field: injected}))

    assert isinstance(outcome, Refused) and "line break" in outcome.why
    assert server.callers == 0


def test_a_line_break_in_a_copy_a_reference_or_an_attachments_name_is_refused_too(server, channel):
    for change in (
        {"cc": ("boss@x.example\r\nBcc: all@x.example",)},
        {"references": ("<a@b>\r\nBcc: all@x.example",)},
        {"attachments": (Attachment("a\r\nb.pdf", "application/pdf", b""),)},
        {"attachments": (Attachment("a.pdf", "application/pdf\r\nX: y", b""),)},
    ):
        assert isinstance(channel.send(a_message(**change)), Refused)
    assert server.callers == 0


@pytest.mark.parametrize(
    "to", ["", "mia", "mia@", "@cafe.example", "a@b.example, c@d.example", "Mia <mia@cafe.example>", "a b@c.example"]
)
def test_what_is_no_single_address_is_refused(server, channel, to):
    assert isinstance(channel.send(a_message(to=to)), Refused)
    assert server.callers == 0


@pytest.mark.parametrize(
    ("command", "answer", "outcome"),
    [
        ("MAIL", "550 5.7.1 not you", Refused),
        ("MAIL", "451 4.3.0 later", Unavailable),
        ("MAIL", "530 5.7.0 authentication required", Unavailable),
        ("RCPT", "550 5.1.1 no such mailbox", Refused),
        ("RCPT", "551 user moved", Refused),
        ("RCPT", "451 4.7.1 greylisted", Unavailable),
        ("RCPT", "452 4.2.2 mailbox full", Unavailable),
        ("DATA", "554 5.7.1 looks like spam", Refused),
        ("DATA", "451 4.3.0 later", Unavailable),
    ],
)
def test_each_answer_of_the_server_says_what_to_do_next(server, channel, command, answer, outcome):
    server.answers = {command: answer}
    result = channel.send(a_message())

    assert isinstance(result, outcome)
    assert answer in result.why
    server.answers = {}
    assert isinstance(channel.send(a_message()), Receipt)
    assert server.callers == 1


@pytest.mark.parametrize(
    ("moment", "outcome"),
    [
        ("at the recipient", Unavailable),
        ("before the words", Unavailable),
        ("after the words", Unsure),
        ("silence", Unsure),
    ],
)
def test_a_line_that_breaks_is_harmless_before_the_words_and_a_riddle_after_them(server, channel, moment, outcome):
    channel.send(a_message())
    server.drops = moment
    result = channel.send(a_message())

    assert isinstance(result, outcome) and len(server.mails) == 1
    server.drops = ""
    assert isinstance(channel.send(a_message()), Receipt)


def test_a_server_that_is_not_there_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    channel = open_channel(
        "email_smtp", Settings("127.0.0.1", port, "none", from_address="a@b.example"), clock=lambda: NOW
    )
    outcome = channel.send(a_message())

    assert isinstance(outcome, Unavailable) and f"127.0.0.1:{port} cannot be reached" in outcome.why


@pytest.mark.parametrize(
    "settings", [{"security": "starttls"}, {"security": "tls"}, {"host": ""}, {"host": "no.such.host.invalid"}]
)
def test_a_connection_that_is_not_as_safe_as_the_settings_ask_is_not_used(server, settings):
    channel = a_channel(server, **settings)
    outcome = channel.send(a_message())

    assert isinstance(outcome, Unavailable)
    assert server.mails == []


@pytest.fixture
def certificate(tmp_path, monkeypatch) -> ssl.SSLContext:
    """A certificate for this machine that this machine trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=36500))
    made = made.add_extension(here, critical=False).sign(key, SHA256())
    (tmp_path / "made.pem").write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "made.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "made.pem")
    return context


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_over_a_safe_line_to_a_server_that_is_who_it_says(certificate, monkeypatch, security):
    server = Server(**({"tls_context": certificate, "require_starttls": True} if security == "starttls" else {}))
    server.ssl_context = certificate if security == "tls" else None
    server.start()
    channel = a_channel(server, security=security)
    outcomes = [channel.send(a_message()) for _ in range(2)]
    channel.close()
    monkeypatch.delenv("SSL_CERT_FILE")
    stranger = a_channel(server, security=security).send(a_message())
    server.stop()

    assert all(isinstance(outcome, Receipt) for outcome in outcomes) and len(server.mails) == 2
    assert isinstance(stranger, Unavailable) and "safely" in stranger.why


def test_a_picture_is_shown_where_the_words_say_so_and_is_no_file(server, channel):
    logo = Attachment("logo.png", "image/png", b"\x89PNG", content_id="logo")
    statement = Attachment("s.pdf", "application/pdf", b"%PDF")
    channel.send(a_message(html="<p><img src='cid:logo'></p>", attachments=(logo, statement)))
    mail = the_mail(server)
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]

    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<logo>", "inline")
    assert [part.get_filename() for part in mail.iter_attachments()] == ["s.pdf"]
    assert mail.get_body(("related", "html")).get_content_type() == "multipart/related"


def test_a_wrong_password_is_said_in_a_sentence_and_nothing_is_lost():
    server = Server(authenticator=lambda *_: AuthResult(success=False, handled=False), auth_require_tls=False)
    server.start()
    channel = a_channel(server, username="accounts", password="wr0ng")
    outcome = channel.send(a_message())
    channel.close()
    server.stop()

    assert isinstance(outcome, Unavailable)
    assert "check the user name and the password" in outcome.why and "wr0ng" not in outcome.why


def test_a_password_that_smtp_cannot_carry_is_said_in_a_sentence():
    server = Server(authenticator=lambda *_: AuthResult(success=True), auth_require_tls=False)
    server.start()
    channel = a_channel(server, username="accounts", password="pässword")
    outcome = channel.send(a_message())
    channel.close()
    server.stop()

    assert isinstance(outcome, Unavailable) and "outside ASCII" in outcome.why and "pässword" not in outcome.why


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_server_that_asks_for_a_password_gets_it():
    seen = []

    def authenticator(_server, _session, _envelope, _mechanism, login):
        seen.append((login.login, login.password))
        return AuthResult(success=True)

    server = Server(authenticator=authenticator, auth_require_tls=False, auth_required=True)
    server.start()
    channel = a_channel(server, username="accounts", password="s3cret")
    outcomes = channel.send(a_message()), a_channel(server).send(a_message())
    channel.close()
    server.stop()

    assert isinstance(outcomes[0], Receipt) and seen == [(b"accounts", b"s3cret")]
    assert isinstance(outcomes[1], Unavailable) and "check the user name and the password" in outcomes[1].why


def test_a_password_never_shows_when_settings_are_printed():
    assert "s3cret" not in repr(
        Settings("mail.example", from_address="a@b.example", password="s3cret", imap_password="s3cret")
    )


def test_a_way_to_secure_a_connection_that_does_not_exist_is_refused_at_once():
    with pytest.raises(ValueError, match="starttls"):
        Settings("mail.example", from_address="a@b.example", security="ssl")


def test_a_copy_that_is_refused_does_not_keep_the_reminder_back_and_is_said(server, channel):
    server.answers = {"boss@firm.example": "550 5.1.1 no such mailbox"}
    outcome = channel.send(a_message(cc=("boss@firm.example", "owner@firm.example")))

    assert isinstance(outcome, Receipt)
    assert "boss@firm.example" in outcome.note and "owner@firm.example" not in outcome.note
    assert server.mails[0].rcpt_tos == ["mia@cafe.example", "owner@firm.example"]
    assert the_mail(server)["Cc"] == "boss@firm.example, owner@firm.example"


def test_one_connection_is_kept_for_many_reminders_and_opened_again_when_it_died(server, channel):
    for _ in range(3):
        assert isinstance(channel.send(a_message()), Receipt)
    assert server.callers == 1

    server.loop.call_soon_threadsafe(server.lines[-1].transport.abort)
    assert isinstance(channel.send(a_message()), Receipt)
    assert (server.callers, len(server.mails)) == (2, 4)


def test_many_threads_may_send_at_once_and_every_reminder_goes_once(server, channel):
    outcomes = []
    threads = [
        threading.Thread(target=lambda n=n: outcomes.append(channel.send(a_message(attempt=f"attempt-{n}"))))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = {message_from_bytes(mail.content)["X-Arrears-Attempt"] for mail in server.mails}

    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert sent == {f"attempt-{n}" for n in range(20)} and server.callers == 1


def test_bounces_may_be_asked_for_at_the_reply_address(server):
    channel = a_channel(server, bounces_to_reply_address=True)
    channel.send(a_message(reply_to="replies+abc@brightwater.example"))
    channel.close()

    assert server.mails[0].mail_from == "replies+abc@brightwater.example"


def test_a_message_without_an_id_of_its_own_gets_one_from_its_attempt(server, channel):
    channel.send(a_message(message_id=""))

    assert the_mail(server)["Message-ID"] == "<01JATTEMPT@brightwater.example>"


def test_smtp_gives_no_evidence_after_a_crash(channel):
    assert channel.find(a_message()) is None


def test_a_firm_without_a_mailbox_to_read_collects_nothing(channel):
    assert list(channel.collect(None)) == []


def test_closing_twice_or_before_anything_was_sent_does_no_harm(channel):
    channel.close()
    channel.close()
