"""`arrears replay FILE...`: what would a workflow do to this customer? Tells story files and says what came of them.

Nothing is sent and nothing is stored; there is no need of a configuration, a database or a network.
"""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from textwrap import fill

from rich.console import Console
from rich.text import Text

from engine.story import Send
from engine.storybook.file import StoryFile, read_story
from engine.storybook.report import Report, Stand, as_json, reports
from engine.words import in_words

AS_EXPECTED, NOT_AS_EXPECTED, NO_STORY = 0, 1, 2


def replay(files: list[Path], console: Console, complaints: Console, *, json_lines: bool = False) -> int:
    """Tells every file, the ones after a bad one too. Answers the exit status: the worst of all files."""
    statuses = [_replay(file, console, complaints, json_lines=json_lines) for file in files]
    if len(files) > 1 and not json_lines:
        console.print(_summary(Counter(statuses)), markup=False)
    return max(statuses, default=AS_EXPECTED)


def _replay(file: Path, console: Console, complaints: Console, *, json_lines: bool) -> int:
    story = _read(file)
    if not isinstance(story, StoryFile):
        for complaint in story:
            complaints.print(f"arrears: {complaint}", soft_wrap=True, markup=False)
        return NO_STORY
    status = AS_EXPECTED
    for report in reports(story):
        if json_lines:
            print(json.dumps(as_json(report, str(file))))
        else:
            _tell(file, report, console)
        if not report.ok:
            status = NOT_AS_EXPECTED
    return status


def _read(file: Path) -> StoryFile | list[str]:
    """The story; or what keeps the file from being one, a sentence each."""
    try:
        story = read_story(file.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        return [f"{file} cannot be read: {problem.strerror}. Accepted is a story file."]
    except UnicodeDecodeError:
        return [f"{file} cannot be read: it is not a text in UTF-8. Accepted is a story file."]
    return story if isinstance(story, StoryFile) else [f"{file}, {problem}" for problem in story]


def _tell(file: Path, report: Report, console: Console) -> None:
    console.print(Text(report.title or file.stem, style="bold"))
    console.print(f"{file}, {report.mode} mode\n", markup=False, soft_wrap=True)
    _tell_sends(report.sends, console)
    _tell_stands(report.stands, console)
    _tell_expected(report, console)
    console.print()


def _tell_sends(sends: tuple[Send, ...], console: Console) -> None:
    if not sends:
        console.print("  Nothing was sent.\n")
        return
    console.print("  Sent")
    width = max(len(send.step) for send in sends)
    for send in sends:
        to = "skipped: there is no mobile number" if send.skipped else f"for {', '.join(map(str, send.invoices))}"
        _line(console, f"{send.step:<{width}}  {send.channel:<5}  {to}", on=send.on)
    console.print()


def _tell_stands(stands: tuple[Stand, ...], console: Console) -> None:
    if not stands:
        return
    console.print("  Where the account stood at the end of the day")
    for stand in stands:
        _line(console, f"{stand.workflow}, {stand.step or 'the start'}: {stand.state}", on=stand.on)
        _line(console, stand.because + _following(stand), style="dim")
    console.print()


def _following(stand: Stand) -> str:
    """The next step and its day, as far as the reason does not name them already."""
    day = in_words(stand.next_due_on)
    if not stand.next_step or day in stand.because:
        return ""
    return f"; its day was {day}" if stand.next_step in stand.because else f"; {stand.next_step} is next, due on {day}"


def _tell_expected(report: Report, console: Console) -> None:
    if not report.expected:
        console.print("  The file does not say what is expected.")
    elif report.ok:
        console.print("  ✓ All that was expected came.", style="green")
    else:
        console.print("  ✗ This is not what was expected:", style="red")
        for sentence in report.mismatches:
            console.print(
                fill(sentence, console.width, initial_indent=" " * 4, subsequent_indent=" " * 4), markup=False
            )


_MARGIN = " " * 23


def _line(console: Console, text: str, *, on: date | None = None, style: str = "") -> None:
    """A line beside the day it belongs to; further lines stand below its text."""
    first = f"    {in_words(on):<19}" if on else _MARGIN
    told = fill(text, console.width, initial_indent=first, subsequent_indent=_MARGIN, break_on_hyphens=False)
    console.print(Text(told, style=style), soft_wrap=True)


def _summary(statuses: Counter[int]) -> str:
    words = {AS_EXPECTED: "without a mismatch", NOT_AS_EXPECTED: "with mismatches", NO_STORY: "not a story"}
    counted = ", ".join(f"{statuses[status]} {said}" for status, said in words.items() if statuses[status])
    return f"{statuses.total()} files: {counted}."
