"""Mirrors channels/_mail_reading.py: a raw mail understood, however badly it was written."""

from datetime import UTC, datetime
from email.message import EmailMessage
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels._mail_reading import read_mail
from engine.replies import ReplyKind


def test_an_ordinary_reply_is_understood_in_all_its_parts():
    raw = (
        b"Delivered-To: replies+tok@firm.example\r\nX-Original-To: all@firm.example\r\n"
        b"From: =?utf-8?q?Zo=C3=AB_=C3=85ngstr=C3=B6m?= <zoe@cafe.example>\r\n"
        b'To: "Firm, accounts" <replies+tok@firm.example>\r\nCc: boss@cafe.example, <two@cafe.example>\r\n'
        b"Subject: =?utf-8?q?Re=3A_Rechnung_=C3=BCber_1=2E200_=E2=82=AC?=\r\nDate: Mon, 30 Jun 2025 11:12:00 +0200\r\n"
        b"Message-ID: <r1@cafe.example>\r\nIn-Reply-To: <a9@firm.example>\r\n"
        b"References: <a8@firm.example>\r\n <a9@firm.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        b"Paid.\r\n\r\nOn Mon, 30 Jun 2025 at 09:12, Firm <a@firm.example> wrote:\r\n> Please pay.\r\n"
    )
    reply = read_mail(raw)

    assert (reply.kind, reply.sender, reply.sender_name) == (ReplyKind.HUMAN, "zoe@cafe.example", "Zoë Ångström")
    assert reply.subject == "Re: Rechnung über 1.200 €"
    assert reply.sent_at == datetime(2025, 6, 30, 9, 12, tzinfo=UTC)
    assert reply.message_id == "<r1@cafe.example>"
    assert reply.answers == ("<a9@firm.example>", "<a8@firm.example>")
    assert reply.tokens == ("replies+tok@firm.example", "all@firm.example", "boss@cafe.example", "two@cafe.example")
    assert reply.recipient == "replies+tok@firm.example"
    assert reply.said == "Paid." and "> Please pay." in reply.text


def test_html_only_mail_is_read_as_text_and_its_answers_between_quotes_are_kept():
    raw = (
        b"From: mia@cafe.example\r\nSubject: Re: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<html><head><title>no</title><style>p{color:red}</style></head><body><p>Hello&nbsp;Tom,</p>"
        b"<div class='gmail_attr'>On Mon, 30 Jun 2025 at 09:12, Firm &lt;a@firm.example&gt; wrote:<br></div>"
        b"<blockquote>INV-1 is overdue</blockquote><div>Paid <b>on Friday</b>.</div>"
        b"<blockquote>INV-2 is overdue</blockquote><ul><li>disputed</li></ul></body></html>"
    )
    reply = read_mail(raw)

    assert reply.said == "Hello Tom,\n\nPaid on Friday.\n\n- disputed"
    assert "> INV-1 is overdue" in reply.text and "color" not in reply.text and "no" not in reply.text.split()


def test_html_only_mail_from_outlook_is_cut_above_its_header_block():
    raw = (
        b"From: mia@cafe.example\r\nSubject: RE: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<html><head><style>p.MsoNormal{margin:0}</style></head><body><div class=WordSection1>"
        b"<p class=MsoNormal>This was paid by BACS on Friday.<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>"
        b"<div style='border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b><span>From:</span></b><span> Firm "
        b"&lt;accounts@firm.example&gt; <br><b>Sent:</b> 30 June 2025 09:12<br><b>To:</b> Mia<br><b>Subject:</b> x"
        b"</span></p></div><p class=MsoNormal>Hi Mia, please pay.</p></div></body></html>"
    )

    assert read_mail(raw).said == "This was paid by BACS on Friday."


def test_of_plain_and_html_the_plain_words_are_read_unless_they_are_empty():
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "mia@cafe.example", "Re: x"
    mail.set_content("in plain words")
    mail.add_alternative("<p>in markup</p>", subtype="html")
    empty = EmailMessage()
    empty["From"], empty["Subject"] = "mia@cafe.example", "Re: x"
    empty.set_content(" \n")
    empty.add_alternative("<p>in markup</p>", subtype="html")

    assert read_mail(mail.as_bytes()).text == "in plain words"
    assert read_mail(empty.as_bytes()).text == "in markup"


def test_words_before_and_after_a_picture_are_both_read_and_attachments_are_not():
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "mia@cafe.example", "Re: x"
    mail.set_content("before the picture")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    mail.add_attachment("after the picture", disposition="inline")
    mail.add_attachment("remittance.txt is not part of the mail", filename="remittance.txt")

    assert read_mail(mail.as_bytes()).text == "before the picture\n\nafter the picture"


@pytest.mark.parametrize("charset", ["utf-8", "no-such-thing", "punycode", "hex", "us-ascii", "", "utf-16"])
def test_a_wrong_or_unknown_alphabet_still_gives_something_to_read(charset):
    raw = f"From: a@b.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode() + "paid £12\r\n".encode()

    assert "12" in read_mail(raw).text or charset == "utf-16"


