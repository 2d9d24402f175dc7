"""Mirrors channels/_mail_files.py: files are found without being unpacked, however large or broken a mail is."""

import zipfile
from email.message import EmailMessage
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import file_in
from channels._mail_files import attached, pieces, without_files
from channels._mail_reading import read_mail

REMITTANCE = bytes(range(256)) * 40


def a_mail(*files: tuple[str, bytes], text: str = "Here it is.") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "mia@cafe.example", "Re: INV-1"
    mail.set_content(text)
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return mail.as_bytes()


def test_files_are_listed_by_name_type_and_size_and_come_out_as_they_went_in() -> None:
    raw = a_mail(("remittance.pdf", REMITTANCE), ("Überweisung.pdf", b"%PDF"))
    first, second = attached(raw)

    assert (first.name, first.content_type, first.size) == ("remittance.pdf", "application/pdf", len(REMITTANCE))
    assert (second.name, second.size) == ("Überweisung.pdf", 4)
    assert file_in("email_smtp", raw, first.place) == ("remittance.pdf", "application/pdf", REMITTANCE)


@pytest.mark.parametrize(
    "written",
    [
        "filename=Überweisung.pdf",
        'filename="=?utf-8?Q?=C3=9Cberweisung.pdf?="',
        "filename*=utf-8''%C3%9Cberweisung.pdf",
        'filename="=?iso-8859-1?B?3GJlcndlaXN1bmcucGRm?="',
    ],
)
def test_a_name_is_read_however_its_mail_programme_writes_it(written: str) -> None:
    raw = f"From: a@b.example\nContent-Type: application/pdf\nContent-Disposition: attachment; {written}\n\nx"

    assert [file.name for file in attached(raw.encode())] == ["Überweisung.pdf"]


def test_a_mail_without_files_has_none() -> None:
    assert attached(a_mail()) == ()
    with pytest.raises(LookupError, match="no such file"):
        file_in("email_smtp", a_mail(), 0)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\evil\\run.exe", "in\u202evoice.exe", "a\r\nSet-Cookie: x", "...", ""]
)
def test_a_name_that_means_harm_is_made_harmless(name: str) -> None:
    head = b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="'
    raw = b"From: a@b.example\r\n" + head + name.encode() + b'"\r\n\r\nx'
    (file,) = attached(raw) or [None]

    assert file is not None and file.name
    assert not set(file.name) & set('/\\\r\n\u202e"') - {'"'}
    assert not file.name.startswith(".")


def test_a_mail_of_thirty_megabytes_is_read_whole_and_its_file_left_alone() -> None:
    mail = (
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nWe pay on Friday.\r\n"
        b"--b\r\nContent-Type: application/pdf; name=large.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + (b"QUJD" * 19 + b"\r\n") * 385_000
        + b"--b--\r\n"
    )
    reply = read_mail(mail)

    assert len(mail) > 29_000_000
    assert reply.said == "We pay on Friday."
    assert [file.size for file in reply.attachments] == [57 * 385_000]
    assert len(without_files(mail)) < 2_000


def test_words_that_come_after_a_large_file_are_not_lost() -> None:
    boundary = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nbefore\r\n'
    file = b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * 2_000_000
    raw = b"From: a@b.example\r\n" + boundary + file + b"--b\r\nContent-Type: text/plain\r\n\r\nafter\r\n--b--\r\n"

    assert read_mail(raw).text == "before\n\nafter"


def test_an_archive_that_would_fill_the_disk_is_never_unpacked() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 20_000_000)
    raw = a_mail(("bomb.zip", packed.getvalue()))
    (file,) = attached(raw)

    assert file.size == len(packed.getvalue()) < 100_000
    assert file_in("email_smtp", raw, file.place)[2] == packed.getvalue()


def test_ten_thousand_parts_are_not_all_listed() -> None:
    part = b'--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\nx\r\n'
    beside = b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * 10_000 + b"--b--\r\n"
    inside = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(10_000))

    assert 0 < len(attached(beside)) <= 500
    assert len(pieces(inside)) == 1


@given(st.binary(max_size=300), st.lists(st.sampled_from([b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"x"]), max_size=30))
def test_no_bytes_at_all_bring_the_reader_down_or_are_counted_twice(junk: bytes, marks: list[bytes]) -> None:
    raw = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"".join(marks) + junk
    found = pieces(raw)

    assert sum(piece.end - piece.begin for piece in found if piece.end > piece.begin) <= len(raw)
    for file in attached(raw):
        file_in("email_smtp", raw, file.place)
    without_files(raw)
