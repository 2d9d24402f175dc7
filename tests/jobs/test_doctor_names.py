"""Mirrors jobs/doctor_names.py: the names that mail servers look up, asked of a name server over real UDP."""

import pytest

from jobs.doctor import Finding, Verdict
from jobs.doctor_names import Sender, names
from tests.jobs.name_server import Zone, name_server

DKIM = '"v=DKIM1; k=rsa; p=MIGfMA0" "GCSqGSIb3"'
GOOD: Zone = {
    ("firm.example", "TXT"): ['"v=spf1 include:mail.example ~all"', '"some other record"'],
    ("k1._domainkey.firm.example", "TXT"): [DKIM],
    ("_dmarc.firm.example", "TXT"): ['"v=DMARC1; p=quarantine"'],
    ("firm.example", "MX"): ["20 second.mail.example.", "10 first.mail.example."],
}
FIRM = Sender("email_smtp", "Accounts <accounts@firm.example>", "accounts@firm.example")
SENDGRID = Sender("email_sendgrid", "accounts@firm.example", "replies@reply.firm.example")
AT_SENDGRID: Zone = {
    ("firm.example", "TXT"): ['"v=spf1 include:sendgrid.net -all"'],
    ("s1._domainkey.firm.example", "CNAME"): ["s1.domainkey.u1.wl.sendgrid.example."],
    ("s1.domainkey.u1.wl.sendgrid.example", "TXT"): [DKIM],
    ("s2._domainkey.firm.example", "TXT"): [DKIM],
    ("_dmarc.firm.example", "TXT"): ['"v=DMARC1; p=none"'],
    ("reply.firm.example", "MX"): ["10 mx.sendgrid.net."],
}


def found(zone: Zone, sender: Sender = FIRM, selectors: tuple[str, ...] = ("k1",)) -> dict[str, Finding]:
    with name_server(zone) as server:
        return {finding.about: finding for finding in names([sender], server, 3.0, selectors)}


def test_names_that_are_in_order_are_said_to_be() -> None:
    told = found(GOOD)

    assert {finding.verdict for finding in told.values()} == {Verdict.OK}
    assert told["SPF of firm.example"].says == "v=spf1 include:mail.example ~all"
    assert told["DMARC of firm.example"].says == "_dmarc.firm.example says p=quarantine"
    assert told["MX of firm.example"].says == "answers go to first.mail.example"


def test_those_of_sendgrid_are_known_and_followed_to_where_they_lead() -> None:
    told = found(AT_SENDGRID, SENDGRID, ())

    assert {finding.verdict for finding in told.values()} == {Verdict.OK}
    assert told["MX of reply.firm.example"].says == "answers go to mx.sendgrid.net"


@pytest.mark.parametrize(
    ("changed", "about", "verdict", "says"),
    [
        ({("firm.example", "TXT"): ['"other"']}, "SPF", Verdict.LOOK, "no record says who may send"),
        ({("firm.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 ~all"']}, "SPF", Verdict.WRONG, "two count as none"),
        ({("firm.example", "TXT"): ['"v=spf1 +all"']}, "SPF", Verdict.WRONG, "everybody"),
        ({("k1._domainkey.firm.example", "TXT"): ['"x"']}, "DKIM", Verdict.WRONG, "no key"),
        ({("k1._domainkey.firm.example", "TXT"): ['"v=DKIM1; p="']}, "DKIM", Verdict.WRONG, "taken back"),
        ({("_dmarc.firm.example", "TXT"): ['"x"']}, "DMARC", Verdict.LOOK, "no record"),
        ({("_dmarc.firm.example", "TXT"): ['"v=DMARC1; rua=x"']}, "DMARC", Verdict.WRONG, "no policy"),
        ({("_dmarc.firm.example", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=none"', '"v=DMARC1;p=reject"']},
         "DMARC", Verdict.WRONG, "count as none"),
        ({("firm.example", "MX"): []}, "MX", Verdict.WRONG, "nobody takes mail"),
    ],
)  # fmt: skip
def test_what_is_wrong_says_what_and_what_to_do(changed: Zone, about: str, verdict: Verdict, says: str) -> None:
    told = found({**GOOD, **changed})[f"{about} of firm.example"]

    assert told.verdict is verdict
    assert says in told.says
    assert told.do


def test_a_policy_of_the_domain_above_holds_for_what_lies_below() -> None:
    below = Sender("email_smtp", "a@pay.firm.example", "a@firm.example")
    told = found({**GOOD, ("pay.firm.example", "TXT"): ['"v=spf1 -all"']}, below, ())

    assert told["DMARC of pay.firm.example"].says == "_dmarc.firm.example says p=quarantine"


def test_answers_that_go_past_sendgrid_are_lost() -> None:
    told = found({**AT_SENDGRID, ("reply.firm.example", "MX"): ["10 mx.elsewhere.example."]}, SENDGRID, ())

    assert told["MX of reply.firm.example"].verdict is Verdict.WRONG
    assert "mx.sendgrid.net" in told["MX of reply.firm.example"].do


def test_a_selector_that_nobody_named_is_asked_for() -> None:
    assert found(GOOD, FIRM, ())["DKIM of firm.example"].verdict is Verdict.LOOK


def test_a_free_mail_address_is_wrong_and_its_names_are_not_ours_to_mend() -> None:
    told = found(GOOD, Sender("email_smtp", "firm@gmail.com", "firm@gmail.com"))

    assert list(told) == ["[email_smtp] From"]
    assert told["[email_smtp] From"].verdict is Verdict.WRONG


def test_where_nobody_answers_it_is_said_once_and_soon() -> None:
    told = list(names([FIRM, SENDGRID], "127.0.0.1:1", 0.2, ("k1",)))

    assert [finding.about for finding in told] == ["[email_smtp] From", "[email_sendgrid] From", "DNS"]
    assert told[-1].verdict is Verdict.LOOK
    assert "names were not looked up" in told[-1].says
