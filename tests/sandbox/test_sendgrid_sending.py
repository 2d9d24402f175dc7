"""Mirrors sandbox/sendgrid/: mails are taken, checked and refused as SendGrid does, and found again in its logs."""

import json
from datetime import timedelta

import pytest
from python_http_client.exceptions import HTTPError

from tests.sandbox.sendgrid_listening import a_mail, api


def refusal(call, *given, **more):
    with pytest.raises(HTTPError) as refused:
        call(*given, **more)
    return refused.value


def refused(world, **changes):
    """The status, and (field, message) of each error."""
    problem = refusal(api(world).mail.send.post, request_body=a_mail(**changes))
    return problem.status_code, [(error["field"], error["message"]) for error in json.loads(problem.body)["errors"]]


def send(world, **changes):
    return api(world).mail.send.post(request_body=a_mail(**changes))


def test_a_mail_is_taken_with_an_empty_answer_and_a_number_of_22_characters(world):
    answer = send(world)

    assert (answer.status_code, answer.body) == (202, b"")
    assert len(answer.headers["X-Message-Id"]) == 22
    (mail,) = world.control.sendgrid.mails()
    assert mail["sg_message_id"].split(".")[0] == answer.headers["X-Message-Id"]
    assert (mail["to"], mail["custom_args"]) == ("mia@cafe.example", {"arrears_attempt": "7"})
    assert mail["events"] == ["processed", "delivered"]


def test_it_lies_in_the_post_office_where_debtors_read_and_answer_it(world):
    send(world, headers={"Message-ID": "<7@brightwater.example>", "Auto-Submitted": "auto-generated"})
    (letter,) = world.control.mails()

    assert letter["from"] == "Brightwater Joinery <accounts@brightwater.example>"
    assert (letter["to"], letter["subject"]) == (["mia@cafe.example"], "A quick reminder – £120")
    assert letter["text"].replace("\r\n", "\n") == "Hi Mia,\n\nplease pay £120.\n"
    assert (letter["message_id"], letter["headers"]["Auto-Submitted"]) == ("<7@brightwater.example>", "auto-generated")
    world.control.reply(0, "I will pay.")
    assert world.control.inbox()[0]["to"] == ["replies+abc@reply.brightwater.example"]


def test_html_pictures_inside_it_and_files_arrive(world):
    files = [
        {
            "content": "iVBORw==",
            "type": "image/png",
            "filename": "l.png",
            "disposition": "inline",
            "content_id": "logo",
        },
        {"content": "JVBERg==", "type": "application/pdf", "filename": "statement.pdf"},
    ]
    content = [*a_mail()["content"], {"type": "text/html", "value": "<p>please pay <img src='cid:logo'></p>"}]
    send(world, content=content, attachments=files)
    (letter,) = world.control.mails()

    assert letter["attachments"] == ["statement.pdf"] and "cid:logo" in letter["html"]
    assert "Content-ID: <logo>" in letter["raw"]


