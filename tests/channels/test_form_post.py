"""Mirrors channels/_form_post.py: a form with files in it, taken apart without touching a byte of what it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels._form_post import MOST_PARTS, Part, form_parts

KIND = "multipart/form-data; boundary=xYzZY"


def a_form(*parts: tuple[str, bytes], mark: bytes = b"xYzZY") -> bytes:
    pieces = [
        b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (mark, head.encode(), content)
        for head, content in parts
    ]
    return b"".join([*pieces, b"--" + mark + b"--\r\n"])


def test_fields_and_files_are_told_apart():
    body = a_form(('name="to"', b"a@b.example"), ('name="file1"; filename="Gr\xfc\xdfe \\"x\\".pdf"', b"%PDF"))
    body = body.replace(b'"\r\n\r\n%PDF', b'"\r\nContent-Type: application/pdf\r\n\r\n%PDF')

    assert form_parts(KIND, body) == {
        "to": Part(b"a@b.example"),
        "file1": Part(b"%PDF", 'Grüße "x".pdf', "application/pdf"),
    }


@given(st.dictionaries(st.from_regex(r"[a-zA-Z0-9-]{1,12}", fullmatch=True), st.binary(max_size=300), max_size=6))
def test_whatever_bytes_a_field_has_they_come_out_as_they_went_in(fields):
    fields = {name: content for name, content in fields.items() if b"--xYzZY" not in content}
    body = a_form(*((f'name="{name}"', content) for name, content in fields.items()))

    assert {name: part.content for name, part in form_parts(KIND, body).items()} == fields


@given(st.binary(max_size=400))
def test_no_bytes_whatever_do_more_than_be_refused(body):
    for content in (body, b"--xYzZY" + body, a_form(("name=x", body)) + body):
        try:
            form_parts(KIND, content)
        except ValueError as refused:
            assert str(refused).endswith(".")


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("application/json", b"{}", "no form"),
        ("multipart/form-data", a_form(), "no form"),
        (KIND, b"", "does not have the parts"),
        (KIND, a_form(('name="a"', b"1"))[:-12], "breaks off"),
        (KIND, b"--xYzZY\r\nno head\r\n--xYzZY--", "no end to its head"),
        (KIND, a_form(('name="SPF"', b"fail"), ('name="SPF"', b"pass")), "two parts"),
        (KIND, a_form(*((f'name="{n}"', b"") for n in range(MOST_PARTS + 1))), "more than"),
    ],
)
def test_what_is_no_such_form_is_refused_with_a_sentence(kind, body, why):
    with pytest.raises(ValueError, match=why):
        form_parts(kind, body)
