"""What is new in a reply: the quoted mail below, above or between is taken away, so that a person reads only the answer.

Losing a customer's words is far worse than showing a few quoted lines too many. So a line goes only on good evidence,
answers between quoted lines stay, and when nothing would be left, everything stays. The whole text is always kept
elsewhere; this is for reading.
"""

import re
from collections.abc import Sequence

_LONGEST_LINE = 500
_MOST_LINES = 20_000
_WRAPPED_OVER = 6

_QUOTED = re.compile(r"^\s{0,3}(>|&gt;|\|\s?>)")
_ONLY_MARKS = re.compile(r"^[\s>]*$")
_SEPARATOR = re.compile(
    r"^\W{0,4}[-_*=–—]{2,}\s*("
    r"original message|original-nachricht|ursprüngliche nachricht|originalnachricht|message d['’]origine"
    r"|message original|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|mensagem de origem"
    r"|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna"
    r"|původní zpráva|исходное сообщение|reply message"
    r")\s*[-_*=–—]{2,}\s*$",
    re.IGNORECASE,
)
_ABOVE_THIS_LINE = re.compile(
    r"^\W*(please )?(type|write|enter)? ?your (reply|answer) above this line\W*$|^#{2,}.*above this line.*#{2,}$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(_{10,}|-{10,})\s*$")

_WROTE = (
    r"wrote|writes|schrieb|écrit|ecrit|escribió|escribio|ha scritto|scritto|escreveu|schreef|geschreven|skrev|skriver"
    r"|napisał(\(a\)|a)?|pisze|napsal(\(a\)|a)?|napísal|kirjoitti|írta|yazdı|написал\(?а?\)?|пишет|пише|写道|έγραψε|scris"
)
_ATTRIBUTION_ENDS = re.compile(r"(:|：)\s*$")
_VERB = re.compile(rf"(?<!\w)({_WROTE})(?!\w)", re.IGNORECASE)
_VERB_AT_END = re.compile(rf"(?<!\w)({_WROTE})\s*(:|：)\s*$", re.IGNORECASE)
_DATE = re.compile(r"\b(19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
_TIME = re.compile(r"\b\d{1,2}[:.h]\d{2}\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@\[\]()]+@[^\s<>@\[\]()]+\.[^\s<>@\[\]()]+")
_TOKEN = re.compile(r"\+[0-9a-z]{29}@", re.IGNORECASE)
_OPENS = re.compile(
    r"^\W{0,3}(on|am|le|el|il( giorno)?|em|op|den|dnia|w dniu|dne|på|a[zs]?|în|на|"
    r"(mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim)\w*[.,])\s",
    re.IGNORECASE,
)

_FROM = "from|von|de|da|van|från|fra|od|lähettäjä|от|发件人|差出人"
_SENT = "sent|date|gesendet|datum|envoyé|date d['’]envoi|enviado( el)?|fecha|inviato|data|verzonden|enviada( em)?|skickat|sendt|dato|lähetetty|päivämäärä|wysłano|odesláno|дата|отправлено|发送时间"
_TO = "to|an|à|a|para|aan|till|til|vastaanottaja|do|komu|кому|收件人"
_SUBJECT = "subject|betreff|objet|asunto|oggetto|onderwerp|assunto|ämne|emne|aihe|temat|předmět|тема|主题"
_OTHER = "cc|kopie|copie à|copia|kopia|bcc|reply-to|antwort an|attachments?|anlagen?|pièces jointes|importance|wichtigkeit|priority|organization"
_LABELLED = re.compile(
    rf"^\s*[>*_\s]*(?:(?P<origin>{_FROM})|(?P<sent>{_SENT})|(?P<to>{_TO})|(?P<subject>{_SUBJECT})|(?P<other>{_OTHER}))"
    r"\s?[*_]*\s?[:：][*_]*\s*(?P<value>.*)$",
    re.IGNORECASE,
)
_ANY_LABEL = re.compile(r"^\s*[*_]*[^\W\d][\w '’/.-]{0,30}\s?[*_]*:\s*\S")


def said(text: str, *, ours: Sequence[str] = ()) -> str:
    """The text without what it quotes. `ours` are our own addresses: in a line that introduces a quote, they prove it."""
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        return text
    kept = _unquoted(lines, [address.lower() for address in ours if address])
    answer = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in kept)).strip("\n")
    return answer if _has_words(answer) else text.strip("\n")


