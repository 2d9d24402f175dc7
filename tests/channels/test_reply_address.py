"""Mirrors channels/_reply_address.py: replies come back to an address that knows whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Token, read_tokens, reply_address

KEY = b"a key that nobody else has"
NUMBER = st.integers(min_value=0, max_value=2**40 - 1)


@given(account=NUMBER, attempt=NUMBER, key=st.binary(min_size=1, max_size=64))
def test_every_reply_address_is_read_back_to_the_account_and_attempt_it_was_made_for(account, attempt, key):
    address = reply_address("replies@firm.example", account=account, attempt=attempt, key=key)

    assert read_tokens([address], keys=[key]) == (Token(account, attempt),)


@given(account=NUMBER, attempt=NUMBER)
def test_a_mail_system_that_changes_upper_and_lower_case_does_no_harm(account, attempt):
    address = reply_address("Replies@Firm.example", account=account, attempt=attempt, key=KEY)

    assert read_tokens([address.upper()], keys=[KEY]) == read_tokens([address.lower()], keys=[KEY]) != ()


@given(account=NUMBER, attempt=NUMBER, other=NUMBER)
def test_nobody_can_make_an_address_for_another_account(account, attempt, other):
    mine = reply_address("r@firm.example", account=account, attempt=attempt, key=KEY)
    theirs = reply_address("r@firm.example", account=other, attempt=attempt, key=b"another key")
    forged = theirs[: len("r+") + 16] + mine[len("r+") + 16 :]

    assert read_tokens([theirs], keys=[KEY]) == ()
    assert read_tokens([forged], keys=[KEY]) in ((), (Token(account, attempt),))
    assert other == account or read_tokens([forged], keys=[KEY]) == ()


@given(
    account=NUMBER, attempt=NUMBER, place=st.integers(0, 28), letter=st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz")
)
def test_one_changed_letter_spoils_the_signature(account, attempt, place, letter):
    address = reply_address("r@firm.example", account=account, attempt=attempt, key=KEY)
    at = len("r+") + place
    changed = address[:at] + letter + address[at + 1 :]

    assert changed == address or read_tokens([changed], keys=[KEY]) == ()


@given(st.lists(st.text(max_size=80), max_size=5))
def test_whatever_stands_in_a_recipient_field_reading_it_never_fails(addresses):
    assert read_tokens(addresses, keys=[KEY]) == ()


def test_letters_that_people_mistype_are_read_as_the_digits_they_look_like():
    address = reply_address("r@firm.example", account=1, attempt=0, key=KEY)

    assert "0" in address and "1" in address
    assert read_tokens([address.replace("0", "O").replace("1", "l")], keys=[KEY]) == (Token(1, 0),)


def test_an_older_key_still_counts_after_a_new_one_was_made():
    address = reply_address("r@firm.example", account=7, attempt=8, key=b"old")

    assert read_tokens([address], keys=[b"new", b"old"]) == (Token(7, 8),)
    assert read_tokens([address], keys=[]) == ()


def test_an_address_is_found_among_names_and_brackets_and_counted_once():
    address = reply_address("replies@firm.example", account=3, attempt=4, key=KEY)
    written = ["Mia <mia@cafe.example>", f'"Firm, accounts" <{address}>, {address}']

    assert read_tokens(written, keys=[KEY]) == (Token(3, 4),)


def test_the_part_before_the_at_sign_is_short_enough_for_every_mail_server():
    address = reply_address("replies@firm.example", account=2**40 - 1, attempt=2**40 - 1, key=KEY)

    assert len(address.partition("@")[0]) == len("replies+") + 29 <= 64


@pytest.mark.parametrize(
    "mailbox", ["replies", "@firm.example", "replies@", "a b@firm.example", "x@y\r\nBcc: z@z", "r" * 35 + "@x.y"]
)
def test_a_mailbox_that_cannot_carry_a_token_is_refused_with_a_sentence(mailbox):
    with pytest.raises(ValueError, match=r"mailbox|too long"):
        reply_address(mailbox, account=1, attempt=1, key=KEY)


@pytest.mark.parametrize("number", [-1, 2**40])
def test_a_number_of_more_than_forty_bits_is_refused(number):
    with pytest.raises(ValueError, match="40 bits"):
        reply_address("r@firm.example", account=number, attempt=1, key=KEY)
