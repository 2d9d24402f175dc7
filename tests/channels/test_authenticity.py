"""Mirrors channels/_authenticity.py: what mail servers found about the sender, and what that is worth."""

from email import message_from_string

import pytest

from channels._authenticity import CONFIRMED, CONTRADICTED, authenticity


def seen(*results: str, sender: str = "Mia <mia@cafe.example>") -> str:
    lines = [f"Authentication-Results: {one}" for one in results]
    return authenticity(message_from_string("\n".join([*lines, f"From: {sender}", "", "x"])))


@pytest.mark.parametrize(
    "results",
    [
        "mx.example; dmarc=pass header.from=cafe.example",
        "mx.example; spf=pass smtp.mailfrom=mia@cafe.example",
        "mx.sendgrid.net; spf=fail; dkim=pass header.d=cafe.example",
        "mx.example; dkim=pass header.i=@mail.cafe.example",
        "mx.example; dkim=fail header.d=cafe.example; dkim=pass header.d=cafe.example",
    ],
)
def test_a_domain_that_the_servers_have_proven_is_confirmed(results: str) -> None:
    assert seen(results) == CONFIRMED


@pytest.mark.parametrize(
    "results",
    [
        "mx.example; dmarc=fail header.from=cafe.example; dkim=pass header.d=cafe.example",
        "mx.example; spf=pass smtp.mailfrom=bounce@bulk.example",
        "mx.example; dkim=pass header.d=evilcafe.example",
        "mx.example; dkim=pass header.d=example",
        "mx.example; spf=softfail smtp.mailfrom=mia@cafe.example; dkim=none",
    ],
)
def test_what_was_proven_of_another_domain_speaks_for_nobody(results: str) -> None:
    assert seen(results) == CONTRADICTED


def test_when_no_server_has_said_anything_nothing_is_claimed() -> None:
    assert seen() == ""
    assert seen("mx.example; none") == ""


def test_what_the_mail_brought_along_counts_for_nothing_beside_the_servers_own_word() -> None:
    own, forged = "mx.ours.example; spf=fail smtp.mailfrom=x@bulk.example", "mx.ours.example; dmarc=pass"

    assert seen(own, forged) == CONTRADICTED
