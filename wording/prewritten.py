"""Workflows with words that a small firm can send as they are, so that the first reminder is ten minutes away.

Each is one file in `workflows/`, named after the workflow and its language. They are copied when somebody chooses one;
what the firm changes afterwards is the firm's own.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("workflows")


@dataclass(frozen=True, slots=True)
class PrewrittenStep:
    """One reminder with its words. `day` counts whole days after the due date; `channel` is `email` for all of ours."""

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


def prewritten(name: str = "standard", language: str = "en") -> PrewrittenWorkflow:
    """The workflow of this name. Raises LookupError with a sentence when there is none in this language."""
    if (name, language) not in prewritten_names():
        known = ", ".join(f"{name} ({language})" for name, language in prewritten_names())
        raise LookupError(f"there is no pre-written workflow '{name}' in the language '{language}'; there is: {known}")
    return _read(_FOLDER / f"{name}.{language}.toml")


@cache
def prewritten_names() -> tuple[tuple[str, str], ...]:
    """The workflows that can be chosen from, each as its name and its language."""
    return tuple(sorted((file.name.split(".")[0], file.name.split(".")[1]) for file in _FOLDER.glob("*.*.toml")))


@cache
def _read(file: Path) -> PrewrittenWorkflow:
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    steps = tuple(PrewrittenStep(**({"channel": "email", "manual": False} | step)) for step in written["steps"])
    return PrewrittenWorkflow(written["name"], written["description"], steps)
