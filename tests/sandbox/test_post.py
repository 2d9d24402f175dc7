"""Mirrors sandbox/mail/: letters go out by SMTP, debtors answer, and the answers are read by IMAP."""

import email
import email.policy
import imaplib
import smtplib
import time
from email.message import EmailMessage

import pytest
from imap_tools import AND, MailBoxUnencrypted, MailMessageFlags

FIRM = "Brightwater Joinery <accounts@brightwater-joinery.example>"


def _letter(to="Zoë Lowe <zoe@fern-and-fig.example>", subject="Invoice INV-0007 is overdue – £120"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = FIRM, to, subject
    message["Reply-To"] = "replies+tok3n@brightwater-joinery.example"
    message["Message-ID"] = f"<{time.monotonic_ns()}@brightwater-joinery.example>"
    message["Date"] = "Mon, 05 Jan 2026 09:00:00 +0000"
    message["References"] = "<earlier@brightwater-joinery.example>"
    message.set_content("Dear Zoë,\n\nplease pay £120.\n.\nThank you\n")
    message.add_alternative("<p>Dear Zoë, please pay <b>£120</b>.</p>", subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="statement.pdf")
    return message


def _send(world, message, **more):
    with smtplib.SMTP("127.0.0.1", world.smtp_port, timeout=5) as smtp:
        smtp.send_message(message, **more)


def _replies(world):
    with MailBoxUnencrypted("127.0.0.1", world.imap_port).login("replies", "sandbox") as box:
        return list(box.fetch(mark_seen=False))


def test_a_letter_is_kept_with_everything_in_it(world):
    sent = _letter()
    _send(world, sent)
    (mail,) = world.control.mails()
    assert mail["to"] == ["zoe@fern-and-fig.example"] and "Brightwater Joinery" in mail["from"]
    assert mail["subject"] == "Invoice INV-0007 is overdue – £120" and mail["message_id"] == sent["Message-ID"]
    assert "please pay £120.\n.\n" in mail["text"].replace("\r\n", "\n") and "<b>£120</b>" in mail["html"]
    assert mail["attachments"] == ["statement.pdf"] and mail["received_at"] == "2026-01-05T09:00:00+00:00"
    assert mail["reply_to"] == "replies+tok3n@brightwater-joinery.example" and "MIME-Version" in mail["raw"]
    assert world.control.mails(since=1) == []


def test_any_password_opens_the_outgoing_server(world):
    with smtplib.SMTP("127.0.0.1", world.smtp_port, timeout=5) as smtp:
        smtp.login("anybody", "anything")
        smtp.send_message(_letter())
    assert len(world.control.mails()) == 1


def test_a_reply_looks_like_one_from_a_mail_client(world):
    sent = _letter()
    _send(world, sent)
    world.control.reply(0, "I will pay on Friday.\n\nZoë", html="<p>I will pay on Friday.</p>")
    (reply,) = _replies(world)
    assert reply.from_ == "zoe@fern-and-fig.example" and reply.from_values.name == "Zoë Lowe"
    assert reply.to == ("replies+tok3n@brightwater-joinery.example",)
    assert reply.subject == "Re: Invoice INV-0007 is overdue – £120"
    assert reply.headers["in-reply-to"] == (sent["Message-ID"],)
    assert reply.headers["references"][0].split() == [str(sent["References"]), str(sent["Message-ID"])]
    assert reply.headers["message-id"] and reply.date_str == "Mon, 05 Jan 2026 09:00:00 +0000"
    text = reply.text.replace("\r\n", "\n")
    assert text.startswith("I will pay on Friday.\n\nZoë\n\nOn Mon, 5 Jan 2026 at 09:00, Brightwater Joinery <")
    assert "> please pay £120.\n" in text and "gmail_quote" in reply.html


def test_a_new_thread_has_no_threading_and_goes_to_the_address_in_the_address_book(world):
    sent = _letter()
    _send(world, sent)
    world.control.reply(
        str(sent["Message-ID"]), "About INV-0007", from_="Ben <ben@else.example>", as_new_thread=True, subject="Hello"
    )
    (reply,) = _replies(world)
    assert (reply.subject, reply.from_) == ("Hello", "ben@else.example")
    assert reply.to == ("accounts@brightwater-joinery.example",)
    assert "in-reply-to" not in reply.headers and ">" not in reply.text


def test_a_bounce_is_a_delivery_report_for_machines(world):
    sent = _letter()
    _send(world, sent)
    world.control.bounce(0, status="5.1.1")
    (raw,) = [letter["raw"] for letter in world.control.inbox()]
    report = email.message_from_string(raw, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report" and report.get_param("report-type") == "delivery-status"
    words, status, headers = report.iter_parts()
    assert "could not be delivered" in words.get_content()
    whole, single = status.get_payload()
    assert (single["Action"], single["Status"]) == ("failed", "5.1.1")
    assert single["Final-Recipient"] == "rfc822; zoe@fern-and-fig.example"
    assert str(sent["Message-ID"]) in headers.get_content()


def test_an_absence_notice_says_that_a_machine_wrote_it(world):
    _send(world, _letter())
    world.control.out_of_office(0)
    (notice,) = _replies(world)
    assert notice.headers["auto-submitted"] == ("auto-replied",) and notice.subject.startswith("Automatic reply:")
    assert notice.to == ("accounts@brightwater-joinery.example",)


def test_a_letter_to_the_firm_itself_lands_in_its_inbox(world):
    _send(world, _letter(to="hello@brightwater-joinery.example"))
    assert len(_replies(world)) == 1


def test_a_reply_can_be_put_on_the_timetable(world):
    from datetime import timedelta

    control = world.control
    _send(world, _letter())
    control.reply(0, "later", at=control.now() + timedelta(days=2))
    assert _replies(world) == []
    control.move_clock(control.now() + timedelta(days=3))
    assert _replies(world)[0].date_str == "Wed, 07 Jan 2026 09:00:00 +0000"


def test_imaplib_reads_what_is_new_since_the_last_number(world):
    for n in range(3):
        world.control.deliver(f"Subject: letter {n}\r\nFrom: a@b.example\r\n\r\nbody {n} {{3}}\r\n")
    box = imaplib.IMAP4("127.0.0.1", world.imap_port)
    assert box.login("replies", "sandbox")[0] == "OK"
    assert box.list()[0] == "OK"
    assert box.select("INBOX") == ("OK", [b"3"])
    assert box.response("UIDVALIDITY")[1] == [b"1"] and box.response("UIDNEXT")[1] == [b"4"]
    assert box.uid("SEARCH", "UID", "2:*")[1] == [b"2 3"]
    assert box.uid("SEARCH", "UID", "9:*")[1] == [b"3"]  # the last letter always belongs to n:*
    assert box.uid("SEARCH", "ALL")[1] == [b"1 2 3"] and box.uid("SEARCH", "UNSEEN")[1] == [b"1 2 3"]
    data = box.uid("FETCH", "2:3", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
    assert data[0][1] == b"Subject: letter 1\r\nFrom: a@b.example\r\n\r\nbody 1 {3}\r\n"
    assert imaplib.Internaldate2tuple(data[0][0]) is not None and b"UID 2" in data[0][0]
    fields = box.uid("FETCH", "1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    assert fields[0][1] == b"Subject: letter 0\r\n\r\n"
    assert box.uid("FETCH", "1", "(RFC822)")[0] == "OK"
    assert box.uid("SEARCH", "UNSEEN")[1] == [b"2 3"]
    assert box.uid("STORE", "2", "+FLAGS", r"(\Seen)")[0] == "OK"
    assert box.uid("SEARCH", "UNSEEN")[1] == [b"3"]
    assert box.uid("SEARCH", None, "SUBJECT", '"letter 2"')[1] == [b"3"]
    assert box.noop()[0] == "OK" and box.select("Nowhere")[0] == "NO"
    assert box.logout()[0] == "BYE"


def test_new_letters_are_announced_on_an_open_line(world):
    box = imaplib.IMAP4("127.0.0.1", world.imap_port)
    box.login("replies", "sandbox")
    box.select("INBOX", readonly=True)
    world.control.deliver("Subject: x\r\n\r\nx")
    box.noop()
    assert box.uid("SEARCH", "ALL")[1] == [b"1"]
    assert box.uid("STORE", "1", "+FLAGS", r"(\Seen)")[0] == "NO"


def test_a_wrong_password_does_not_open_the_mailbox(world):
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imaplib.IMAP4("127.0.0.1", world.imap_port).login("replies", "guess")


def test_imap_tools_searches_flags_and_deletes(world):
    for n in range(3):
        world.control.deliver(f"Subject: letter {n}\r\nFrom: Zoë <zoe{n}@b.example>\r\nDate: x\r\n\r\nbody {n}\r\n")
    with MailBoxUnencrypted("127.0.0.1", world.imap_port).login("replies", "sandbox") as box:
        assert [m.uid for m in box.fetch(AND(seen=False), mark_seen=True)] == ["1", "2", "3"]
        assert list(box.fetch(AND(seen=False))) == []
        assert [m.subject for m in box.fetch(AND(from_="zoe1@b.example"))] == ["letter 1"]
        box.flag(["1"], MailMessageFlags.FLAGGED, True)
        assert [m.uid for m in box.fetch(AND(flagged=True))] == ["1"]
        box.delete(["2"])
        assert box.uids(AND(all=True)) == ["1", "3"]
        assert box.folder.status("INBOX")["MESSAGES"] == 2
        assert [f.name for f in box.folder.list()] == ["INBOX"]
    assert world.control.renumber_mailbox() == 2
    with MailBoxUnencrypted("127.0.0.1", world.imap_port).login("replies", "sandbox") as box:
        assert box.folder.status("INBOX")["UIDVALIDITY"] == 2 and box.uids() == ["1", "2"]


def test_a_refused_address_gets_550_and_a_temporary_trouble_451(world):
    world.control.faults(smtp={"refuse": ["zoe@fern-and-fig.example"], "temporary": ["ben@else.example"]})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        _send(world, _letter())
    assert refused.value.recipients["zoe@fern-and-fig.example"][0] == 550
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        _send(world, _letter(to="ben@else.example"))
    assert refused.value.recipients["ben@else.example"][0] == 451
    assert world.control.mails() == []


def test_the_line_may_go_dead_after_the_letter_was_kept(world):
    world.control.faults(smtp={"drop_after_data": 1})
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        _send(world, _letter())
    assert len(world.control.mails()) == 1
    _send(world, _letter())
    assert len(world.control.mails()) == 2


def test_the_line_may_go_dead_before_the_letter_was_taken(world):
    world.control.faults(smtp={"drop_before_data": 1})
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        _send(world, _letter())
    assert world.control.mails() == []


def test_a_slow_mail_server_keeps_the_sender_waiting(world):
    world.control.faults(smtp={"slow": 0.3})
    began = time.monotonic()
    _send(world, _letter())
    assert time.monotonic() - began >= 0.3
