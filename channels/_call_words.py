"""Our own sentences on a call. What a debtor owes is in none of them: that is said after they have confirmed who they
are, and in the words of the step.
"""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "agent": "Press 1 to be connected to {name}.",
            "agent_unnamed": "Press 1 to be connected.",
            "hello": "Hello. This is an automatic call from {firm} for {name}.",
            "hello_unnamed": "Hello. This is an automatic call from {firm}.",
            "who": "If you are {name} or speak for them, press 1. If you want no more automatic calls, press 9.",
            "who_unnamed": "If you look after the accounts, press 1. If you want no more automatic calls, press 9.",
            "choices": "If you will pay, press 1. To speak with a person, press 2. If something is not right, press 3. "
            "If you want no more automatic calls, press 9.",
            "will pay": "Thank you. We have noted it. Goodbye.",
            "a person": "One moment. We are putting you through.",
            "later": "Thank you. One of us will call you back. Goodbye.",
            "dispute": "Thank you. We have noted it, and one of us will get in touch with you. Goodbye.",
            "no more": "We have noted it, and you will get no more automatic calls from us. Goodbye.",
            "goodbye": "Goodbye.",
            "message": "Hello, this is {firm}. Please call us back at {number}. Thank you.",
        },
        "de": {
            "agent": "Drücken Sie die 1, um mit {name} verbunden zu werden.",
            "agent_unnamed": "Drücken Sie die 1, um verbunden zu werden.",
            "hello": "Guten Tag. Dies ist ein automatischer Anruf von {firm} für {name}.",
            "hello_unnamed": "Guten Tag. Dies ist ein automatischer Anruf von {firm}.",
            "who": "Wenn Sie {name} sind oder dafür sprechen, drücken Sie die 1. Wenn Sie keine automatischen Anrufe "
            "mehr wünschen, drücken Sie die 9.",
            "who_unnamed": "Wenn Sie für die Buchhaltung zuständig sind, drücken Sie die 1. Wenn Sie keine "
            "automatischen Anrufe mehr wünschen, drücken Sie die 9.",
            "choices": "Wenn Sie zahlen werden, drücken Sie die 1. Um mit jemandem zu sprechen, die 2. Wenn etwas "
            "nicht stimmt, die 3. Wenn Sie keine automatischen Anrufe mehr wünschen, die 9.",
            "will pay": "Vielen Dank. Wir haben es notiert. Auf Wiederhören.",
            "a person": "Einen Moment, bitte. Wir verbinden Sie.",
            "later": "Vielen Dank. Wir rufen Sie zurück. Auf Wiederhören.",
            "dispute": "Vielen Dank. Wir haben es notiert und melden uns bei Ihnen. Auf Wiederhören.",
            "no more": "Wir haben es notiert; Sie bekommen keine automatischen Anrufe mehr von uns. Auf Wiederhören.",
            "goodbye": "Auf Wiederhören.",
            "message": "Guten Tag, hier ist {firm}. Bitte rufen Sie uns zurück unter {number}. Vielen Dank.",
        },
    }
)


def of_ours(language: str) -> str:
    """The language (`de-AT`) if we have these sentences in it, else English."""
    return language if language.partition("-")[0] in WORDS else "en"


def words_in(language: str) -> Mapping[str, str]:
    """The sentences in a language of ours."""
    return WORDS[language.partition("-")[0]]


def spelled(number: str) -> str:
    """A telephone number as a machine reads it out: figure by figure."""
    return ", ".join(figure for figure in number if figure.isdigit())
