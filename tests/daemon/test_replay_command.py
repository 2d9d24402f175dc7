"""Mirrors daemon/replay_command.py: `arrears replay` as a person types it, without configuration or database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from daemon.command_line import app

ROOT = Path(__file__).parents[2]

STORY = """
title = "The oldest invoice is paid"
start = 2026-03-01
until = 2026-04-20
modes = ["smart"]
default_workflow = "House"

[[workflow]]
name = "House"
steps = [
  { name = "First", day = 5, channel = "email" },
  { name = "Text", day = 12, channel = "sms" },
  { name = "Third", day = 26, channel = "email" },
]

[[invoice]]
id = "INV-1"
due = 2026-03-02

[[invoice]]
id = "INV-2"
due = 2026-03-20

[[event]]
on = 2026-03-10
sms_number = false

[[event]]
on = 2026-03-30
when = "after_send"
pay = ["INV-1"]
"""

GOOD = """
[expect.smart]
sends = [
  ["2026-03-07", "First"], ["2026-03-14", "Text"], ["2026-03-28", "Third"],
  ["2026-04-01", "Text"], ["2026-04-15", "Third"],
]
"""

WRONG = """
[[expect.smart.position]]
on = 2026-03-30
step = "Third"
"""


SHEET = """\
The oldest invoice is paid
good.toml, smart mode

  Sent
    7 March 2026       First  email  for INV-1, INV-2
    14 March 2026      Text   sms    skipped: there is no mobile number
    28 March 2026      Third  email  for INV-1, INV-2
    1 April 2026       Text   sms    skipped: there is no mobile number
    15 April 2026      Third  email  for INV-2

  Where the account stood at the end of the day
    3 March 2026       House, the start: waiting
                       INV-1 is the oldest overdue invoice at 1 day; First follows on 7 March 2026
    7 March 2026       House, First: waiting
                       INV-1 is the oldest overdue invoice at 5 days; Text follows on 14 March 2026
    10 March 2026      House, First: waiting
                       INV-1 is the oldest overdue invoice at 8 days; Text follows on 14 March 2026
    14 March 2026      House, Text: waiting
                       INV-1 is the oldest overdue invoice at 12 days; Third follows on 28 March
                       2026
    28 March 2026      House, Third: idle
                       INV-1 is the oldest overdue invoice at 26 days; every step is done and
                       nothing follows
    30 March 2026      House, First: waiting
                       INV-1, 28 days overdue, was paid; INV-2 is now the oldest at 10 days, where
                       First applies; Text is next, due on 1 April 2026
    1 April 2026       House, Text: waiting
                       INV-2 is the oldest overdue invoice at 12 days; Third follows on 15 April
                       2026
    15 April 2026      House, Third: idle
                       INV-2 is the oldest overdue invoice at 26 days; every step is done and
                       nothing follows

  ✓ All that was expected came.

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.toml").write_text(STORY + GOOD)
    (tmp_path / "wrong.toml").write_text(STORY + WRONG)
    (tmp_path / "open.toml").write_text(STORY)
    (tmp_path / "bad.toml").write_text(
        STORY.replace("[[invoice]]", "[settings]\nsend_weekday = ['mon']\n[[invoice]]", 1)
    )
    return tmp_path


def replay(*words: str) -> Result:
    return CliRunner().invoke(app, ["replay", *words])


def unbroken(text: str) -> str:
    """What was printed, however wide the window was."""
    return " ".join(text.split())


