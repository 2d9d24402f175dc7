"""Mirrors channels/_machine_mail.py: a person, a mail server, an absence notice, or some other machine?"""

import pytest

from channels._mail_reading import read_mail
from engine.replies import Reply, ReplyKind


def a_mail(*headers: str, body: str = "Paid on Friday.") -> Reply:
    given = "".join(f"{header}\r\n" for header in headers)
    names = {header.partition(":")[0].lower() for header in headers}
    usual = {"From": "Mia <mia@cafe.example>", "To": "replies@firm.example", "Subject": "Re: your account"}
    rest = "".join(f"{name}: {value}\r\n" for name, value in usual.items() if name.lower() not in names)
    return read_mail(f"{given}{rest}\r\n{body}\r\n".encode())


def a_report(action: str = "failed", status: str = "5.1.1", *, more: str = "", original: str | None = None) -> bytes:
    original = original or (
        "Message-ID: <attempt-9@firm.example>\r\nReply-To: replies+00000005000000092tdb0030mv2m7@firm.example\r\n"
        "To: mia@cafe.example\r\nSubject: Reminder\r\n"
    )
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: accounts@firm.example\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI could not deliver your mail to <someone.else@cafe.example>.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; mia@cafe.example\r\n{more}Action: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}\r\n--b--\r\n"
    ).encode()


def test_a_delivery_report_names_the_address_and_the_reminder_that_failed():
    reply = read_mail(a_report())

    assert reply.kind is ReplyKind.BOUNCE
    assert reply.failed_recipient == "mia@cafe.example"
    assert reply.answers == ("<attempt-9@firm.example>",)
    assert "replies+00000005000000092tdb0030mv2m7@firm.example" in reply.tokens


def test_the_address_as_we_wrote_it_counts_more_than_the_one_it_was_passed_on_to():
    reply = read_mail(a_report(more="Original-Recipient: rfc822; accounts@cafe.example\r\n"))

    assert reply.failed_recipient == "accounts@cafe.example"


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_a_delay_or_a_delivery_is_no_failure(action):
    reply = read_mail(a_report(action, "4.4.1"))

    assert reply.kind is ReplyKind.MACHINE
    assert reply.failed_recipient == ""


def test_a_mail_server_that_gave_up_after_days_of_trying_has_failed():
    assert read_mail(a_report("failed", "4.4.7")).kind is ReplyKind.BOUNCE


def test_a_report_that_encloses_the_whole_mail_names_it_as_well():
    raw = a_report().replace(b"text/rfc822-headers", b"message/rfc822")

    assert read_mail(raw).answers == ("<attempt-9@firm.example>",)


def test_an_old_mail_server_that_reports_in_words_only_is_understood():
    reply = a_mail(
        "Return-Path: <>",
        "From: MAILER-DAEMON@old.example",
        "Subject: failure notice",
        body="Hi. This is the qmail-send program.\r\n<mia@cafe.example>:\r\nSorry, no mailbox here.\r\n\r\n"
        "--- Below this line is a copy of the message.\r\n\r\n"
        "Message-ID: <attempt-9@firm.example>\r\nTo: <x@y.example>\r\n",
    )

    assert (reply.kind, reply.failed_recipient) == (ReplyKind.BOUNCE, "mia@cafe.example")
    assert reply.answers == ("<attempt-9@firm.example>",)


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Failed-Recipients: mia@cafe.example"],
        ["X-MS-Exchange-Message-Is-Ndr: true", "Subject: Undeliverable: Reminder"],
        ["From: Mail Delivery System <mailer-daemon@x.example>", "Subject: Delivery Status Notification (Failure)"],
        ["From: postmaster@x.example", "Return-Path: <>"],
        ["Return-Path: <>", "Subject: Unzustellbar: Zahlungserinnerung"],
    ],
)
def test_a_bounce_is_known_by_what_mail_servers_write(headers):
    assert a_mail(*headers).kind is ReplyKind.BOUNCE


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["From: MAILER-DAEMON@old.example", "Subject: Processing Error"], "It has been returned."),
        (
            ["From: imss@scanner.example", "Subject: Mail could not be delivered"],
            "Received >>> 550 5.1.1 unknown user.",
        ),
        (["From: postmaster@x.example", "Subject: About your mail"], "Your message could not be delivered to mia."),
        (["From: a@x.example", "Subject: Delivery Failure"], "Could not deliver message. Reason: unknown user <mia>"),
    ],
)
def test_an_old_server_is_known_by_two_signs_of_which_its_words_may_be_one(headers, body):
    assert a_mail(*headers, body=body).kind is ReplyKind.BOUNCE


def test_a_delay_that_is_told_in_words_only_is_no_failure():
    told = "Warning: message still undelivered after 4 hours. Will keep trying until it is 5 days old."

    assert a_mail("From: MAILER-DAEMON@x.example", "Subject: Returned mail", body=told).kind is ReplyKind.MACHINE