def test_a_windows_mail_that_does_not_say_so_is_read_as_one():
    assert read_mail(b"From: a@b.example\r\n\r\npaid \xa312\r\n").text == "paid £12"


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\nno headers at all",
        b"Subject: only this\r\n",
        b"From: a@b.example\r\n\r\n",
        b"From: \r\nTo: ,;<>@\r\nDate: the other day\r\nMessage-ID: <>\r\nReferences: <<<>>>\r\n\r\nhi",
        b"From: =?utf-8?b?////?= <<a@@b>>\r\nSubject: =?x?y?z?=\r\nDate: Mon, 99 Foo 99999 99:99\r\n\r\nhi",
        b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        b"From: a@b.example\r\nContent-Type: ;;;=\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"From: a@b.example\r\nContent-Type: text/plain; charset*=utf-8''%ff\r\n\r\nhi",
        b"From: a@b.example\r\nContent-Disposition: \xff\xfe\r\n\r\nhi",
        b"Date: Fri, 31 Dec 0000 23:59:59 -9999\r\n\r\nhi",
        b"\x00\xff" * 500,
    ],
)
def test_a_broken_mail_is_read_as_far_as_it_goes(raw):
    reply = read_mail(raw)

    assert "\x00" not in reply.text + reply.subject + reply.sender
    assert (reply.text + reply.subject + reply.sender_name).encode("utf-8") is not None


def test_what_stands_in_a_mail_of_parts_without_a_border_is_its_text():
    assert read_mail(b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\nWe pay on Friday.").said == (
        "We pay on Friday."
    )


@pytest.mark.parametrize("raw", [b"", b" \r\n\r\n"])
def test_an_empty_mail_is_refused_with_a_sentence(raw):
    with pytest.raises(ValueError, match="empty"):
        read_mail(raw)


def test_ten_thousand_parts_inside_one_another_are_refused_with_a_sentence_or_read():
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(10_000))

    try:
        reply = read_mail(b"From: a@b.example\r\n" + nested + b"\r\nhi")
    except ValueError as problem:
        assert str(problem).endswith(".")
    else:
        assert reply.sender == "a@b.example"


def test_ten_thousand_parts_beside_one_another_take_no_time():
    parts = b"--b\r\n\r\npart\r\n" * 10_000

    assert read_mail(b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts).text.startswith(
        "part"
    )


@pytest.mark.parametrize("lines", [b"X-A: b\r\n", b"a: b\r\n\r\n", b"Action: failed\r\n\r\n", b" b\r\n"])
def test_a_report_of_a_million_lines_is_read_up_to_a_limit(lines):
    head = (
        b"From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
    )
    part = b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n"

    assert read_mail(head + part + lines * (7_000_000 // len(lines))).kind is ReplyKind.BOUNCE


def test_an_endless_html_mail_is_read_up_to_a_limit():
    raw = b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n<p>paid</p>" + b"<div><!--<![" * 200_000

    assert read_mail(raw).text.startswith("paid")


def test_a_forwarded_mail_is_shown_whole_because_the_forwarded_words_are_the_message():
    raw = (
        b"From: mia@cafe.example\r\nSubject: Fwd: remittance\r\n\r\nSee below.\r\n\r\n"
        b"From: Bank <advice@bank.example>\r\nSent: Friday, 27 June 2025\r\nTo: Mia\r\nSubject: Payment\r\n\r\n"
        b"Sent 1,200.00\r\n"
    )

    assert read_mail(raw).said.endswith("Sent 1,200.00")


@given(st.binary(max_size=400))
def test_no_bytes_at_all_bring_the_reader_down(raw):
    try:
        read_mail(raw)
    except ValueError as problem:
        assert str(problem)


HEADER = st.sampled_from(
    ["From", "To", "Subject", "Date", "Message-ID", "Content-Type", "References", "Return-Path", "Content-Disposition"]
)
VALUE = st.text(alphabet=st.sampled_from("ab <>@,;:\"'()[]\\=?*/-_.%\t09éß\x00"), max_size=60)


@given(st.lists(st.tuples(HEADER, VALUE), max_size=6), st.text(max_size=50))
def test_no_header_at_all_brings_the_reader_down(headers, body):
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n" + body
    try:
        read_mail(raw.encode("utf-8", "replace"))
    except ValueError as problem:
        assert str(problem)


@pytest.mark.parametrize("value", ["a@b, ", "(", "<", '"', "=?utf-8?q?a?=", "a;b=", "@", "\t"])
@pytest.mark.parametrize("name", ["From", "To", "Subject", "Date", "Content-Type", "References"])
def test_a_header_of_a_million_letters_takes_no_time(name, value):
    raw = f"{name}: {value * 200_000}\r\n\r\nhi".encode()
    begun = perf_counter()
    read_mail(raw)

    assert perf_counter() - begun < 5
