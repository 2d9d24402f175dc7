"""What is new in a reply: the mail it quotes, below, above or in between, is taken away for reading.

Losing a customer's words is far worse than showing a few quoted lines too many. So a line goes only on good evidence,
answers between quoted lines stay, and when nothing would be left, everything stays. The whole text is always kept
elsewhere.
"""

import re
from collections.abc import Sequence

from channels._html_text import QUOTED_FROM_HERE
from channels._quoting_words import (
    ABOVE_THIS_LINE,
    ANY_LABEL,
    BEGINS_IN_THE_LINE,
    FORWARDED_MESSAGE,
    MAIL_LABEL,
    ONE_OF_US_WROTE,
    OPENS,
    ORIGINAL_MESSAGE,
    SOMEBODY_WROTE,
    WROTE,
    WROTE_AT_THE_END,
    WROTE_BETWEEN_DASHES,
)

_MOST_LINES = 20_000
_LONGEST_INTRODUCTION = 500
_WRAPPED_OVER = 6
_LONGEST_HEADER = 14

_MARKED = re.compile(r"^\s{0,3}(>|&gt;)")
_COMPARISON = re.compile(r"^\s*>\s*=?\s*[£$€¥]?\s?\d[\d.,]*")
_RULE = re.compile(r"^\s*(_{10,}|-{10,})\s*$")
_COLON = re.compile(r"[:：]\s*$")
_DATE = re.compile(r"\b(19|20)\d\d([./-]\d{1,2}){2}\b|\b(19|20)\d\d\b|\b\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}\b")
_TIME = re.compile(r"\b\d{1,2}[:.h]\d{2}\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@\[\]():]+@[^\s<>@\[\]():]+\.[^\s<>@\[\]():]+")
_OUR_TOKEN = re.compile(r"\+[0-9a-z]{29}@", re.IGNORECASE)


def said(text: str, *, ours: Sequence[str] = ()) -> str:
    """The text without what it quotes. `ours` are our own addresses: in the line above a quote, they prove it."""
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        return text.replace(QUOTED_FROM_HERE, "")
    kept = _new_lines(lines, [address.lower() for address in ours if address])
    answer = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in kept)).strip("\n")
    return answer if re.search(r"\w", answer) else text.replace(QUOTED_FROM_HERE, "").strip("\n")


def _new_lines(lines: list[str], ours: list[str]) -> list[str]:
    kept: list[str] = []
    introduced = False
    several_marked = sum(1 for line in lines if _MARKED.match(line)) > 1
    at = 0
    while at < len(lines):
        if len(lines[at]) > _LONGEST_INTRODUCTION and not _MARKED.match(lines[at]):
            kept.append(lines[at])  # nobody's introduction, and looking for one in it could take for ever
            at += 1
            continue
        if lines[at] == QUOTED_FROM_HERE or ABOVE_THIS_LINE.match(lines[at]) or _is_mail_header(lines, at):
            return _without_rule_at_the_end(kept)
        if FORWARDED_MESSAGE.match(lines[at]):
            return kept + lines[at:]  # what was forwarded is the message
        if WROTE_BETWEEN_DASHES.match(lines[at]) and _DATE.search(lines[at]):
            return kept
        if ORIGINAL_MESSAGE.match(lines[at]):
            if not _is_marked(_next_words(lines, at + 1)):
                return kept
            introduced = True
            at += 1
        elif length := _introduction(lines, at, ours):
            introduced = True
            kept += _before_the_introduction(lines[at])
            at += length
            if not _is_marked(_next_words(lines, at)):
                return kept
        elif _MARKED.match(lines[at]):
            end = _end_of_marked(lines, at)
            if not introduced and not _is_quote(lines[at:end], several_marked):
                kept += lines[at:end]
            at = end
        else:
            kept.append(lines[at])
            at += 1
    return kept


def _is_marked(line: str) -> bool:
    return _MARKED.match(line) is not None


def _is_quote(block: list[str], several_marked: bool) -> bool:
    """A lone "> 5,000 needs approval" is a sentence about money, not a quote."""
    return several_marked and not all(_COMPARISON.match(line) for line in block)


def _end_of_marked(lines: list[str], at: int) -> int:
    while at < len(lines) and _MARKED.match(lines[at]):
        at += 1
    return at


