"""Which letters of a mailbox were asked for: IMAP's SEARCH."""

from collections.abc import Callable
from datetime import date, datetime
from email.utils import parsedate_to_datetime

from sandbox.mail.imap_words import BadCommand, Words, numbers_in
from sandbox.mail.post_office import Delivered
from sandbox.mail.reading import opened

Test = Callable[[int, Delivered], bool]
FLAGS = {"SEEN": "\\Seen", "ANSWERED": "\\Answered", "FLAGGED": "\\Flagged", "DELETED": "\\Deleted", "DRAFT": "\\Draft"}
HEADERS = {"FROM": "From", "TO": "To", "CC": "Cc", "BCC": "Bcc", "SUBJECT": "Subject"}


def found(letters: list[Delivered], words: Words) -> list[tuple[int, Delivered]]:
    """The letters that pass every word, each with its place in the mailbox (from 1)."""
    words = list(words)
    if words and str(words[0]).upper() == "CHARSET":
        del words[:2]
    tests = []
    while words:
        tests.append(_test(words, letters))
    return [(n, letter) for n, letter in enumerate(letters, 1) if all(test(n, letter) for test in tests)]


def _test(words: Words, letters: list[Delivered]) -> Test:
    word = words.pop(0)
    if isinstance(word, list):
        inner, rest = [], list(word)
        while rest:
            inner.append(_test(rest, letters))
        return lambda n, letter: all(test(n, letter) for test in inner)
    name = word.upper()
    try:
        return _simple(name, word, words, letters)
    except IndexError:
        raise BadCommand(f"SEARCH {name} needs another word.") from None


def _simple(name: str, word: str, words: Words, letters: list[Delivered]) -> Test:
    if name == "ALL" or name == "OLD":
        return lambda n, letter: True
    if name in ("NEW", "RECENT"):
        return lambda n, letter: "\\Seen" not in letter.flags
    if name in FLAGS:
        return lambda n, letter: FLAGS[name] in letter.flags
    if name.startswith("UN") and name[2:] in FLAGS:
        return lambda n, letter: FLAGS[name[2:]] not in letter.flags
    if name in ("KEYWORD", "UNKEYWORD"):
        flag, wanted = words.pop(0), name == "KEYWORD"
        return lambda n, letter: (flag in letter.flags) is wanted
    if name == "NOT":
        test = _test(words, letters)
        return lambda n, letter: not test(n, letter)
    if name == "OR":
        one, other = _test(words, letters), _test(words, letters)
        return lambda n, letter: one(n, letter) or other(n, letter)
    if name == "UID":
        ranges = numbers_in(words.pop(0), letters[-1].uid if letters else 0)
        return lambda n, letter: any(low <= letter.uid <= high for low, high in ranges)
    if name in HEADERS:
        return _in_header(HEADERS[name], words.pop(0))
    if name == "HEADER":
        return _in_header(words.pop(0), words.pop(0))
    if name in ("BODY", "TEXT"):
        text = words.pop(0).lower().encode("utf-8", "surrogateescape")
        return lambda n, letter: text in _searched(letter, whole=name == "TEXT")
    if name in ("LARGER", "SMALLER"):
        size, larger = int(words.pop(0)), name == "LARGER"
        return lambda n, letter: len(letter.raw) > size if larger else len(letter.raw) < size
    if name.removeprefix("SENT") in ("SINCE", "BEFORE", "ON"):
        return _on_day(name.removeprefix("SENT"), _day(words.pop(0)), sent=name.startswith("SENT"))
    if name[0].isdigit() or name[0] == "*":
        ranges = numbers_in(word, len(letters))
        return lambda n, letter: any(low <= n <= high for low, high in ranges)
    raise BadCommand(f"SEARCH {name} is not offered.")


def _in_header(header: str, text: str) -> Test:
    return lambda n, letter: any(text.lower() in str(v).lower() for v in opened(letter.raw).get_all(header, []))


def _searched(letter: Delivered, *, whole: bool) -> bytes:
    return (letter.raw if whole else letter.raw.partition(b"\r\n\r\n")[2]).lower()


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%d-%b-%Y").date()
    except ValueError:
        raise BadCommand(f"“{text}” is not a day of the form 01-Jan-2026.") from None


def _on_day(how: str, day: date, *, sent: bool) -> Test:
    def of(letter: Delivered) -> date:
        if not sent:
            return letter.received_at.date()
        return parsedate_to_datetime(str(opened(letter.raw)["Date"])).date()

    match how:
        case "SINCE":
            return lambda n, letter: of(letter) >= day
        case "BEFORE":
            return lambda n, letter: of(letter) < day
    return lambda n, letter: of(letter) == day