def _has_words(text: str) -> bool:
    return re.search(r"\w", text) is not None


def _unquoted(lines: list[str], ours: list[str]) -> list[str]:
    kept: list[str] = []
    introduced = False
    at = 0
    while at < len(lines):
        if _SEPARATOR.match(lines[at]) or _ABOVE_THIS_LINE.match(lines[at]):
            if _something_follows_as_an_answer(lines, at):
                at += 1
                continue
            break
        if _is_mail_header(lines, at):
            while kept and (_RULE.match(kept[-1]) or not kept[-1].strip()):
                kept.pop()
            break
        if length := _attribution(lines, at, ours):
            introduced = True
            at += length
            if not _quote_marks_follow(lines, at):
                break
            continue
        if _QUOTED.match(lines[at]):
            end = _end_of_quote(lines, at)
            if introduced or end - at > 1 or _quotes_without_introduction(lines):
                introduced = introduced or end - at > 1
            else:
                kept += lines[at:end]
            at = end
            continue
        kept.append(lines[at])
        at += 1
    return kept


def _end_of_quote(lines: list[str], at: int) -> int:
    """The end of a run of quoted lines; empty lines between two quoted ones belong to it."""
    end = at
    while end < len(lines) and _QUOTED.match(lines[end]):
        end += 1
    return end


def _quotes_without_introduction(lines: list[str]) -> bool:
    """Several quoted places in one mail are quotes; a single line such as "> 5,000 needs approval" is none."""
    return sum(1 for line in lines if _QUOTED.match(line)) > 1


def _quote_marks_follow(lines: list[str], at: int) -> bool:
    return any(_QUOTED.match(line) for line in lines[at:])


def _something_follows_as_an_answer(lines: list[str], at: int) -> bool:
    """Below "Original Message" with `>` marks, lines without marks are answers and are read on."""
    return any(_QUOTED.match(line) for line in lines[at + 1 : at + 12])


def _attribution(lines: list[str], at: int, ours: list[str]) -> int:
    """How many lines from here say "On Monday, X wrote:"; 0 if none do. Mail programmes wrap them anywhere."""
    if not lines[at].strip() or len(lines[at]) > _LONGEST_LINE:
        return 0
    joined = ""
    for count, line in enumerate(lines[at : at + _WRAPPED_OVER], start=1):
        if not line.strip():
            return 0
        joined = f"{joined} {line.strip(' >')}".strip()
        if _ATTRIBUTION_ENDS.search(line):
            return count if _introduces(joined, lines, at + count, ours) else 0
    return 0


def _introduces(joined: str, lines: list[str], after: int, ours: list[str]) -> bool:
    lower = joined.lower()
    address = _ADDRESS.search(joined) is not None
    dated = _DATE.search(joined) is not None or _TIME.search(joined) is not None
    verb = _VERB.search(joined) is not None
    if len(joined) > _LONGEST_LINE or not (verb or address):
        return False
    if (_TOKEN.search(joined) or any(own in lower for own in ours)) and (verb or dated):
        return True
    if verb and dated and (address or _OPENS.match(joined)):
        return True
    if address and _DATE.search(joined) and _TIME.search(joined):
        return True
    following = next((line for line in lines[after:] if line.strip()), "")
    return _VERB_AT_END.search(joined) is not None and _QUOTED.match(following) is not None


def _is_mail_header(lines: list[str], at: int) -> bool:
    """A block of From, Sent, To and Subject as Outlook puts it above a quote.

    A bank's payment advice has From, To and Date as well. So a block counts only with a Subject or an address in it,
    and not when it goes on with labels that no mail has, such as Amount or Reference.
    """
    first = _LABELLED.match(lines[at])
    if first is None or first["origin"] is None:
        return False
    seen: set[str] = set()
    values = ""
    for line in lines[at : at + 14]:
        if not line.strip(" >*"):
            break
        labelled = _LABELLED.match(line)
        if labelled is not None:
            seen.add(
                str(
                    labelled.lastgroup
                    and next(name for name in ("origin", "sent", "to", "subject", "other") if labelled[name])
                )
            )
            values += f" {labelled['value']}"
        elif _ANY_LABEL.match(line) and "@" not in line:
            return False
        elif "@" not in line and ";" not in line and not line.startswith((" ", "\t")):
            break
    return (
        "origin" in seen and "sent" in seen and bool(seen & {"to", "subject"}) and ("subject" in seen or "@" in values)
    )
