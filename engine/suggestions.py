"""What a reply seems to say: a promise, a dispute, "already paid", "please stop", or that somebody has left.

It is a suggestion, with the words that made it, and nothing more: a person confirms or dismisses it. So it may be
wrong now and then, and must never be silent about a plain "stop". English and German are understood.
"""

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from engine.spoken_days import day_meant

_LONGEST, _LONGEST_SENTENCE, _MOST = 20_000, 500, 300
_SENTENCE = re.compile(r"(?<=[!?;])\s+|(?<=[a-zäöüß)\"”])\.\s+|(?<=\d\d\d\d)\.\s+(?=[A-ZÄÖÜ])|\n+", re.IGNORECASE)


class SuggestionKind(StrEnum):
    STOP = "stop"
    DISPUTE = "dispute"
    PAID = "already paid"
    PROMISE = "promise"
    NEW_CONTACT = "new contact"


class Suggestion(NamedTuple):
    """One thing that the reply seems to say, in its own `words`; a promise with the day that was named, if any."""

    kind: SuggestionKind
    words: str
    day: date | None = None


def suggestions(text: str, *, on: date) -> tuple[Suggestion, ...]:
    """What the words of a debtor, written on that day, seem to say: each kind once, the weightiest first.

    `text` is what is new in the reply, without what it quotes.
    """
    found: dict[SuggestionKind, Suggestion] = {}
    for sentence in _sentences(text):
        for kind in _kinds(sentence):
            known = found.get(kind)
            day = day_meant(sentence, on) if kind is SuggestionKind.PROMISE else None
            if known is None or (known.day is None and day is not None):
                found[kind] = Suggestion(kind, sentence, day)
    return tuple(found[kind] for kind in SuggestionKind if kind in found)


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(text[:_LONGEST])[:_MOST]:
        words = " ".join(sentence.split())[:_LONGEST_SENTENCE].replace("’", "'")
        if any(map(str.isalpha, words)):
            yield words


def _kinds(sentence: str) -> Iterator[SuggestionKind]:
    if _STOP.search(sentence) or _STOP_ALONE.match(sentence):
        yield SuggestionKind.STOP
    disputed = bool(_DISPUTE.search(sentence)) and not _NOT_A_DISPUTE.search(sentence)
    paid = bool(_PAID.search(sentence)) and not _NOT_PAID.search(sentence)
    if disputed or _WILL_NOT_PAY.search(sentence):
        yield SuggestionKind.DISPUTE
    if paid:
        yield SuggestionKind.PAID
    if _PROMISE.search(sentence) and not (paid or _WILL_NOT_PAY.search(sentence) or _NO_PROMISE.search(sentence)):
        yield SuggestionKind.PROMISE
    if _NEW_CONTACT.search(sentence):
        yield SuggestionKind.NEW_CONTACT


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})", re.IGNORECASE)


