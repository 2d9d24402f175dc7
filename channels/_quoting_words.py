"""How mail programmes introduce the mail they quote, in the languages of the people who write to us.

Only words are here; what counts as evidence is decided in `_quoted_text`.
"""

import re
from unicodedata import combining, normalize


def _any(*words: str) -> str:
    """Any of these words, with their accents or without them: not everybody's machine has kept them."""
    return "|".join(dict.fromkeys([*words, *map(_plain, words)]))


def _plain(word: str) -> str:
    return "".join(letter for letter in normalize("NFD", word) if not combining(letter))


_WROTE = _any(
    *("wrote", "writes", "schrieb", "écrit", "ecrit", "escribió", "escribio", "scritto", "escreveu", "schreef"),
    *("skrev", "skriver", "napisał", r"napisał\(a\)", "napisała", "pisze", "napsal", r"napsal\(a\)", "napísal"),
    *("kirjoitti", "írta", "yazdı", "написал", r"написал\(а\)", "пишет", "пише", "写道", "έγραψε", "scris"),
)
_ORIGINAL_MESSAGE = _any(
    *("original message", "ursprüngliche nachricht", "original-nachricht", "originalnachricht", "message d['’]origine"),
    *("message original", "mensaje original", "messaggio originale", "oorspronkelijk bericht", "mensagem original"),
    *(
        "ursprungligt meddelande",
        "oprindelig meddelelse",
        "oprindelig besked",
        "opprinnelig melding",
        "alkuperäinen viesti",
    ),
    *("wiadomość oryginalna", "původní zpráva", "исходное сообщение", "reply message"),
)
_FROM = _any("from", "von", "de", "da", "van", "från", "fra", "od", "lähettäjä", "от", "发件人", "差出人")
_SENT = _any(
    *("sent", "date", "gesendet", "datum", "envoyé", "date d['’]envoi", "enviado", "enviado el", "fecha", "inviato"),
    *("data", "verzonden", "enviada", "enviada em", "skickat", "sendt", "dato", "lähetetty", "päivämäärä", "wysłano"),
    *("odesláno", "дата", "отправлено", "发送时间"),
)
_TO = _any("to", "an", "à", "a", "para", "aan", "till", "til", "vastaanottaja", "do", "komu", "кому", "收件人")
_SUBJECT = _any(
    *("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "ämne", "emne", "aihe", "temat"),
    *("předmět", "тема", "主题"),
)
_OTHER = _any(
    *("cc", "bcc", "kopie", "copie à", "copia", "kopia", "reply-to", "antwort an", "attachments?", "anlagen?"),
    *("pièces jointes", "importance", "wichtigkeit", "priority", "organization"),
)

WROTE = re.compile(rf"(?<!\w)({_WROTE})(?!\w)", re.IGNORECASE)
WROTE_AT_THE_END = re.compile(rf"(?<!\w)({_WROTE})\s*(:|：)\s*$", re.IGNORECASE)

SOMEBODY_WROTE = re.compile(
    rf"^[\s>*]*[\"'<(]{{0,2}}(mailto:)?[^\s<>@()]+@[^\s<>@()]+\.\w+[\"'>)]{{0,2}}\s+({_WROTE})\s*:\s*$", re.IGNORECASE
)
"""`pay@cafe.example wrote:`, an address and nothing else, as some telephones put it."""

ONE_OF_US_WROTE = re.compile(
    r"(?<!\w)(i|you|he|she|they|we|ich|du|er|sie|wir|ihr|je|tu|il|elle|on|nous|vous|ils|elles|ik|jij|u|hij|zij|wij"
    r"|yo|tú|él|ella|usted|io|lei|lui|eu|ele|ela|você|jag|han|hon|vi|jeg|hun)\s+(have\s+|has\s+|had\s+|avez\s+|a\s+|ha\s+)?"
    rf"({_WROTE})(?!\w)|(?<!\w)({_WROTE})\s+(you|he|she|they|we|sie|er|wir|ihr|du|ich|u|jij|hij)(?!\w)"
    r"|(?<!\w)(my|our|your|mein\w*|unser\w*|dein\w*|ihre?\w?|mes|notre|votre|nos|vos|mijn|onze?|uw)(?!\w)",
    re.IGNORECASE,
)
"""`On 3 May at 14:49 you wrote:` is said by a person, who goes on in words of his own; mail programmes give a name."""

OPENS = re.compile(
    r"^[\s>*-]{0,6}(on|am|le|el|il|em|op|den|dnia|w dniu|dne|po|på|на"
    r"|(mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|pon|wt|śr|czw|pt|sob|niedz)\w*[.,]+)\s",
    re.IGNORECASE,
)

ORIGINAL_MESSAGE = re.compile(
    rf"^\W{{0,4}}[-_*=–—]{{2,}}\s*({_ORIGINAL_MESSAGE})\s*[-_*=–—]{{2,}}\s*($|({_FROM}|{_SENT})\s?:)", re.IGNORECASE
)
"""A telephone may have lost the end of the line, so that the first label follows at once."""

WROTE_BETWEEN_DASHES = re.compile(rf"^\W{{0,4}}-{{3,}}.{{0,300}}(?<!\w)({_WROTE})\W{{0,3}}-{{3,}}\s*$", re.IGNORECASE)
"""`---- On Wed, 24 Feb 2021 14:02:50 +0530 mia@cafe.example wrote ----`, as Zoho puts it."""

FORWARDED_MESSAGE = re.compile(
    r"^\W{0,4}[-_*=–—]{2,}\s*(forwarded message|begin forwarded message|weitergeleitete nachricht|message transféré"
    r"|mensaje reenviado|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|vidarebefordrat meddelande)"
    r"\s*[-_*=–—]{2,}\s*$",
    re.IGNORECASE,
)
BEGINS_IN_THE_LINE = re.compile(
    r"^(?P<before>.*\w\W{0,3})(?:-{2,}\s*|\s)(?:on|am|le|el|il|op|den)\s[^-]{0,300}$", re.IGNORECASE
)

ABOVE_THIS_LINE = re.compile(
    r"^\W*(please )?(type|write|enter) your (reply|answer) above this line\W*$|^#{2,}.*above this line.*#{2,}$",
    re.IGNORECASE,
)

MAIL_LABEL = re.compile(
    rf"^[\s>*_]*(?:(?P<origin>{_FROM})|(?P<sent>{_SENT})|(?P<to>{_TO})|(?P<subject>{_SUBJECT})|(?P<other>{_OTHER}))"
    r"\s?[*_]*\s?[:：][*_]*\s*(?P<value>.*)$",
    re.IGNORECASE,
)
ANY_LABEL = re.compile(r"^[*_]*[^\W\d][\w '’/.-]{0,30}\s?[*_]*:\s*\S")