@pytest.mark.parametrize("more", [[], ["In-Reply-To: <a@b.example>"]])
def test_a_person_who_passes_on_that_a_mail_came_back_is_a_person(more):
    subject = "Subject: FW: Undeliverable: Your invoice" if not more else "Subject: Undeliverable: Your invoice"
    body = "We could not deliver this, can you mend it? It says 550 5.1.1 user unknown."

    assert a_mail("From: Mia <mia@cafe.example>", subject, *more, body=body).kind is ReplyKind.HUMAN


def test_a_complaint_names_whoever_pressed_the_button():
    raw = (
        b"From: feedback@isp.example\r\nTo: accounts@firm.example\r\nSubject: complaint\r\n"
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        b"--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        b"Feedback-Type: abuse\r\nOriginal-Rcpt-To: <mia@cafe.example>\r\n\r\n--b--\r\n"
    )
    reply = read_mail(raw)

    assert (reply.kind, reply.failed_recipient, reply.why) == (ReplyKind.COMPLAINT, "mia@cafe.example", "abuse")


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Your account",
        "Out of Office: Re: Your account",
        "Out of office",
        "Auto-Reply: Thanks",
        "Abwesenheitsnotiz: Ihre Rechnung",
        "Automatische Antwort: Zahlungserinnerung",
        "Réponse automatique : Rappel",
        "Respuesta automática: Recordatorio",
        "Risposta automatica: Sollecito",
        "Automatisch antwoord: Herinnering",
        "Autosvar: Påminnelse",
    ],
)
def test_an_absence_notice_is_known_by_its_subject_even_without_any_header(subject):
    assert a_mail(f"Subject: {subject}").kind is ReplyKind.OUT_OF_OFFICE


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "X-Autoreply: yes",
        "X-Autorespond: Re: your account",
        "Precedence: auto_reply",
        "Delivered-To: Autoresponder",
    ],
)
def test_an_absence_notice_is_known_by_what_its_machine_writes(header):
    assert a_mail(header).kind is ReplyKind.OUT_OF_OFFICE


def test_exchange_calls_its_absence_notices_generated_and_is_understood():
    reply = a_mail(
        "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "Subject: Automatic reply: Account"
    )

    assert reply.kind is ReplyKind.OUT_OF_OFFICE


@pytest.mark.parametrize(
    "headers",
    [
        ["Auto-Submitted: auto-generated", "Subject: We have received your request"],
        ["X-Autogenerated: Reply"],
        ["Return-Path: <>", "Subject: Thank you for your mail"],
    ],
)
def test_tickets_are_machines(headers):
    assert a_mail(*headers).kind is ReplyKind.MACHINE


@pytest.mark.parametrize(
    "headers",
    [["List-Id: <news.shop.example>", "Subject: Summer sale"], ["Precedence: bulk", "Subject: Newsletter"]],
)
def test_what_goes_to_many_is_told_apart(headers):
    assert a_mail(*headers).kind is ReplyKind.BULK


def test_a_read_receipt_is_told_apart():
    raw = (
        b"From: mia@cafe.example\r\nTo: a@firm.example\r\nSubject: Read: Reminder\r\n"
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nYour mail was read.\r\n"
        b"--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: manual-action\r\n\r\n--b--\r\n"
    )

    assert read_mail(raw).kind is ReplyKind.RECEIPT


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["X-Auto-Response-Suppress: DR, OOF, AutoReply"],
        ["Auto-Submitted: no"],
        ["Subject: Re: Automatic reply: Your account"],
        ["Subject: Out of office furniture, invoice 1042"],
        ["Subject: Undeliverable goods on INV-1042"],
        ["List-Id: <accounts.firm.example>", "Precedence: list", "In-Reply-To: <attempt-9@firm.example>"],
        ["Return-Path: <mia@cafe.example>"],
    ],
)
def test_when_in_doubt_it_was_a_person(headers):
    assert a_mail(*headers).kind is ReplyKind.HUMAN


def test_a_person_who_forwards_a_delivery_report_is_still_a_person():
    inner = a_report()
    raw = (
        b"From: Mia <mia@cafe.example>\r\nTo: replies@firm.example\r\nSubject: what is this?\r\n"
        b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nWe got this.\r\n'
        b"--m\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--m--\r\n"
    )
    reply = read_mail(raw)

    assert (reply.kind, reply.said) == (ReplyKind.HUMAN, "We got this.")


@pytest.mark.parametrize(
    ("reports_on", "kind"),
    [("disposition-notification", ReplyKind.RECEIPT), ("feedback-report", ReplyKind.COMPLAINT)],
)
def test_a_report_whose_parts_cannot_be_found_still_says_at_its_head_what_it_is(reports_on, kind):
    reply = a_mail(
        f"Content-Type: multipart/report; report-type={reports_on};", 'boundary="b"', body="--b\r\n\r\n--b--"
    )

    assert reply.kind is kind


def test_a_mail_from_nobody_that_calls_the_address_no_valid_one_has_come_back():
    reply = a_mail(
        *("From: <>", "Return-Path: <>", "Subject: Re: your account", "Auto-Submitted: auto-replied"),
        body="You sent mail to mia@cafe.example. That's not a valid user here.",
    )

    assert reply.kind is ReplyKind.BOUNCE