_STOP_ALONE = re.compile(r"^\W*(please )?(stop|unsubscribe|abmelden|stopp)( it| this| now| bitte| please)?\W*$", re.I)
_STOP = _any(
    r"(please )?stop (all )?(e-?mailing|texting|calling|ringing|contacting|messaging|writing|bothering"
    r"|harassing|sending"
    r"|e-?mails|these|those|the (e-?mails|texts|messages|calls|reminders))",
    r"(do not|don't|never|stop trying to) (ever )?(contact|e-?mail|text|call|ring|phone|message|write to|send)"
    r" (me|us|this|any ?more|any (more|further))",
    r"(no|any) (more|further) (e-?mails|texts|text messages|messages|reminders|calls|contact)",
    r"unsubscribe",
    r"opt(ing)?[ -]?out",
    r"(remove|take) (me|us|my|our|this)\b.{0,40}(list|off|database|system|records)",
    r"leave (me|us) alone",
    r"keine (weiteren |weitere |mehr )?(e-?mails?|mails|sms|nachrichten|anrufe|mahnungen|erinnerungen|kontakt\w*)"
    r"( mehr| zu schicken| zu senden)?(?!\w)(?! (erhalten|bekommen)(?! woll| möcht))",
    r"(hören|hoeren) sie (bitte )?(damit )?auf",
    r"(kontaktieren|schreiben|rufen|mailen|belästigen) sie (mich|uns|mir) (bitte )?(nicht|nie)",
    r"nicht (mehr|weiter|länger) (anzu)?(kontaktieren|kontaktiert|anschreiben|anrufen|schreiben|belästigen|anmailen)",
    r"(abmelden|abbestellen|austragen)(?!\w)",
    r"lassen sie (mich|uns) in ruhe",
)
_DISPUTE = _any(
    r"(we |i )?(dispute|disputing|disagree|contest|reject)(?!\w)",
    r"in dispute",
    r"(is|are|was|were|looks|seems|appears to be|be) (wrong|incorrect|not correct|not right|inaccurate)",
    r"(wrong|incorrect) (invoice|amount|price|pricing|quantity|total|vat|goods|items?|figure|balance|delivery|rate)",
    r"over-?charged|charged (us |me )?(twice|too much)|double[- ]charged|not (as )?agreed",
    r"(not|never|n't) (been )?(receive|received|delivered|ordered|arrived|completed|supplied|got|get)(?!\w)",
    r"(damaged|faulty|defective|missing (item|goods|part|from the delivery)|short[- ]delivered|poor quality)",
    r"(raise|issue|issued|send|waiting for|awaiting|need|owe us|request\w*|expect\w*) (us )?(a "
    r"|the )?credit( note)?(?!\w)",
    r"(query|problem|issue) with (the|this|that|your|our|invoice)",
    r"reklam\w+|beanstand\w+|widersprechen|widerspruch|bestreiten|strittig",
    r"(rechnung|betrag|preis|menge|lieferung|summe)( \S+){0,3} (ist|sind|war|stimmt|passt)( \S+){0,2} "
    r"(falsch|fehlerhaft|nicht|unvollständig|zu hoch)",
    r"falsche[rnms]? (rechnung|betrag|preis|menge|lieferung|ware|artikel|summe)",
    r"nicht (erhalten|geliefert|bestellt|korrekt|einverstanden|vereinbart|angekommen|vollständig|richtig)",
    r"mangelhaft|mängel|mangel(?!\w)|beschädigt|defekt|fehlerhaft",
    r"(warten|brauchen|benötigen|bitten|fehlt)( \S+){0,3} gutschrift",
)
_NOT_A_DISPUTE = _any(
    r"(not|never|n't) (been )?(receive|received|got|get) (a |an |any |the |your |this |that )?(copy|invoices?|statement"
    r"|pdf|e-?mail|reply|answer|response|reminder|payment|funds)",
    r"(nicht|keine) (\S+ )?(rechnung|kopie|mahnung|e-?mail|antwort|zahlung)(en)? (erhalten|bekommen)",
    r"(rechnung|kopie|mahnung)(en)? (\S+ )?(nicht|nie) (erhalten|bekommen)",
    r"(is|are|'s) (that|this|it) (wrong|correct)\?",
    r"not in dispute|no dispute|nicht strittig",
)
_WILL_NOT_PAY = _any(
    r"(will|shall|are|am|'re|'m|can) ?not (be )?(going to )?(pay|paying|paid|settle)(?!\w)|won't (be )?(pay|paying)",
    r"(refuse|refusing) to pay|not (be )?paying (this|the|that|until|any)",
    r"(werden|zahlen|bezahlen) (\S+ ){0,4}nicht (be)?zahlen|(be)?zahlen (wir|ich) (\S+ ){0,3}nicht|verweigern",
)
_PAID = _any(
    r"(already|have|has|had|was|were|been|is|'ve) (already |now |all |since |just |been |both )*(paid|settled"
    r"|transferred"
    r"|remitted|cleared in full)(?!\w)",
    r"(we|i|they|he|she|accounts) (already |just |also )?(paid|transferred|settled|remitted|wired)(?!\w)",
    r"paid (this|that|it|the|these|those|by|on|last|in full|already|yesterday|today|via|with)(?!\w)",
    r"payment (was|has been|have been|had been|is|went|left)( already| now)* (made|sent|done|processed|released|out"
    r"|transferred|on its way|our (bank|account))",
    r"(sent|made|released|processed) (the |this |a |your |full )?(payment|transfer|funds|money)(?!\w)",
    r"(bereits|schon|längst|gestern|heute|letzte\w*|am \S+) (\S+ ){0,4}(be|ge)?zahlt",
    r"(haben|habe|hat|wurde|wurden|ist|sind) (\S+ ){0,8}(bezahlt|gezahlt|überwiesen|beglichen|angewiesen|ausgeglichen)",
    r"(bereits|schon|längst) (\S+ ){0,4}(überwiesen|beglichen|angewiesen)",
    r"zahlung (ist|wurde) (\S+ ){0,4}(erfolgt|veranlasst|getätigt|raus|ausgeführt|angewiesen)",
)
_NOT_PAID = _any(
    r"(not|n't|never|nothing) (\S+ ){0,2}(paid|settled|transferred|made|sent)",
    r"(will|shall|can|should|must|to|when|once|if|until|unless|after|as soon as) (\S+ ){0,5}"
    r"(be |been |is |are |have |has |get |getting )?(paid|settled|transferred|made|sent|released|processed)",
    r"(nicht|noch nicht|nie|wird|werden|sobald|wenn|falls) (\S+ ){0,6}(bezahlt|gezahlt|überwiesen|beglichen"
    r"|angewiesen)",
    r"(who|have you|has it|was it|is it) (\S+ ){0,4}paid\W*\?$",
    r"(over|under|un)paid",
)
_PROMISE = _any(
    r"(we|i|they|he|she|it|payment|you|this|that|these|accounts)(?:'ll| will| shall| can| should| (?:are|am"
    r"|is) going to"
    r"| (?:plan|intend|expect|hope|aim|promise) to|'m going to|'re going to| (?:are|am) able to)\b.{0,60}?"
    r"(pay|paid|paying|settle|settled|transfer|transferred|remit|clear|payment|funds|money|made|processed"
    r"|released)(?!\w)",
    r"(we|i) (pay|are paying|am paying|'re paying|make (the |a )?payment|are settling)(?!\w)",
    r"(i'm|we're) (paying|settling|making (the |a )?payment)",
    r"(will|shall|going to) (be )?(pay|paid|settled?|transfer(red)?|processed|released|remitted)(?!\w)",
    r"payment (is|has been|are) (scheduled|planned|due to|set|lined up|approved|queued)",
    r"(payment|pay) run",
    r"expect (the |our )?payment|promise to pay|(pay|settle|clear) (it|this|them|the (balance|account|invoice))",
    r"(zahlen|bezahlen|überweisen|begleichen) (wir|ich)|(wir|ich) (zahlen?|bezahlen?|überweisen?|begleichen?)(?!\w)",
    r"(wird|werden|werde|kann|können) (\S+ ){0,10}(zahlen|bezahlen|bezahlt|gezahlt|überweisen|überwiesen|begleichen"
    r"|beglichen|angewiesen|anweisen|erfolgen|ausgeführt)",
    r"(zahlung|überweisung|bezahlung|zahlungseingang) (\S+ ){0,3}(erfolgt|folgt|ist (\S+ ){0,3}(geplant|vorgesehen)"
    r"|geht|kommt)",
    r"zahlungslauf|zahllauf|(überweisung|geld|betrag) (\S+ ){0,3}(kommt|folgt|geht)",
)
_NO_PROMISE = _any(
    r"(when|if|how|what|where|who|which) (\S+ ){0,4}(we|i) (can|should|could|shall|will) (\S+ ){0,2}(pay|settle)",
    r"(can|could|how do|how can|shall|should) (we|i) (\S+ ){0,3}(pay|settle|transfer)\b[^.]*\?",
    r"(not|unable|cannot|can't|n't) (\S+ ){0,3}(able )?(to )?(pay|settle|transfer)(?!\w)",
    r"(you|ihr|sie) (will|shall|must|werden) (\S+ ){0,3}(pay|zahlen)(?!\w)",
    r"(nicht|kein\w*) (\S+ ){0,3}(zahlen|bezahlen|überweisen)",
)
_NEW_CONTACT = _any(
    r"no longer (with|works?|working|employed|part of|at (the|this)|an employee|responsible|in charge|handles?)",
    r"(has|have) (now |since |recently )?left (the |our |this )?(company|business|organi[sz]ation|firm|practice|team)",
    r"left the (company|business|organi[sz]ation|firm)",
    r"(my|our|the|a) new (contact|e-?mail|address|number|accounts (person|contact|department))",
    r"(please )?update your (records|contact|system|address book)",
    r"nicht mehr (\S+ ){0,4}(tätig|beschäftigt|zuständig|unternehmen|bei uns|erreichbar|für die firma)",
    r"(das|unser|dieses) unternehmen (\S+ ){0,2}verlassen|ausgeschieden",
    r"neue[rsn]? (ansprechpartner|ansprechpartnerin|kontakt|e-?mail-?adresse|adresse)",
)