def arrears(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon.command_line", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_bookkeeper_reads_what_was_sent_where_the_account_stood_and_why(folder: Path) -> None:
    told = arrears(folder, "replay", "good.toml")

    assert told.returncode == 0, told.stderr
    assert told.stdout == SHEET


def test_what_is_not_as_expected_is_said_and_ends_with_status_1(folder: Path) -> None:
    result = replay("wrong.toml")

    assert result.exit_code == 1
    assert "✗ This is not what was expected:" in result.stdout
    assert "on 30 March 2026 the assigned step was expected to be Third, but it is First" in unbroken(result.stdout)


def test_a_story_without_expectations_is_told_and_ends_with_status_0(folder: Path) -> None:
    result = replay("open.toml")

    assert result.exit_code == 0
    assert "The file does not say what is expected." in result.stdout


def test_a_file_that_is_no_story_ends_with_status_2_and_names_file_line_key_and_what_is_accepted(folder: Path) -> None:
    result = replay("bad.toml")

    assert result.exit_code == 2
    line = (folder / "bad.toml").read_text().split("send_weekday")[0].count("\n") + 1
    assert result.stderr.startswith(
        f"arrears: bad.toml, line {line}: the setting 'send_weekday' is not known; "
        "did you mean 'send_weekdays'? Accepted are send_weekdays, min_days_between_reminders, "
    )
    assert result.stdout == ""


def test_a_file_that_cannot_be_read_ends_with_status_2(folder: Path) -> None:
    (folder / "picture.toml").write_bytes(b"\x89PNG\xff")

    missing, directory, picture = replay("missing.toml"), replay(str(folder)), replay("picture.toml")

    assert (missing.exit_code, directory.exit_code, picture.exit_code) == (2, 2, 2)
    assert (
        missing.stderr == "arrears: missing.toml cannot be read: No such file or directory. Accepted is a story file.\n"
    )
    assert "cannot be read: Is a directory" in directory.stderr
    assert "picture.toml cannot be read: it is not a text in UTF-8" in picture.stderr


def test_a_file_that_an_editor_saved_with_a_byte_order_mark_is_read_like_any_other(folder: Path) -> None:
    (folder / "marked.toml").write_text(STORY + GOOD, encoding="utf-8-sig", newline="\r\n")

    assert replay("marked.toml").exit_code == 0


def test_several_files_go_on_after_a_bad_one_and_the_worst_status_wins(folder: Path) -> None:
    result = replay("bad.toml", "wrong.toml", "good.toml", "missing.toml")

    assert result.exit_code == 2
    assert "All that was expected came" in result.stdout
    assert result.stdout.endswith("4 files: 1 without a mismatch, 1 with mismatches, 2 not a story.\n")
    assert replay("wrong.toml", "good.toml").exit_code == 1


def test_with_json_there_is_one_object_for_each_file_and_mode_and_nothing_else(folder: Path) -> None:
    (folder / "both.toml").write_text(STORY.replace('modes = ["smart"]\n', ""))

    result = replay("--json", "wrong.toml", "bad.toml", "both.toml")

    assert result.exit_code == 2
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["file"], line["mode"], line["ok"]) for line in lines] == [
        ("wrong.toml", "smart", False),
        ("both.toml", "legacy", True),
        ("both.toml", "smart", True),
    ]
    assert lines[0]["mismatches"] == ["on 30 March 2026 the assigned step was expected to be Third, but it is First"]
    assert lines[0]["sends"][1]["skipped"] is True
    assert "skipped" not in lines[0]["sends"][0]
    assert lines[2]["positions"][-1]["driver_age"] == 26


def test_what_is_written_in_brackets_is_shown_as_it_is(folder: Path) -> None:
    (folder / "brackets.toml").write_text(STORY.replace("House", "[bold]House").replace("INV-1", "[red]1"))

    result = replay("brackets.toml")

    assert result.exit_code == 0
    assert "for [red]1, INV-2" in result.stdout
    assert "[bold]House, First: waiting" in result.stdout


def test_a_story_is_told_in_a_folder_where_nothing_else_is(folder: Path) -> None:
    told = arrears(folder, "replay", "good.toml", "wrong.toml")

    assert told.returncode == 1, told.stderr
    assert told.stderr == ""
    assert sorted(path.name for path in folder.iterdir()) == ["bad.toml", "good.toml", "open.toml", "wrong.toml"]


def test_the_stories_of_the_tests_hold_on_the_command_line_as_well() -> None:
    files = sorted((ROOT / "tests" / "engine" / "stories").glob("*.toml"))

    result = replay(*map(str, files))

    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"{len(files)} files: {len(files)} without a mismatch.\n")