def test_a_copy_has_a_mail_of_its_own_in_the_logs_and_shares_the_letter(world):
    people = {"to": [{"email": "mia@cafe.example"}], "cc": [{"email": "boss@cafe.example"}]}
    send(world, personalizations=[people])

    assert [(mail["to"], mail["letter"]) for mail in world.control.sendgrid.mails()] == [
        ("mia@cafe.example", 0),
        ("boss@cafe.example", 0),
    ]
    assert world.control.mails()[0]["cc"] == ["boss@cafe.example"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "mia"}]}]}, "personalizations.0.to.0.email"),
        (
            {"personalizations": [{"to": [{"email": "a@b.example", "name": "O'Neill, Mia"}]}]},
            "personalizations.0.to.0.name",
        ),
        (
            {"personalizations": [{"to": [{"email": "a@b.example"}], "cc": [{"email": "A@b.example"}]}]},
            "personalizations.0",
        ),
        ({"personalizations": [{"to": [{"email": f"a{n}@b.example"} for n in range(1001)]}]}, "personalizations"),
        ({"from": {"name": "Nobody"}}, "from.email"),
        ({"from": {"email": "büro@b.example"}}, "from.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"custom_args": {"a": 7}}, "custom_args"),
        ({"custom_args": {"a": "x" * 10_000}}, "custom_args"),
        ({"categories": [str(n) for n in range(11)]}, "categories"),
        ({"categories": ["x" * 256]}, "categories"),
        ({"headers": {"Reply-To": "a@b.example"}}, "headers"),
        ({"headers": {"X-A": "b\r\nBcc: c@d.example"}}, "headers.X-A"),
        ({"attachments": [{"content": "not base64!", "filename": "a.pdf"}]}, "attachments.0.content"),
        ({"attachments": [{"content": "JVBERg=="}]}, "attachments.0.filename"),
        ({"send_at": 1_800_000_000}, "send_at"),
        ({"reply_to_list": [{"email": "a@b.example"}]}, "reply_to"),
    ],
)
def test_what_breaks_a_limit_is_refused_with_the_field_that_broke_it(world, changes, field):
    status, errors = refused(world, **changes)

    assert status == 400 and field in [named for named, _ in errors] and all(message for _, message in errors)
    assert world.control.mails() == []


def test_a_mail_over_thirty_megabytes_is_refused_by_the_web_server_in_front_which_speaks_html(world):
    problem = refusal(
        api(world).mail.send.post, request_body=a_mail(attachments=[{"content": "A" * 31_500_000, "filename": "a.pdf"}])
    )

    assert problem.status_code == 413 and b"nginx" in problem.body
    assert problem.headers["Content-Type"] == "text/html"


def test_sandbox_mode_only_looks(world):
    answer = send(world, mail_settings={"sandbox_mode": {"enable": True}})

    assert (answer.status_code, world.control.sendgrid.mails(), world.control.mails()) == (200, [], [])


def test_a_key_that_is_wrong_or_may_not_send_is_told_apart(world):
    assert refusal(api(world, "SG.wrong").mail.send.post, request_body=a_mail()).status_code == 401
    world.control.sendgrid.key(["logs.read"])
    assert refusal(api(world).mail.send.post, request_body=a_mail()).status_code == 403


def test_a_sender_that_nobody_verified_is_refused_and_one_without_a_domain_keeps_no_message_id_in_events(world):
    world.control.sendgrid.senders(domains=["other.example"])
    status, errors = refused(world)
    assert (status, errors[0][0]) == (403, "from") and "verified Sender Identity" in errors[0][1]

    world.control.sendgrid.senders(domains=[], senders=["accounts@brightwater.example"])
    send(world, headers={"Message-ID": "<7@brightwater.example>"})
    world.control.sendgrid.senders(domains=["brightwater.example"])
    send(world, headers={"Message-ID": "<8@brightwater.example>"})

    lone, known = (mail["smtp_id"] for mail in world.control.sendgrid.mails())
    assert "ismtpd" in lone and known == "<8@brightwater.example>"


def test_every_answer_tells_how_many_calls_are_left_and_one_too_many_is_429(world):
    world.control.sendgrid.limit(2)
    left = [send(world).headers["X-RateLimit-Remaining"] for _ in range(2)]
    problem = refusal(api(world).mail.send.post, request_body=a_mail())

    assert (left, problem.status_code) == (["1", "0"], 429)
    until = int(problem.headers["X-RateLimit-Reset"])
    assert until == int((world.control.now() + timedelta(minutes=1)).timestamp())
    world.control.move_clock(world.control.now() + timedelta(minutes=1))
    assert send(world).status_code == 202


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [("500", 500, 0), ("503", 503, 0), ("502html", 502, 0), ("429", 429, 0), ("401", 401, 0), ("500_after", 500, 1)],
)
def test_it_can_fail_before_and_after_it_has_taken_a_mail(world, fault, status, taken):
    world.control.sendgrid.faults(fault)
    problem = refusal(api(world).mail.send.post, request_body=a_mail())

    assert (problem.status_code, len(world.control.mails())) == (status, taken)
    assert send(world).status_code == 202


