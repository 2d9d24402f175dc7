"""Mirrors store/inbox.py: whatever a stranger writes into a mail's name, the mail is stored, on either database."""

from datetime import UTC, datetime

from sqlmodel import select

from store import Database, inbox
from store.tables import PostRow

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_mail_whose_name_has_a_zero_byte_comes_in_once_and_byte_for_byte(database_url: str) -> None:
    database = Database(database_url)
    database.migrate()
    mail = ("mail:a\0b@cafe.example:1", b"Message-ID: <a\0b@cafe.example>\r\n\r\nWe pay on Friday.", "two parts 'a\0b'")
    with database.unit_of_work() as unit:
        assert [inbox.keep_posts(unit, "email_sendgrid", [mail], NOW) for _ in range(2)] == [1, 0]
    with database.reading() as session:
        (post,) = session.scalars(select(PostRow)).all()
    database.close()

    assert post.raw == mail[1]
    assert post.problem
