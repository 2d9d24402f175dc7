"""Workflows with words that a small firm can send as they are, so that the first reminder is ten minutes away.

Each is one file in `workflows/`, named after the workflow and its language; each letter that belongs to no workflow,
such as the monthly statement, is one in `letters/`. They are copied when somebody chooses one; what the firm changes
afterwards is the firm's own.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORKFLOWS = Path(__file__).with_name("workflows")
_LETTERS = Path(__file__).with_name("letters")

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""The languages in which everything is written, each by its own name."""

ORDER = ("standard", "gentle", "firm", "consumer", "public-sector", "credit-stop")
"""The order in which a chooser shows them: the one for nearly everybody first."""


@dataclass(frozen=True, slots=True)
class PrewrittenStep:
    """One reminder with its words. `day` counts whole days after the due date; `channel` is `email`, `sms` or `call`.

    The words of an SMS are plain and have no subject; those of a call are notes for the person who makes it.
    """

    id: str
    name: str
    day: int
    channel: str
    manual: bool
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class PrewrittenWorkflow:
    name: str
    description: str
    steps: tuple[PrewrittenStep, ...]


@dataclass(frozen=True, slots=True)
class PrewrittenLetter:
    """The subject and the words of an email that is no step of a workflow."""

    subject: str
    body: str


def prewritten(name: str = "standard", language: str = "en") -> PrewrittenWorkflow:
    """The workflow of this name. Raises LookupError with a sentence when there is none in this language."""
    if (name, language) not in prewritten_names():
        known = ", ".join(f"{name} ({language})" for name, language in prewritten_names())
        raise LookupError(f"there is no pre-written workflow '{name}' in the language '{language}'; there is: {known}")
    return _read(_WORKFLOWS / f"{name}.{language}.toml")


def prewritten_letter(name: str, language: str = "en") -> PrewrittenLetter:
    """The letter `statement` or `thank-you`. Raises LookupError with a sentence when there is none in this language."""
    known = {file.name.removesuffix(".toml"): file for file in _LETTERS.glob("*.*.toml")}
    if f"{name}.{language}" not in known:
        there_is = ", ".join(sorted(known))
        raise LookupError(f"there is no letter '{name}' in the language '{language}'; there is: {there_is}")
    return PrewrittenLetter(**tomllib.loads(known[f"{name}.{language}"].read_text(encoding="utf-8")))


@cache
def prewritten_names() -> tuple[tuple[str, str], ...]:
    """The workflows that can be chosen from, each as its name and its language."""
    found = [(file.name.split(".")[0], file.name.split(".")[1]) for file in _WORKFLOWS.glob("*.*.toml")]
    return tuple(sorted(found, key=lambda one: (_place(one[1], tuple(LANGUAGES)), _place(one[0], ORDER), one)))


def language_of(locale: str) -> str:
    """The language in which we have words for a locale such as `de_AT`; English where we have none of its own."""
    language = locale.replace("-", "_").partition("_")[0]
    return language if language in LANGUAGES else "en"


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)


@cache
def _read(file: Path) -> PrewrittenWorkflow:
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    usual = {"channel": "email", "manual": False, "subject": ""}
    steps = tuple(PrewrittenStep(**(usual | step)) for step in written["steps"])
    return PrewrittenWorkflow(written["name"], written["description"], steps)