@pytest.mark.parametrize(("fault", "taken"), [("drop_before", 0), ("drop_after", 1)])
def test_the_line_can_go_dead_before_and_after_it_has_taken_a_mail(world, fault, taken):
    world.control.sendgrid.faults(fault)
    with pytest.raises(OSError):
        send(world)

    assert len(world.control.mails()) == taken


def listed(world, query, **more):
    return json.loads(api(world).logs.post(request_body={"query": query, **more}).body)["messages"]


def test_a_mail_is_found_in_the_logs_by_address_and_time_and_shows_its_arguments_only_by_itself(world):
    send(world)
    send(world, personalizations=[{"to": [{"email": "o'neill@cafe.example"}]}], categories=["run-1"])

    (row,) = listed(
        world, "to_email = 'mia@cafe.example' AND sg_message_id_created_at > TIMESTAMP \"2026-01-01T00:00:00Z\""
    )
    assert set(row) == {
        "from_email",
        "sg_message_id",
        "subject",
        "to_email",
        "reason",
        "status",
        "sg_message_id_created_at",
    }
    single = json.loads(api(world).logs._(row["sg_message_id"]).get().body)
    assert single["custom_args"] == {"arrears_attempt": "7"}
    assert [event["event"] for event in single["events"]] == ["delivered", "processed"]
    assert [row["to_email"] for row in listed(world, 'to_email = "o\'neill@cafe.example"')] == ["o'neill@cafe.example"]
    assert len(listed(world, "categories IN ('run-1', 'run-2') AND status IN ('delivered')")) == 1
    assert listed(world, 'sg_message_id_created_at > TIMESTAMP "2026-02-01T00:00:00Z"') == []
    assert len(listed(world, "", limit=1)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "to_email LIKE 'x'",
        "to_email = x",
        "custom_args = 'x'",
        "to_email = 'a' OR to_email = 'b'",
        "(to_email = 'a')",
        "to_email = 'a' AND",
        'sg_message_id_created_at = TIMESTAMP "2026-01-01T00:00:00Z"',
        "to_email IN ('a')",
    ],
)
def test_a_question_outside_the_language_is_refused(world, query):
    assert refusal(api(world).logs.post, request_body={"query": query}).status_code == 400


def test_the_logs_may_be_late_and_end_after_thirty_days(world):
    world.control.sendgrid.habits(logs_after=600)
    send(world)
    assert listed(world, "") == []

    world.control.move_clock(world.control.now() + timedelta(minutes=10))
    (row,) = listed(world, "")
    world.control.move_clock(world.control.now() + timedelta(days=30))
    assert listed(world, "") == []
    assert refusal(api(world).logs._(row["sg_message_id"]).get).status_code == 404


def test_a_key_without_the_right_to_read_the_logs_is_refused_there(world):
    world.control.sendgrid.key(["mail.send"])

    assert refusal(api(world).logs.post, request_body={"query": ""}).status_code == 403


def test_a_mail_that_waits_for_its_hour_may_be_called_off_until_ten_minutes_before(world):
    now = world.control.now()
    batch = json.loads(api(world).mail.batch.post().body)["batch_id"]
    hour = int((now + timedelta(minutes=30)).timestamp())
    send(world, batch_id=batch, send_at=hour)
    send(world, send_at=hour)
    assert world.control.mails() == []

    stop = {"batch_id": batch, "status": "cancel"}
    assert api(world).user.scheduled_sends.post(request_body=stop).status_code == 201
    world.control.move_clock(now + timedelta(hours=1))
    assert [mail["events"] for mail in world.control.sendgrid.mails()] == [
        ["processed", "dropped"],
        ["processed", "delivered"],
    ]
    assert len(world.control.mails()) == 1

    late = json.loads(api(world).mail.batch.post().body)["batch_id"]
    send(world, batch_id=late, send_at=int((now + timedelta(minutes=65)).timestamp()))
    assert (
        refusal(api(world).user.scheduled_sends.post, request_body={"batch_id": late, "status": "cancel"}).status_code
        == 400
    )
    assert refused(world, batch_id="never-made")[1][0][0] == "batch_id"