def _next_words(lines: list[str], at: int) -> str:
    return next((line for line in lines[at:] if line.strip()), "")


def _without_rule_at_the_end(kept: list[str]) -> list[str]:
    end = len(kept)
    while end and (not kept[end - 1].strip() or _RULE.match(kept[end - 1])):
        end -= 1
    return kept[:end]


def _before_the_introduction(line: str) -> list[str]:
    """What stands before "--- On Wed, X wrote:" in the same line, where a mail programme forgot to begin a new one."""
    found = BEGINS_IN_THE_LINE.match(line) if not OPENS.match(line) and "--" in line else None
    return [found["before"].rstrip()] if found and not _DATE.search(found["before"]) else []


def _introduction(lines: list[str], at: int, ours: list[str]) -> int:
    """How many lines from here say "On Monday, X wrote:"; 0 if none do. Mail programmes wrap them anywhere."""
    first = lines[at]
    if len(first) > _LONGEST_INTRODUCTION:
        return 0
    opens = OPENS.match(first) or (_DATE.search(first) and _TIME.search(first))
    opens = opens or (_ADDRESS.search(first) and WROTE.search(first))
    if _DATE.match(first) and _ADDRESS.search(first) and _is_marked(_next_words(lines, at + 1)):
        return 1  # "2011/4/7 Mia <mia@cafe.example>", without a verb
    if SOMEBODY_WROTE.match(first):
        return 1
    for count in range(1, _WRAPPED_OVER + 1 if opens else 2):
        window = lines[at : at + count]
        if len(window) < count or not window[-1].strip() or (count > 1 and OPENS.match(window[-1])):
            return 0
        if _COLON.search(window[-1]):
            joined = " ".join(line.strip(" >*") for line in window)
            return count if _introduces(joined, _next_words(lines, at + count), ours) else 0
    return 0


def _introduces(joined: str, following: str, ours: list[str]) -> bool:
    """With `>` marks below, little evidence is enough. Without, all that follows would go, so there must be plenty."""
    if len(joined) > _LONGEST_INTRODUCTION:
        return False
    wrote = WROTE.search(joined) is not None
    address = _ADDRESS.search(joined) is not None
    dated, timed = _DATE.search(joined) is not None, _TIME.search(joined) is not None
    if address and (_OUR_TOKEN.search(joined) or any(own in joined.lower() for own in ours)) and (wrote or dated):
        return True
    if _is_marked(following):
        return (
            WROTE_AT_THE_END.search(joined) is not None
            or (wrote and (dated or timed or address))
            or (address and dated)
        )
    if dated and timed and wrote and OPENS.match(joined) and not ONE_OF_US_WROTE.search(joined):
        return True  # "On 18 July 2026 10:23, Mia Taylor wrote:", from a programme that leaves addresses out
    return address and dated and (wrote or timed)


def _is_mail_header(lines: list[str], at: int) -> bool:
    """A block of From, Sent, To and Subject, as Outlook puts it above a quote.

    A bank's payment advice has From, To and Date as well. So a block counts only with a subject or an address in it,
    and not when it goes on with labels that no mail has, such as Amount or Reference.
    """
    first = MAIL_LABEL.match(lines[at])
    if first is None or not (first["origin"] or first["sent"]):
        return False
    seen: set[str] = set()
    addressed = False
    for offset, line in enumerate(lines[at : at + _LONGEST_HEADER]):
        if not line.strip(" >*"):
            if _is_foreign_label(_next_words(lines, at + offset)):
                return False
            break
        if label := MAIL_LABEL.match(line):
            seen |= {name for name, found in label.groupdict().items() if found is not None}
            addressed = addressed or "@" in label["value"]
        elif _is_foreign_label(line):
            return False
        elif not ("@" in line or ";" in line or line[:1].isspace()):
            break
    if not first["origin"] and not ({"to", "subject"} <= seen and addressed):
        return False  # a block that begins with its date needs every other label too
    return {"origin", "sent"} <= seen and bool(seen & {"to", "subject"}) and ("subject" in seen or addressed)


def _is_foreign_label(line: str) -> bool:
    return ANY_LABEL.match(line) is not None and MAIL_LABEL.match(line) is None and "@" not in line
