"""Mirrors store/secrets.py: a copy of the database gives nobody access."""

import base64
import os
import stat
from pathlib import Path

import pytest

from store import SealBroken, Vault, read_or_make_keys


def vault(*names: str) -> Vault:
    return Vault(tuple((name, name.encode().ljust(32, b"\0")) for name in names))


def test_what_was_sealed_opens_again_and_is_not_readable_in_between() -> None:
    sealed = vault("k1").seal("the refresh token", "grant of xero T1")

    assert "refresh" not in sealed
    assert vault("k1").open(sealed, "grant of xero T1") == "the refresh token"


def test_a_sealed_secret_copied_to_another_row_does_not_open() -> None:
    sealed = vault("k1").seal("the refresh token", "grant of xero T1")

    with pytest.raises(SealBroken, match="does not belong there"):
        vault("k1").open(sealed, "grant of xero T2")


def test_one_altered_letter_breaks_the_seal() -> None:
    sealed = vault("k1").seal("secret", "here")
    altered = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]

    with pytest.raises(SealBroken):
        vault("k1").open(altered, "here")


def test_a_new_key_on_top_seals_and_the_old_one_still_opens() -> None:
    old = vault("k1").seal("secret", "here")
    both = vault("k2", "k1")

    assert both.open(old, "here") == "secret"
    assert both.seal("secret", "here").startswith("k2.")
    with pytest.raises(SealBroken, match="sealed with the key 'k1'"):
        vault("k2").open(old, "here")


def test_keys_for_signing_differ_by_purpose_and_are_not_the_key_itself() -> None:
    assert vault("k1").derived("reply address") != vault("k1").derived("another")
    assert b"k1".ljust(32, b"\0") not in vault("k1").derived("reply address")


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets.key"
    first = read_or_make_keys(path).seal("secret", "here")

    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert read_or_make_keys(path).open(first, "here") == "secret"


def test_a_damaged_key_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\nk2 tooshort\n")

    with pytest.raises(ValueError, match=r"secrets\.key, line 2: a key is an id"):
        read_or_make_keys(path)
